import pytest
from django.urls import reverse
from django.utils import timezone

from konsilium.actions._files import store
from konsilium.adapters.ciphering import encipher, new_key
from konsilium.adapters.sealing import seal
from konsilium.models import Attendance, Event, Recording, RecordingConsent
from konsilium.models.access import acting, as_room
from konsilium.web.http import new_key as once_key
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db
VOICE = bytes(range(256)) * 600
GONE = 410


@pytest.fixture
def way(cast):
    return Way(cast).on_video()


@pytest.fixture
def session(way):
    return confirmed_session(way)


@pytest.fixture
def track(way, session):
    """The doctor's voice, kept."""
    key = new_key()
    stored = store().receive(encipher([VOICE], key), len(VOICE) * 2)
    now = timezone.now()
    with as_room(session.pk):
        here = Attendance.objects.create(
            session_id=session.pk, seat="one", name=way.doctor.name, organization_name="Омск", role="requester",
            side="requesting", person_id=way.doctor.person_id, joined_at=now, seen_at=now,
        )  # fmt: skip
        return Recording.objects.create(
            session_id=session.pk, attendance_id=here.pk, label=way.doctor.name, kind="audio", state="kept",
            began_at=now, ended_at=now, sha256=stored.sha256, size=len(VOICE), sealed_key=seal(key),
            delete_on=now.date(),
        )  # fmt: skip


def page(session):
    return reverse("recordings:show", args=[session.pk])


def sound(track):
    return reverse("recordings:sound", args=[track.pk])


def give(client, session, person, verb="give"):
    form = {"person": person.person_id, "once_key": once_key()}
    return client.post(reverse(f"recordings:{verb}", args=[session.pk]), form, follow=True)


def test_the_consultant_gives_it_and_the_doctor_listens(way, session, track, client_as):
    doctor, consultant = client_as(way.doctor), client_as(way.consultant)
    assert "Вам запись не открыта" in doctor.get(page(session)).content.decode()
    assert doctor.get(sound(track)).status_code == 404
    assert "открыт на две недели" in give(consultant, session, way.doctor).content.decode()
    assert sound(track) in doctor.get(page(session)).content.decode()
    heard = doctor.get(sound(track))
    assert (heard.status_code, heard.headers["Content-Type"]) == (200, "audio/webm")
    assert b"".join(heard.streaming_content) == VOICE
    assert heard.headers["Cache-Control"] == "private, no-store"


def test_a_player_asks_for_parts_and_that_is_one_hearing(way, session, track, client_as):
    give(client_as(way.consultant), session, way.doctor)
    doctor = client_as(way.doctor)
    for start, end in ((0, 99), (70_000, 70_009), (100, "")):
        part = doctor.get(sound(track), headers={"Range": f"bytes={start}-{end}"})
        last = len(VOICE) - 1 if end == "" else end
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {start}-{last}/{len(VOICE)}"
        assert b"".join(part.streaming_content) == VOICE[start : last + 1]
    with acting(way.consultant):
        assert Event.objects.filter(kind="recording_heard").count() in (1, 2)


def test_the_sessions_record_leads_there_once_somebody_agreed_to_a_recording(way, session, client_as):
    record = reverse("sessions:record", args=[session.pk])
    consultant = client_as(way.consultant)
    assert page(session) not in consultant.get(record).content.decode()
    with as_room(session.pk):
        RecordingConsent.objects.create(
            session_id=session.pk, attendance_id=way.row.pk, name="С.", at=way.at, is_given=True
        )
    assert page(session) in consultant.get(record).content.decode()


def test_what_was_taken_back_is_gone_at_once(way, session, track, client_as):
    consultant, doctor = client_as(way.consultant), client_as(way.doctor)
    give(consultant, session, way.doctor)
    assert "закрыт" in give(consultant, session, way.doctor, "take_back").content.decode()
    assert doctor.get(sound(track)).status_code == 404


def test_it_is_given_to_nobody_who_was_not_there(way, session, track, client_as):
    said = give(client_as(way.consultant), session, way.dispatcher).content.decode()
    assert "Выберите того, кто участвовал в сеансе." in said


def test_the_requesting_side_gives_nothing(way, session, track, client_as):
    assert give(client_as(way.doctor), session, way.doctor).status_code == 403


def test_another_deployments_key_is_said_in_words(way, session, track, client_as, settings):
    give(client_as(way.consultant), session, way.doctor)
    with as_room(session.pk):
        Recording.objects.filter(pk=track.pk).update(sealed_key=b"\x01" + bytes(60))
    answer = client_as(way.doctor).get(sound(track))
    assert answer.status_code == GONE
    assert "Запись не открывается" in answer.content.decode()


def test_the_story_tells_who_gave_it_and_who_listened(way, session, track, client_as):
    give(client_as(way.consultant), session, way.doctor)
    doctor = client_as(way.doctor)
    b"".join(doctor.get(sound(track)).streaming_content)
    story = doctor.get(reverse("consultation:timeline", args=[way.row.pk])).content.decode()
    assert "Открыт доступ к записи сеанса" in story
    assert "Запись сеанса прослушана" in story

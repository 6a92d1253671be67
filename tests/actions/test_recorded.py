from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as live_settings

from konsilium.actions import documents, engines, hearing, recorded
from konsilium.actions._files import store
from konsilium.actions._step import NotThere
from konsilium.adapters.ciphering import NotGenuine
from konsilium.adapters.sealing import NotOpened
from konsilium.adapters.storage import StorageFull
from konsilium.adapters.tracks import playable
from konsilium.models import Attendance, Event, Recording, RecordingAccess, Room, Session
from konsilium.models.access import acting, as_room, as_worker
from konsilium.workflow.machine import NotYours
from tests.adapters.tracks.making import mjr, sound
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def folder(tmp_path, settings):
    """Where the media server leaves its recordings."""
    settings.VIDEO = replace(live_settings.VIDEO, given={"KONSILIUM_JANUS_RECORDINGS": str(tmp_path)})
    return tmp_path


@pytest.fixture
def way(cast):
    return Way(cast).on_video()


@pytest.fixture
def session(way):
    made = confirmed_session(way)
    engines.room_of(made.pk, at=way.at)
    return made


@pytest.fixture
def doctor(way, session):
    with as_room(session.pk):
        return Attendance.objects.create(
            session_id=session.pk, seat="one", name=way.doctor.name, organization_name="Омск",
            side="requesting", role="requester", person_id=way.doctor.person_id,
            joined_at=way.at, seen_at=way.at,
        )  # fmt: skip


def room_name(session):
    with as_room(session.pk):
        return Room.objects.values_list("name", flat=True).get(session_id=session.pk)


def left_there(folder, session, who, kind="audio", make=sound):
    name = f"videoroom-{room_name(session)}-1-user-{who}-1700000000-{kind}-0.mjr"
    return make(folder / name)


def rows(session):
    with as_room(session.pk):
        return list(Recording.objects.filter(session_id=session.pk).order_by("kind"))


@pytest.fixture
def track(folder, session, doctor, way):
    """A kept track of the doctor's voice, and what it sounds like."""
    path = left_there(folder, session, doctor.pk)
    plain = b"".join(playable(path).chunks)
    assert recorded.gather(at=way.at) == 1
    (row,) = rows(session)
    row.plain = plain
    return row


def kinds(way, prefix="recording"):
    with acting(way.consultant):
        events = Event.objects.filter(consultation=way.row, kind__startswith=prefix).order_by("at", "id")
        return [(event.kind, event.actor_name, event.text) for event in events]


def given(way, session, person):
    with acting(way.consultant):
        row = Session.objects.get(pk=session.pk)
        return hearing.give(row, person.person_id, actor=way.consultant, at=way.at)


def heard(actor, session):
    with acting(actor):
        return hearing.tracks(Session.objects.get(pk=session.pk), actor=actor)


def test_a_finished_track_becomes_a_row_and_its_file_goes(track, folder, way, doctor):
    assert list(folder.iterdir()) == []
    assert (track.state, track.kind, track.label) == ("kept", "audio", way.doctor.name)
    assert (track.attendance_id, track.size) == (doctor.pk, len(track.plain))
    assert track.ended_at - track.began_at == timedelta(milliseconds=1980)
    assert track.delete_on == way.at.date() + 30 * DAY


def test_in_the_store_it_is_enciphered_and_its_key_is_sealed(track):
    stored = b"".join(store().open_range(track.sha256))
    assert b"OpusHead" in track.plain
    assert b"OpusHead" not in stored
    assert len(bytes(track.sealed_key)) > 32
    assert b"".join(hearing.sound(track)) == track.plain
    assert b"".join(hearing.sound(track, start=100, length=50)) == track.plain[100:150]


def test_two_tracks_have_two_keys(track, folder, session, doctor, way):
    left_there(folder, session, doctor.pk, make=lambda path: sound(path, seconds=3, first=5))
    with as_room(session.pk):
        Recording.objects.filter(pk=track.pk).update(began_at=way.at)
    recorded.gather(at=way.at)
    assert len({bytes(row.sealed_key) for row in rows(session)}) == 2


def test_a_track_taken_twice_is_kept_once(track, folder, session, doctor, way):
    left_there(folder, session, doctor.pk)
    assert recorded.gather(at=way.at) == 1
    assert [row.pk for row in rows(session)] == [track.pk]
    assert list(folder.iterdir()) == []


def test_what_is_still_written_and_what_is_not_ours_stays(folder, session, doctor, way):
    ours = left_there(folder, session, doctor.pk)
    unfinished = ours.rename(ours.with_suffix(".mjr.tmp"))
    foreign = sound(folder / f"videoroom-{'0' * 24}-user-{uuid4()}-1-audio-0.mjr")
    named = sound(folder / "somebody-elses.mjr")
    assert recorded.gather(at=way.at) == 0
    assert sorted(folder.iterdir()) == sorted([unfinished, foreign, named])


def test_a_track_that_can_not_be_played_is_remembered_as_not_recorded(folder, session, doctor, way):
    left_there(folder, session, doctor.pk, make=lambda path: mjr(path, "opus", []))
    assert recorded.gather(at=way.at) == 1
    assert [(row.state, row.sha256) for row in rows(session)] == [("failed", "")]
    assert [kind for kind, _, _ in kinds(way)] == ["recording_lost"]
    assert list(folder.iterdir()) == []


def test_while_the_store_is_full_the_track_waits(folder, session, doctor, way, monkeypatch):
    path = left_there(folder, session, doctor.pk)

    class Full:
        def receive(self, chunks, limit):
            raise StorageFull

    monkeypatch.setattr(recorded, "store", Full)
    assert recorded.gather(at=way.at) == 0
    assert path.exists()
    monkeypatch.undo()
    assert rows(session) == []


def test_without_a_folder_nothing_is_looked_for(settings):
    assert recorded.gather(at=None) == 0


def test_nobody_hears_it_for_being_of_the_case(track, session, way):
    for actor in (way.doctor, way.consultant, way.dispatcher):
        assert heard(actor, session) == []


def test_whoever_it_was_given_to_hears_it_for_two_weeks(track, session, way):
    given(way, session, way.doctor)
    assert [row.pk for row in heard(way.doctor, session)] == [track.pk]
    assert heard(way.dispatcher, session) == []
    with acting(way.consultant):
        RecordingAccess.objects.update(until=way.at - timedelta(days=10_000))
    assert heard(way.doctor, session) == []


def test_what_was_taken_back_is_heard_no_more(track, session, way):
    given(way, session, way.doctor)
    with acting(way.consultant):
        row = Session.objects.get(pk=session.pk)
        hearing.take_back(row, way.doctor.person_id, actor=way.consultant, at=way.at)
        with pytest.raises(NotThere):
            hearing.take_back(row, way.doctor.person_id, actor=way.consultant, at=way.at)
    assert heard(way.doctor, session) == []
    assert [kind for kind, _, _ in kinds(way)] == ["recording_given", "recording_taken_back"]


@pytest.mark.parametrize("who", ["doctor", "dispatcher"])
def test_the_consultant_alone_gives_it(track, session, way, who):
    actor = getattr(way, who)
    with acting(actor):
        row = Session.objects.get(pk=session.pk)
        with pytest.raises(NotYours):
            hearing.give(row, way.doctor.person_id, actor=actor, at=way.at)


def test_it_is_given_only_to_whoever_was_there(track, session, way):
    with pytest.raises(NotThere):
        given(way, session, way.dispatcher)


def test_every_hearing_is_an_event_once_in_ten_minutes(track, session, way):
    given(way, session, way.doctor)
    for minutes in (0, 1, 2, 30):
        at = way.at.replace(minute=0) + timedelta(minutes=minutes)
        with acting(way.doctor):
            (row,) = hearing.tracks(Session.objects.get(pk=session.pk), actor=way.doctor)
            hearing.note_hearing(row, actor=way.doctor, at=at)
    assert kinds(way, "recording_heard") == [("recording_heard", way.doctor.name, "")] * 2


def test_its_day_comes_and_its_key_goes_with_its_row(track, session, way):
    assert recorded.expire(at=way.at + 29 * DAY) == 0
    assert recorded.expire(at=way.at + 30 * DAY) == 1
    assert rows(session) == []
    assert [kind for kind, _, _ in kinds(way)] == ["recording_expired"]


def test_the_sweep_leaves_what_is_kept_and_takes_what_expired(track, way):
    with as_worker():
        assert track.sha256 in documents._named()
    recorded.expire(at=way.at + 30 * DAY)
    with as_worker():
        assert track.sha256 not in documents._named()


def test_with_another_deployments_key_nothing_opens(track, settings):
    settings.SECRET_KEY = "another key of another deployment, long enough"
    with pytest.raises(NotOpened):
        hearing.sound(track)


def test_bytes_that_changed_in_the_store_are_not_played(track):
    (path,) = Path(live_settings.FILES).glob(f"content/*/*/{track.sha256}")
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    with pytest.raises(NotGenuine):
        hearing.sound(track)

"""How people join a session otherwise than by its page, and how it is noted that they did."""

import html
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from konsilium.actions import attending
from konsilium.actions._step import NotThere
from konsilium.actions.attending import Presence, Unfit
from konsilium.models import Attendance, Room
from konsilium.models.access import acting, as_room
from konsilium.workflow.machine import NotNow, NotYours
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def way(cast):
    return Way(cast, at=timezone.now() - timedelta(hours=2)).on_video()


@pytest.fixture
def session(way):
    row = confirmed_session(way, after=timedelta(hours=20))
    with acting(way.consultant):
        row.refresh_from_db()
    return row


def text(answer):
    return html.unescape(answer.content.decode())


def fill(client, page, *, path, **given):
    key = re.search(r'name="once_key" value="([^"]+)"', client.get(page).content.decode())[1]
    return client.post(path, {"once_key": key, **given})


def join(client, session, **given):
    address = f"/sessions/{session.pk}/join/"
    return fill(client, address, path=f"{address}outside/", **given) if given else text(client.get(address))


def test_the_consulting_side_holds_a_session_in_an_outside_service_and_takes_it_back(way, session, client_as):
    consultant, doctor = client_as(way.consultant), client_as(way.doctor)
    assert "Войти в комнату" in join(doctor, session)
    assert "Где проходит сеанс" not in join(doctor, session)
    given = {"link": "https://meet.example.org/4711", "dial": "4711@vks.example.org", "pin": "2580"}
    assert join(consultant, session, **given).status_code == 302
    page = join(doctor, session)
    for words in (
        "https://meet.example.org/4711",
        "4711@vks.example.org",
        "2580",
        "Сеанс идёт во внешней службе",
    ):
        assert words in page
    assert "Войти в комнату" not in page
    consultant.post(f"/sessions/{session.pk}/join/inside/", {"once_key": "inside"})
    assert "Войти в комнату" in join(doctor, session)


@pytest.mark.parametrize("link", ["http://meet.example.org/", "javascript:alert(1)", ""])
def test_an_unsafe_or_missing_way_in_is_refused_in_words(way, session, client_as, link):
    answer = join(client_as(way.consultant), session, link=link, pin="2580")
    assert answer.status_code == 422
    assert 'value="2580"' in text(answer)
    with acting(way.consultant):
        assert not Room.objects.filter(session=session).exists()


def test_the_asking_side_decides_nothing_of_it(way, session, client_as):
    answer = client_as(way.doctor).post(
        f"/sessions/{session.pk}/join/outside/", {"link": "https://a.example.org", "once_key": "k"}
    )
    assert answer.status_code == 403


def test_who_rang_is_noted_shown_with_the_noter_and_taken_back(way, session, client_as):
    consultant, doctor = client_as(way.consultant), client_as(way.doctor)
    record = f"/sessions/{session.pk}/record/"
    given = {"name": "Седов Иван", "organization_name": "Омская ОКБ", "side": "requesting"}
    answer = fill(
        consultant,
        record,
        path=f"/sessions/{session.pk}/attendance/",
        **given,
        joined_at=_local(session.created_at),
    )
    assert answer.status_code == 302
    page = text(doctor.get(record))
    assert "Седов Иван" in page
    assert f"отметил(а) {way.consultant.name}" in page
    assert "Снять отметку" not in page
    address = re.search(r'action="(/sessions/[^"]+/attendance/[^"]+/)"', text(consultant.get(record)))[1]
    assert doctor.post(address).status_code == 403
    assert consultant.post(address).status_code == 302
    assert "Седов Иван" not in text(doctor.get(record))


def _local(moment):
    return (moment - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")


def test_only_the_consulting_side_notes_people_and_only_what_can_be(way, session, cast):
    was = way.at - timedelta(minutes=5)
    good = Presence("Седов Иван", "Омская ОКБ", "requesting", was)
    with acting(way.doctor), pytest.raises(NotYours):
        attending.mark(session, good, actor=way.doctor, at=way.at)
    with acting(way.consultant):
        for bad in (
            good._replace(name=" "),
            good._replace(organization_name=""),
            good._replace(side="nobody"),
            good._replace(name="я" * 311),
            good._replace(joined_at=way.at + timedelta(minutes=1)),
            good._replace(left_at=was - timedelta(minutes=1)),
            good._replace(left_at=way.at + timedelta(minutes=1)),
        ):
            with pytest.raises(Unfit):
                attending.mark(session, bad, actor=way.consultant, at=way.at)
        marked = attending.mark(session, good, actor=way.consultant, at=way.at)
        attending.take_back(session, marked.pk, actor=way.consultant)
        with pytest.raises(NotThere):
            attending.take_back(session, marked.pk, actor=way.consultant)
        session.state = "cancelled"
        with pytest.raises(NotNow):
            attending.mark(session, good, actor=way.consultant, at=way.at)


def test_what_the_room_saw_itself_is_taken_back_by_nobody(way, session):
    with as_room(session.pk):
        seen = Attendance.objects.create(
            session=session, seat="one", name="Кто-то", side="requesting", role="requester",
            joined_at=way.at, seen_at=way.at,
        )  # fmt: skip
    with acting(way.consultant), pytest.raises(NotThere):
        attending.take_back(session, seen.pk, actor=way.consultant)

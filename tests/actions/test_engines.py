from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as live_settings

from konsilium.actions import engines, sessions
from konsilium.actions._step import NotThere
from konsilium.adapters.video import EngineAway
from konsilium.adapters.video.external import Patterns
from konsilium.adapters.video.null import NullEngine
from konsilium.models import Attendance, Room, Session
from konsilium.models.access import acting, as_room
from konsilium.workflow.machine import NotNow, NotYours
from tests.cast import NOW
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def way(cast):
    return Way(cast).on_video()


@pytest.fixture
def session(way):
    return confirmed_session(way)


def present(session, seat="one", *, side="requesting", at=NOW):
    """Somebody who came through the room's door."""
    with as_room(session.pk):
        return Attendance.objects.create(
            session_id=session.pk, seat=seat, name="Петров И.", organization_name="Омск", side=side,
            role="requester", joined_at=at, seen_at=at,
        )  # fmt: skip


@pytest.fixture
def null(monkeypatch):
    """A media server in memory as the engine of new rooms."""
    engine = NullEngine()
    monkeypatch.setattr(live_settings, "VIDEO", replace(live_settings.VIDEO, engine="janus"))
    monkeypatch.setattr(engines, "driver", lambda name="": engine)
    return engine


def room(session):
    with as_room(session.pk):
        return Room.objects.get(session_id=session.pk)


def test_the_first_one_opens_the_room_and_the_second_comes_into_the_same(session):
    grants = [engines.grant(session.pk, present(session, seat), at=NOW) for seat in ("one", "two")]
    assert grants[0]["room"] == grants[1]["room"] == room(session).name
    assert [grant["engine"] for grant in grants] == ["mesh", "mesh"]


def test_nobody_gets_into_a_closed_room(session):
    doctor = present(session)
    engines.grant(session.pk, doctor, at=NOW)
    assert engines.close_room(session.pk, at=NOW)
    assert not engines.close_room(session.pk, at=NOW)
    with pytest.raises(NotThere):
        engines.grant(session.pk, doctor, at=NOW)


def test_the_consulting_side_alone_moderates(session):
    assert not engines.party_of(present(session)).moderates
    assert engines.party_of(present(session, "two", side="consulting")).moderates


def test_an_outside_room_has_the_link_and_number_that_the_dispatcher_entered(way, session, monkeypatch):
    monkeypatch.setattr(
        live_settings,
        "VIDEO",
        replace(live_settings.VIDEO, external=Patterns("mcu", sip="{number}@mcu.example.org")),
    )
    given = {"link": "https://vks.example.org/7", "dial": "7", "pin": "12", "instructions": "Заранее."}
    with acting(way.dispatcher):
        row = engines.meet_outside(Session.objects.get(pk=session.pk), given, actor=way.dispatcher, at=way.at)
        assert [(one.kind, one.dial) for one in engines.ways_of(row)] == [
            ("browser", "https://vks.example.org/7"),
            ("sip", "7@mcu.example.org"),
            ("jabber", "7@mcu.example.org"),
        ]
    engines.driver.cache_clear()
    grant = engines.grant(session.pk, present(session), at=way.at)
    assert (grant["kind"], grant["address"], grant["pin"]) == ("outside", "https://vks.example.org/7", "12")
    engines.driver.cache_clear()


def test_the_requesting_side_does_not_choose_the_place(way, session):
    with acting(way.doctor), pytest.raises(NotYours):
        engines.meet_outside(Session.objects.get(pk=session.pk), {}, actor=way.doctor, at=way.at)


def test_the_place_does_not_change_under_somebody_who_is_in_the_room(way, session):
    present(session)
    with acting(way.consultant), pytest.raises(NotNow, match="Somebody is in the room"):
        engines.meet_outside(Session.objects.get(pk=session.pk), {}, actor=way.consultant, at=way.at)


def test_the_session_comes_back_into_the_own_room(way, session):
    with acting(way.consultant):
        row = Session.objects.get(pk=session.pk)
        engines.meet_outside(row, {"link": "https://a.example.org/"}, actor=way.consultant, at=way.at)
        engines.meet_inside(row, actor=way.consultant, at=way.at)
    assert (room(session).engine, room(session).link) == ("mesh", "")


def test_a_cancelled_session_s_room_is_closed_by_time(way, session, null):
    engines.grant(session.pk, present(session), at=way.at)
    assert engines.close_done(at=way.at) == 0
    with acting(way.consultant):
        row = Session.objects.get(pk=session.pk)
        sessions.cancel(row, "not_needed", actor=way.consultant, at=way.at)
    assert engines.close_done(at=way.at) == 1
    assert null.rooms == {}
    assert room(session).closed_at == way.at


def test_a_forgotten_room_is_closed_two_hours_after_its_end(way, session):
    engines.grant(session.pk, present(session), at=way.at)
    with acting(way.doctor):
        row = Session.objects.get(pk=session.pk)
    end = row.starts_at + timedelta(minutes=row.minutes)
    assert engines.close_done(at=end + timedelta(minutes=119)) == 0
    assert engines.close_done(at=end + timedelta(minutes=121)) == 1


class Away(NullEngine):
    """An engine that doesn't answer."""

    def open_room(self, place):
        raise EngineAway


def test_while_the_engine_is_away_the_first_ones_meet_in_the_built_in_room(session, monkeypatch, null):
    mesh = engines.connect("mesh", live_settings.VIDEO, key=b"", servers=engines._servers)
    monkeypatch.setattr(engines, "driver", lambda name="": mesh if name == "mesh" else Away())
    assert engines.grant(session.pk, present(session), at=NOW)["engine"] == "mesh"
    assert room(session).engine == "mesh"


def test_an_engine_that_goes_away_under_people_parts_nobody(session, monkeypatch, null):
    engines.grant(session.pk, present(session), at=NOW)
    second = present(session, "two")
    monkeypatch.setattr(engines, "driver", lambda name="": Away())
    with pytest.raises(EngineAway):
        engines.grant(session.pk, second, at=NOW)
    assert room(session).engine == "janus"


def test_whoever_lost_their_seat_is_put_out_of_the_engine_too(session, null):
    stays, goes = present(session), present(session, "two")
    for attendance in (stays, goes):
        told = engines.grant(session.pk, attendance, at=NOW)
        null.rooms[told["room"]][told["party"]] = frozenset({"audio"})
    assert engines.put_out_strangers(at=NOW) == 0
    with as_room(session.pk):
        Attendance.objects.filter(pk=goes.pk).update(removed_at=NOW)
    assert engines.put_out_strangers(at=NOW) == 1
    assert list(null.rooms[room(session).name]) == [str(stays.pk)]


def test_a_room_that_the_engine_forgot_is_made_again(session, null):
    engines.grant(session.pk, present(session), at=NOW)
    null.rooms.clear()
    engines.put_out_strangers(at=NOW)
    assert list(null.rooms) == [room(session).name]


def test_the_health_of_every_used_engine_is_told(session):
    engines.grant(session.pk, present(session), at=NOW)
    assert [(name, one.is_up) for name, one in engines.health().items()] == [("mesh", True)]

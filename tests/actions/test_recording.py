from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as live_settings

from konsilium.actions import engines, recording
from konsilium.adapters.video import EngineAway
from konsilium.adapters.video.null import NullEngine
from konsilium.models import Attendance, Event, RecordingConsent, Room
from konsilium.models.access import acting, as_room
from konsilium.workflow.machine import NotNow, NotYours
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def way(cast):
    return Way(cast).on_video()


@pytest.fixture
def session(way):
    return confirmed_session(way)


@pytest.fixture
def null(monkeypatch, settings):
    """A media server in memory, in a deployment that may record."""
    engine = NullEngine()
    settings.VIDEO = replace(live_settings.VIDEO, engine="janus")
    settings.RECORDING = True
    monkeypatch.setattr(engines, "driver", lambda name="": engine)
    monkeypatch.setattr(recording, "driver", lambda name="": engine)
    return engine


class Meeting:
    """A session's room and its people, each by a word."""

    def __init__(self, way, session):
        self.way, self.session, self.at, self.seats = way, session, way.at, {}

    def come(self, name, side, actor=None, **more):
        with as_room(self.session.pk):
            row = Attendance.objects.create(
                session_id=self.session.pk, seat=name, name=name, organization_name="Омск", side=side,
                role=actor.role if actor else "expert", person_id=actor.person_id if actor else None,
                joined_at=self.at, seen_at=self.at, **more,
            )  # fmt: skip
        self.seats[name] = row
        return row

    def ask(self, name):
        return recording.ask(self.session.pk, self.seats[name], at=self.at)

    def end(self, name):
        return recording.end(self.session.pk, self.seats[name], at=self.at)

    def say(self, name, given):
        return recording.answer(self.session.pk, self.seats[name], is_given=given, at=self.at)

    def settle(self):
        return recording.settle(self.session.pk, at=self.at)

    def change(self, name, **values):
        with as_room(self.session.pk):
            Attendance.objects.filter(pk=self.seats[name].pk).update(**values)

    def row(self):
        with as_room(self.session.pk):
            return Room.objects.get(session_id=self.session.pk)

    def events(self):
        with acting(self.way.doctor):
            rows = Event.objects.filter(consultation=self.way.row, kind__startswith="recording")
            return [(event.kind, event.actor_name) for event in rows.order_by("at", "id")]


@pytest.fixture
def meeting(way, session, null):
    """A consultant and a doctor in a room that may be recorded."""
    room = Meeting(way, session)
    room.come("консультант", "consulting", way.consultant)
    room.come("врач", "requesting", way.doctor)
    engines.grant(session.pk, room.seats["врач"], at=way.at)
    return room


def test_nothing_is_recorded_by_itself(meeting, null):
    assert meeting.settle()["on"] is False
    assert null.recorded == set()


def test_it_begins_with_the_last_yes_in_a_room_of_its_own(meeting, null):
    asked = meeting.ask("консультант")
    assert (asked["on"], asked["missing"]) == (False, [str(meeting.seats["врач"].pk)])
    assert null.recorded == set()
    before = asked["room"]
    begun = meeting.say("врач", given=True)
    assert (begun["on"], begun["missing"], begun["refused"]) == (True, [], [])
    assert begun["room"] != before
    assert null.recorded == {begun["room"]}
    assert meeting.events() == [("recording_began", "врач")]


def test_a_no_keeps_it_from_beginning(meeting, null):
    meeting.ask("консультант")
    told = meeting.say("врач", given=False)
    assert (told["on"], told["refused"]) == (False, [str(meeting.seats["врач"].pk)])
    assert null.recorded == set()


def test_a_no_ends_what_runs(meeting, null):
    meeting.ask("консультант")
    meeting.say("врач", given=True)
    told = meeting.say("врач", given=False)
    assert told["on"] is False
    assert null.recorded == set()
    assert meeting.events() == [("recording_began", "врач"), ("recording_ended", "врач")]


def test_a_newcomer_is_never_recorded_before_they_said_yes(meeting, null):
    meeting.ask("консультант")
    meeting.say("врач", given=True)
    meeting.come("эксперт", "consulting")
    told = meeting.settle()
    assert (told["on"], told["missing"]) == (False, [str(meeting.seats["эксперт"].pk)])
    assert null.recorded == set()
    assert meeting.say("эксперт", given=True)["on"] is True


def test_somebody_on_the_telephone_whom_nobody_could_ask_keeps_it_from_beginning(meeting):
    meeting.come("заведующий по телефону", "requesting", marked_by="консультант")
    meeting.ask("консультант")
    assert meeting.say("врач", given=True)["on"] is False


def test_whoever_left_is_not_waited_for(meeting):
    meeting.ask("консультант")
    meeting.change("врач", left_at=meeting.at)
    assert meeting.settle()["on"] is True


def test_the_consulting_side_alone_asks_and_ends(meeting):
    with pytest.raises(NotYours):
        meeting.ask("врач")
    with pytest.raises(NotYours):
        meeting.end("врач")
    meeting.come("эксперт", "consulting", guest_id=meeting.way.row.pk)
    with pytest.raises(NotYours):
        meeting.ask("эксперт")


def test_after_its_end_no_yes_begins_it_again(meeting):
    meeting.ask("консультант")
    meeting.say("врач", given=True)
    assert meeting.end("консультант")["on"] is False
    assert meeting.say("врач", given=True)["on"] is False


def test_every_answer_is_kept(meeting):
    meeting.ask("консультант")
    meeting.say("врач", given=False)
    with acting(meeting.way.dispatcher):
        kept = RecordingConsent.objects.order_by("name").values_list("name", "is_given")
        assert list(kept) == [("врач", False), ("консультант", True)]


def test_where_the_operator_did_not_allow_it_nobody_can_ask(meeting, settings):
    settings.RECORDING = False
    with pytest.raises(NotNow, match="switched off"):
        meeting.ask("консультант")
    assert meeting.settle()["possible"] is False


def test_in_the_built_in_room_it_is_said_why_not(way, session, settings):
    settings.RECORDING = True
    room = Meeting(way, session)
    room.come("консультант", "consulting", way.consultant)
    with pytest.raises(NotNow, match="built-in room"):
        room.ask("консультант")
    assert room.settle()["why"] == recording.NOT_HERE


def test_an_answer_that_comes_while_the_room_moves_counts(meeting, null, monkeypatch):
    """A no between the engine's beginning and our row's writing ends it at once."""
    meeting.ask("консультант")
    begin = null.start_recording

    def slowly(place):
        other = begin(place)
        with as_room(meeting.session.pk):
            RecordingConsent.objects.filter(name="врач").update(is_given=False)
        return other

    monkeypatch.setattr(null, "start_recording", slowly)
    assert meeting.say("врач", given=True)["on"] is False
    assert null.recorded == set()


def test_an_engine_that_can_not_end_a_recording_is_not_passed_over(meeting, null, monkeypatch):
    meeting.ask("консультант")
    meeting.say("врач", given=True)

    def away(place):
        raise EngineAway

    monkeypatch.setattr(null, "stop_recording", away)
    with pytest.raises(EngineAway):
        meeting.end("консультант")
    assert meeting.row().is_recorded is True
    monkeypatch.undo()


def test_a_page_that_fell_silent_does_not_hold_everybody_up(meeting):
    meeting.ask("консультант")
    meeting.change("врач", seen_at=meeting.at - timedelta(minutes=1))
    assert meeting.settle()["on"] is True

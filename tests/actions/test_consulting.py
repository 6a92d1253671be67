"""The consultant decides about video, asks back, hands back; nobody else does, and the requester sees no refusal."""

from datetime import timedelta

import pytest

from konsilium.actions import consulting, conversation, sessions, triage
from konsilium.actions._step import NotThere
from konsilium.models import Event, Message
from konsilium.models.access import acting
from konsilium.workflow.machine import Missing, NotNow, NotYours, Stale
from tests.actions.test_triage import LATER, assigned, kinds, moved
from tests.cast import NOW
from tests.requests import seen, sent

pytestmark = pytest.mark.django_db


def on_video(cast, **given):
    row = assigned(cast, **given)
    moved(row, cast.cniis_consultant, consulting.need_video)
    return row


def proposed(cast, row, at=LATER):
    return moved(row, cast.cniis_consultant, sessions.propose, [LATER + timedelta(days=1)], at=at)


def test_video_is_needed_or_not_and_the_clock_runs_on(cast):
    with_video, without = assigned(cast), assigned(cast)
    moved(with_video, cast.cniis_consultant, consulting.need_video)
    moved(without, cast.cniis_consultant, consulting.no_video)
    states = [seen(row, cast.omsk_doctor) for row in (with_video, without)]
    assert [(row.state, row.turn) for row in states] == [
        ("session", "consultant"),
        ("conclusion", "consultant"),
    ]
    assert [(row.due_at, row.paused_at) for row in states] == [(NOW + timedelta(hours=24), None)] * 2


@pytest.mark.parametrize("action", [consulting.need_video, consulting.no_video])
def test_a_decision_belongs_to_the_assigned_consultant(cast, action):
    row = assigned(cast)
    for who in (cast.cniis_dispatcher, cast.omsk_doctor, cast.omsk_admin):
        with pytest.raises(NotYours):
            moved(row, who, action)
    for stranger in (cast.cniis_consultant2, cast.nmic_consultant, cast.chita_doctor, cast.coordinator):
        with pytest.raises(NotThere):
            moved(row, stranger, action)
    assert seen(row, cast.omsk_doctor).state == "assigned"
    assert kinds(row, cast.omsk_doctor) == ["submit", "assign"]


def test_a_decision_made_from_an_old_page_is_refused(cast):
    row = assigned(cast)
    version = seen(row, cast.cniis_consultant).version
    moved(row, cast.cniis_consultant, consulting.need_video, version=version)
    with pytest.raises(Stale):
        moved(row, cast.cniis_consultant, consulting.no_video, version=version)
    with pytest.raises(NotNow):
        moved(row, cast.cniis_consultant, consulting.no_video)


def test_a_decision_can_be_thought_over_while_no_session_is_open(cast):
    row = on_video(cast)
    session = proposed(cast, row)
    with pytest.raises(Missing, match="open session"):
        moved(row, cast.cniis_consultant, consulting.reconsider)
    with acting(cast.cniis_consultant):
        sessions.cancel(session, "not_needed", actor=cast.cniis_consultant, at=LATER)
    moved(row, cast.cniis_consultant, consulting.reconsider)
    assert seen(row, cast.omsk_doctor).state == "assigned"
    moved(row, cast.cniis_consultant, consulting.no_video)
    moved(row, cast.cniis_consultant, consulting.reconsider)
    assert seen(row, cast.omsk_doctor).state == "assigned"


def test_video_is_given_up_only_after_a_session_fell_through(cast):
    row = on_video(cast)
    with pytest.raises(Missing, match="failed, was missed or cancelled"):
        moved(row, cast.cniis_consultant, consulting.give_up_video)
    session = proposed(cast, row)
    with acting(cast.omsk_doctor):
        sessions.cancel(session, "equipment", actor=cast.omsk_doctor, at=LATER)
    moved(row, cast.cniis_consultant, consulting.give_up_video)
    assert seen(row, cast.omsk_doctor).state == "conclusion"


def test_asking_back_stops_the_clock_and_the_answer_comes_back_to_the_consultant(cast):
    row = assigned(cast)
    message = moved(row, cast.cniis_consultant, consulting.ask_back, "Пришлите снимок.")
    now = seen(row, cast.omsk_doctor)
    assert (now.state, now.turn, now.paused_at, now.asked_from) == (
        "clarification",
        "requester",
        LATER,
        "assigned",
    )
    with acting(cast.omsk_doctor):
        assert Message.objects.get(pk=message.pk).text == "Пришлите снимок."
    moved(row, cast.omsk_doctor, conversation.answer, "Прислал.", at=LATER + timedelta(hours=3))
    now = seen(row, cast.cniis_consultant)
    assert (now.state, now.turn, now.paused_at) == ("assigned", "consultant", None)
    assert now.due_at == NOW + timedelta(hours=27)


def test_an_emergencys_clock_runs_on_while_more_is_asked(cast):
    row = assigned(cast, urgency="emergency", term=timedelta(hours=2))
    moved(row, cast.cniis_consultant, consulting.ask_back, "Какое давление?")
    now = seen(row, cast.omsk_doctor)
    assert (now.paused_at, now.due_at) == (None, NOW + timedelta(hours=2))


def test_asking_back_needs_words(cast):
    row = assigned(cast)
    with pytest.raises(Missing, match="in words"):
        moved(row, cast.cniis_consultant, consulting.ask_back, " \n")
    assert seen(row, cast.omsk_doctor).state == "assigned"
    with acting(cast.omsk_doctor):
        assert Message.objects.filter(consultation=row).count() == 0


def test_a_request_handed_back_is_the_dispatchers_again_and_the_requester_sees_no_refusal(cast):
    row = assigned(cast)
    due = seen(row, cast.omsk_doctor).due_at
    moved(row, cast.cniis_consultant, consulting.hand_back, "wrong_profile", "Это к ортодонту.")
    assert seen(row, cast.cniis_consultant) is None
    now = seen(row, cast.omsk_doctor)
    assert (now.state, now.turn, now.consultant_id, now.consultant_name, now.due_at) == (
        "submitted",
        "dispatcher",
        None,
        "",
        due,
    )
    assert (now.end_reason, now.end_text) == ("", "")
    assert kinds(row, cast.omsk_doctor) == ["submit", "assign"]
    assert kinds(row, cast.omsk_admin) == ["submit", "assign"]
    with acting(cast.cniis_dispatcher):
        event = Event.objects.visible_to(cast.cniis_dispatcher).get(consultation=row, kind="hand_back")
    assert (event.reason, event.text, event.audience) == ("wrong_profile", "Это к ортодонту.", "centre")


def test_another_consultant_takes_what_one_handed_back(cast):
    row = assigned(cast)
    moved(row, cast.cniis_consultant, consulting.hand_back, "no_specialist")
    moved(row, cast.cniis_dispatcher, triage.assign, cast.cniis_consultant2.membership_id)
    assert seen(row, cast.cniis_consultant2).state == "assigned"
    assert kinds(row, cast.cniis_consultant2) == ["submit", "assign", "hand_back", "assign"]


def test_what_was_handed_back_stays_inside_the_centre_when_it_is_passed_on(cast):
    row = assigned(cast)
    moved(row, cast.cniis_consultant, consulting.hand_back, "wrong_profile", "Это к нейрохирургам.")
    moved(row, cast.cniis_dispatcher, triage.pass_on, cast.house("nmic"))
    assert kinds(row, cast.nmic_dispatcher) == ["submit", "assign", "pass_on"]


@pytest.mark.parametrize(("reason", "text"), [("", ""), ("nonsense", "слова"), ("other", "  ")])
def test_handing_back_needs_a_reason_of_the_list_and_other_needs_words(cast, reason, text):
    row = assigned(cast)
    with pytest.raises(Missing, match="State the reason"):
        moved(row, cast.cniis_consultant, consulting.hand_back, reason, text)
    now = seen(row, cast.cniis_consultant)
    assert (now.state, now.consultant_name) == ("assigned", "Соколов Андрей")


def test_only_an_assigned_request_is_handed_back_and_only_by_its_consultant(cast):
    row = assigned(cast)
    with pytest.raises(NotYours):
        moved(row, cast.cniis_dispatcher, consulting.hand_back, "wrong_profile")
    with pytest.raises(NotThere):
        moved(row, cast.cniis_consultant2, consulting.hand_back, "wrong_profile")
    with pytest.raises(NotNow):
        moved(sent(cast), cast.cniis_dispatcher, consulting.hand_back, "wrong_profile")
    moved(row, cast.cniis_consultant, consulting.no_video)
    with pytest.raises(NotNow):
        moved(row, cast.cniis_consultant, consulting.hand_back, "wrong_profile")

"""The dispatcher names consultants, asks, rejects and passes on; nobody else does."""

from datetime import timedelta
from uuid import uuid4

import pytest

from konsilium.actions import conversation, triage
from konsilium.actions._record import Note, record
from konsilium.actions._step import NotThere
from konsilium.models import Delivery, Event, Message
from konsilium.models.access import acting, as_worker
from konsilium.workflow.machine import Missing, NotNow, NotYours, Stale
from tests.cast import NOW
from tests.requests import seen, sent

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def moved(row, actor, action, *args, at=LATER, **given):
    """Run an action as the actor, in their database context, on the row as they see it (or as it was)."""
    with acting(actor):
        return action(seen(row, actor) or row, *args, actor=actor, at=at, **given)


def assigned(cast, **given):
    row = sent(cast, **given)
    moved(row, cast.cniis_dispatcher, triage.assign, cast.cniis_consultant.membership_id)
    return row


def kinds(row, actor):
    with acting(actor):
        return [event.kind for event in Event.objects.visible_to(actor).filter(consultation=row)]


def test_an_assigned_request_is_the_consultants_and_its_clock_runs_on(cast):
    row = sent(cast)
    before = seen(row, cast.cniis_dispatcher)
    moved(
        row, cast.cniis_dispatcher, triage.assign, cast.cniis_consultant.membership_id, version=before.version
    )
    now = seen(row, cast.cniis_consultant)
    assert (now.state, now.turn, now.consultant_name) == ("assigned", "consultant", "Соколов Андрей")
    assert (now.due_at, now.version) == (before.due_at, before.version + 1)
    assert seen(row, cast.cniis_consultant2) is None
    assert kinds(row, cast.omsk_doctor) == ["submit", "assign"]


def test_every_move_leaves_one_event_and_one_pending_delivery(cast):
    row = assigned(cast)
    with acting(cast.cniis_dispatcher):
        events = set(Event.objects.filter(consultation=row).values_list("pk", flat=True))
    with as_worker():
        told = set(Delivery.objects.filter(event_id__in=events).values_list("event_id", flat=True))
    assert (len(events), told) == (2, events)


@pytest.mark.parametrize("who", ["nmic_consultant", "cniis_dispatcher", "omsk_doctor"])
def test_only_an_active_consultant_of_the_own_centre_can_be_named(cast, who):
    row = sent(cast)
    with pytest.raises(Missing, match="Choose a consultant of your centre"):
        moved(row, cast.cniis_dispatcher, triage.assign, getattr(cast, who).membership_id)
    assert seen(row, cast.cniis_dispatcher).state == "submitted"
    assert kinds(row, cast.cniis_dispatcher) == ["submit"]


def test_a_dispatcher_of_another_centre_and_a_coordinator_find_no_request(cast):
    row = sent(cast)
    for who in (cast.nmic_dispatcher, cast.coordinator, cast.chita_doctor, cast.omsk_doctor2):
        with pytest.raises(NotThere):
            moved(row, who, triage.assign, cast.cniis_consultant.membership_id)


def test_the_requester_and_the_consultant_may_not_triage(cast):
    row = assigned(cast)
    with pytest.raises(NotYours):
        moved(row, cast.cniis_consultant, triage.reassign, cast.cniis_consultant2.membership_id)
    other = sent(cast)
    with pytest.raises(NotYours):
        moved(other, cast.omsk_doctor, triage.reject, "duplicate")


def test_the_second_of_two_dispatchers_is_told(cast):
    row = sent(cast)
    looked_at = seen(row, cast.cniis_dispatcher2).version
    moved(row, cast.cniis_dispatcher, triage.assign, cast.cniis_consultant.membership_id, version=looked_at)
    with pytest.raises(Stale):
        moved(
            row,
            cast.cniis_dispatcher2,
            triage.assign,
            cast.cniis_consultant2.membership_id,
            version=looked_at,
        )
    with pytest.raises(NotNow):
        moved(row, cast.cniis_dispatcher2, triage.assign, cast.cniis_consultant2.membership_id)
    assert seen(row, cast.cniis_dispatcher).consultant_name == "Соколов Андрей"


def test_another_consultant_takes_over_and_the_first_one_sees_it_no_more(cast):
    row = assigned(cast)
    due = seen(row, cast.cniis_dispatcher).due_at
    with pytest.raises(Missing):
        moved(row, cast.cniis_dispatcher, triage.reassign, cast.cniis_consultant.membership_id)
    moved(row, cast.cniis_dispatcher, triage.reassign, cast.cniis_consultant2.membership_id)
    assert seen(row, cast.cniis_consultant) is None
    assert seen(row, cast.cniis_consultant2).due_at == due


def test_a_question_stops_the_clock_and_stands_in_the_thread(cast):
    row = sent(cast)
    moved(row, cast.cniis_dispatcher, triage.ask, "Пришлите КТ.")
    now = seen(row, cast.omsk_doctor)
    assert (now.state, now.turn, now.paused_at, now.asked_from) == (
        "clarification",
        "requester",
        LATER,
        "submitted",
    )
    with acting(cast.omsk_doctor):
        message = Message.objects.visible_to(cast.omsk_doctor).get(consultation=row)
    assert (message.kind, message.text, message.author_name) == ("question", "Пришлите КТ.", "Котова Мария")


def test_an_emergencys_clock_never_stands_still(cast):
    row = sent(cast, urgency="emergency", term=timedelta(hours=2))
    moved(row, cast.cniis_dispatcher, triage.ask, "Какое давление?")
    now = seen(row, cast.omsk_doctor)
    assert (now.paused_at, now.due_at) == (None, NOW + timedelta(hours=2))


def test_a_question_without_words_is_refused(cast):
    row = sent(cast)
    with pytest.raises(Missing, match="in words"):
        moved(row, cast.cniis_dispatcher, triage.ask, "  ")
    with acting(cast.cniis_dispatcher):
        assert Message.objects.count() == 0


def test_a_rejected_request_says_why_to_the_requester(cast):
    row = sent(cast)
    moved(row, cast.cniis_dispatcher, triage.reject, "wrong_profile", "Это к нейрохирургам.")
    now = seen(row, cast.omsk_doctor)
    assert (now.state, now.turn, now.end_reason, now.end_text) == (
        "rejected",
        "nobody",
        "wrong_profile",
        "Это к нейрохирургам.",
    )
    assert now.closed_at == LATER


@pytest.mark.parametrize(("reason", "text"), [("", ""), ("nonsense", "слова"), ("other", " ")])
def test_a_rejection_needs_a_reason_of_the_list_and_other_needs_words(cast, reason, text):
    row = sent(cast)
    with pytest.raises(Missing, match="State the reason"):
        moved(row, cast.cniis_dispatcher, triage.reject, reason, text)


def test_a_request_in_clarification_is_rejected_only_after_the_answers_term(cast):
    row = sent(cast)
    moved(row, cast.cniis_dispatcher, triage.ask, "Пришлите КТ.")
    with pytest.raises(Missing, match="term for the answer"):
        moved(row, cast.cniis_dispatcher, triage.reject, "documents_missing", at=LATER + timedelta(days=2))
    moved(row, cast.cniis_dispatcher, triage.reject, "documents_missing", at=LATER + timedelta(days=3))
    assert seen(row, cast.omsk_doctor).state == "rejected"


def test_a_passed_on_request_is_the_other_centres_with_its_term_and_the_old_start(cast, owner):
    row = sent(cast)
    moved(row, cast.cniis_dispatcher, triage.ask, "Уточните.")
    moved(row, cast.omsk_doctor, conversation.answer, "Уточняю.", at=LATER + timedelta(hours=5))
    owner.execute(
        "INSERT INTO konsilium_term (id, centre_id, profile_id, urgency, minutes) VALUES (%s, %s, NULL, 'planned', %s)",
        [uuid4(), cast.house("nmic"), 48 * 60],
    )
    try:
        at = LATER + timedelta(hours=6)
        moved(row, cast.cniis_dispatcher, triage.pass_on, cast.house("nmic"), "Не наш профиль.", at=at)
    finally:
        owner.execute("DELETE FROM konsilium_term")
    assert seen(row, cast.cniis_dispatcher) is None
    now = seen(row, cast.nmic_dispatcher)
    assert (now.state, now.turn, now.centre_name, now.centre_time_zone) == (
        "submitted",
        "dispatcher",
        "НМИЦ нейрохирургии",
        "Asia/Novosibirsk",
    )
    assert (now.submitted_at, now.due_at) == (NOW, NOW + timedelta(hours=48 + 5))
    assert kinds(row, cast.nmic_dispatcher) == ["submit", "ask", "answer", "pass_on"]


@pytest.mark.parametrize("house", ["cniis", "omsk"])
def test_a_request_passes_only_to_another_centre_that_takes_it(cast, house):
    row = sent(cast)
    with pytest.raises(Missing, match="Choose another centre"):
        moved(row, cast.cniis_dispatcher, triage.pass_on, cast.house(house))


def test_a_centre_that_does_not_take_the_profile_is_not_offered(cast):
    row = sent(cast, profile="neuro", centre="nmic")
    with acting(cast.nmic_dispatcher):
        assert list(triage.centres_to_pass_to(seen(row, cast.nmic_dispatcher))) == []
    low = sent(cast, requesting_level=2)
    with acting(cast.cniis_dispatcher):
        assert list(triage.centres_to_pass_to(seen(low, cast.cniis_dispatcher))) == []


def test_what_a_centre_said_inside_stays_there_when_the_request_moves_on(cast):
    row = sent(cast)
    with acting(cast.cniis_dispatcher):
        note = Note("no_specialist", "Внутреннее дело.", Event.CENTRE)
        record(row, "hand_back", actor=cast.cniis_dispatcher, at=LATER, note=note)
    assert "hand_back" in kinds(row, cast.cniis_dispatcher2)
    assert "hand_back" not in kinds(row, cast.omsk_doctor)
    moved(row, cast.cniis_dispatcher, triage.pass_on, cast.house("nmic"))
    assert "hand_back" not in kinds(row, cast.nmic_dispatcher)
    with acting(cast.nmic_dispatcher):
        assert not Event.objects.filter(text="Внутреннее дело.").exists()

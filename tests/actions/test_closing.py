"""The requester withdraws, confirms and closes; what nobody closes, time does."""

from datetime import timedelta

import pytest

from konsilium.actions import closing, consulting, sessions
from konsilium.actions._step import NotThere, step
from konsilium.models import Consultation
from konsilium.models.access import acting, as_worker
from konsilium.workflow.consultation import Facts
from konsilium.workflow.machine import Missing, NotNow, NotYours
from konsilium.workflow.roles import SYSTEM
from tests.actions.test_triage import LATER, assigned, kinds, moved
from tests.requests import draft, seen, sent

pytestmark = pytest.mark.django_db


def completed(cast, *, at=LATER):
    """A request whose conclusion was placed."""
    row = assigned(cast)
    consultant = cast.cniis_consultant
    with acting(consultant):
        for move in ("no_video", "place"):
            with step(
                row,
                move,
                actor=consultant,
                at=at,
                facts=lambda _row: Facts(conclusion_ready=True, no_open_council=True, no_council_signed=True),
            ) as moving:
                moving.answered_at = at if move == "place" else None
    return row


def test_a_withdrawn_request_says_why_and_is_over_for_everybody(cast):
    row = assigned(cast)
    moved(row, cast.omsk_doctor, closing.withdraw, "patient_left", "Переведён в область.")
    now = seen(row, cast.cniis_consultant)
    assert (now.state, now.turn, now.end_reason, now.end_text) == (
        "withdrawn",
        "nobody",
        "patient_left",
        "Переведён в область.",
    )
    assert now.closed_at == LATER


@pytest.mark.parametrize(("reason", "text"), [("", ""), ("wrong_profile", ""), ("other", " ")])
def test_a_withdrawal_needs_a_reason_of_its_own_list(cast, reason, text):
    row = sent(cast)
    with pytest.raises(Missing, match="State the reason"):
        moved(row, cast.omsk_doctor, closing.withdraw, reason, text)
    assert seen(row, cast.omsk_doctor).state == "submitted"


def test_only_the_requesting_side_withdraws_and_not_after_the_conclusion(cast):
    row = sent(cast)
    with pytest.raises(NotYours):
        moved(row, cast.cniis_dispatcher, closing.withdraw, "not_needed")
    for stranger in (cast.omsk_doctor2, cast.chita_admin):
        with pytest.raises(NotThere):
            moved(row, stranger, closing.withdraw, "not_needed")
    with pytest.raises(NotNow):
        moved(completed(cast), cast.omsk_doctor, closing.withdraw, "not_needed")
    with pytest.raises(NotNow):
        moved(draft(cast), cast.omsk_doctor, closing.withdraw, "not_needed")


def test_reading_is_confirmed_once(cast):
    row = completed(cast)
    moved(row, cast.omsk_admin, closing.acknowledge, at=LATER + timedelta(hours=1))
    now = seen(row, cast.omsk_doctor)
    assert (now.state, now.acknowledged_at) == ("completed", LATER + timedelta(hours=1))
    with pytest.raises(Missing, match="confirmed already"):
        moved(row, cast.omsk_doctor, closing.acknowledge)
    with pytest.raises(NotYours):
        moved(row, cast.cniis_consultant, closing.acknowledge)


def test_a_request_closes_with_the_outcome_which_confirms_reading_too(cast):
    row = completed(cast)
    at = LATER + timedelta(days=2)
    moved(row, cast.omsk_doctor, closing.close, "improved", "Швы сняты.", at=at)
    now = seen(row, cast.cniis_dispatcher)
    assert (now.state, now.turn, now.outcome, now.outcome_text) == (
        "closed",
        "nobody",
        "improved",
        "Швы сняты.",
    )
    assert (now.acknowledged_at, now.closed_at) == (at, at)
    assert kinds(row, cast.omsk_doctor)[-1] == "close"


@pytest.mark.parametrize("outcome", ["", "none", "nonsense"])
def test_an_outcome_is_one_of_the_list_and_no_outcome_is_none(cast, outcome):
    row = completed(cast)
    with pytest.raises(Missing, match="what became of the patient"):
        moved(row, cast.omsk_doctor, closing.close, outcome)


def test_time_alone_closes_without_an_outcome_and_only_after_its_term(cast):
    early, late, done = (
        completed(cast, at=LATER),
        completed(cast, at=LATER - timedelta(days=1)),
        completed(cast),
    )
    moved(done, cast.omsk_doctor, closing.close, "improved")
    at = LATER - timedelta(days=1) + timedelta(days=30)
    assert closing.expire_due(at=at) == 1
    assert closing.expire_due(at=at) == 0
    assert seen(early, cast.omsk_doctor).state == "completed"
    now = seen(late, cast.omsk_doctor)
    assert (now.state, now.outcome, now.acknowledged_at) == ("closed", "none", None)
    assert kinds(late, cast.omsk_doctor)[-1] == "expire"
    with pytest.raises(NotYours):
        moved(early, cast.omsk_doctor, closing.expire, at=at)


def test_time_is_refused_before_the_term(cast):
    row = completed(cast)
    with as_worker(), pytest.raises(Missing, match="term for the outcome"):
        closing.expire(Consultation(pk=row.pk), actor=SYSTEM, at=LATER + timedelta(days=29))


def test_a_withdrawal_cancels_the_open_session(cast):
    row = assigned(cast)
    moved(row, cast.cniis_consultant, consulting.need_video)
    session = moved(row, cast.cniis_consultant, sessions.propose, [LATER + timedelta(days=1)])
    moved(row, cast.omsk_doctor, closing.withdraw, "not_needed")
    now = seen(row, cast.omsk_doctor)
    assert (now.state, now.turn) == ("withdrawn", "nobody")
    with acting(cast.omsk_doctor):
        session.refresh_from_db()
    assert (session.state, session.reason) == ("cancelled", "request_withdrawn")
    assert kinds(row, cast.omsk_doctor)[-2:] == ["withdraw", "session_cancel"]

"""The requester's end of a request: withdraw it, confirm that the conclusion was read, report the outcome."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from konsilium.actions import councils
from konsilium.actions._record import Note
from konsilium.actions._step import step
from konsilium.actions.sessions import cancel_open
from konsilium.models import Consultation
from konsilium.models.access import as_worker
from konsilium.workflow.clock import OUTCOME_TERM
from konsilium.workflow.consultation import Facts, State
from konsilium.workflow.machine import Refused
from konsilium.workflow.reasons import WITHDRAWAL_REASONS, reason_is_stated
from konsilium.workflow.roles import SYSTEM, Actor
from konsilium.workflow.words import OUTCOMES

NO_OUTCOME = "none"


def withdraw(
    consultation: Consultation,
    reason: str,
    text: str = "",
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """End a request that has no conclusion yet, and cancel its open session.

    Raises what `step` raises, and NotNow while a session is running.
    """
    stated = reason_is_stated(reason, text, WITHDRAWAL_REASONS)
    with transaction.atomic():
        with step(
            consultation,
            "withdraw",
            actor=actor,
            at=at,
            version=version,
            facts=lambda _row: Facts(reason_stated=stated),
            note=Note(reason, text.strip()),
        ) as row:
            row.end_reason, row.end_text = reason, text.strip()
            row.closed_at = at
        cancel_open(row, reason="request_withdrawn", actor=actor, at=at)
        councils.cancel_open(row, "request_withdrawn", at=at)


def acknowledge(
    consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None
) -> None:
    """Confirm that the conclusion was read. Raises what `step` raises: Missing the second time."""
    with step(
        consultation,
        "acknowledge",
        actor=actor,
        at=at,
        version=version,
        facts=lambda row: Facts(not_yet_acknowledged=row.acknowledged_at is None),
    ) as row:
        row.acknowledged_at = at


def close(
    consultation: Consultation,
    outcome: str,
    text: str = "",
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Close a request with what became of the patient; that is a confirmation of reading too.

    A council that sits to correct the conclusion is ended. Raises what `step` raises.
    """
    given = outcome in OUTCOMES and outcome != NO_OUTCOME
    facts = lambda _row: Facts(outcome_given=given)  # noqa: E731
    note = Note(outcome, text.strip())
    with _closing(consultation, "close", actor=actor, at=at, version=version, facts=facts, note=note) as row:
        row.outcome, row.outcome_text = outcome, text.strip()
        row.acknowledged_at = row.acknowledged_at or at


def expire(consultation: Consultation, *, actor: Actor, at: datetime) -> None:
    """Close a request whose outcome nobody reported in time, and end the council that sits over it.

    Raises what `step` raises.
    """
    facts = lambda row: Facts(outcome_term_passed=_term_passed(row, at))  # noqa: E731
    with _closing(consultation, "expire", actor=actor, at=at, facts=facts, note=Note(NO_OUTCOME)) as row:
        row.outcome = NO_OUTCOME


@contextmanager
def _closing(consultation: Consultation, move: str, *, at: datetime, **given: Any) -> Iterator[Consultation]:
    """Close a request by a move, then end the council that sits over it, in one transaction."""
    with transaction.atomic():
        with step(consultation, move, at=at, **given) as row:
            yield row
            row.closed_at = at
        councils.cancel_open(row, "request_closed", at=at)


def expire_due(*, at: datetime, most: int = 100) -> int:
    """Close the requests whose term for the outcome has passed, each in a transaction of its own; say how many."""
    return sum(_expired(consultation_id, at) for consultation_id in _due(at, most))


def _due(at: datetime, most: int) -> list[UUID]:
    with as_worker():
        rows = Consultation.objects.filter(state=State.COMPLETED, answered_at__lte=at - OUTCOME_TERM)
        return list(rows.order_by("answered_at").values_list("pk", flat=True)[:most])


def _expired(consultation_id: UUID, at: datetime) -> bool:
    try:
        with as_worker():
            expire(Consultation(pk=consultation_id), actor=SYSTEM, at=at)
    except Refused:
        return False
    return True


def _term_passed(row: Consultation, at: datetime) -> bool:
    return row.answered_at is not None and at >= row.answered_at + OUTCOME_TERM

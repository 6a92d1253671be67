"""The one door of state changes.

Every step: lock the row (a session's or document's request first, so that all steps of one request queue up), find the
actor's hats on the fresh row, compare the version, ask the machine's table, let the caller change what the step
carries, write state and version, and append the event with its pending delivery; one transaction. Nothing else in the
house writes a state, and the database gives no other role the right to.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import Note, mark_read, record, record_at_desk
from konsilium.models import Consultation, Council, Document, Event, Organization, Session
from konsilium.models.access import door
from konsilium.workflow.consultation import MACHINE, Facts, turn_of
from konsilium.workflow.council import COUNCIL_MACHINE, CouncilFacts
from konsilium.workflow.document import DOCUMENT_MACHINE, DocumentFacts
from konsilium.workflow.machine import Machine, Stale, Transition
from konsilium.workflow.onboarding import ORGANIZATION_MACHINE, OrganizationFacts
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.session import OPEN_SESSION, SESSION_MACHINE, SessionFacts
from konsilium.workflow.words import CONCLUSION_SCAN

# What of a request only the door writes.
WAY = (
    "state turn version updated_at centre centre_name centre_time_zone consultant consultant_name submitted_at due_at "
    "base_due_at paused_at asked_at asked_from answered_at acknowledged_at closed_at outcome outcome_text end_reason "
    "end_text has_session"
).split()


Child = TypeVar("Child", Session, Document, Council)


class NotThere(Exception):
    """The object isn't there for this actor: a page answers as it does for one that never was."""


@contextmanager
def step(
    consultation: Consultation,
    move: str,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    facts: Callable[[Consultation], Facts] = lambda row: Facts(),
    note: Note = Note(),
) -> Iterator[Consultation]:
    """Move a request: yields the locked row for the caller to change, then writes it.

    `facts` is asked with the locked row. Raises NotThere, Stale, NotNow, NotYours or Missing, and then nothing
    was changed; so it is when the body raises.
    """
    with transaction.atomic():
        row = _locked(consultation.pk)
        transition = _allowed(MACHINE, row, move, actor=actor, version=version, facts=facts)
        before = row.state
        yield row
        row.state = transition.to_state
        save_way(row, at=at)
        record(row, move, actor=actor, at=at, states=(before, row.state), note=note)
        _read_by(row, actor, at)


@contextmanager
def session_step(
    session: Session,
    move: str,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    facts: Callable[[Session], SessionFacts] = lambda row: SessionFacts(),
    note: Note = Note(),
) -> Iterator[Session]:
    """Move a session of a request, and with it whose turn it is. Yields the locked session; as `step` otherwise.

    The caller may change the request too (its clock): `session.consultation` is the locked row and is written.
    """
    with transaction.atomic():
        consultation = _locked(session.consultation_id)
        row = _locked_child(Session, consultation, session.pk)
        transition = _allowed(SESSION_MACHINE, row, move, actor=actor, version=version, facts=facts)
        before = row.state
        yield row
        row.state = transition.to_state
        row.version += 1
        with door(consultation.pk):
            row.save(force_update=True)
        save_way(consultation, at=at)
        subject = ("session", row.pk)
        kind = f"session_{move}"
        record(consultation, kind, actor=actor, at=at, subject=subject, states=(before, row.state), note=note)
        _read_by(consultation, actor, at)


@contextmanager
def document_step(
    document: Document,
    move: str,
    *,
    actor: Actor,
    at: datetime,
    facts: Callable[[Document], DocumentFacts] = lambda row: DocumentFacts(),
    note: Note = Note(),
) -> Iterator[Document]:
    """Move a document of a request. Yields the locked document; as `step` otherwise.

    What happens to a conclusion's scan before it is placed stays inside the centre.
    """
    with transaction.atomic():
        consultation = _locked(document.consultation_id)
        row = _locked_child(Document, consultation, document.pk)
        transition = _allowed(DOCUMENT_MACHINE, row, move, actor=actor, version=None, facts=facts)
        before = row.state
        yield row
        row.state = transition.to_state
        row.version += 1
        with door(consultation.pk):
            row.save(force_update=True)
        subject = ("document", row.pk)
        kind = f"document_{move}"
        if row.kind == CONCLUSION_SCAN and row.placed_at is None:
            note = replace(note, audience=Event.CENTRE)
        record(consultation, kind, actor=actor, at=at, subject=subject, states=(before, row.state), note=note)


@contextmanager
def council_step(
    council: Council,
    move: str,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    facts: Callable[[Council], CouncilFacts] = lambda row: CouncilFacts(),
    note: Note = Note(audience=Event.CENTRE),
) -> Iterator[Council]:
    """Move a council of a request. Yields the locked council; as `step` otherwise.

    What happens inside a council stays inside, and no words of it stand in the event.
    """
    with transaction.atomic():
        consultation = _locked(council.consultation_id)
        row = _locked_child(Council, consultation, council.pk)
        transition = _allowed(COUNCIL_MACHINE, row, move, actor=actor, version=version, facts=facts)
        before = row.state
        yield row
        row.state = transition.to_state
        row.version += 1
        with door(consultation.pk):
            row.save(force_update=True)
        subject, kind = ("council", row.pk), f"council_{move}"
        record(consultation, kind, actor=actor, at=at, subject=subject, states=(before, row.state), note=note)
        _read_by(consultation, actor, at)


@contextmanager
def organization_step(
    organization: Organization,
    move: str,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
    facts: Callable[[Organization], OrganizationFacts] = lambda row: OrganizationFacts(),
    text: str = "",
) -> Iterator[Organization]:
    """Move an organisation on its way to access. Yields the locked row; as `step` otherwise."""
    with transaction.atomic():
        with door(organization.pk):
            row = Organization.objects.select_for_update().get(pk=organization.pk)
        roles = frozenset({actor.role})
        _fresh(row.version, version)
        transition = ORGANIZATION_MACHINE.find(move, state=row.state, roles=roles, facts=facts(row))
        before = row.state
        yield row
        row.state = transition.to_state
        row.version += 1
        with door(row.pk):
            row.save(force_update=True)
        record_at_desk(
            f"organization_{move}",
            at=at,
            actor=actor,
            organization_id=row.pk,
            subject=("organization", row.pk),
            states=(before, row.state),
            text=text,
        )


def save_way(consultation: Consultation, *, at: datetime) -> None:
    """Write a locked request's way: version, turn (asked of its open session), and what only the door writes."""
    consultation.version += 1
    consultation.updated_at = at
    with door(consultation.pk):
        consultation.turn = turn_of(consultation.state, open_session_state(consultation))
        consultation.save(update_fields=WAY)


def lock(consultation: Consultation, *, actor: Actor, version: int | None = None) -> Consultation:
    """Lock a request for a change that is no move of its own machine. Raises NotThere or Stale."""
    row = _locked(consultation.pk)
    if not row.roles_of(actor):
        raise NotThere
    _fresh(row.version, version)
    return row


def open_session_state(consultation: Consultation) -> str | None:
    """Return the state of the request's open session, if it has one."""
    rows = Session.objects.filter(consultation_id=consultation.pk, state__in=OPEN_SESSION)
    return rows.values_list("state", flat=True).first()


def _locked(consultation_id: UUID) -> Consultation:
    with door(consultation_id):
        row = Consultation.objects.select_for_update().filter(pk=consultation_id).first()
    if row is None:
        raise NotThere
    return row


def _locked_child(model: type[Child], root: Consultation, pk: UUID) -> Child:
    with door(root.pk):
        row = model.objects.select_for_update().filter(pk=pk, consultation_id=root.pk).first()
    if row is None:
        raise NotThere
    row.consultation = root
    return row


def _allowed(
    machine: Machine,
    row: Consultation | Session | Document | Council,
    move: str,
    *,
    actor: Actor,
    version: int | None,
    facts: Callable[[Any], Any],
) -> Transition:
    """Ask for the facts last: whoever has no part in the request has no right to the tables they stand in either."""
    roles: frozenset[Role] = row.roles_of(actor)
    if not roles:
        raise NotThere
    _fresh(row.version, version)
    return machine.find(move, state=row.state, roles=roles, facts=facts(row))


def _fresh(present: int, seen: int | None) -> None:
    if seen is not None and seen != present:
        raise Stale


def _read_by(consultation: Consultation, actor: Actor, at: datetime) -> None:
    """What a person did themself is not unread to them, if they still see the request."""
    if consultation.roles_of(actor) and actor.role is not Role.SYSTEM:
        mark_read(consultation, actor=actor, at=at)

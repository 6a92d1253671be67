"""Who took part in a session in a way that the room itself can't see: by telephone, a codec, an outside service."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import transaction

from konsilium.actions._step import NotThere
from konsilium.models import Attendance, Session
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.roles import CENTRE_ROLES, Actor
from konsilium.workflow.session import SessionState
from konsilium.workflow.words import N_, SIDES

MOST_MARKED = 60
MARKED_IN = (SessionState.CONFIRMED, SessionState.IN_PROGRESS, SessionState.HELD)


class Unfit(Refused):
    """Somebody's presence can't be noted like this; the words say what would be right."""


class Presence(NamedTuple):
    """Whom somebody saw or heard there, and from when to when, as far as known."""

    name: str
    organization_name: str
    side: str
    joined_at: datetime
    left_at: datetime | None = None


def mark(session: Session, given: Presence, *, actor: Actor, at: datetime) -> Attendance:
    """Note that somebody took part; the record says who noted it. Raises NotYours, NotNow or Unfit."""
    _may_mark(session, actor)
    _check(session, given, at)
    with transaction.atomic():
        return Attendance.objects.create(
            session=session,
            seat=f"marked-{uuid4().hex}",
            name=given.name.strip(),
            organization_name=given.organization_name.strip(),
            side=given.side,
            role="marked",
            marked_by=actor.name,
            joined_at=given.joined_at,
            seen_at=given.left_at or given.joined_at,
            left_at=given.left_at or given.joined_at,
        )


def take_back(session: Session, attendance_id: UUID, *, actor: Actor) -> None:
    """Take a note back; what the room saw itself stays. Raises NotYours, NotNow or NotThere."""
    _may_mark(session, actor)
    marked = Attendance.objects.filter(session=session, pk=attendance_id).exclude(marked_by="")
    if not marked.delete()[0]:
        raise NotThere


def _may_mark(session: Session, actor: Actor) -> None:
    if not session.roles_of(actor) & set(CENTRE_ROLES):
        raise NotYours(N_("This step belongs to another role."))
    if session.state not in MARKED_IN:
        raise NotNow(N_("This step is not possible in the present state."))


def _check(session: Session, given: Presence, at: datetime) -> None:
    limits = (
        (Attendance.name, given.name.strip()),
        (Attendance.organization_name, given.organization_name.strip()),
    )
    fit = all(text and len(text) <= (column.field.max_length or 0) for column, text in limits)
    if not fit or given.side not in SIDES:
        raise Unfit(N_("Say who took part: the name, the organisation and the side."))
    if given.joined_at > at or (given.left_at is not None and not given.joined_at <= given.left_at <= at):
        raise Unfit(N_("The times lie in the past, the end after the beginning."))
    if Attendance.objects.filter(session=session).exclude(marked_by="").count() >= MOST_MARKED:
        raise Unfit(N_("So many people can't be noted in one session."))

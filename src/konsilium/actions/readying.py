"""Before a session: both sides are reminded a day and an hour ahead, and say by one tap that they will be there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import record
from konsilium.actions._step import NotThere, lock
from konsilium.models import Consultation, Endpoint, Event, Probe, Readiness, Session
from konsilium.models.access import as_worker
from konsilium.workflow.machine import NotNow
from konsilium.workflow.roles import CENTRE_ROLES, SYSTEM, Actor
from konsilium.workflow.session import SessionState
from konsilium.workflow.words import N_, Side


@dataclass(frozen=True)
class Reminder:
    """A reminder: its event, how long ahead, and how close before the beginning it makes no sense any more."""

    kind: str
    ahead: timedelta
    not_within: timedelta


REMINDERS = (
    Reminder("session_remind_day", timedelta(days=1), timedelta(hours=2)),
    Reminder("session_remind_hour", timedelta(hours=1), timedelta(minutes=5)),
)
# The line of approved equipment is looked at so long before.
LOOK_AHEAD = timedelta(hours=1)


def ready(session: Session, *, actor: Actor, at: datetime) -> Readiness:
    """Note that the actor's side will be there at the confirmed time; another time asks again.

    Raises NotThere, or NotNow unless the session is confirmed and ahead.
    """
    with transaction.atomic():
        row = lock(session.consultation, actor=actor)
        present = Session.objects.filter(pk=session.pk, consultation=row).first()
        if present is None:
            raise NotThere
        if present.state != SessionState.CONFIRMED or present.starts_at is None:
            raise NotNow(N_("The session's time is not confirmed."))
        side = Side.CONSULTING if row.roles_of(actor) & set(CENTRE_ROLES) else Side.REQUESTING
        said, _ = Readiness.objects.update_or_create(
            session=present,
            side=side,
            defaults={"at": at, "person_name": actor.name, "starts_at": present.starts_at},
        )
        record(row, "session_ready", actor=actor, at=at, subject=("session", present.pk))
    return said


def remind_due(*, at: datetime) -> int:
    """Remind of the sessions that begin within a day, and within an hour: each once, anew after a moved time."""
    return sum(_remind(reminder, at) for reminder in REMINDERS)


def _remind(reminder: Reminder, at: datetime) -> int:
    with as_worker():
        rows = Session.objects.filter(
            state=SessionState.CONFIRMED,
            starts_at__gt=at + reminder.not_within,
            starts_at__lte=at + reminder.ahead,
        )
        due = list(rows.order_by("starts_at", "id").values_list("pk", "consultation_id", "starts_at"))
    return sum(_reminded(reminder, pk, request, begins, at) for pk, request, begins in due if begins)


def _reminded(
    reminder: Reminder, session_id: UUID, consultation_id: UUID, starts_at: datetime, at: datetime
) -> bool:
    """Remind of one session, unless that was done for this very time already."""
    with as_worker(), transaction.atomic():
        said = Event.objects.filter(
            consultation_id=consultation_id, kind=reminder.kind, subject_id=session_id
        )
        if said.filter(at__gte=starts_at - reminder.ahead).exists():
            return False
        row = lock(Consultation(pk=consultation_id), actor=SYSTEM)
        record(row, reminder.kind, actor=SYSTEM, at=at, subject=("session", session_id))
    return True


def look_at_lines(*, at: datetime) -> int:
    """Ask the prober for a look at both sides' approved codecs an hour before a session, once each. Returns how many."""
    with as_worker(), transaction.atomic():
        soon = Session.objects.filter(
            state=SessionState.CONFIRMED, starts_at__gt=at, starts_at__lte=at + LOOK_AHEAD
        )
        sides = list(soon.values_list("pk", "requesting_organization_id", "centre_id"))
        return sum(_ask(session_id, house, at) for session_id, *houses in sides for house in houses)


def _ask(session_id: UUID, organization_id: UUID, at: datetime) -> int:
    rows = Endpoint.objects.filter(organization_id=organization_id, kind="sip", is_active=True)
    ready_for = rows.exclude(approved_at=None).values_list("pk", flat=True)
    done = set(Probe.objects.filter(session_id=session_id).values_list("endpoint_id", flat=True))
    wanted = [pk for pk in ready_for if pk not in done]
    for pk in wanted:
        Probe(endpoint_id=pk, session_id=session_id, kind="options", asked_at=at, not_before=at).save(
            force_insert=True
        )
    return len(wanted)

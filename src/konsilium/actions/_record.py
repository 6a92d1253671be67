"""The one door of remembering: what happened, and that it is still to be told, in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from konsilium.models import Consultation, Delivery, DeskEvent, Event, ReadMark, Viewing
from konsilium.models.access import door
from konsilium.workflow.roles import Actor

VIEWING_SECONDS = 600
NOWHERE = UUID(int=0)


@dataclass(frozen=True)
class Note:
    """What a move says beside who and when: a reason's code, words, and who may read them."""

    reason: str = ""
    text: str = ""
    audience: str = Event.BOTH


def record(
    consultation: Consultation,
    kind: str,
    *,
    actor: Actor,
    at: datetime,
    subject: tuple[str, UUID | None] = ("consultation", None),
    states: tuple[str, str] = ("", ""),
    note: Note = Note(),
) -> Event:
    """Append the event and its pending delivery, and stir the request so that it is unread for the others.

    What stays inside the centre stirs nothing for the other side.
    """
    event = Event(
        consultation=consultation,
        kind=kind,
        at=at,
        subject=subject[0],
        subject_id=subject[1] or consultation.pk,
        from_state=states[0],
        to_state=states[1],
        reason=note.reason,
        text=note.text,
        audience=note.audience,
        version=consultation.version,
        **_who(actor),
    )
    with door(consultation.pk):
        event.save(force_insert=True)
        Delivery(event_id=event.pk, created_at=at, next_try_at=at).save(force_insert=True)
        if note.audience == Event.BOTH:
            Consultation.objects.filter(pk=consultation.pk).update(stirred_at=at)
    return event


def record_at_desk(
    kind: str,
    *,
    at: datetime,
    actor: Actor | None = None,
    organization_id: UUID | None = None,
    subject: tuple[str, UUID | None] = ("account", None),
    states: tuple[str, str] = ("", ""),
    text: str = "",
) -> DeskEvent:
    """Append an event outside any request (an organisation, an account, a sign-in), and its pending delivery."""
    event = DeskEvent(
        kind=kind,
        at=at,
        organization_id=organization_id,
        subject=subject[0],
        subject_id=subject[1],
        from_state=states[0],
        to_state=states[1],
        text=text,
        **(_who(actor) if actor else {}),
    )
    with door(organization_id or NOWHERE):
        event.save(force_insert=True)
        Delivery(event_id=event.pk, is_desk_event=True, created_at=at, next_try_at=at).save(force_insert=True)
    return event


def record_viewing(
    consultation: Consultation, subject: str, subject_id: UUID, *, actor: Actor, at: datetime
) -> None:
    """Log that this person read this object, once in ten minutes."""
    viewing = Viewing(
        consultation=consultation,
        subject=subject,
        subject_id=subject_id,
        person_id=actor.person_id,
        person_name=actor.name,
        role=actor.role,
        organization=actor.organization_name,
        at=at,
        bucket=int(at.timestamp()) // VIEWING_SECONDS,
    )
    Viewing.objects.bulk_create([viewing], ignore_conflicts=True)


def mark_read(consultation: Consultation, *, actor: Actor, at: datetime) -> None:
    """Remember that this person has read the request up to now."""
    mark = ReadMark(consultation=consultation, person_id=actor.person_id, read_at=at)
    ReadMark.objects.bulk_create(
        [mark],
        update_conflicts=True,
        unique_fields=["person_id", "consultation"],
        update_fields=["read_at"],
    )


def _who(actor: Actor) -> dict[str, Any]:
    return {
        "actor_id": actor.person_id,
        "actor_name": actor.name,
        "actor_role": actor.role,
        "actor_membership_id": actor.membership_id,
        "actor_organization_id": actor.organization_id,
        "actor_organization": actor.organization_name,
    }

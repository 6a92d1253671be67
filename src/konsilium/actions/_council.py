"""What calling a council and holding it share: the locks, the seats, whose draft it is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from konsilium.actions import signing
from konsilium.actions._record import Note, record
from konsilium.actions._step import NotThere, lock
from konsilium.models import Conclusion, Consultation, Council, Membership, Seat
from konsilium.models.access import door
from konsilium.workflow.council import SeatKind
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor, Role


class Unfit(Refused):
    """A council can't be called like this; the words say what would be right."""


class Colleague(NamedTuple):
    """Somebody who may be called: a consultant of an active centre."""

    membership_id: UUID
    person_id: UUID
    name: str
    position: str
    specialty: str
    organization_id: UUID
    organization_name: str


def open_one(consultation: Consultation) -> Council | None:
    """Return the council that sits over a request, whoever asks."""
    with door(consultation.pk):
        return Council.objects.filter(consultation=consultation).open().first()


def locked(council: Council, actor: Actor) -> Council:
    """Lock the request first, as every step does, then the council. Raises NotThere."""
    consultation = lock(council.consultation, actor=actor)
    with door(consultation.pk):
        row = Council.objects.select_for_update().filter(pk=council.pk).first()
    if row is None:
        raise NotThere
    row.consultation = consultation
    return row


def own_seat(row: Council, actor: Actor) -> Seat:
    """Return the seat that somebody acts in. Raises NotThere."""
    seat = Seat.objects.filter(
        council=row, person_id=actor.person_id, answer__in=("invited", "accepted")
    ).first()
    if seat is None or actor.role is not Role.COUNCIL_MEMBER:
        raise NotThere
    return seat


def give_seat(
    council: Council, colleague: Colleague, kind: SeatKind, at: datetime, *, instead_of: Seat | None = None
) -> Seat:
    """Give a seat, and the role to look in with, which opens nothing beside seats that last."""
    seat = Seat(
        consultation_id=council.consultation_id,
        council=council,
        kind=kind,
        person_id=colleague.person_id,
        organization_id=colleague.organization_id,
        name=colleague.name,
        position=colleague.position,
        specialty=colleague.specialty,
        organization_name=colleague.organization_name,
        invited_at=at,
        substitute_of=instead_of,
    )
    with door(council.consultation_id):
        seat.save(force_insert=True)
        rows = Membership.objects.filter(
            person_id=colleague.person_id,
            organization_id=colleague.organization_id,
            role=Role.COUNCIL_MEMBER,
        )
        if not rows.exists():
            Membership(
                person_id=colleague.person_id,
                organization_id=colleague.organization_id,
                role=Role.COUNCIL_MEMBER,
                position=colleague.position,
                specialty=colleague.specialty,
                created_at=at,
            ).save(force_insert=True)
    return seat


def taking_part(row: Council) -> Iterable[Seat]:
    """Return the seats of those who accepted, by their call."""
    return Seat.objects.filter(council=row, answer="accepted").order_by("invited_at", "id")


def save_seat(seat: Seat, *names: str) -> None:
    """Write columns of a seat, which is never only its holder's to change."""
    with door(seat.consultation_id):
        seat.save(update_fields=names)


def change_seats(row: Council, **values: Any) -> None:
    """Write the same into all of the council's seats."""
    with door(row.consultation_id):
        Seat.objects.filter(council=row).update(**values)


def pass_draft(row: Consultation, council: Council | None, at: datetime) -> None:
    """Make what is being written this council's, or nobody's council's; what was signed of it is void."""
    with door(row.pk):
        draft = Conclusion.objects.filter(consultation=row, placed_at=None).first()
    if draft is None:
        return
    signing.void_all(draft, at=at)
    kind = "council" if council else "consultation"
    with door(row.pk):
        # A print form made before is of another text: who decided it stands on it.
        Conclusion.objects.filter(pk=draft.pk).update(council=council, kind=kind, updated_at=at)


def void_signatures(row: Council, at: datetime) -> None:
    """Take back every signature under the council's protocol, on paper and electronic."""
    change_seats(row, signed_at=None)
    with door(row.consultation_id):
        draft = Conclusion.objects.filter(council=row, placed_at=None).first()
    if draft is not None:
        signing.void_all(draft, at=at)


def remember(row: Council, kind: str, actor: Actor, at: datetime) -> None:
    """Record something that stays inside the centres that sit in the council."""
    note = Note(audience="centre")
    record(row.consultation, kind, actor=actor, at=at, subject=("council", row.pk), note=note)


def end_access(row: Council, until: datetime) -> None:
    """Let everybody's seat last until then."""
    with door(row.consultation_id):
        Seat.objects.filter(council=row, access_until=None).update(access_until=until)

"""Calling a council: whom from which centres, for what, and who sits instead of somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from konsilium.actions._council import Colleague, Unfit, give_seat, locked, pass_draft, remember, save_seat
from konsilium.actions._record import record
from konsilium.actions._step import NotThere, lock
from konsilium.models import Consultation, Council, Seat, Session
from konsilium.workflow.consultation import State
from konsilium.workflow.council import FEWEST, FORM_LABELS, QUORUM, CouncilState, SeatKind
from konsilium.workflow.machine import NotNow, NotYours
from konsilium.workflow.roles import CENTRE_ROLES, Actor
from konsilium.workflow.words import N_

# A placed conclusion is corrected by a council that is called over it.
CALLED_IN = (State.ASSIGNED, State.SESSION, State.CONCLUSION, State.COMPLETED)
NOT_CALLED = N_(
    "A council is called while the consultant works on the request, or to correct what is placed."
)
MOST_SEATS = 25


@dataclass(frozen=True)
class Call:
    """What a council is called for. `seats` say who sits as what, by membership."""

    purpose: str
    reason: str
    seats: Mapping[UUID, SeatKind]
    form: str = "remote"
    quorum: int = QUORUM
    session_id: UUID | None = None


def colleagues() -> list[Colleague]:
    """Return the consultants of every active centre, by name (one query)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM konsilium_colleagues() ORDER BY family, given, membership_id")
        return [
            Colleague(row[0], row[1], " ".join(filter(None, row[2:5])), *row[5:]) for row in cursor.fetchall()
        ]


def call(consultation: Consultation, given: Call, *, actor: Actor, at: datetime) -> Council:
    """Call a council over a request, with its chair, secretary and members; each may look in from now on.

    A conclusion or correction that was begun becomes the draft of its protocol. Raises NotThere, NotYours, NotNow or Unfit.
    """
    with transaction.atomic():
        row = lock(consultation, actor=actor)
        _may_call(row, actor)
        called = _called(given)
        council = Council(
            consultation=row,
            purpose=given.purpose,
            reason=given.reason.strip(),
            form=given.form,
            quorum=given.quorum,
            session=_session(row, given.session_id),
            called_at=at,
            called_by=actor.person_id,
            called_by_name=actor.name,
        )
        council.save(force_insert=True)
        for colleague, kind in called:
            give_seat(council, colleague, kind, at)
        pass_draft(row, council, at)
        record(row, "council_call", actor=actor, at=at, subject=("council", council.pk))
    return council


def _may_call(row: Consultation, actor: Actor) -> None:
    if not row.roles_of(actor) & set(CENTRE_ROLES):
        raise NotYours(N_("This step belongs to another role."))
    if row.state not in CALLED_IN:
        raise NotNow(NOT_CALLED)
    if Council.objects.filter(consultation=row).open().exists():
        raise NotNow(N_("A council sits already: end it first."))


def _called(given: Call) -> list[tuple[Colleague, SeatKind]]:
    known = {one.membership_id: one for one in colleagues()}
    called = [(known[pk], kind) for pk, kind in given.seats.items() if pk in known]
    kinds = [kind for _, kind in called]
    people = {one.person_id for one, _ in called}
    checks = (
        (len(called) == len(given.seats), N_("Somebody of those called works in no centre any more.")),
        (len(people) == len(called), N_("A person takes one seat.")),
        (kinds.count(SeatKind.CHAIR) == 1, N_("Name one chair.")),
        (kinds.count(SeatKind.SECRETARY) == 1, N_("Name one secretary.")),
        (
            FEWEST <= given.quorum <= len(called) <= MOST_SEATS,
            N_("The quorum is at least two, and no more than those called."),
        ),
        (bool(given.reason.strip()) and bool(given.purpose), N_("Say for what the council is called.")),
        (given.form in FORM_LABELS, N_("Say whether the council meets in person or remotely.")),
    )
    for holds, words in checks:
        if not holds:
            raise Unfit(words)
    return called


def _session(row: Consultation, session_id: UUID | None) -> Session | None:
    if session_id is None:
        return None
    session = Session.objects.filter(pk=session_id, consultation=row).first()
    if session is None:
        raise NotThere
    return session


def substitute(council: Council, seat_id: UUID, membership_id: UUID, *, actor: Actor, at: datetime) -> Seat:
    """Call somebody else to a seat; who held it sees nothing any more, and an opinion of theirs is not opened.

    For the centre that called the council, until it has decided. Raises NotThere, NotYours, NotNow or Unfit.
    """
    with transaction.atomic():
        row = locked(council, actor)
        if not row.roles_of(actor) & set(CENTRE_ROLES):
            raise NotYours(N_("This step belongs to another role."))
        if row.state not in (CouncilState.GATHERING, CouncilState.DISCUSSION):
            raise NotNow(N_("This step is not possible in the present state."))
        old = Seat.objects.filter(council=row, pk=seat_id).exclude(answer="replaced").first()
        one = next((one for one in colleagues() if one.membership_id == membership_id), None)
        if old is None or one is None:
            raise NotThere
        if Seat.objects.filter(
            council=row, person_id=one.person_id, answer__in=("invited", "accepted")
        ).exists():
            raise Unfit(N_("A person takes one seat."))
        old.answer = "replaced"
        save_seat(old, "answer")
        seat = give_seat(row, one, SeatKind(old.kind), at, instead_of=old)
        remember(row, "council_substitute", actor, at)
    return seat

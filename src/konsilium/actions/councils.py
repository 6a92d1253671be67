"""Councils: called, opinions sealed and opened together, discussed and decided, the protocol signed by each.

Members see the request while their seat lasts. What a member wrote before the opening is read by nobody else: the
database gives it to no other role, and no event, notice or error says a word of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from konsilium.actions import signing
from konsilium.actions._record import Note, record
from konsilium.actions._step import NotThere, council_step, lock
from konsilium.models import (
    Conclusion,
    Consultation,
    Council,
    CouncilLine,
    Membership,
    Opinion,
    PrintForm,
    Seat,
    Session,
)
from konsilium.models.access import door
from konsilium.workflow.consultation import State
from konsilium.workflow.council import (
    CANCEL_COUNCIL_REASONS,
    FEWEST,
    FORM_LABELS,
    OPEN_COUNCIL,
    QUORUM,
    READABLE_AFTER,
    CouncilFacts,
    CouncilState,
    SeatKind,
)
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.reasons import reason_is_stated
from konsilium.workflow.roles import CENTRE_ROLES, SYSTEM, Actor, Role
from konsilium.workflow.words import N_

# A placed conclusion is corrected by a council that is called over it.
CALLED_IN = (State.ASSIGNED, State.SESSION, State.CONCLUSION, State.COMPLETED)
NOT_CALLED = N_(
    "A council is called while the consultant works on the request, or to correct what is placed."
)
MOST_SEATS = 25
LONGEST_LINE = 4000


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
            _seat(council, colleague, kind, at)
        _pass_draft(row, council, at)
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


def _seat(
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


def _pass_draft(row: Consultation, council: Council | None, at: datetime) -> None:
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


def answer(council: Council, *, accepts: bool, text: str = "", actor: Actor, at: datetime) -> Seat:
    """Take part, or decline with a word why; a declined seat sees nothing any more. Raises NotThere or NotNow."""
    with transaction.atomic():
        row = _locked(council, actor)
        seat = _own_seat(row, actor)
        if row.state not in (CouncilState.GATHERING, CouncilState.DISCUSSION):
            raise NotNow(N_("This step is not possible in the present state."))
        seat.answer = "accepted" if accepts else "declined"
        seat.answered_at, seat.answer_text = at, text.strip()
        _save(seat, "answer", "answered_at", "answer_text")
        kind = "council_accept" if accepts else "council_decline"
        _remember(row, kind, actor, at)
    return seat


def substitute(council: Council, seat_id: UUID, membership_id: UUID, *, actor: Actor, at: datetime) -> Seat:
    """Call somebody else to a seat; who held it sees nothing any more, and an opinion of theirs is not opened.

    For who called the council and for its chair, until it has decided. Raises NotThere, NotYours, NotNow or Unfit.
    """
    with transaction.atomic():
        row = _locked(council, actor)
        if not row.roles_of(actor) & {*CENTRE_ROLES, Role.CHAIR}:
            raise NotYours(N_("This step belongs to another role."))
        if row.state not in (CouncilState.GATHERING, CouncilState.DISCUSSION):
            raise NotNow(N_("This step is not possible in the present state."))
        old = Seat.objects.filter(council=row, pk=seat_id).exclude(answer="replaced").first()
        one = next((one for one in _all_colleagues(actor) if one.membership_id == membership_id), None)
        if old is None or one is None:
            raise NotThere
        if Seat.objects.filter(
            council=row, person_id=one.person_id, answer__in=("invited", "accepted")
        ).exists():
            raise Unfit(N_("A person takes one seat."))
        old.answer = "replaced"
        _save(old, "answer")
        seat = _seat(row, one, SeatKind(old.kind), at, instead_of=old)
        _remember(row, "council_substitute", actor, at)
    return seat


def _all_colleagues(actor: Actor) -> list[Colleague]:
    """Return the colleagues; a chair, who may look up nobody's directory, calls nobody new."""
    return colleagues() if actor.role in CENTRE_ROLES else []


def write_opinion(council: Council, text: str, *, seal: bool, actor: Actor, at: datetime) -> Opinion:
    """Keep a member's opinion, and seal it when they say so; a sealed one is never changed.

    Raises NotThere for who has no seat, NotNow once opinions were opened or theirs is sealed, Unfit for an empty one.
    """
    with transaction.atomic():
        row = _locked(council, actor)
        seat = _own_seat(row, actor)
        mine = Opinion.objects.filter(seat=seat).first()
        if row.state != CouncilState.GATHERING or (mine and mine.sealed_at):
            raise NotNow(N_("The opinion is sealed, or opinions are open already."))
        if seal and not text.strip():
            raise Unfit(N_("Write your opinion before you seal it."))
        opinion = mine or Opinion(
            consultation_id=row.consultation_id, council=row, seat=seat, person_id=actor.person_id
        )
        opinion.text, opinion.updated_at = text.strip(), at
        opinion.sealed_at = at if seal else None
        if mine:
            opinion.save(update_fields=["text", "updated_at", "sealed_at"])
        else:
            opinion.save(force_insert=True)
        if seal:
            seat.answer, seat.opinion_sealed_at = "accepted", at
            _save(seat, "answer", "opinion_sealed_at")
            _remember(row, "council_seal", actor, at)
    return opinion


def open_opinions(council: Council, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Open all opinions together. Raises what `council_step` raises: nobody who takes part may be missing."""
    with council_step(council, "open", actor=actor, at=at, version=version, facts=facts) as row:
        row.opened_at = at


def say(council: Council, text: str, *, actor: Actor, at: datetime) -> CouncilLine:
    """Write a line of the discussion. Raises NotThere, NotNow or Unfit."""
    with transaction.atomic():
        row = _locked(council, actor)
        _own_seat(row, actor)
        if row.state not in (CouncilState.DISCUSSION, CouncilState.DECIDED):
            raise NotNow(
                N_("The discussion begins when the opinions are opened, and ends with the decision.")
            )
        if not text.strip() or len(text) > LONGEST_LINE:
            raise Unfit(N_("Write something, in 4000 characters at most."))
        line = CouncilLine(
            consultation_id=row.consultation_id,
            council=row,
            at=at,
            author_id=actor.person_id,
            author_name=actor.name,
            organization_name=actor.organization_name,
            text=text.strip(),
        )
        line.save(force_insert=True)
    return line


def decide(
    council: Council, decision: str, *, actor: Actor, at: datetime, version: int | None = None
) -> None:
    """Write down what was decided. Raises what `council_step` raises."""

    def given(row: Council) -> CouncilFacts:
        return CouncilFacts(quorum_present=_is_quorate(row), decision_written=bool(decision.strip()))

    with council_step(council, "decide", actor=actor, at=at, version=version, facts=given) as row:
        row.decision, row.decided_at = decision.strip(), at


def rediscuss(council: Council, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Take the decision back into the discussion; dissents go with it. Raises what `council_step` raises."""
    with council_step(council, "rediscuss", actor=actor, at=at, version=version) as row:
        row.decided_at = None
        with door(row.consultation_id):
            Seat.objects.filter(council=row).update(dissent="", dissent_at=None)


def dissent(council: Council, text: str, *, actor: Actor, at: datetime) -> None:
    """Record a member's dissenting opinion, which stands in the protocol; an empty text takes it back.

    Raises NotThere, or NotNow before the decision and once the protocol is being signed.
    """
    with transaction.atomic():
        row = _locked(council, actor)
        seat = _own_seat(row, actor)
        if row.state != CouncilState.DECIDED:
            raise NotNow(N_("A dissent is recorded after the decision and before the protocol is signed."))
        seat.dissent, seat.dissent_at = text.strip(), at if text.strip() else None
        _save(seat, "dissent", "dissent_at")
        _remember(row, "council_dissent", actor, at)


def submit(council: Council, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Give the protocol to be signed: from now on it doesn't change. Raises what `council_step` raises."""
    with council_step(council, "submit", actor=actor, at=at, version=version, facts=facts):
        pass


def sign(council: Council, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Note that a member has signed the protocol; the chair, who is the last, ends the council by it.

    Raises what `council_step` raises.
    """
    chairs = Role.CHAIR in council.roles_of(actor)
    move = "sign_last" if chairs else "sign"
    mine = lambda row: facts(row, actor=actor)  # noqa: E731
    with council_step(council, move, actor=actor, at=at, version=version, facts=mine) as row:
        seat = _own_seat(row, actor)
        seat.signed_at, seat.refusal, seat.refused_at = at, "", None
        _save(seat, "signed_at", "refusal", "refused_at")
        if chairs:
            row.signed_at = at
            _end_access(row, at + READABLE_AFTER)


def refuse(council: Council, text: str, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Refuse to sign, with the reason: the protocol goes back to its secretary, and what was signed so far is void.

    Raises what `council_step` raises.
    """
    given = CouncilFacts(reason_stated=bool(text.strip()))
    with council_step(council, "refuse", actor=actor, at=at, version=version, facts=lambda row: given) as row:
        seat = _own_seat(row, actor)
        with door(row.consultation_id):
            Seat.objects.filter(council=row).update(signed_at=None)
            draft = Conclusion.objects.filter(council=row, placed_at=None).first()
        if draft is not None:
            signing.void_all(draft, at=at)
        seat.refusal, seat.refused_at = text.strip(), at
        _save(seat, "refusal", "refused_at")


def cancel(
    council: Council, reason: str, text: str = "", *, actor: Actor, at: datetime, version: int | None = None
) -> None:
    """End a council without a protocol; its members see the request no more, and what is placed stays in force.

    Raises what `council_step` raises.
    """
    given = CouncilFacts(reason_stated=reason_is_stated(reason, text, CANCEL_COUNCIL_REASONS))
    note = Note(reason=reason)
    with council_step(
        council, "cancel", actor=actor, at=at, version=version, facts=lambda row: given, note=note
    ) as row:
        row.cancel_reason, row.cancel_text = reason, text.strip()
        _end_access(row, at)
        _pass_draft(row.consultation, None, at)


def cancel_open(consultation: Consultation, reason: str, *, at: datetime) -> None:
    """End the request's open council, whatever its state: the request itself has ended."""
    with door(consultation.pk):
        council = Council.objects.filter(consultation=consultation).open().first()
    if council is not None:
        cancel(council, reason, actor=SYSTEM, at=at)


def facts(row: Council, *, actor: Actor | None = None) -> CouncilFacts:
    """Return what the needs of a council's moves look at."""
    taking_part = list(_taking_part(row))
    unsigned = [seat for seat in taking_part if seat.signed_at is None]
    mine = [seat for seat in taking_part if actor and seat.person_id == actor.person_id]
    return CouncilFacts(
        quorum_present=_is_quorate(row),
        opinions_sealed=bool(taking_part) and all(seat.opinion_sealed_at for seat in taking_part),
        decision_written=bool(row.decision),
        protocol_ready=_protocol_is_ready(row),
        others_signed=all(seat.kind == SeatKind.CHAIR for seat in unsigned),
        not_yet_signed=bool(mine) and all(seat.signed_at is None for seat in mine),
    )


def _protocol_is_ready(row: Council) -> bool:
    """Say whether there is a text to sign, with every answer, and no print form of it that is still being made."""
    draft = Conclusion.objects.filter(council=row, placed_at=None).first()
    if draft is None or not draft.text.strip() or draft.answers.filter(text="").exists():
        return False
    forms = PrintForm.objects.filter(subject_id=draft.pk, kind="protocol").order_by("-asked_at")
    newest = forms.values_list("state", flat=True).first()
    # Without one it is signed on paper, printed from the council's page.
    return newest in (None, "ready")


def sitting(consultation: Consultation) -> Council | None:
    """Return the council whose secretary writes now: it is open, or what it has signed is not placed yet.

    Of a council that somebody has no seat in they learn nothing: to them it doesn't sit.
    """
    drafts = Conclusion.objects.filter(consultation=consultation, placed_at=None).exclude(council=None)
    waits = Q(state=CouncilState.SIGNED, pk__in=drafts.values("council"))
    rows = Council.objects.filter(consultation=consultation).filter(Q(state__in=OPEN_COUNCIL) | waits)
    return rows.order_by("-called_at").first()


def has_signed(consultation: Consultation) -> bool:
    """Say whether a council has ever signed over a request: from then on its conclusion is a council's."""
    return Council.objects.filter(consultation=consultation, state=CouncilState.SIGNED).exists()


def is_being_signed(consultation: Consultation) -> bool:
    """Say whether what the secretary wrote lies before its signers, or is signed: then it doesn't change any more."""
    council = sitting(consultation)
    return council is not None and council.state in (CouncilState.SIGNING, CouncilState.SIGNED)


def opinions(council: Council) -> list[Opinion]:
    """Return the opinions that the acting person may read: all of them once opened, before that their own."""
    return list(Opinion.objects.filter(council=council).order_by("sealed_at", "id"))


def _taking_part(row: Council) -> Iterable[Seat]:
    return Seat.objects.filter(council=row, answer="accepted").order_by("invited_at", "id")


def _is_quorate(row: Council) -> bool:
    return Seat.objects.filter(council=row, answer="accepted").count() >= row.quorum


def _own_seat(row: Council, actor: Actor) -> Seat:
    seat = Seat.objects.filter(
        council=row, person_id=actor.person_id, answer__in=("invited", "accepted")
    ).first()
    if seat is None or actor.role is not Role.COUNCIL_MEMBER:
        raise NotThere
    return seat


def _locked(council: Council, actor: Actor) -> Council:
    """Lock the request first, as every step does, then the council. Raises NotThere."""
    consultation = lock(council.consultation, actor=actor)
    with door(consultation.pk):
        row = Council.objects.select_for_update().filter(pk=council.pk).first()
    if row is None:
        raise NotThere
    row.consultation = consultation
    return row


def _save(seat: Seat, *names: str) -> None:
    with door(seat.consultation_id):
        seat.save(update_fields=names)


def _end_access(row: Council, until: datetime) -> None:
    with door(row.consultation_id):
        Seat.objects.filter(council=row, access_until=None).update(access_until=until)


def _remember(row: Council, kind: str, actor: Actor, at: datetime) -> None:
    note = Note(audience="centre")
    record(row.consultation, kind, actor=actor, at=at, subject=("council", row.pk), note=note)

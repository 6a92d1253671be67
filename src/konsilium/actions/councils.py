"""A council that sits: opinions sealed and opened together, discussed and decided, the protocol signed by each.

Members see the request while their seat lasts. What a member wrote before the opening is read by nobody else: the
database gives it to no other role, and no event, notice or error says a word of it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from konsilium.actions._council import (
    Unfit,
    change_seats,
    end_access,
    locked,
    open_one,
    own_seat,
    pass_draft,
    remember,
    save_seat,
    taking_part,
    void_signatures,
)
from konsilium.actions._record import Note
from konsilium.actions._step import council_step
from konsilium.models import (
    Conclusion,
    Consultation,
    Council,
    CouncilLine,
    Opinion,
    PrintForm,
    Seat,
)
from konsilium.workflow.council import (
    CANCEL_COUNCIL_REASONS,
    OPEN_COUNCIL,
    READABLE_AFTER,
    CouncilFacts,
    CouncilState,
    SeatKind,
)
from konsilium.workflow.machine import NotNow
from konsilium.workflow.reasons import reason_is_stated
from konsilium.workflow.roles import SYSTEM, Actor, Role
from konsilium.workflow.words import N_

LONGEST_LINE = 4000


def answer(council: Council, *, accepts: bool, text: str = "", actor: Actor, at: datetime) -> Seat:
    """Take part, or decline with a word why; a declined seat sees nothing any more. Raises NotThere or NotNow."""
    with transaction.atomic():
        row = locked(council, actor)
        seat = own_seat(row, actor)
        if row.state not in (CouncilState.GATHERING, CouncilState.DISCUSSION):
            raise NotNow(N_("This step is not possible in the present state."))
        seat.answer = "accepted" if accepts else "declined"
        seat.answered_at, seat.answer_text = at, text.strip()
        save_seat(seat, "answer", "answered_at", "answer_text")
        kind = "council_accept" if accepts else "council_decline"
        remember(row, kind, actor, at)
    return seat


def write_opinion(council: Council, text: str, *, seal: bool, actor: Actor, at: datetime) -> Opinion:
    """Keep a member's opinion, and seal it when they say so; a sealed one is never changed.

    Raises NotThere for who has no seat, NotNow once opinions were opened or theirs is sealed, Unfit for an empty one.
    """
    with transaction.atomic():
        row = locked(council, actor)
        seat = own_seat(row, actor)
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
            save_seat(seat, "answer", "opinion_sealed_at")
            remember(row, "council_seal", actor, at)
    return opinion


def open_opinions(council: Council, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Open all opinions together. Raises what `council_step` raises: nobody who takes part may be missing."""
    with council_step(council, "open", actor=actor, at=at, version=version, facts=facts) as row:
        row.opened_at = at


def say(council: Council, text: str, *, actor: Actor, at: datetime) -> CouncilLine:
    """Write a line of the discussion. Raises NotThere, NotNow or Unfit."""
    with transaction.atomic():
        row = locked(council, actor)
        own_seat(row, actor)
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
        change_seats(row, dissent="", dissent_at=None)


def dissent(council: Council, text: str, *, actor: Actor, at: datetime) -> None:
    """Record a member's dissenting opinion, which stands in the protocol; an empty text takes it back.

    Raises NotThere, or NotNow before the decision and once the protocol is being signed.
    """
    with transaction.atomic():
        row = locked(council, actor)
        seat = own_seat(row, actor)
        if row.state != CouncilState.DECIDED:
            raise NotNow(N_("A dissent is recorded after the decision and before the protocol is signed."))
        seat.dissent, seat.dissent_at = text.strip(), at if text.strip() else None
        save_seat(seat, "dissent", "dissent_at")
        remember(row, "council_dissent", actor, at)


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
        seat = own_seat(row, actor)
        seat.signed_at, seat.refusal, seat.refused_at = at, "", None
        save_seat(seat, "signed_at", "refusal", "refused_at")
        if chairs:
            row.signed_at = at
            end_access(row, at + READABLE_AFTER)


def refuse(council: Council, text: str, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Refuse to sign, with the reason: the protocol goes back to its secretary, and what was signed so far is void.

    Raises what `council_step` raises.
    """
    given = CouncilFacts(reason_stated=bool(text.strip()))
    with council_step(council, "refuse", actor=actor, at=at, version=version, facts=lambda row: given) as row:
        seat = own_seat(row, actor)
        void_signatures(row, at)
        seat.refusal, seat.refused_at = text.strip(), at
        save_seat(seat, "refusal", "refused_at")


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
        end_access(row, at)
        pass_draft(row.consultation, None, at)


def cancel_open(consultation: Consultation, reason: str, *, at: datetime) -> None:
    """End the request's open council, whatever its state: the request itself has ended."""
    council = open_one(consultation)
    if council is not None:
        cancel(council, reason, actor=SYSTEM, at=at)


def facts(row: Council, *, actor: Actor | None = None) -> CouncilFacts:
    """Return what the needs of a council's moves look at."""
    seated = list(taking_part(row))
    unsigned = [seat for seat in seated if seat.signed_at is None]
    mine = [seat for seat in seated if actor and seat.person_id == actor.person_id]
    return CouncilFacts(
        quorum_present=_is_quorate(row),
        opinions_sealed=bool(seated) and all(seat.opinion_sealed_at for seat in seated),
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


def _is_quorate(row: Council) -> bool:
    return Seat.objects.filter(council=row, answer="accepted").count() >= row.quorum

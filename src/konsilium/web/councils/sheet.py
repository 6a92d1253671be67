"""A council's page in plain values: who sits, what is sealed, what was opened, said, decided and signed.

Before the opening it shows of anybody else's opinion that it is sealed, and no word of it: the database gives none.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language, gettext

from konsilium.actions import councils
from konsilium.models import Conclusion, Council, CouncilLine, DictionaryEntry, Opinion, Seat
from konsilium.web.clockface import local
from konsilium.web.consultation.head import head
from konsilium.web.councils.panel import member_role, own_seat, seat_words
from konsilium.web.councils.steps import TONES, in_order, next_step
from konsilium.web.sessions.times import both_times
from konsilium.workflow.consultation import State
from konsilium.workflow.council import (
    BY_ITSELF,
    CANCEL_COUNCIL_REASONS,
    COUNCIL_MACHINE,
    COUNCIL_STATE_LABELS,
    FORM_LABELS,
    OPEN_COUNCIL,
    CouncilState,
    SeatKind,
)
from konsilium.workflow.roles import CENTRE_ROLES, Actor, Role

CHANGES_SEATS = (CouncilState.GATHERING, CouncilState.DISCUSSION)
TALKS = (CouncilState.DISCUSSION, CouncilState.DECIDED)
# Lines shown at once: a discussion of more is read in its protocol.
MOST_LINES = 500


def page(request: Any, row: Council, given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the page's context. `given` are the words of a form that was refused, by its field."""
    actor: Actor = request.actor
    seats = in_order(Seat.objects.filter(council=row))
    own = own_seat(seats, actor)
    here = [seat for seat in seats if seat.answer != "replaced"]
    protocol = Conclusion.objects.filter(council=row).order_by("-edition").first()
    moves = _moves(row, own, actor)
    opinion = Opinion.objects.filter(seat=own).first() if own else None
    return {
        "row": row,
        "head": head(row.consultation, actor=actor, at=request.at),
        "council": words_of(row, actor),
        "step": next_step(row, here, own, is_placed=bool(protocol and protocol.placed_at)),
        "seats": [_seat(seat, row, own, actor) for seat in here],
        "left": [seat_words(seat) for seat in seats if seat.answer == "replaced"],
        "own": own,
        "own_role": _other_role(here, actor),
        "asks_answer": own is not None and own.answer == "invited" and row.state in CHANGES_SEATS,
        "may_leave": own is not None and row.state in CHANGES_SEATS,
        "writes": own is not None and row.state == CouncilState.GATHERING and own.opinion_sealed_at is None,
        "opinion": opinion,
        "opinion_saved": local(opinion.updated_at, actor.time_zone) if opinion else "",
        "opinions": opinions(row, seats),
        "moves": moves,
        "dissents": [seat for seat in here if seat.dissent],
        "may_dissent": own is not None and row.state == CouncilState.DECIDED,
        "talks": own is not None and row.state in TALKS,
        "protocol": _protocol(row, protocol, own, actor),
        "reasons": [
            (code, gettext(label)) for code, label in CANCEL_COUNCIL_REASONS.items() if code not in BY_ITSELF
        ],
        "given": given or {},
        **news(row, own, seats, actor),
    }


def words_of(row: Council, actor: Actor) -> dict[str, Any]:
    """Return what the council is called for, and where it stands."""
    state = CouncilState(row.state)
    session = row.session
    return {
        "state": gettext(COUNCIL_STATE_LABELS[state]),
        "tone": TONES.get(state, ""),
        "purpose": purpose(row.purpose),
        "form": gettext(FORM_LABELS[row.form]),
        "reason": row.reason,
        "quorum": row.quorum,
        "called": local(row.called_at, actor.time_zone),
        "by": row.called_by_name,
        "opened": local(row.opened_at, actor.time_zone) if row.opened_at else "",
        "decided": local(row.decided_at, actor.time_zone) if row.decided_at else "",
        "signed": local(row.signed_at, actor.time_zone) if row.signed_at else "",
        "decision": row.decision,
        "is_decided": row.decided_at is not None,
        "session_url": reverse("consultation:show", args=[row.consultation_id]) + "#sessions"
        if session
        else "",
        "session_times": both_times(session, session.starts_at, actor)
        if session and session.starts_at
        else [],
        "cancelled": _cancelled(row),
    }


def purpose(code: str) -> str:
    """Return a purpose in words: the dictionary's name of its code (one query)."""
    entry = DictionaryEntry.objects.of("council_purposes").filter(code=code).first()
    if entry is None:
        return code
    return entry.name if get_language() == "ru" else entry.name_en or entry.name


def _cancelled(row: Council) -> str:
    if row.state != CouncilState.CANCELLED:
        return ""
    reason = gettext(CANCEL_COUNCIL_REASONS[row.cancel_reason]) if row.cancel_reason else ""
    return ". ".join(part for part in (reason, row.cancel_text) if part)


def _seat(seat: Seat, row: Council, own: Seat | None, actor: Actor) -> dict[str, Any]:
    about = ", ".join(part for part in (seat.position, seat.specialty) if part)
    replaces = row.state in CHANGES_SEATS and actor.role in CENTRE_ROLES
    return {
        **seat_words(seat),
        "about": about,
        "mine": own is not None and seat.pk == own.pk,
        "why": seat.answer_text,
        "sealed": local(seat.opinion_sealed_at, actor.time_zone) if seat.opinion_sealed_at else "",
        "signed": local(seat.signed_at, actor.time_zone) if seat.signed_at else "",
        "refusal": seat.refusal,
        "refused": local(seat.refused_at, actor.time_zone) if seat.refused_at else "",
        "dissents": bool(seat.dissent),
        "replace_url": reverse("councils:substitute", args=[row.pk, seat.pk]) if replaces else "",
    }


def _other_role(seats: list[Seat], actor: Actor) -> Any:
    holds = any(seat.person_id == actor.person_id and seat.answer != "declined" for seat in seats)
    return member_role(actor) if holds and actor.role in CENTRE_ROLES else None


def _hat(own: Seat) -> Role:
    hats = {SeatKind.CHAIR: Role.CHAIR, SeatKind.SECRETARY: Role.SECRETARY}
    return hats.get(SeatKind(own.kind), Role.COUNCIL_MEMBER)


def _moves(row: Council, own: Seat | None, actor: Actor) -> dict[str, str]:
    """Return the moves open to the reader in this state, with their labels."""
    there = list(COUNCIL_MACHINE.open_to(row.state, [_hat(own)] if own else [actor.role]))
    if own is not None and own.signed_at is not None:
        there = [move for move in there if move not in ("sign", "sign_last", "refuse")]
    return {move: gettext(COUNCIL_MACHINE.labels[move]) for move in there}


def opinions(row: Council, seats: list[Seat]) -> list[dict[str, str]]:
    """Return what each wrote, in the protocol's order, once all were opened; nothing before."""
    if row.opened_at is None:
        return []
    texts = {one.seat_id: one.text for one in councils.opinions(row) if one.sealed_at}
    return [
        {"name": seat.name, "organization": seat.organization_name, "text": texts[seat.pk]}
        for seat in seats
        if seat.pk in texts
    ]


def _protocol(row: Council, draft: Conclusion | None, own: Seat | None, actor: Actor) -> dict[str, Any]:
    """Return where the protocol is written, read and printed."""
    writes = own is not None and own.kind == SeatKind.SECRETARY
    stands = row.state in (CouncilState.DECIDED, CouncilState.SIGNING, CouncilState.SIGNED)
    placed = draft is not None and draft.placed_at is not None
    # What was signed has gone to a council that was called after this one.
    passed_on = draft is None and row.state == CouncilState.SIGNED
    writing = (
        writes
        and not placed
        and not passed_on
        and row.consultation.state in (State.CONCLUSION, State.COMPLETED)
    )
    return {
        "stands": stands,
        "is_begun": draft is not None,
        "write_url": reverse("consulting:write", args=[row.consultation_id]) if writing and stands else "",
        "waits_for_state": writes
        and stands
        and row.consultation.state not in (State.CONCLUSION, State.COMPLETED, State.CLOSED),
        "placed_url": reverse("consulting:conclusion", args=[draft.pk]) if draft and placed else "",
        "print_url": reverse("councils:printed", args=[row.pk]) if row.decided_at else "",
    }


def news(row: Council, own: Seat | None, seats: list[Seat], actor: Actor) -> dict[str, Any]:
    """Return what the page asks for again by itself: the discussion's lines, and a mark of all else that may change."""
    return {
        "stamp": stamp(row, seats),
        "is_open": row.state in OPEN_COUNCIL,
        "hears": own is not None and row.opened_at is not None,
        "lines": lines(row, actor) if own is not None and row.opened_at else [],
    }


def lines(row: Council, actor: Actor) -> list[dict[str, Any]]:
    """Return the discussion, the oldest line first."""
    newest = CouncilLine.objects.filter(council=row).order_by("-at", "-id")[:MOST_LINES]
    return [
        {
            "pk": line.pk,
            "at": local(line.at, actor.time_zone),
            "who": line.author_name,
            "organization": line.organization_name,
            "text": line.text,
            "mine": line.author_id == actor.person_id,
        }
        for line in reversed(newest)
    ]


def stamp(row: Council, seats: list[Seat]) -> str:
    """Return a mark of where a council stands, which changes with it, and says nothing else."""
    marks = [
        (seat.pk, seat.answer, seat.opinion_sealed_at, seat.signed_at, seat.dissent_at) for seat in seats
    ]
    return hashlib.sha256(repr((row.version, row.state, marks)).encode()).hexdigest()[:16]

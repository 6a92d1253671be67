"""The council's part of the request page: whether one sits, who, and what it waits for; never what anybody wrote."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions import account
from konsilium.actions.concluding import may_write
from konsilium.actions.convening import CALLED_IN
from konsilium.models import Consultation, Council, Seat
from konsilium.web.clockface import local
from konsilium.web.councils.steps import TONES, in_order, is_placed, next_step
from konsilium.workflow.consultation import State
from konsilium.workflow.council import (
    COUNCIL_STATE_LABELS,
    FORM_LABELS,
    OPEN_COUNCIL,
    SEAT_LABELS,
    SEAT_STATE_LABELS,
    CouncilState,
    SeatKind,
)
from konsilium.workflow.roles import CENTRE_ROLES, LOOKING_IN, Actor, Role

# What the database shows the requesting side of a council and of a seat before the protocol is placed.
OUTSIDE = (
    "id",
    "version",
    "consultation_id",
    "state",
    "form",
    "quorum",
    "called_at",
    "called_by_name",
    "signed_at",
)
SEAT_OUTSIDE = ("id", "council_id", "kind", "answer", "person_id", "name", "organization_name", "invited_at")
EMPTY: dict[str, Any] = {"present": None, "call_url": "", "sits": False, "writes": False}


def panel(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, Any]:
    """Return the newest council of a request that was not cancelled, in words (two queries)."""
    looks_in = actor.role in LOOKING_IN
    if not roles or not (looks_in or Role.REQUESTER in roles):
        return EMPTY
    rows = Council.objects.filter(consultation=consultation).exclude(state=CouncilState.CANCELLED)
    row = (rows if looks_in else rows.only(*OUTSIDE)).order_by("-called_at").first()
    if row is not None:
        row.consultation = consultation
    calls = (row is None or row.state not in OPEN_COUNCIL) and consultation.state in CALLED_IN
    return {
        "present": _present(row, consultation, actor, looks_in=looks_in) if row else None,
        "sits": row is not None,
        "writes": may_write(consultation, actor=actor) if Role.SECRETARY in roles else False,
        "corrects": consultation.state == State.COMPLETED,
        "call_url": reverse("councils:call", args=[consultation.pk])
        if calls and roles & set(CENTRE_ROLES)
        else "",
    }


def _present(row: Council, consultation: Consultation, actor: Actor, *, looks_in: bool) -> dict[str, Any]:
    seats = Seat.objects.filter(council=row).exclude(answer="replaced")
    there = in_order(seats if looks_in else seats.only(*SEAT_OUTSIDE))
    own = own_seat(there, actor)
    return {
        "state": gettext(COUNCIL_STATE_LABELS[CouncilState(row.state)]),
        "tone": TONES.get(CouncilState(row.state), ""),
        "form": gettext(FORM_LABELS[row.form]),
        "called": local(row.called_at, actor.time_zone),
        "by": row.called_by_name,
        "seats": [seat_words(seat) for seat in there],
        "next": next_step(row, there, own, is_placed=is_placed(row)) if looks_in else "",
        "url": reverse("councils:show", args=[row.pk]) if looks_in else "",
        "own_role": _own_role(there, actor),
    }


def own_seat(seats: list[Seat], actor: Actor) -> Seat | None:
    """Return the seat in which the actor acts; a consultant who is also called acts in it in their other role."""
    if actor.role is not Role.COUNCIL_MEMBER:
        return None
    mine = (seat for seat in seats if seat.person_id == actor.person_id)
    return next((seat for seat in mine if seat.answer in ("invited", "accepted")), None)


def seat_words(seat: Seat) -> dict[str, Any]:
    """Return who sits as what, and what they answered."""
    return {
        "pk": seat.pk,
        "name": seat.name,
        "organization": seat.organization_name,
        "kind": gettext(SEAT_LABELS[SeatKind(seat.kind)]),
        "answer": gettext(SEAT_STATE_LABELS[seat.answer]),
        "tone": {"accepted": "good", "declined": "bad"}.get(seat.answer, ""),
    }


def _own_role(seats: list[Seat], actor: Actor) -> UUID | None:
    """Return the membership in which a consultant or dispatcher holds a seat here, to change over to it."""
    if actor.role not in CENTRE_ROLES or not any(seat.person_id == actor.person_id for seat in seats):
        return None
    return member_role(actor)


def member_role(actor: Actor) -> UUID | None:
    """Return the membership that lets somebody look into councils of the organisation they act in (one query)."""
    mine = account.usable_memberships(actor.person_id)
    here = (row for row in mine if row.organization_id == actor.organization_id)
    return next((row.pk for row in here if row.role == Role.COUNCIL_MEMBER), None)

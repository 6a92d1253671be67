"""A request's sessions: the one on the table with what this person can do now, and the earlier ones."""

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Consultation, Session, SessionOption
from konsilium.web.clockface import local, zone_label
from konsilium.workflow.consultation import State
from konsilium.workflow.roles import CENTRE_ROLES, Actor, Role
from konsilium.workflow.session import OPEN_SESSION, SESSION_MACHINE, SESSION_STATE_LABELS, SessionState
from konsilium.workflow.words import CONNECTIONS, SIDES

# Where each move is made; what isn't here is made by another form of the same card.
PAGES = {
    "propose": "propose_again",
    "reschedule": "propose_again",
    "counter": "counter",
    "hold": "hold",
    "miss": "miss",
    "fail": "fail",
    "cancel": "cancel",
}


def panel(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, Any]:
    """Return the sessions of a request (two queries)."""
    rows = list(Session.objects.visible_to(actor).filter(consultation=consultation).order_by("-created_at"))
    present = next((row for row in rows if row.state in OPEN_SESSION), None)
    proposes = consultation.state == State.SESSION and present is None and bool(roles & set(CENTRE_ROLES))
    return {
        "present": describe(present, roles=roles, at=at) if present else None,
        "past": [_past(row, actor) for row in rows if row is not present],
        "propose_url": reverse("sessions:propose", args=[consultation.pk]) if proposes else "",
    }


def describe(row: Session, *, roles: frozenset[Role], at: datetime) -> dict[str, Any]:
    """Return the open session in words, with the times on the table and the moves open to these roles."""
    options = list(SessionOption.objects.filter(session=row))
    last = options[-1].offer if options else 0
    moves = SESSION_MACHINE.open_to(row.state, roles)
    chooses = "confirm" in moves or "accept" in moves
    return {
        "pk": row.pk,
        "version": row.version,
        "state": gettext(SESSION_STATE_LABELS[SessionState(row.state)]),
        "times": times(row, row.starts_at) if row.starts_at else [],
        "minutes": row.minutes,
        "until": times(row, row.starts_at + timedelta(minutes=row.minutes)) if row.starts_at else [],
        "options": [
            {"pk": option.pk, "times": times(row, option.starts_at), "past": option.starts_at <= at}
            for option in options
            if option.offer == last and not row.starts_at
        ],
        "chooses": chooses,
        "confirms": "confirm" in moves,
        "settle_url": reverse("sessions:confirm" if "confirm" in moves else "sessions:accept", args=[row.pk])
        if chooses
        else "",
        "start_url": reverse("sessions:start", args=[row.pk]) if "start" in moves else "",
        "moves": _moves(row, moves),
        "sides": [_side(row, side) for side in ("requesting", "consulting")],
        "note": row.note,
        "calendar_url": reverse("sessions:calendar", args=[row.pk]) if row.starts_at else "",
    }


def _moves(row: Session, moves: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {
            "label": gettext(SESSION_MACHINE.labels[move]),
            "url": reverse(f"sessions:{PAGES[move]}", args=[row.pk]),
            "danger": move == "cancel",
        }
        for move in moves
        if move in PAGES
    ]


def times(row: Session, moment: datetime | None) -> list[tuple[str, str]]:
    """Return both sides' names with their local times of a moment."""
    if moment is None:
        return []
    sides = ((row.requesting_name, row.requesting_time_zone), (row.centre_name, row.centre_time_zone))
    return [(name, f"{local(moment, zone)} {zone_label(zone, moment)}") for name, zone in sides]


def _side(row: Session, side: str) -> dict[str, str]:

    def get(name: str) -> str:
        return str(getattr(row, f"{side}_{name}"))

    about = (get("dial"), get("pin") and f"PIN {get('pin')}", get("phone"), get("technician"))
    return {
        "name": get("name") if side == "requesting" else row.centre_name,
        "label": gettext(SIDES[side]),  # type: ignore[index]
        "connection": gettext(CONNECTIONS[get("connection")]),
        "about": " · ".join(part for part in about if part),
        "test": get("test"),
    }


def _past(row: Session, actor: Actor) -> dict[str, str]:
    return {
        "state": gettext(SESSION_STATE_LABELS[SessionState(row.state)]),
        "at": local(row.began_at or row.starts_at or row.created_at, actor.time_zone),
        "text": row.reason_text or row.note,
    }

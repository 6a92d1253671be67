"""A request's sessions: the one on the table with what this person can do now, and the earlier ones."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions.sessions import EARLY
from konsilium.models import Consultation, Session, SessionOption
from konsilium.web.sessions.equipment import side_of
from konsilium.web.sessions.record import readiness
from konsilium.web.sessions.times import both_times, tested_words
from konsilium.workflow.consultation import State
from konsilium.workflow.roles import CENTRE_ROLES, Actor, Role, may
from konsilium.workflow.session import (
    BUSY,
    CANCEL_REASONS,
    OPEN_SESSION,
    SESSION_MACHINE,
    SESSION_STATE_LABELS,
    SessionState,
)
from konsilium.workflow.words import CONNECTIONS, N_, SIDES, Side

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
# What is said of a session only once its time has come.
_AT_ITS_TIME = {"start", "hold", "miss", "fail"}
_TONES = {SessionState.CONFIRMED: "good", SessionState.IN_PROGRESS: "good"}
_WAITS = {
    SessionState.PROPOSED: N_("%(requesting)s chooses a time or offers others."),
    SessionState.COUNTER_PROPOSED: N_("%(centre)s accepts a time or offers others."),
}


def panel(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, Any]:
    """Return the sessions of a request (three queries)."""
    rows = list(Session.objects.visible_to(actor).filter(consultation=consultation).order_by("-created_at"))
    present = next((row for row in rows if row.state in OPEN_SESSION), None)
    proposes = consultation.state == State.SESSION and present is None and bool(roles & set(CENTRE_ROLES))
    return {
        "present": describe(present, actor=actor, roles=roles, at=at) if present else None,
        "past": [_past(row, actor) for row in rows if row is not present],
        "propose_url": reverse("sessions:propose", args=[consultation.pk]) if proposes else "",
    }


def describe(row: Session, *, actor: Actor, roles: frozenset[Role], at: datetime) -> dict[str, Any]:
    """Return the open session in words, with the times on the table and the moves open to these roles."""
    options = list(SessionOption.objects.filter(session=row))
    moves = _open_moves(row, roles, at)
    settles = next((move for move in ("confirm", "accept") if move in moves), "")
    state = SessionState(row.state)
    waits = gettext(_WAITS[state]) if state in _WAITS else ""
    return {
        "pk": row.pk,
        "version": row.version,
        "state": gettext(SESSION_STATE_LABELS[state]),
        "tone": _TONES.get(state, "accent"),
        "waits": waits % {"requesting": row.requesting_name, "centre": row.centre_name} if waits else "",
        "times": both_times(row, row.starts_at, actor) if row.starts_at else [],
        "minutes": row.minutes,
        "options": _on_the_table(row, options, actor, at) if not row.starts_at else [],
        "earlier": _earlier(row, options, actor),
        "chooses": bool(settles),
        "confirms": settles == "confirm",
        "settle_url": reverse(f"sessions:{settles}", args=[row.pk]) if settles else "",
        "start_url": reverse("sessions:start", args=[row.pk]) if "start" in moves else "",
        "moves": _moves(row, moves),
        "sides": [side_in_words(row, side) for side in Side],
        "note": row.note,
        "ready": readiness(row, actor, side_of(row, actor.organization_id), at) if row.starts_at else None,
        "record_url": reverse("sessions:record", args=[row.pk]) if row.starts_at else "",
        "guests_url": reverse("room:guests", args=[row.pk])
        if row.starts_at and may(actor.role, "guest.invite")
        else "",
        "room_url": reverse("room:show", args=[row.pk]) if row.starts_at else "",
        "join_url": reverse("sessions:join", args=[row.pk]) if row.starts_at else "",
        "calendar_url": reverse("sessions:calendar", args=[row.pk]) if row.starts_at else "",
    }


def _open_moves(row: Session, roles: frozenset[Role], at: datetime) -> list[str]:
    time_has_come = row.starts_at is not None and at >= row.starts_at - EARLY
    moves = SESSION_MACHINE.open_to(row.state, roles)
    return [move for move in moves if time_has_come or move not in _AT_ITS_TIME]


def _moves(row: Session, moves: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "label": gettext(SESSION_MACHINE.labels[move]),
            "url": reverse(f"sessions:{PAGES[move]}", args=[row.pk]),
            "danger": move == "cancel",
        }
        for move in moves
        if move in PAGES
    ]


def _on_the_table(
    row: Session, options: list[SessionOption], actor: Actor, at: datetime
) -> list[dict[str, Any]]:
    last = options[-1].offer if options else 0
    times = [option for option in options if option.offer == last]
    busy = _busy(row, [option.starts_at for option in times])
    length = timedelta(minutes=row.minutes)
    return [
        {
            "pk": option.pk,
            "times": both_times(row, option.starts_at, actor),
            "past": option.starts_at <= at,
            "taken": any(
                begins < option.starts_at + length and option.starts_at < ends for begins, ends in busy
            ),
        }
        for option in times
    ]


def _busy(row: Session, times: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """Return what takes the consultant's time around these times, as far as the reader may see it (one query)."""
    since, until = min(times, default=row.created_at), max(times, default=row.created_at)
    around = (since - timedelta(days=1), until + timedelta(days=1))
    taken = Session.objects.filter(consultant_id=row.consultant_id, state__in=BUSY, starts_at__range=around)
    spans = taken.exclude(pk=row.pk).values_list("during", flat=True)
    return [(span.lower, span.upper) for span in spans if span]


def _earlier(row: Session, options: list[SessionOption], actor: Actor) -> list[dict[str, Any]]:
    """Return the times of earlier offers, the newest first."""
    last = options[-1].offer if options else 0
    return [
        {"who": _name(row, Side(option.side)), "times": both_times(row, option.starts_at, actor)}
        for option in sorted(options, key=lambda option: (-option.offer, option.starts_at))
        if option.offer != last
    ]


def _name(row: Session, side: Side) -> str:
    return row.requesting_name if side is Side.REQUESTING else row.centre_name


def side_in_words(row: Session, side: Side) -> dict[str, str]:
    """Return how a side connects; an address that can be followed is a link."""

    def get(name: str) -> str:
        return str(getattr(row, f"{side}_{name}"))

    contact = (get("phone"), get("technician"))
    return {
        "name": _name(row, side),
        "label": gettext(SIDES[side]),
        "connection": gettext(CONNECTIONS[get("connection")]),
        "dial": get("dial"),
        "link": get("dial") if get("dial").startswith("https://") else "",
        "pin": get("pin"),
        "contact": ", ".join(part for part in contact if part),
        "test": tested_words(get("test")),
    }


def _past(row: Session, actor: Actor) -> dict[str, Any]:
    reason = gettext(CANCEL_REASONS[row.reason]) if row.reason in CANCEL_REASONS else ""
    missing = gettext(SIDES[Side(row.missing_side)]) if row.missing_side else ""
    presence = {True: gettext("The patient was present"), False: gettext("Without the patient"), None: ""}
    said = (missing, reason, row.reason_text, presence[row.patient_present])
    return {
        "state": gettext(SESSION_STATE_LABELS[SessionState(row.state)]),
        "times": both_times(row, row.began_at or row.starts_at or row.created_at, actor),
        "was_held": row.state == SessionState.HELD,
        "length": int((row.ended_at - row.began_at).total_seconds()) // 60
        if row.began_at and row.ended_at
        else None,
        "said": ". ".join(part for part in said if part),
        "record_url": reverse("sessions:record", args=[row.pk]) if row.starts_at else "",
        "note": row.note,
    }

"""Sessions that run or begin today, as the coordinator watches them: who is there by side, on which line; no patient."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from konsilium.models import Attendance, Session
from konsilium.web.clockface import local, local_clock
from konsilium.workflow.rooms import OPENS_EARLY
from konsilium.workflow.session import SESSION_STATE_LABELS, SessionState
from konsilium.workflow.words import SIDES, Side

# So far back and ahead; a session that runs is shown whenever it began.
BACK, AHEAD = timedelta(hours=3), timedelta(hours=12)
MOST = 50
SHOWN = (SessionState.CONFIRMED, SessionState.IN_PROGRESS, SessionState.HELD, SessionState.FAILED)
COLUMNS = ("id", "requesting_name", "centre_name", "state", "minutes", "starts_at", "began_at", "ended_at")
# Loss in per cent up to which a line is good, and up to which it is bearable: the bands of the test protocol.
GOOD_LOSS, FAIR_LOSS = 1, 5
# The page of somebody who is there says so several times in this while.
FRESH = timedelta(seconds=40)


def show(request: Any) -> HttpResponse:
    """Show today's sessions; the page asks again by itself."""
    rows = _rows(request)
    people = _people([row.pk for row in rows])
    sessions = [_session(row, people.get(row.pk, []), request) for row in rows]
    template = "timetable/_running.html" if request.headers.get("HX-Request") else "timetable/running.html"
    return render(
        request, template, {"sessions": sessions, "at": local_clock(request.at, request.actor.time_zone)}
    )


def _rows(request: Any) -> list[Session]:
    seen = Session.objects.visible_to(request.actor).only(*COLUMNS).filter(state__in=SHOWN)
    around = seen.filter(starts_at__range=(request.at - BACK, request.at + AHEAD))
    return list(around.order_by("starts_at", "id")[:MOST])


def _people(sessions: list[UUID]) -> dict[UUID, list[Attendance]]:
    found: dict[UUID, list[Attendance]] = {}
    for one in Attendance.objects.filter(session_id__in=sessions, removed_at=None).order_by(
        "joined_at", "id"
    ):
        found.setdefault(one.session_id, []).append(one)
    return found


def _session(row: Session, people: list[Attendance], request: Any) -> dict[str, Any]:
    at, zone = request.at, request.actor.time_zone
    here = [one for one in people if one.left_at is None and one.seen_at >= at - FRESH]
    missing = [side for side in Side if side not in {one.side for one in here}]
    begins = row.starts_at or at
    is_open = begins - OPENS_EARLY <= at <= begins + timedelta(minutes=row.minutes)
    waits = is_open and row.state in (SessionState.CONFIRMED, SessionState.IN_PROGRESS)
    return {
        "between": f"{row.requesting_name} — {row.centre_name}",
        "time": local(begins, zone),
        "minutes": row.minutes,
        "state": gettext(SESSION_STATE_LABELS[SessionState(row.state)]),
        "running": row.state == SessionState.IN_PROGRESS or bool(here),
        "people": [_person(one, at) for one in people],
        "missing": [gettext(SIDES[side]) for side in missing] if waits and begins <= at else [],
    }


def _person(one: Attendance, at: datetime) -> dict[str, Any]:
    is_here = one.left_at is None and one.seen_at >= at - FRESH
    loss = one.quality.get("loss_mean")
    return {
        "name": one.name,
        "organization": one.organization_name,
        "side": gettext(SIDES[Side(one.side)]) if one.side else "",
        "is_here": is_here,
        "tone": ""
        if loss is None
        else "good"
        if loss <= GOOD_LOSS
        else "warn"
        if loss <= FAIR_LOSS
        else "bad",
        "line": "" if loss is None else gettext("loss %(value)s %%") % {"value": f"{loss:.1f}"},
        "interruptions": one.interruptions,
    }

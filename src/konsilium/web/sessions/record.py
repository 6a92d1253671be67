"""A session's own record: who was there, when, on which line, what was written beside it; and the tap before it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import readying
from konsilium.actions.attending import MARKED_IN
from konsilium.models import Attendance, Readiness, RecordingConsent, RoomLine, Session
from konsilium.web.clockface import local
from konsilium.web.consultation.moving import press
from konsilium.web.http import found
from konsilium.web.numbers import plain
from konsilium.web.sessions.marking import presence_form
from konsilium.web.sessions.times import both_times
from konsilium.workflow.roles import Actor, may
from konsilium.workflow.session import SESSION_STATE_LABELS, SessionState
from konsilium.workflow.words import SIDES, Side


@require_POST
def ready(request: Any, pk: UUID) -> HttpResponse:
    """Say that the own side will be there."""
    row = _session(request, pk)
    return press(
        request,
        row.consultation,
        lambda version: readying.ready(row, actor=request.actor, at=request.at),
        done=gettext("It is noted that your side will be there."),
    )


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show the record of a session, to read and to print."""
    row = _session(request, pk)
    zone = request.actor.time_zone
    moment = row.began_at or row.starts_at
    marks = row.state in MARKED_IN and may(request.actor.role, "attendance.mark")
    context = {
        "row": row,
        "state": gettext(SESSION_STATE_LABELS[SessionState(row.state)]),
        "times": both_times(row, moment, request.actor) if moment else [],
        "ended": local(row.ended_at, zone) if row.ended_at else "",
        "request_url": reverse("consultation:show", args=[row.consultation_id]) + "#sessions",
        "was_recorded": RecordingConsent.objects.filter(session=row, is_given=True).exists(),
        "people": [_person(one, zone) for one in _attendances(row)],
        "marks": marks,
        "form": presence_form(request, row) if marks else None,
        "lines": [_line(one, zone) for one in RoomLine.objects.filter(session=row).order_by("at", "id")],
    }
    return render(request, "sessions/record.html", context)


def _session(request: Any, pk: UUID) -> Session:
    rows = Session.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk).first())


def _attendances(row: Session) -> list[Attendance]:
    return list(Attendance.objects.filter(session=row).order_by("joined_at", "id"))


def _person(one: Attendance, zone: str) -> dict[str, Any]:
    quality = one.quality
    end = one.left_at or one.seen_at
    return {
        "name": one.name,
        "organization": one.organization_name,
        "side": gettext(SIDES[Side(one.side)]) if one.side else "",
        "guest": one.guest_id is not None,
        "from": local(one.joined_at, zone),
        "until": local(one.left_at, zone) if one.left_at else "",
        "minutes": max(0, round((end - one.joined_at).total_seconds() / 60)),
        "interruptions": one.interruptions,
        "away": one.seconds_away,
        "quality": _quality(quality),
        "sound_minutes": round(quality.get("audio_seconds", 0) / 60),
        "marked_by": one.marked_by,
        "pk": one.pk,
    }


def _quality(quality: dict[str, Any]) -> str:
    parts = []
    if "loss_mean" in quality:
        parts.append(gettext("loss %(value)s %%") % {"value": plain(quality["loss_mean"])})
    if "rtt_mean" in quality:
        parts.append(gettext("round trip %(value)s ms") % {"value": f"{quality['rtt_mean']:.0f}"})
    if "down_mean" in quality:
        parts.append(gettext("received %(value)s kbit/s") % {"value": f"{quality['down_mean']:.0f}"})
    return ", ".join(parts)


def _line(one: RoomLine, zone: str) -> dict[str, str]:
    return {
        "at": local(one.at, zone),
        "name": f"{one.author_name}, {one.organization_name}",
        "text": one.text,
    }


def readiness(row: Session, actor: Actor, side: Side, at: datetime) -> dict[str, Any]:
    """Return what both sides said of being there at the confirmed time (one query)."""
    rows = Readiness.objects.filter(session=row)
    said = {one.side: one for one in rows if one.starts_at == row.starts_at}
    mine = said.get(side)
    return {
        "said": [{"side": gettext(SIDES[one]), "who": _who(said.get(one), actor)} for one in Side],
        "asks": may(actor.role, "session.ready")
        and row.state == SessionState.CONFIRMED
        and mine is None
        and _is_ahead(row, at),
        "url": reverse("sessions:ready", args=[row.pk]),
    }


def _is_ahead(row: Session, at: datetime) -> bool:
    return row.starts_at is not None and at < row.starts_at


def _who(one: Readiness | None, actor: Actor) -> str:
    return f"{one.person_name}, {_when(one.at, actor)}" if one else ""


def _when(at: datetime, actor: Actor) -> str:
    return local(at, actor.time_zone)

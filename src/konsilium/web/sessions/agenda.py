"""The consultant's own calendar beside a form of times, so that no taken time is proposed."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from konsilium.actions.sessions import taken
from konsilium.models import Consultation, Session
from konsilium.web.clockface import day, zone, zone_label
from konsilium.web.sessions.times import weekday
from konsilium.workflow.roles import CENTRE_ROLES, Actor

AHEAD = timedelta(days=30)
MOST = 60


def agenda(row: Consultation, *, actor: Actor, at: datetime) -> dict[str, Any] | None:
    """Return the consultant's sessions of the coming days by day, in the reader's zone; nothing for the other side.

    One query.
    """
    if not row.roles_of(actor) & set(CENTRE_ROLES) or row.consultant_id is None:
        return None
    sessions = taken(row.consultant_id, since=at, until=at + AHEAD)[:MOST]
    days = groupby(sessions, key=lambda session: _begins(session, actor).date())
    return {
        "consultant": row.consultant_name,
        "zone": zone_label(actor.time_zone, at),
        "days": [_day(list(group), actor) for _, group in days],
    }


def _day(sessions: list[Session], actor: Actor) -> dict[str, Any]:
    begins = _begins(sessions[0], actor)
    return {
        "day": f"{weekday(begins, actor.time_zone)} {day(begins)}",
        "sessions": [_line(session, actor) for session in sessions],
    }


def _begins(session: Session, actor: Actor) -> datetime:
    begins = session.starts_at or session.created_at
    return begins.astimezone(zone(actor.time_zone))


def _line(session: Session, actor: Actor) -> dict[str, str]:
    begins = _begins(session, actor)
    ends = begins + timedelta(minutes=session.minutes)
    return {
        "time": f"{begins:%H:%M}–{ends:%H:%M}",
        "number": session.consultation_number,
        "from": session.requesting_name,
    }

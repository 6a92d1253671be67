"""Times as people read them: what is left, a place's local time, an age. Plain functions for hot lists and pages."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import get_language, gettext, ngettext

# A request whose answer is due within this time is marked as pressing (ours).
SOON = timedelta(hours=1)
_MOSCOW = "Europe/Moscow"


class Left(NamedTuple):
    """What is left of an answer's term in words, its tone (calm, soon, late, still, done), and until when it ticks."""

    text: str
    tone: str
    until: str = ""


class Phrases(NamedTuple):
    """How times are said in a language; a long list looks them up once."""

    language: str
    days: str
    days_hours: str
    hours_minutes: str
    minutes: str
    late: str
    pause: str
    answered_late: str
    in_time: str


def phrases() -> Phrases:
    """Return the present language's phrases."""
    return _phrases(get_language())


@lru_cache(maxsize=16)
def _phrases(language: str) -> Phrases:
    return Phrases(
        language=language,
        days=gettext("%(days)s d"),
        days_hours=gettext("%(days)s d %(hours)s h"),
        hours_minutes=gettext("%(hours)s h %(minutes)s min"),
        minutes=gettext("%(minutes)s min"),
        late=gettext("late by %(time)s"),
        pause=gettext("pause: %(time)s"),
        answered_late=gettext("answered, late by %(time)s"),
        in_time=gettext("answered in time"),
    )


def left(
    due_at: datetime | None,
    *,
    at: datetime,
    paused_at: datetime | None = None,
    answered_at: datetime | None = None,
    said: Phrases | None = None,
) -> Left:
    """Say how much of the answer's term is left: running, standing still, answered, or late."""
    if due_at is None:
        return Left("", "done")
    said = said or phrases()
    if answered_at is not None:
        return _answered(due_at, answered_at, said)
    if paused_at is not None:
        return Left(said.pause % {"time": span(max(due_at - paused_at, timedelta()), said)}, "still")
    if due_at < at:
        return Left(said.late % {"time": span(at - due_at, said)}, "late", due_at.isoformat())
    return Left(span(due_at - at, said), "soon" if due_at - at < SOON else "calm", due_at.isoformat())


def _answered(due_at: datetime, answered_at: datetime, said: Phrases) -> Left:
    if answered_at > due_at:
        return Left(said.answered_late % {"time": span(answered_at - due_at, said)}, "done")
    return Left(said.in_time, "done")


def span(length: timedelta, said: Phrases | None = None) -> str:
    """Say a length of time in its largest parts: days, days and hours, or hours and minutes."""
    minutes = int(length.total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    said = said or phrases()
    if days > 1 or (days and not hours):
        return said.days % {"days": days}
    if days:
        return said.days_hours % {"days": days, "hours": hours}
    if hours:
        return said.hours_minutes % {"hours": hours, "minutes": minutes}
    return said.minutes % {"minutes": minutes}


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return the time zone of this name."""
    return ZoneInfo(name)


def local(moment: datetime | None, name: str) -> str:
    """Write a moment as date and time in a place's zone."""
    return moment.astimezone(zone(name)).strftime("%d.%m.%Y %H:%M") if moment else ""


def local_clock(moment: datetime, name: str) -> str:
    """Write the time of day in a place's zone with its distance from Moscow, as people in Russia say it."""
    return f"{moment.astimezone(zone(name)):%H:%M} {zone_label(name, moment)}"


def zone_label(name: str, moment: datetime) -> str:
    """Name a zone by its hours from Moscow."""
    there, moscow = (moment.astimezone(zone(place)).utcoffset() or timedelta() for place in (name, _MOSCOW))
    hours = (there - moscow).total_seconds() / 3600
    return gettext("MSK") + (f"{hours:+g}" if hours else "")


def day(value: date | None) -> str:
    """Write a date."""
    return value.strftime("%d.%m.%Y") if value else ""


def years(born: date | None, on: date) -> int | None:
    """Count full years."""
    if born is None:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age(born: date | None, on: date, said: Phrases | None = None) -> str:
    """Say an age in words; months for the youngest."""
    full = years(born, on)
    if born is None or full is None:
        return ""
    if full >= 1:
        return _years(full, said.language if said else get_language())
    months = max((on.year - born.year) * 12 + on.month - born.month - (on.day < born.day), 0)
    return ngettext("%(count)s month", "%(count)s months", months) % {"count": months}


@lru_cache(maxsize=512)
def _years(count: int, _language: str) -> str:
    return ngettext("%(count)s year", "%(count)s years", count) % {"count": count}

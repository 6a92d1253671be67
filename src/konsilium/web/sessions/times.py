"""A session's times as both sides read them, and what else is said of it in words."""

from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext

from konsilium.models import Consultation, Session
from konsilium.web.clockface import local, zone, zone_label
from konsilium.workflow.equipment import VERDICTS
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

_WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


class SideTime(NamedTuple):
    """A moment at one side: the side's name, its local time in words, and whether it is the reader's own."""

    name: str
    time: str
    own: bool


def both_times(row: Session | Consultation, moment: datetime, actor: Actor) -> list[SideTime]:
    """Return a moment in both sides' local times, the reader's own side first."""
    requesting = _at(
        row.requesting_name, row.requesting_time_zone, moment, row.requesting_organization_id, actor
    )
    centre = _at(row.centre_name, row.centre_time_zone, moment, row.centre_id, actor)
    return [requesting, centre] if requesting.own else [centre, requesting]


def _at(name: str, place: str, moment: datetime, organization: object, actor: Actor) -> SideTime:
    text = f"{weekday(moment, place)} {local(moment, place)} {zone_label(place, moment)}"
    return SideTime(name, text, organization == actor.organization_id)


def weekday(moment: datetime, place: str) -> str:
    """Return the day of the week at a place, in short."""
    return gettext(_WEEKDAYS[moment.astimezone(zone(place)).weekday()])


def tested_words(snapshot: str) -> str:
    """Say what the newest test was when the connection was named: kept as a verdict's code and a date."""
    verdict, _, day = snapshot.partition(" ")
    if verdict not in VERDICTS:
        return ""
    return f"{gettext(VERDICTS[verdict]).lower()}, {'.'.join(reversed(day.split('-')))}"


def zones_compared(row: Session | Consultation, actor: Actor, at: datetime) -> dict[str, str]:
    """Return the person's own zone, the other side's name and zone, and noon here as it is called there."""
    is_requesting = row.requesting_organization_id == actor.organization_id
    name, place = (
        (row.centre_name, row.centre_time_zone)
        if is_requesting
        else (row.requesting_name, row.requesting_time_zone)
    )
    noon = at.astimezone(zone(actor.time_zone)).replace(hour=12, minute=0)
    there = noon.astimezone(zone(place))
    return {
        "own": zone_label(actor.time_zone, at),
        "name": name,
        "zone": zone_label(place, at),
        "noon": f"{there:%H:%M}" if f"{there:%H:%M}" != "12:00" else "",
    }

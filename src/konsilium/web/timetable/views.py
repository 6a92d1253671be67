"""The timetable of sessions: both sides' times, connections and equipment; no patient."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext

from konsilium.models import Session
from konsilium.web.clockface import local_clock, zone
from konsilium.workflow.equipment import VERDICTS
from konsilium.workflow.identifiers import format_phone
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.session import SESSION_STATE_LABELS, SessionState
from konsilium.workflow.words import CONNECTIONS, N_

PAGE = 50
TONES = {
    SessionState.CONFIRMED: "accent",
    SessionState.IN_PROGRESS: "good",
    SessionState.HELD: "good",
    SessionState.CANCELLED: "",
    SessionState.NO_SHOW: "warn",
    SessionState.FAILED: "bad",
}
# These see the request behind a session.
_CASE = (Role.ORG_ADMIN, Role.DISPATCHER, Role.CONSULTANT)
_TABS = (("ahead", N_("Ahead")), ("past", N_("Past")))
# Only what the timetable's database roles may read.
COLUMNS = (
    "id", "consultation_id", "consultation_number", "requesting_name", "requesting_time_zone", "centre_name",
    "centre_time_zone", "consultant_name", "state", "minutes", "starts_at", "requesting_connection", "requesting_dial",
    "requesting_phone", "requesting_technician", "requesting_test", "consulting_connection", "consulting_dial",
    "consulting_phone", "consulting_technician", "consulting_test",
)  # fmt: skip


class SideLine(NamedTuple):
    """One side of a session."""

    name: str
    time: str
    connection: str
    dial: str
    phone: str
    technician: str
    test: str


class Row(NamedTuple):
    """One session."""

    number: str
    address: str
    consultant: str
    minutes: int
    state: str
    tone: str
    sides: tuple[SideLine, SideLine]


class Day(NamedTuple):
    """The sessions of one day, in the reader's time zone."""

    label: str
    rows: list[Row]


def show_list(request: Any) -> HttpResponse:
    """List the sessions that are ahead, or past ones, by day."""
    past = request.GET.get("tab") == "past"
    text = " ".join(request.GET.get("q", "").split())[:100]
    after = _after(request.GET.get("after", ""))
    rows = _page(request.actor, request.at, past=past, text=text, after=after)
    base = {"tab": "past" if past else "", "q": text}
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    context = {
        "days": list(_days(rows[:PAGE], request.actor)),
        "tabs": _tabs(past=past, text=text),
        "q": text,
        "tab": base["tab"],
        "first_url": _address(base) if after else "",
        "next_url": _address(base | {"after": f"{last['starts_at'].isoformat()},{last['id']}"})
        if last
        else "",
    }
    return render(request, "timetable/list.html", context)


def _page(
    actor: Actor, at: datetime, *, past: bool, text: str, after: tuple[datetime, UUID] | None
) -> list[dict[str, Any]]:
    today = at.astimezone(zone(actor.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Session.objects.visible_to(actor).filter(state__in=list(TONES))
    rows = rows.filter(starts_at__lt=today) if past else rows.filter(starts_at__gte=today)
    if text:
        rows = rows.filter(
            Q(requesting_name__icontains=text) | Q(centre_name__icontains=text) | Q(consultation_number=text)
        )
    return list(_from(rows, after, past=past).values(*COLUMNS)[: PAGE + 1])


def _from(rows: QuerySet[Session], after: tuple[datetime, UUID] | None, *, past: bool) -> QuerySet[Session]:
    way, beyond = ("-", "lt") if past else ("", "gt")
    if after:
        moment, pk = after
        rows = rows.filter(
            Q(**{f"starts_at__{beyond}": moment}) | Q(starts_at=moment, **{f"pk__{beyond}": pk})
        )
    return rows.order_by(f"{way}starts_at", f"{way}id")


def _days(rows: Iterable[dict[str, Any]], actor: Actor) -> Iterator[Day]:
    place = zone(actor.time_zone)
    for day, sessions in groupby(rows, key=lambda row: row["starts_at"].astimezone(place).date()):
        yield Day(date_format(day, "l, j E Y"), [_row(row, actor) for row in sessions])


def _row(row: dict[str, Any], actor: Actor) -> Row:
    state = SessionState(row["state"])
    sees = actor.role in _CASE
    return Row(
        number=row["consultation_number"],
        address=reverse("consultation:show", args=[row["consultation_id"]]) if sees else "",
        consultant=row["consultant_name"],
        minutes=row["minutes"],
        state=gettext(SESSION_STATE_LABELS[state]),
        tone=TONES[state],
        sides=(
            _side(row, "requesting", row["requesting_name"]),
            _side(row, "consulting", row["centre_name"]),
        ),
    )


def _side(row: dict[str, Any], side: str, name: str) -> SideLine:
    zone_name = row["requesting_time_zone" if side == "requesting" else "centre_time_zone"]
    phone = row[f"{side}_phone"]
    return SideLine(
        name=name,
        time=local_clock(row["starts_at"], zone_name),
        connection=gettext(CONNECTIONS.get(row[f"{side}_connection"], row[f"{side}_connection"])),
        dial=row[f"{side}_dial"],
        phone=format_phone(phone) if phone else "",
        technician=row[f"{side}_technician"],
        test=_tested(row[f"{side}_test"]),
    )


def _tested(snapshot: str) -> str:
    """Say what the newest test was when the connection was named: kept as a verdict's code and a date."""
    verdict, _, day = snapshot.partition(" ")
    if verdict not in VERDICTS:
        return gettext("Not tested yet")
    return gettext("Test: %(verdict)s, %(day)s") % {
        "verdict": gettext(VERDICTS[verdict]).lower(),
        "day": _date(day),
    }


def _date(text: str) -> str:
    return ".".join(reversed(text.split("-")))


def _tabs(*, past: bool, text: str) -> list[dict[str, Any]]:
    return [
        {
            "label": gettext(label),
            "url": _address({"tab": "past" if code == "past" else "", "q": text}),
            "active": (code == "past") == past,
            "count": "",
        }
        for code, label in _TABS
    ]


def _address(given: dict[str, str]) -> str:
    return f"{reverse('timetable:list')}?{urlencode({name: value for name, value in given.items() if value})}"


def _after(text: str) -> tuple[datetime, UUID] | None:
    moment, _, pk = text.partition(",")
    try:
        found = datetime.fromisoformat(moment), UUID(pk)
    except ValueError:
        return None
    return found if found[0].tzinfo else None

"""The desk of those who sit in councils: called to, at work, past; for a centre's people, the councils they called."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions.signing import SIGNED_IN
from konsilium.models import Conclusion, Council, Seat
from konsilium.web import cells
from konsilium.web.clockface import local
from konsilium.web.councils.panel import member_role, own_seat
from konsilium.web.councils.steps import TONES, in_order, next_step
from konsilium.workflow.council import COUNCIL_STATE_LABELS, OPEN_COUNCIL, SEAT_LABELS, CouncilState, SeatKind
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import N_

# A person sits in few councils at a time; what is older is found by its request.
PAGE = 100


class Tab(NamedTuple):
    """A part of the desk, and which councils belong to it."""

    code: str
    label: str
    where: Callable[[Actor], Q]


def _seated(actor: Actor, *answers: str) -> Q:
    mine = Seat.objects.filter(
        person_id=actor.person_id, organization_id=actor.organization_id, answer__in=answers
    )
    return Q(pk__in=mine.values("council_id"))


def _unplaced() -> Q:
    """Councils whose protocol all have signed, and whose secretary still has to place it."""
    drafts = Conclusion.objects.filter(placed_at=None).exclude(council=None)
    return Q(state=CouncilState.SIGNED, consultation__state__in=SIGNED_IN, pk__in=drafts.values("council_id"))


def _places(actor: Actor) -> Q:
    mine = Seat.objects.filter(person_id=actor.person_id, kind=SeatKind.SECRETARY, answer="accepted")
    return _unplaced() & Q(pk__in=mine.values("council_id"))


def _works(actor: Actor) -> Q:
    return (_OPEN & _seated(actor, "accepted")) | _places(actor)


_OPEN = Q(state__in=OPEN_COUNCIL)
SITTING = (
    Tab("invited", N_("Called to"), lambda actor: _OPEN & _seated(actor, "invited")),
    Tab("work", N_("At work"), _works),
    Tab("past", N_("Past"), lambda actor: ~_OPEN & ~_places(actor) & _seated(actor, "invited", "accepted")),
)
CALLING = (
    Tab("work", N_("At work"), lambda _: _OPEN | _unplaced()),
    Tab("past", N_("Past"), lambda _: ~_OPEN & ~_unplaced()),
)


def show_list(request: Any) -> HttpResponse:
    """Show a tab of the councils; the first that holds any, when none was asked for."""
    actor = request.actor
    sits = actor.role is Role.COUNCIL_MEMBER
    tabs = SITTING if sits else CALLING
    counts = {tab.code: _councils(actor, tab)[: PAGE + 1].count() for tab in tabs}
    tab = _tab(tabs, request.GET.get("tab", ""), counts)
    context = {
        "tabs": [_shown(one, tab, counts) for one in tabs],
        "rows": [_row(row, actor) for row in _rows(actor, tab)],
        "sits": sits,
        "elsewhere": 0 if sits else _elsewhere(actor),
        "own_role": None if sits else member_role(actor),
        "address": reverse("councils:list"),
    }
    return render(request, "councils/list.html", context)


def _tab(tabs: tuple[Tab, ...], code: str, counts: dict[str, int]) -> Tab:
    asked = next((tab for tab in tabs if tab.code == code), None)
    return asked or next((tab for tab in tabs if counts[tab.code]), tabs[0])


def _shown(one: Tab, tab: Tab, counts: dict[str, int]) -> dict[str, Any]:
    count = counts[one.code]
    return {
        "label": gettext(one.label),
        "url": f"?tab={one.code}",
        "active": one is tab,
        "count": f"{PAGE}+" if count > PAGE else str(count or ""),
    }


def _councils(actor: Actor, tab: Tab) -> QuerySet[Council]:
    return Council.objects.visible_to(actor).filter(tab.where(actor))


def _rows(actor: Actor, tab: Tab) -> list[Council]:
    seats = Prefetch("seats", queryset=Seat.objects.exclude(answer="replaced"))
    protocols = Conclusion.objects.filter(council=OuterRef("pk")).exclude(placed_at=None)
    rows = _councils(actor, tab).select_related("consultation").prefetch_related(seats)
    return list(rows.annotate(placed=Exists(protocols)).order_by("-called_at", "-id")[:PAGE])


def _row(row: Council, actor: Actor) -> dict[str, Any]:
    case = row.consultation
    seats = in_order(row.seats.all())
    own = own_seat(seats, actor)
    state = CouncilState(row.state)
    name = cells.short_name(case.patient_family, case.patient_given, case.patient_patronymic)
    return {
        "url": reverse("councils:show", args=[row.pk]),
        "number": case.number,
        "patient": gettext("Unknown patient") if case.patient_unknown else name,
        "from": case.requesting_name,
        "state": gettext(COUNCIL_STATE_LABELS[state]),
        "tone": TONES.get(state, ""),
        "seat": gettext(SEAT_LABELS[SeatKind(own.kind)]) if own else "",
        "called": local(row.called_at, actor.time_zone),
        "next": next_step(row, seats, own, is_placed=row.placed),  # type: ignore[attr-defined]
    }


def _elsewhere(actor: Actor) -> int:
    """Count the requests in which a consultant is called to a council in their other role (one query)."""
    if actor.role is not Role.CONSULTANT:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM konsilium_my_cases()")
        row = cursor.fetchone()
    return int(row[0]) if row else 0

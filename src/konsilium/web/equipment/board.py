"""The coordinator's board: equipment that can't be relied upon as it stands, the worst first. No patient here."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Endpoint, EquipmentTest, Probe
from konsilium.web.clockface import day
from konsilium.workflow.equipment import ENDPOINT_KIND_LABELS, PASSING, EndpointKind
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.probing import ANSWERS
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

PAGE = 50
SOON = timedelta(days=30)
# Whoever is not let in yet, or not any more, has no session for which equipment could fail.
_AWAY = (OrganizationState.DECLINED, OrganizationState.SUSPENDED)
# These are called at an address of their own, which is approved.
_CALLED = (EndpointKind.SIP, EndpointKind.H323)
_FAILING = [code for code, answer in ANSWERS.items() if answer.outcome == "failed"]
# The worst first.
STATES: dict[str, tuple[str, str]] = {
    "look": (N_("Look before a session failed"), "bad"),
    "red": (N_("Test failed"), "bad"),
    "expired": (N_("Test ran out"), "bad"),
    "address": (N_("Address isn't approved"), "bad"),
    "never": (N_("Not tested yet"), "warn"),
    "soon": (N_("Runs out within 30 days"), "warn"),
    "yellow": (N_("Passed with limits"), "warn"),
}
_RANKS = {code: rank for rank, code in enumerate(STATES)}


class Badge(NamedTuple):
    """One thing that is wrong."""

    label: str
    tone: str


class Row(NamedTuple):
    """One endpoint."""

    address: str
    organization: str
    name: str
    kind: str
    technician: str
    badges: list[Badge]
    tested: str
    until: str


def show(request: Any) -> HttpResponse:
    """List the equipment that needs a coordinator's eye, by state (two queries)."""
    today, state = request.at.date(), request.GET.get("state", "")
    state = state if state in STATES else ""
    rows = _rows(request.actor, today, state, _after(request.GET.get("after", "")))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    context = {
        "rows": [_row(row, today) for row in rows[:PAGE]],
        "tabs": _tabs(request.actor, today, state),
        "first_url": _address(state) if request.GET.get("after") else "",
        "next_url": _address(state, _key(last)) if last else "",
    }
    return render(request, "equipment/board.html", context)


def conditions(today: date) -> dict[str, Q]:
    """Return what each state of the board is, over the columns that `watched` adds."""
    holds = Q(verdict__in=PASSING, until__gte=today)
    return {
        "look": Q(looked__in=_FAILING) & (Q(tested_at=None) | Q(looked_at__gt=F("tested_at"))),
        "red": Q(verdict="failed"),
        "expired": Q(verdict__in=PASSING, until__lt=today),
        "address": Q(kind__in=_CALLED, approved_at=None) & ~Q(address="", dial_string=""),
        "never": Q(verdict=None),
        "soon": holds & Q(until__lte=today + SOON),
        "yellow": holds & Q(verdict="limited"),
    }


def watched(actor: Actor) -> QuerySet[Endpoint]:
    """Return equipment in use with its newest verdict and what the newest look before a session found."""
    tests = EquipmentTest.objects.concluded().filter(endpoint=OuterRef("pk")).order_by("-at", "-id")
    looks = Probe.objects.filter(endpoint=OuterRef("pk"), state="done").exclude(session_id=None)
    looks = looks.order_by("-done_at", "-id")
    rows = Endpoint.objects.visible_to(actor).filter(is_active=True).exclude(organization__state__in=_AWAY)
    return rows.annotate(
        verdict=Subquery(tests.values("verdict")[:1]),
        until=Subquery(tests.values("valid_until")[:1]),
        tested_at=Subquery(tests.values("at")[:1]),
        looked=Subquery(looks.values("answer")[:1]),
        looked_at=Subquery(looks.values("done_at")[:1]),
    )


def _rows(actor: Actor, today: date, state: str, after: tuple[int, str, UUID] | None) -> list[Any]:
    found = conditions(today)
    cases = [When(condition, then=Value(_RANKS[code])) for code, condition in found.items()]
    rows: Any = watched(actor).annotate(rank=Case(*cases, default=None, output_field=IntegerField()))
    rows = rows.filter(found[state]) if state else rows.exclude(rank=None)
    if after:
        rank, name, pk = after
        same = Q(rank=rank)
        rows = rows.filter(
            Q(rank__gt=rank)
            | (same & Q(organization__short_name__gt=name))
            | (same & Q(organization__short_name=name, pk__gt=pk))
        )
    rows = rows.select_related("organization").order_by("rank", "organization__short_name", "pk")
    return list(rows[: PAGE + 1])


def _row(row: Any, today: date) -> Row:
    return Row(
        address=reverse("equipment:show", args=[row.pk]),
        organization=row.organization.short_name,
        name=row.name,
        kind=gettext(ENDPOINT_KIND_LABELS[EndpointKind(row.kind)]),
        technician=row.technician,
        badges=[Badge(gettext(STATES[code][0]), STATES[code][1]) for code in _states(row, today)],
        tested=day(row.tested_at.date()) if row.tested_at else "",
        until=day(row.until),
    )


def _states(row: Any, today: date) -> list[str]:
    """Return everything that is wrong with an endpoint, as `conditions` says it, the worst first."""
    passed = row.verdict in PASSING
    holds = passed and row.until >= today
    address = bool(row.address or row.dial_string)
    wrong: Mapping[str, bool] = {
        "look": row.looked in _FAILING and (row.tested_at is None or row.looked_at > row.tested_at),
        "red": row.verdict == "failed",
        "expired": passed and not holds,
        "address": row.kind in _CALLED and row.approved_at is None and address,
        "never": row.verdict is None,
        "soon": holds and row.until <= today + SOON,
        "yellow": holds and row.verdict == "limited",
    }
    return [code for code in STATES if wrong[code]]


def _tabs(actor: Actor, today: date, state: str) -> list[dict[str, Any]]:
    found = conditions(today)
    anything = Q()
    for condition in found.values():
        anything |= condition
    counted = {code: Count("pk", filter=condition) for code, condition in found.items()}
    counts = watched(actor).aggregate(everything=Count("pk", filter=anything), **counted)
    labels = {"": N_("All that needs an eye")} | {code: label for code, (label, _) in STATES.items()}
    return [
        {
            "label": gettext(label),
            "url": _address(code),
            "active": code == state,
            "count": str(counts[code or "everything"] or ""),
        }
        for code, label in labels.items()
    ]


def _key(row: Any) -> str:
    return f"{row.rank},{row.pk},{row.organization.short_name}"


def _address(state: str, after: str = "") -> str:
    given = {name: value for name, value in (("state", state), ("after", after)) if value}
    return f"{reverse('equipment:board')}{'?' if given else ''}{urlencode(given)}"


def _after(text: str) -> tuple[int, str, UUID] | None:
    rank, _, rest = text.partition(",")
    pk, _, name = rest.partition(",")
    try:
        return int(rank[:4]), name, UUID(pk)
    except ValueError:
        return None

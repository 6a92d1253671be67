"""What the pages of an endpoint and of a test show, as plain values."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.models import Endpoint, EndpointSecret, EquipmentTest
from konsilium.web.clockface import day, local
from konsilium.web.equipment.cards import said
from konsilium.web.equipment.forms import bound
from konsilium.workflow.equipment import (
    CHECKS,
    ENDPOINT_KIND_LABELS,
    GUIDES,
    MEASUREMENTS,
    VERDICTS,
    EndpointKind,
    Limit,
)
from konsilium.workflow.identifiers import format_phone
from konsilium.workflow.roles import Actor, may
from konsilium.workflow.words import N_

TONES = {"passed": "good", "limited": "warn", "failed": "bad"}
_FACTS = {
    "model": N_("Make and model, or version"),
    "address": N_("SIP or H.323 address"),
    "dial_string": N_("What to dial"),
    "place": N_("Building and room"),
    "technician": N_("Who looks after it"),
    "reserve_phone": N_("Reserve phone in the room"),
    "test_window": N_("When it may be tested"),
    "account": N_("SIP login"),
    "registrar": N_("SIP server"),
    "computer": N_("Computer"),
    "note": N_("Note"),
}


def sheet(row: Endpoint, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return everything the page of an endpoint shows."""
    tests = list(row.tests.order_by("-at", "-id"))
    words, tone = said(next((test for test in tests if test.concluded_at), None), at.date())
    return {
        "row": row,
        "kind": gettext(ENDPOINT_KIND_LABELS[EndpointKind(row.kind)]),
        "facts": [(gettext(label), _fact(row, name)) for name, label in _FACTS.items()],
        "test": words,
        "tone": tone,
        "tests": [_test(test, actor) for test in tests],
        "records": may(actor.role, "equipment.test"),
        "open_test": next((test.pk for test in tests if test.concluded_at is None), None),
        "secret": _secret(row, actor),
        "approved": f"{row.approved_by}, {local(row.approved_at, actor.time_zone)}"
        if row.approved_at
        else "",
        **guide(row, actor),
    }


def guide(row: Endpoint, actor: Actor) -> dict[str, Any]:
    """Return the guide's steps with who ticked them off and when."""
    ticks = {tick.step: tick for tick in row.ticks.all()}
    steps = GUIDES[EndpointKind(row.kind)]
    done = sum(code in ticks for code in steps)
    return {
        "kind": gettext(ENDPOINT_KIND_LABELS[EndpointKind(row.kind)]),
        "guide": [
            {
                "code": code,
                "label": gettext(label),
                "who": ticks[code].person_name if code in ticks else "",
                "when": local(ticks[code].at, actor.time_zone) if code in ticks else "",
            }
            for code, label in steps.items()
        ],
        "done": done,
        "all": len(steps),
    }


def test_sheet(row: EquipmentTest, actor: Actor) -> dict[str, Any]:
    """Return everything the page of a test shows."""
    reached = {True: gettext("Yes"), False: gettext("No"), None: gettext("Not checked")}
    return {
        "row": row,
        "endpoint": row.endpoint,
        "when": local(row.at, actor.time_zone),
        "verdict": gettext(VERDICTS[row.verdict]),
        "tone": TONES[row.verdict],
        "reachable": reached[row.reachable],
        "valid_until": day(row.valid_until),
        "measured": [_measured(limit, row.measurements.get(limit.code)) for limit in MEASUREMENTS],
        "checks": [(gettext(label), row.checks.get(code)) for code, label in CHECKS.items()],
    }


def _fact(row: Endpoint, name: str) -> str:
    value = str(getattr(row, name))
    return format_phone(value) if value and name == "reserve_phone" else value


def _test(test: EquipmentTest, actor: Actor) -> dict[str, Any]:
    return {
        "pk": test.pk,
        "url": _address(test),
        "when": local(test.at, actor.time_zone),
        "who": test.tester_name,
        "verdict": gettext(VERDICTS[test.verdict]) if test.verdict else gettext("Being tested"),
        "tone": TONES.get(test.verdict, "accent"),
        "reason": test.reason,
        "until": day(test.valid_until),
    }


def _secret(row: Endpoint, actor: Actor) -> str:
    """Say when the account's password was entered; what it is, the database tells no page."""
    kept = EndpointSecret.objects.filter(endpoint=row).values_list("set_at", "set_by").first()
    return f"{local(kept[0], actor.time_zone)}, {kept[1]}" if kept else ""


def _address(test: EquipmentTest) -> str:
    """Return where a test's record stands: a protocol's own page, or that of a record written at once."""
    at_once = test.concluded_at == test.at
    return reverse("equipment:show_test" if at_once else "equipment:protocol", args=[test.pk])


def _measured(limit: Limit, value: float | None) -> dict[str, Any]:
    words, tone = gettext("not measured"), ""
    if value is not None:
        words, tone = (gettext("within"), "good") if limit.holds(value) else (gettext("outside"), "bad")
    return {
        "label": gettext(limit.label),
        "value": "" if value is None else f"{value:g} {gettext(limit.unit)}",
        "bound": bound(limit),
        "words": words,
        "tone": tone,
    }

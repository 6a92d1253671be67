"""An organisation's equipment as pages show it: each endpoint with its guide's progress and its newest test."""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count
from django.utils.translation import gettext

from konsilium.actions.equipment import holds, newest_tests
from konsilium.models import Endpoint, EquipmentTest
from konsilium.web.clockface import day
from konsilium.workflow.equipment import ENDPOINT_KIND_LABELS, GUIDES, PASSING, EndpointKind
from konsilium.workflow.identifiers import format_phone
from konsilium.workflow.roles import Actor


class Card(NamedTuple):
    """One endpoint in a list."""

    pk: UUID
    name: str
    kind: str
    about: str
    technician: str
    phone: str
    done: int
    steps: int
    test: str
    tone: str
    active: bool


def cards(organization_id: UUID, *, actor: Actor, today: date) -> list[Card]:
    """Return the organisation's endpoints, those in use first (two queries)."""
    rows = Endpoint.objects.visible_to(actor).filter(organization_id=organization_id)
    tests = newest_tests(organization_id)
    ordered = rows.annotate(done=Count("ticks")).order_by("-is_active", "created_at", "id")
    return [_card(row, tests.get(row.pk), today) for row in ordered]


def _card(row: Any, test: EquipmentTest | None, today: date) -> Card:
    kind = EndpointKind(row.kind)
    words, tone = said(test, today)
    return Card(
        pk=row.pk,
        name=row.name,
        kind=gettext(ENDPOINT_KIND_LABELS[kind]),
        about=" · ".join(part for part in (row.model, row.dial_string or row.address, row.place) if part),
        technician=row.technician,
        phone=format_phone(row.reserve_phone) if row.reserve_phone else "",
        done=row.done,
        steps=len(GUIDES[kind]),
        test=words if row.is_active else gettext("Not in use"),
        tone=tone if row.is_active else "",
        active=row.is_active,
    )


def said(test: EquipmentTest | None, today: date) -> tuple[str, str]:
    """Return what a newest test means today, in words, and its tone."""
    if test is None:
        return gettext("Not tested yet"), "warn"
    if holds(test, today):
        words = gettext("Passed") if test.verdict == "passed" else gettext("Passed with limits")
        return gettext("%(verdict)s, valid until %(day)s") % {
            "verdict": words,
            "day": day(test.valid_until),
        }, ("good" if test.verdict == "passed" else "warn")
    if test.verdict in PASSING:
        return gettext("The test ran out on %(day)s") % {"day": day(test.valid_until)}, "bad"
    return gettext("Test failed"), "bad"

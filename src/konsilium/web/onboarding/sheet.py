"""What the page of one organisation shows, as plain values and in a constant number of queries."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions.equipment import holds, newest_tests
from konsilium.models import Application, Contact, DictionaryEntry, Membership, Organization
from konsilium.web.clockface import local, local_clock
from konsilium.web.equipment.cards import cards
from konsilium.web.onboarding.story import story
from konsilium.web.onboarding.way import NEXT_FOR_COORDINATOR, TONES, steps_of
from konsilium.workflow.equipment import CONTACT_CHANNELS
from konsilium.workflow.identifiers import format_phone
from konsilium.workflow.onboarding import (
    LEVELS,
    ORGANIZATION_MACHINE,
    ORGANIZATION_MOVE_LABELS,
    ORGANIZATION_STATE_LABELS,
    OrganizationFacts,
    OrganizationState,
)
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role

LOGGED = 20
_FORWARD = ("take", "set_up", "test", "activate", "restore")
_WITH_PAGE = ("decline", "suspend")


class Move(NamedTuple):
    """A button, or why it isn't one yet."""

    label: str
    url: str
    primary: bool
    has_page: bool
    missing: str


def sheet(row: Organization, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return everything the coordinator sees of one organisation."""
    state = OrganizationState(row.state)
    people, application = members(row), application_of(row)
    return {
        "row": row,
        "application": application,
        "responsible_phone": format_phone(application.responsible_phone) if application else "",
        "state": gettext(ORGANIZATION_STATE_LABELS[state]),
        "tone": TONES.get(state, ""),
        "next": gettext(NEXT_FOR_COORDINATOR[state]),
        "steps": steps_of(state),
        "moves": moves(row, actor, at),
        "facts": facts(row, at),
        "cards": cards(row.pk, actor=actor, today=at.date()),
        "contacts": contacts(row.pk),
        "members": people,
        "is_active": state is OrganizationState.ACTIVE,
        "needs_access": state is OrganizationState.ACTIVE and not any(one["active"] for one in people),
        "log": log(row, actor),
        "events": story(row.pk, actor=actor),
    }


def moves(row: Organization, actor: Actor, at: datetime) -> list[Move]:
    """Return the moves that are open now, the way forward first."""
    names = ORGANIZATION_MACHINE.open_to(row.state, {actor.role})
    known = _facts(row, at)
    return [_move(row, name, known) for name in sorted(names, key=lambda name: name not in _FORWARD)]


def _facts(row: Organization, at: datetime) -> OrganizationFacts:
    tests = newest_tests(row.pk)
    entered = row.endpoints.filter(is_active=True).exists()
    passed = any(holds(test, at.date()) for test in tests.values())
    return OrganizationFacts(reason_given=True, endpoint_entered=entered, test_passed=passed)


def _move(row: Organization, name: str, known: OrganizationFacts) -> Move:
    rows = (way for way in ORGANIZATION_MACHINE.rows if (way.move, way.from_state) == (name, row.state))
    unmet = (need.label for way in rows for need in way.needs if not getattr(known, need.fact))
    return Move(
        label=gettext(ORGANIZATION_MOVE_LABELS[name]),
        url=reverse("onboarding:move", args=[row.pk, name]),
        primary=name in _FORWARD,
        has_page=name in _WITH_PAGE,
        missing=_said(next(unmet, "")),
    )


def _said(message: str) -> str:
    # gettext of nothing is the catalogue's own head.
    return gettext(message) if message else ""


def application_of(row: Organization) -> Application | None:
    """Return what the organisation said when it applied; one that was entered otherwise said nothing."""
    return getattr(row, "application", None)


def facts(row: Organization, at: datetime) -> dict[str, str]:
    """Return region, level and local time in words."""
    region = DictionaryEntry.objects.of("regions").filter(code=row.region).first()
    return {
        "region": region.name if region else row.region,
        "level": gettext(LEVELS[row.level]),
        "now": local_clock(at, row.time_zone),
        "created": local(row.created_at, row.time_zone),
    }


def contacts(organization_id: UUID) -> list[dict[str, Any]]:
    """Return the people to ring, those who no longer hold last."""
    rows = Contact.objects.filter(organization_id=organization_id).order_by(
        "-is_active", "-is_technical", "name", "id"
    )
    return [
        {
            "pk": row.pk,
            "name": row.name,
            "position": row.position,
            "phone": format_phone(row.phone),
            "email": row.email,
            "technical": row.is_technical,
            "active": row.is_active,
        }
        for row in rows
    ]


def members(row: Organization) -> list[dict[str, Any]]:
    """Return the administrators: whom a coordinator gives access to."""
    rows = Membership.objects.filter(organization=row, role=Role.ORG_ADMIN).select_related("person")
    return [
        {
            "pk": one.pk,
            "name": one.person.full_name,
            "login": one.person.login,
            "role": gettext(ROLE_LABELS[Role.ORG_ADMIN]),
            "active": one.is_active,
            "entered": one.person.has_entered,
        }
        for one in rows.order_by("-is_active", "created_at", "id")
    ]


def log(row: Organization, actor: Actor) -> list[dict[str, Any]]:
    """Return the newest contacts with the organisation."""
    return [
        {
            "at_text": local(entry.at, actor.time_zone),
            "words": f"{gettext(CONTACT_CHANNELS[entry.channel])}, {entry.with_whom}",
            "who": entry.author_name,
            "text": entry.text,
        }
        for entry in row.contact_log.order_by("-at", "-id")[:LOGGED]
    ]

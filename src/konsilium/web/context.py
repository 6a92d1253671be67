"""What every page's head shows: who acts, as whom, where they may go, what is unread. Asked only when shown."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from konsilium.web.http import new_key
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role, may
from konsilium.workflow.words import N_

# Up to this many unread notices are counted; more is "many".
COUNTED = 99
# How many there are of the person of this parameter, as a part of a query.
UNREAD = (
    "(SELECT count(*) FROM (SELECT 1 FROM konsilium_notice WHERE person_id = %(person)s AND read_at IS NULL"  # noqa: S608
    f" LIMIT {COUNTED}) unread)"
)

DESKS: dict[Role, tuple[tuple[str, str], ...]] = {
    Role.REQUESTER: (("requests:list", N_("Requests")),),
    Role.ORG_ADMIN: (
        ("requests:list", N_("Requests")),
        ("people:list", N_("People")),
        ("equipment:own", N_("Organisation and equipment")),
        ("timetable:list", N_("Timetable")),
    ),
    Role.DISPATCHER: (
        ("triage:list", N_("Requests")),
        ("councils:list", N_("Councils")),
        ("timetable:list", N_("Timetable")),
    ),
    Role.CONSULTANT: (
        ("consulting:list", N_("Requests")),
        ("councils:list", N_("Councils")),
        ("timetable:list", N_("Timetable")),
    ),
    Role.COORDINATOR: (
        ("onboarding:list", N_("Organisations")),
        ("equipment:board", N_("Equipment")),
        ("timetable:list", N_("Timetable")),
    ),
    Role.TECHNICIAN: (
        ("equipment:own", N_("Organisation and equipment")),
        ("timetable:list", N_("Timetable")),
    ),
    Role.COUNCIL_MEMBER: (("councils:list", N_("Councils")),),
    Role.SIGNATORY: (("signing:list", N_("Documents to sign")),),
    Role.SYSADMIN: (("configuration:list", N_("Configuration")),),
}


@dataclass(frozen=True)
class Item:
    """A desk in the head's navigation."""

    label: str
    url: str
    active: bool
    count: str = ""


def layout(request: HttpRequest) -> dict[str, Any]:
    """Return what the layout shows; the unread notices are counted when the page has a head that shows them.

    A view that knows their number already gives `notices_unread` itself.
    """
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "person": getattr(request, "person", None),
        "actor": actor,
        "role_label": gettext(ROLE_LABELS[actor.role]) if actor else "",
        "navigation": navigation(actor, request.path) if actor else [],
        "notices_unread": SimpleLazyObject(lambda: unread(actor) if actor else 0),
        "checks_computer": actor is not None and may(actor.role, "computer.check"),
        "demo": settings.DEMO,
        "once_key": SimpleLazyObject(new_key),
    }


def navigation(actor: Actor, path: str) -> list[Item]:
    """Return the desks of a role."""
    places = ((address(name), label) for name, label in DESKS.get(actor.role, ()))
    return [Item(gettext(label), url, path.startswith(url)) for url, label in places if url]


def home_of(role: Role) -> str:
    """Return the address of the role's first desk."""
    return next(
        (url for url in (address(name) for name, _ in DESKS.get(role, ())) if url), reverse("account:profile")
    )


@cache
def address(name: str) -> str:
    """Return an address by its name, or nothing when there is no such page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def unread(actor: Actor) -> int:
    """Count the person's unread notices, up to COUNTED."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {UNREAD}", {"person": actor.person_id})
        row = cursor.fetchone()
    return int(row[0]) if row else 0

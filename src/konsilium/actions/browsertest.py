"""A computer's own check of its camera, microphone, loudspeakers and line: kept, and looked up again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from konsilium.adapters.turn import ice_servers
from konsilium.models import BrowserTest, Endpoint
from konsilium.workflow.computer import band_found, cleaned, mode_found
from konsilium.workflow.equipment import EndpointKind
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.roles import Actor, may
from konsilium.workflow.words import N_

# A line changes: an older check is no hint for a session any more.
HINTS = timedelta(days=90)


def relays(*, actor: Actor, at: datetime) -> list[dict[str, Any]]:
    """Return relays to measure a line with, under a name that no earlier check has used up. Raises NotYours."""
    _check_right(actor)
    return ice_servers(settings.TURN, uuid4().hex, at)


def keep(
    said: Mapping[str, Any],
    *,
    computer: str = "",
    endpoint_id: UUID | None = None,
    actor: Actor,
    at: datetime,
) -> BrowserTest:
    """Keep what a page found, with the band and mode that follow from it. Raises NotYours, or Refused for nonsense."""
    _check_right(actor)
    found = cleaned(said)
    row = BrowserTest(
        organization_id=actor.organization_id,
        endpoint=_endpoint(endpoint_id, actor),
        person_id=actor.person_id,
        person_name=actor.name,
        computer=computer.strip()[:120],
        at=at,
        measured=found,
        band=band_found(found) or "",
        mode=mode_found(found) or "",
    )
    row.save(force_insert=True)
    return row


def rooms_of(actor: Actor) -> list[Endpoint]:
    """Return the named computers of the actor's organisation: equipment whose kind is the built-in room."""
    rows = Endpoint.objects.visible_to(actor).filter(organization_id=actor.organization_id)
    return list(rows.filter(kind=EndpointKind.ROOM, is_active=True).order_by("name", "id"))


def newest(actor: Actor, *, at: datetime) -> BrowserTest | None:
    """Return the newest check that still says something of this person's computer: their own."""
    rows = BrowserTest.objects.visible_to(actor).filter(person_id=actor.person_id, at__gte=at - HINTS)
    return rows.order_by("-at", "-id").first()


def _endpoint(endpoint_id: UUID | None, actor: Actor) -> Endpoint | None:
    if endpoint_id is None:
        return None
    found = next((row for row in rooms_of(actor) if row.pk == endpoint_id), None)
    if found is None:
        raise Refused(N_("This computer is not among your organisation's equipment."))
    return found


def _check_right(actor: Actor) -> None:
    if not may(actor.role, "computer.check"):
        raise NotYours(N_("This step belongs to another role."))

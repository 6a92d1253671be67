"""What an organisation's equipment says of itself, to fill the form of its connection."""

from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext

from konsilium.models import Endpoint, EquipmentTest, Session
from konsilium.web.clockface import day
from konsilium.workflow.equipment import ENDPOINT_KIND_LABELS, PASSING, VERDICTS, EndpointKind
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import Side

MOST = 5


class Own(NamedTuple):
    """One endpoint of the organisation with what its newest test said."""

    name: str
    kind: str
    kind_label: str
    dial: str
    phone: str
    technician: str
    verdict: str
    tested: str


def own_equipment(actor: Actor) -> list[Own]:
    """Return the organisation's endpoints, the tested ones first (one query)."""
    newest = EquipmentTest.objects.filter(endpoint=OuterRef("pk")).order_by("-at", "-id")
    rows = (
        Endpoint.objects.visible_to(actor)
        .filter(is_active=True, organization_id=actor.organization_id)
        .annotate(verdict=Subquery(newest.values("verdict")[:1]), tested_at=Subquery(newest.values("at")[:1]))
        .order_by("-created_at", "id")
    )
    found = [_own(row) for row in rows[:MOST]]
    return sorted(found, key=lambda own: own.verdict not in PASSING)


def _own(row: Endpoint) -> Own:
    verdict, tested_at = row.verdict or "", row.tested_at  # type: ignore[attr-defined]
    tested = f"{gettext(VERDICTS[verdict]).lower()}, {day(tested_at)}" if verdict else ""
    return Own(
        name=row.name,
        kind=row.kind,
        kind_label=gettext(ENDPOINT_KIND_LABELS[EndpointKind(row.kind)]),
        dial=row.dial_string or row.address,
        phone=row.reserve_phone,
        technician=row.technician,
        verdict=verdict,
        tested=tested or gettext("not tested yet"),
    )


def connection_of(equipment: list[Own]) -> dict[str, str]:
    """Return what the first endpoint says, as the form's beginning; the built-in room where there is none."""
    if not equipment:
        return {"connection": "room"}
    own = equipment[0]
    return {
        "connection": own.kind,
        "dial": own.dial,
        "phone": own.phone,
        "technician": own.technician,
    }


def said_before(session: Session, side: Side) -> dict[str, str]:
    """Return what the side has said of its connection in this session already; nothing where it hasn't."""
    said = {name: getattr(session, f"{side}_{name}") for name in ("dial", "pin", "phone", "technician")}
    if not any(said.values()):
        return {}
    return {"connection": getattr(session, f"{side}_connection"), **said}


def side_of(session: Session, organization_id: UUID) -> Side:
    """Return which side of a session an organisation is."""
    return Side.REQUESTING if session.requesting_organization_id == organization_id else Side.CONSULTING

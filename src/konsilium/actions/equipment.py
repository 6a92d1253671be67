"""An organisation's equipment: entered, set up by a guide, tested. What was tested is kept, whatever came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import record_at_desk
from konsilium.adapters.sealing import seal
from konsilium.models import Endpoint, EndpointSecret, EquipmentTest, GuideTick, Organization
from konsilium.workflow.equipment import (
    CHECKS,
    GUIDES,
    MEASUREMENTS,
    PASSING,
    TEST_VALID,
    VERDICTS,
    EndpointKind,
)
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.roles import Actor, Role, may
from konsilium.workflow.words import N_

FIELDS = (
    "kind", "name", "model", "address", "dial_string", "place", "technician", "reserve_phone", "test_window", "note",
    "is_active", "transport", "encryption", "account", "registrar", "computer",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What a test found. `measurements` and `checks` go by the codes of workflow.equipment."""

    participants: str
    verdict: str
    reachable: bool | None = None
    codec: str = ""
    resolution: str = ""
    measurements: Mapping[str, float] = field(default_factory=dict)
    checks: Mapping[str, bool] = field(default_factory=dict)
    reason: str = ""
    valid_until: date | None = None


def add_endpoint(
    organization: Organization, values: Mapping[str, Any], *, actor: Actor, at: datetime
) -> Endpoint:
    """Enter a codec or a software client (`values` by FIELDS). Raises NotYours, or Refused for an unknown kind."""
    _check_own(organization.pk, actor)
    with transaction.atomic():
        endpoint = Endpoint(organization=organization, created_at=at, **_known(values))
        endpoint.save(force_insert=True)
        _record("endpoint_added", endpoint, actor, at)
    return endpoint


def change_endpoint(endpoint: Endpoint, values: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    """Correct an endpoint, or take it out of use. A change of kind begins the guide anew. Raises as `add_endpoint`."""
    _check_own(endpoint.organization_id, actor)
    with transaction.atomic():
        row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        if values.get("kind", row.kind) != row.kind:
            row.ticks.all().delete()
        for name, value in _known(values).items():
            setattr(row, name, value)
        row.save(update_fields=FIELDS)
        _record("endpoint_changed", row, actor, at)


def set_password(endpoint: Endpoint, password: str, *, actor: Actor, at: datetime) -> None:
    """Keep the password of an endpoint's account, sealed; an empty one forgets it. Nobody reads it back but the prober."""
    _check_own(endpoint.organization_id, actor)
    with transaction.atomic():
        EndpointSecret.objects.filter(endpoint_id=endpoint.pk).delete()
        if password:
            sealed = seal(password.encode())
            secret = EndpointSecret(endpoint_id=endpoint.pk, sealed=sealed, set_at=at, set_by=actor.name)
            secret.save(force_insert=True)
        _record("endpoint_password_set", endpoint, actor, at)


def tick(endpoint: Endpoint, step: str, *, actor: Actor, at: datetime) -> None:
    """Tick a step of the set-up guide off; ticked twice it stays the first one's."""
    _check_step(endpoint, step, actor)
    done = GuideTick(endpoint=endpoint, step=step, at=at, person_id=actor.person_id, person_name=actor.name)
    GuideTick.objects.bulk_create([done], ignore_conflicts=True)


def untick(endpoint: Endpoint, step: str, *, actor: Actor, at: datetime) -> None:
    """Take a tick back."""
    _check_step(endpoint, step, actor)
    GuideTick.objects.filter(endpoint=endpoint, step=step).delete()


def record_test(endpoint: Endpoint, found: Measured, *, actor: Actor, at: datetime) -> EquipmentTest:
    """Keep a test's record. A passed one holds for TEST_VALID unless it says otherwise, a failed one never.

    Raises NotYours, or Refused when the verdict is none, or is not a clean pass and has no reason.
    """
    if not may(actor.role, "equipment.test"):
        raise NotYours(N_("Only a coordinator records tests."))
    _check_found(found)
    with transaction.atomic():
        test = EquipmentTest(
            endpoint=endpoint,
            at=at,
            concluded_at=at,
            tester_id=actor.person_id,
            tester_name=actor.name,
            **_written(found, at),
        )
        test.save(force_insert=True)
        _record(f"test_{found.verdict}", endpoint, actor, at, text=found.reason)
    return test


def newest_tests(organization_id: UUID) -> dict[UUID, EquipmentTest]:
    """Return the newest test of each of the organisation's endpoints in use."""
    rows = EquipmentTest.objects.concluded().filter(
        endpoint__organization_id=organization_id, endpoint__is_active=True
    )
    return {
        test.endpoint_id: test for test in rows.order_by("endpoint_id", "-at", "-id").distinct("endpoint_id")
    }


def holds(test: EquipmentTest | None, today: date) -> bool:
    """Say whether a test was passed and is still valid."""
    return bool(test and test.verdict in PASSING and test.valid_until and test.valid_until >= today)


def is_ready(organization_id: UUID, today: date) -> bool:
    """Say whether the newest test of at least one endpoint in use holds."""
    return any(holds(test, today) for test in newest_tests(organization_id).values())


def has_endpoint(organization_id: UUID) -> bool:
    """Say whether the organisation has an endpoint in use."""
    return Endpoint.objects.filter(organization_id=organization_id, is_active=True).exists()


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in values.items() if name in FIELDS}
    if "kind" in known and known["kind"] not in set(EndpointKind):
        raise Refused(N_("Choose the kind of equipment."))
    return known


def _check_own(organization_id: UUID, actor: Actor) -> None:
    own = actor.role is Role.COORDINATOR or organization_id == actor.organization_id
    if not own or not may(actor.role, "equipment.write"):
        raise NotYours(N_("This equipment belongs to another organisation."))


def _check_step(endpoint: Endpoint, step: str, actor: Actor) -> None:
    _check_own(endpoint.organization_id, actor)
    if step not in GUIDES[EndpointKind(endpoint.kind)]:
        raise Refused(N_("The guide of this equipment has no such step."))


def _check_found(found: Measured) -> None:
    if found.verdict not in VERDICTS:
        raise Refused(N_("Choose the verdict."))
    if found.verdict != "passed" and not found.reason.strip():
        raise Refused(N_("Write why the test was not passed, or what limits it."))


def _written(found: Measured, at: datetime) -> dict[str, Any]:
    measured = {limit.code for limit in MEASUREMENTS}
    until = found.valid_until or (at + TEST_VALID).date()
    return {
        "participants": found.participants,
        "reachable": found.reachable,
        "codec": found.codec,
        "resolution": found.resolution,
        "measurements": {code: value for code, value in found.measurements.items() if code in measured},
        "checks": {code: mark for code, mark in found.checks.items() if code in CHECKS},
        "verdict": found.verdict,
        "reason": found.reason,
        "valid_until": until if found.verdict in PASSING else None,
    }


def _record(kind: str, endpoint: Endpoint, actor: Actor, at: datetime, text: str = "") -> None:
    words = ": ".join(part for part in (endpoint.name, text) if part)
    subject = ("endpoint", endpoint.pk)
    record_at_desk(
        kind, at=at, actor=actor, organization_id=endpoint.organization_id, subject=subject, text=words
    )

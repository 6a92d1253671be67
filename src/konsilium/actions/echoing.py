"""Calls that equipment makes to the echo line: whose they are by the dialled number, and what they tell."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from konsilium.actions import probing
from konsilium.models import Endpoint, EquipmentTest, Probe
from konsilium.models.access import as_prober
from konsilium.workflow.probing import Found

DIGITS = 8


@dataclass(frozen=True)
class Called:
    """The open test that a number stands for."""

    test_id: UUID
    endpoint_id: UUID
    endpoint_kind: str
    organization_id: UUID


def new_number() -> str:
    """Return a number for a test; nobody guesses it before the test is over."""
    return str(secrets.randbelow(9 * 10 ** (DIGITS - 1)) + 10 ** (DIGITS - 1))


def called(number: str) -> Called | None:
    """Return the open test of equipment in use that this number stands for."""
    with as_prober():
        tests = EquipmentTest.objects.filter(echo_number=number, concluded_at=None).exclude(echo_number="")
        test = tests.values_list("pk", "endpoint_id").first()
        if test is None:
            return None
        rows = Endpoint.objects.filter(pk=test[1], is_active=True).values_list("kind", "organization_id")
        endpoint = rows.first()
        return Called(*test, *endpoint) if endpoint else None


def land(call: Called, found: Found, *, at: datetime) -> None:
    """Write what a call told: a probe that is done, and the steps of the test, if it is still open."""
    with as_prober():
        open_one = EquipmentTest.objects.filter(pk=call.test_id, concluded_at=None)
        if not open_one.exists():
            return
        Probe(
            endpoint_id=call.endpoint_id,
            test_id=call.test_id,
            kind="echo",
            state="done",
            asked_at=at,
            not_before=at,
            begun_at=at,
            done_at=at,
            answer=found.answer,
            measured=dict(found.measured),
        ).save(force_insert=True)
        probing.write_steps(call.test_id, call.endpoint_kind, found, at)
        probing.record_made(call.endpoint_id, call.organization_id, "echo", found.answer, at)

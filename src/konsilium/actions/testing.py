"""A test of equipment by its protocol: coordinator and specialist fill it in together, the coordinator concludes.

The database itself tells the pages that have a test open of every change (migration 0009).
"""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import record_at_desk
from konsilium.actions._step import NotThere
from konsilium.actions.echoing import new_number
from konsilium.models import Endpoint, EquipmentTest, TestParticipant, TestStep
from konsilium.workflow.equipment import OUTCOME_LABELS, TEST_VALID, VERDICTS
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.protocol import BY_CODE, NUMBERS, Proposal, outcome_of, proposed, steps_of
from konsilium.workflow.roles import Actor, may
from konsilium.workflow.words import N_

LONGEST_NOTE = 400


def open_test(endpoint: Endpoint, *, actor: Actor, at: datetime) -> EquipmentTest:
    """Open a test's protocol, or return the one that is open. Raises NotYours for anybody but a coordinator."""
    if not may(actor.role, "equipment.test"):
        raise NotYours(N_("Only a coordinator records tests."))
    with transaction.atomic():
        Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        there = EquipmentTest.objects.filter(endpoint=endpoint, concluded_at=None).first()
        if there is not None:
            return there
        test = EquipmentTest(
            endpoint=endpoint,
            at=at,
            tester_id=actor.person_id,
            tester_name=actor.name,
            participants="",
            echo_number=new_number(),
        )
        test.save(force_insert=True)
        _record("test_opened", endpoint, actor, at)
    return test


def take_part(test: EquipmentTest, *, actor: Actor, at: datetime) -> None:
    """Note that somebody takes part in an open test, once. Raises NotNow when it is concluded."""
    _check_open(test)
    mine = TestParticipant(
        test=test,
        person_id=actor.person_id,
        name=actor.name,
        organization_name=actor.organization_name,
        role=actor.role,
        at=at,
    )
    TestParticipant.objects.bulk_create([mine], ignore_conflicts=True)


def mark(
    test: EquipmentTest,
    code: str,
    outcome: str,
    numbers: Mapping[str, float] | None = None,
    note: str = "",
    *,
    actor: Actor,
    at: datetime,
) -> TestStep:
    """Write down what a step found; the newest word counts. Numbers alone say the outcome by their bands.

    Raises NotNow when the test is concluded, or Refused for an unknown step, outcome or number.
    """
    _check_writes(actor)
    _check_open(test)
    given = {name: value for name, value in (numbers or {}).items() if value is not None}
    outcome = outcome or outcome_of(given)
    _check_step(test, code, outcome, given, note)
    row, _ = TestStep.objects.update_or_create(
        test=test,
        code=code,
        defaults={
            "outcome": outcome,
            "measured": given,
            "note": note.strip(),
            "at": at,
            "person_id": actor.person_id,
            "person_name": actor.name,
        },
    )
    take_part(test, actor=actor, at=at)
    return row


def unmark(test: EquipmentTest, code: str, *, actor: Actor, at: datetime) -> None:
    """Take a step's answer back. Raises as `mark` does."""
    _check_writes(actor)
    _check_open(test)
    TestStep.objects.filter(test=test, code=code).delete()
    take_part(test, actor=actor, at=at)


def conclude(
    test: EquipmentTest,
    verdict: str,
    reason: str = "",
    *,
    valid_until: date | None = None,
    actor: Actor,
    at: datetime,
) -> EquipmentTest:
    """End a test with its verdict: from now on nobody changes it. A passed one holds a year unless it says otherwise.

    Raises NotYours for anybody but a coordinator, NotNow when it is concluded, or Refused: a pass needs its steps, and
    whatever isn't a clean pass or differs from what the steps propose needs a reason.
    """
    if not may(actor.role, "equipment.test"):
        raise NotYours(N_("Only a coordinator records tests."))
    with transaction.atomic():
        _check_open(test)
        # Of two that conclude at once, the later one finds nothing that may be written any more.
        row = EquipmentTest.objects.select_for_update(of=("self",)).filter(pk=test.pk).first()
        if row is None:
            raise NotNow(N_("This test is concluded. Open another one."))
        steps = {step.code: step for step in row.steps.all()}
        _check_verdict(row, verdict, reason, steps)
        row.verdict, row.reason, row.concluded_at = verdict, reason.strip(), at
        row.valid_until = None if verdict == "failed" else valid_until or (at + TEST_VALID).date()
        row.participants = ", ".join(row.took_part.order_by("at").values_list("name", flat=True))[:400]
        row.measurements = _numbers(steps)
        row.save()
        _record(f"test_{verdict}", row.endpoint, actor, at, text=row.reason)
    return row


def proposal(test: EquipmentTest) -> Proposal:
    """Return the verdict that the steps propose (one query)."""
    outcomes = dict(test.steps.values_list("code", "outcome"))
    return proposed(test.endpoint.kind, outcomes)


def approve(endpoint: Endpoint, *, actor: Actor, at: datetime) -> None:
    """Approve an endpoint's address as it stands; the database takes it back when that changes. Raises NotYours."""
    if not may(actor.role, "equipment.test"):
        raise NotYours(N_("Only a coordinator approves addresses."))
    with transaction.atomic():
        row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        row.approved_at, row.approved_by = at, actor.name
        row.save(update_fields=["approved_at", "approved_by"])
        _record("endpoint_approved", row, actor, at)


def _check_writes(actor: Actor) -> None:
    if not may(actor.role, "equipment.write"):
        raise NotYours(N_("This equipment belongs to another organisation."))


def _check_open(test: EquipmentTest) -> None:
    if not EquipmentTest.objects.filter(pk=test.pk).exists():
        raise NotThere
    if EquipmentTest.objects.filter(pk=test.pk).exclude(concluded_at=None).exists():
        raise NotNow(N_("This test is concluded. Open another one."))


def _check_step(
    test: EquipmentTest, code: str, outcome: str, numbers: Mapping[str, float], note: str
) -> None:
    if BY_CODE.get(code) not in steps_of(test.endpoint.kind):
        raise Refused(N_("The protocol of this equipment has no such step."))
    if outcome not in OUTCOME_LABELS:
        raise Refused(N_("Say what the step found, or write its numbers."))
    if set(numbers) - set(BY_CODE[code].numbers) or any(value < 0 for value in numbers.values()):
        raise Refused(N_("Write the numbers of this step, none below zero."))
    if len(note) > LONGEST_NOTE:
        raise Refused(N_("Write the note in 400 characters at most."))
    if outcome == "skipped" and BY_CODE[code].is_needed and not note.strip():
        raise Refused(N_("Write why this step is left out."))


def _check_verdict(row: EquipmentTest, verdict: str, reason: str, steps: Mapping[str, TestStep]) -> None:
    if verdict not in VERDICTS:
        raise Refused(N_("Choose the verdict."))
    told = proposed(row.endpoint.kind, {code: step.outcome for code, step in steps.items()})
    if verdict != "failed" and told is Proposal.OPEN:
        raise Refused(N_("Some steps have no answer yet. Only a failed test can be concluded without them."))
    if (verdict != "passed" or told != verdict) and not reason.strip():
        raise Refused(N_("Write why the test was not passed, or what limits it."))


def _numbers(steps: Mapping[str, TestStep]) -> dict[str, float]:
    """Return each number's worst value over the steps."""
    found: dict[str, float] = {}
    for step in steps.values():
        for code, value in step.measured.items():
            band = NUMBERS.get(code)
            if band is None or not isinstance(value, (int, float)):
                continue
            worse = min if band.is_least else max
            found[code] = worse(value, found.get(code, value))
    return found


def _record(kind: str, endpoint: Endpoint, actor: Actor, at: datetime, *, text: str = "") -> None:
    subject: tuple[str, UUID] = ("endpoint", endpoint.pk)
    record_at_desk(
        kind, at=at, actor=actor, organization_id=endpoint.organization_id, subject=subject, text=text
    )

"""Looks at endpoints' addresses: asked for by people or before a session, done by the prober's own process.

A probe stands as a row. The prober takes one (others skip it), reads the approved address, has the guard judge it, looks
outside of any transaction, and writes what it found in one: the probe, the open test's steps, an event.
"""

import hashlib
import hmac
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from konsilium.actions._files import store
from konsilium.actions._record import record_at_desk
from konsilium.actions.looking import LOOKS, Look, Task
from konsilium.adapters.reach import Guard, Target
from konsilium.adapters.sealing import NotOpened, open_sealed
from konsilium.models import Endpoint, EndpointSecret, EquipmentTest, Organization, Probe, TestStep
from konsilium.models.access import as_prober
from konsilium.workflow.equipment import PROBE_LABELS
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.probing import ANSWERS, LONGEST, LONGEST_OF, ONE_EVERY, Found, NotReached, StepFound
from konsilium.workflow.protocol import outcome_of, steps_of
from konsilium.workflow.roles import Actor, Role, may
from konsilium.workflow.words import N_

log = logging.getLogger(__name__)

_REACH = (
    "id",
    "organization_id",
    "kind",
    "address",
    "dial_string",
    "transport",
    "encryption",
    "account",
    "registrar",
)
_WORST = ("failed", "limited", "passed")
_REACHES = ("reach", "reach_h323")


class TooSoon(Exception):
    """The target was looked at a moment ago."""


@dataclass(frozen=True)
class Prober:
    """What a prober works with. Tests put a judge, a shorter pause and certificates of their own in; no setting does."""

    guard: Guard
    every: timedelta = ONE_EVERY
    trust: ssl.SSLContext | None = None
    looks: Mapping[str, Look] = field(default_factory=lambda: LOOKS)


def prober_at_hand() -> Prober:
    """Return the prober as the deployment's settings make it."""
    return Prober(Guard(settings.PRIVATE_NETWORKS))


def ask(
    endpoint: Endpoint,
    kind: str,
    *,
    test: EquipmentTest | None = None,
    session_id: UUID | None = None,
    actor: Actor,
    at: datetime,
) -> Probe:
    """Ask for a look at an approved address; one that waits already is returned instead of another.

    Raises NotYours, Refused for an unknown kind, or NotNow before a coordinator's approval.
    """
    if actor.role is not Role.SYSTEM and not may(actor.role, "equipment.write"):
        raise NotYours(N_("This equipment belongs to another organisation."))
    if kind not in PROBE_LABELS:
        raise Refused(N_("There is no such probe."))
    if endpoint.approved_at is None:
        raise NotNow(N_("A coordinator has to approve the address before anything connects to it."))
    waits = Probe.objects.filter(endpoint=endpoint, kind=kind, state__in=("waiting", "running")).first()
    if waits is not None:
        return waits
    probe = Probe(
        endpoint=endpoint,
        test=test,
        session_id=session_id,
        kind=kind,
        asked_at=at,
        asked_by=actor.name,
        not_before=at,
    )
    with transaction.atomic():
        probe.save(force_insert=True)
        _record("probe_asked", endpoint.pk, endpoint.organization_id, kind, at, actor)
    return probe


def run_pending(prober: Prober, *, at: datetime, most: int = 1000) -> int:
    """Do what waits, one after the other. Returns how many were done or put off."""
    done = 0
    while done < most and (task := take(at=at)):
        do(prober, task, at=at)
        done += 1
    return done


def take(*, at: datetime) -> Task | None:
    """Take the probe that waits longest; None when none does. Others skip it while it is being taken."""
    with as_prober():
        _give_up_the_dead(at)
        rows = Probe.objects.select_for_update(skip_locked=True).filter(state="waiting", not_before__lte=at)
        row = rows.order_by("not_before", "asked_at", "id").first()
        if row is None:
            return None
        row.state, row.begun_at = "running", at
        row.save(update_fields=["state", "begun_at"])
        return _task(row)


def do(prober: Prober, task: Task, *, at: datetime) -> None:
    """Look, and write what was found; put off what comes too soon after another look at the same target."""
    begun = monotonic()
    try:
        found = _looked(prober, task, at)
    except TooSoon:
        with as_prober():
            Probe.objects.filter(pk=task.pk).update(
                state="waiting", begun_at=None, not_before=at + prober.every
            )
        return
    _finish(task, found, at + timedelta(seconds=monotonic() - begun))


@dataclass(frozen=True)
class _Reach:
    """The way to an address for one task."""

    prober: Prober
    task: Task
    at: datetime

    def __call__(self, host: str, port: int) -> Target:
        target = self.media(host, port)
        _take_turn(self.task, target.number, self.at, self.prober.every)
        return target

    def media(self, host: str, port: int) -> Target:
        return self.prober.guard.judged(host, port, self.task.oid)


def _looked(prober: Prober, task: Task, at: datetime) -> Found:
    if not task.is_approved:
        return Found("not_approved")
    look = prober.looks.get(task.kind)
    if look is None:
        return Found("not_here")
    try:
        return look(task, _Reach(prober, task, at), prober.trust)
    except NotReached as trouble:
        return Found(trouble.code, trouble.measured)
    except TooSoon:
        raise
    except Exception:
        # One address that breaks us must not stop those behind it; what broke stands in the log by its kind.
        log.exception("a probe (%s) broke", task.kind)
        return Found("broke")


def _give_up_the_dead(at: datetime) -> None:
    """End what a prober that died has left running."""
    for kind in PROBE_LABELS:
        longest = LONGEST_OF.get(kind, LONGEST)
        dead = Probe.objects.filter(kind=kind, state="running", begun_at__lt=at - longest)
        dead.update(state="done", answer="broke", done_at=at)


def _task(row: Probe) -> Task:
    endpoint = Endpoint.objects.only(*_REACH, "approved_at", "is_active").get(pk=row.endpoint_id)
    tests = EquipmentTest.objects.filter(probes=row).values_list("echo_number", flat=True)
    return Task(
        pk=row.pk,
        kind=row.kind,
        endpoint_id=endpoint.pk,
        test_id=row.test_id,
        organization_id=endpoint.organization_id,
        oid=Organization.objects.values_list("oid", flat=True).get(pk=endpoint.organization_id) or "",
        endpoint_kind=endpoint.kind,
        address=endpoint.address,
        dial_string=endpoint.dial_string,
        transport=endpoint.transport,
        encryption=endpoint.encryption,
        account=endpoint.account,
        registrar=endpoint.registrar,
        is_approved=endpoint.approved_at is not None and endpoint.is_active,
        echo_number=tests.first() or "",
        password=_password(endpoint.pk),
    )


def _password(endpoint_id: UUID) -> str:
    sealed = EndpointSecret.objects.filter(endpoint_id=endpoint_id).values_list("sealed", flat=True).first()
    try:
        return open_sealed(bytes(sealed)).decode() if sealed is not None else ""
    except (NotOpened, UnicodeDecodeError):
        return ""


def _take_turn(task: Task, number: str, at: datetime, every: timedelta) -> None:
    """Note which target this probe goes to; raises TooSoon when another one went there a moment ago.

    However it is spelled and whoever's it is: the judged number counts, kept as a keyed hash.
    """
    mark = hmac.digest(settings.SECRET_KEY.encode(), number.encode(), hashlib.sha256).hex()[:16]
    with as_prober():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"probe {mark}"])
        others = Probe.objects.filter(measured__targets__contains=[mark], begun_at__gt=at - every)
        if others.exclude(pk=task.pk).exists():
            raise TooSoon
        row = Probe.objects.only("measured").get(pk=task.pk)
        row.measured = {"targets": sorted({*row.measured.get("targets", ()), mark})}
        row.save(update_fields=["measured"])


def _finish(task: Task, found: Found, at: datetime) -> None:
    picture = store().receive([found.picture], len(found.picture)).sha256 if found.picture else ""
    with as_prober():
        row = Probe.objects.select_for_update().get(pk=task.pk)
        row.state, row.answer, row.done_at = "done", found.answer, at
        row.measured = {**found.measured, **row.measured}
        row.save(update_fields=["state", "answer", "done_at", "measured"])
        write_steps(task.test_id, task.endpoint_kind, found, at, picture)
        record_made(task.endpoint_id, task.organization_id, task.kind, found.answer, at)


def record_made(endpoint_id: UUID, organization_id: UUID, kind: str, answer: str, at: datetime) -> None:
    """Note that a look was made and what it answered."""
    _record("probe_made", endpoint_id, organization_id, f"{kind}: {answer}", at)


def write_steps(test_id: UUID | None, kind: str, found: Found, at: datetime, picture: str = "") -> None:
    """Write the steps of the test, if it is still open, and what the test itself keeps."""
    tests = EquipmentTest.objects.select_for_update().only("id").filter(concluded_at=None)
    test = tests.filter(pk=test_id).first() if test_id else None
    if test is None:
        return
    known = {step.code for step in steps_of(kind)}
    kept: dict[str, Any] = {"picture_sha256": picture} if picture else {}
    for code, step in found.steps.items():
        outcome = _outcome(found, step)
        if code in known and outcome:
            _write_step(test.pk, code, outcome, step, at)
        if code in _REACHES and outcome:
            kept["reachable"] = outcome != "failed"
    if kept:
        EquipmentTest.objects.filter(pk=test.pk).update(**kept)


def _outcome(found: Found, step: StepFound) -> str:
    """Return what the look said of the step, or the worse of its answer and its numbers."""
    if step.outcome:
        return step.outcome
    said = {ANSWERS[found.answer].outcome, outcome_of(step.numbers)}
    return next((worst for worst in _WORST if worst in said), "") if ANSWERS[found.answer].outcome else ""


def _write_step(test_id: UUID, code: str, outcome: str, step: StepFound, at: datetime) -> None:
    """A person's own word stays; the numbers stand beside it."""
    there = TestStep.objects.select_for_update().filter(test_id=test_id, code=code).first()
    if there is None:
        TestStep(test_id=test_id, code=code, outcome=outcome, measured=dict(step.numbers), at=at).save(
            force_insert=True
        )
        return
    there.measured = {**there.measured, **step.numbers}
    if there.person_id is None:
        there.outcome, there.at = outcome, at
    there.save(update_fields=["outcome", "measured", "at"])


def _record(
    kind: str, endpoint_id: UUID, organization_id: UUID, text: str, at: datetime, actor: Actor | None = None
) -> None:
    subject: tuple[str, UUID | None] = ("endpoint", endpoint_id)
    record_at_desk(kind, at=at, actor=actor, organization_id=organization_id, subject=subject, text=text)


__all__ = ["LOOKS", "Prober", "Task", "ask", "do", "prober_at_hand", "run_pending", "take"]

"""The page on which coordinator and specialist test an endpoint together: each sees what the other ticks."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import equipment, probing, testing
from konsilium.models import Endpoint, EquipmentTest, Probe, TestStep
from konsilium.web.clockface import local
from konsilium.web.equipment.details import details
from konsilium.web.http import found, send_once, words
from konsilium.web.numbers import plain
from konsilium.workflow.equipment import (
    ENDPOINT_KIND_LABELS,
    OUTCOME_LABELS,
    PROBE_LABELS,
    PROBE_STATE_LABELS,
    VERDICTS,
    EndpointKind,
)
from konsilium.workflow.machine import Refused
from konsilium.workflow.probing import ANSWERS
from konsilium.workflow.protocol import NUMBERS, Proposal, Step, steps_of
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role, may

TONES = {"passed": "good", "limited": "warn", "failed": "bad", "skipped": ""}
NEWEST_PROBES = 8


@require_POST
def begin(request: Any, pk: UUID) -> HttpResponse:
    """Open a test of an endpoint, or go to the one that is open."""
    row = _endpoint(request, pk)
    return send_once(
        request,
        lambda: reverse(
            "equipment:protocol", args=[testing.open_test(row, actor=request.actor, at=request.at).pk]
        ),
    )


@require_POST
def approve(request: Any, pk: UUID) -> HttpResponse:
    """Approve an endpoint's address."""
    testing.approve(_endpoint(request, pk), actor=request.actor, at=request.at)
    return redirect("equipment:show", pk=pk)


@require_POST
def password(request: Any, pk: UUID) -> HttpResponse:
    """Keep the password of the endpoint's account; no page ever shows it."""
    equipment.set_password(
        _endpoint(request, pk), request.POST.get("password", "")[:200], actor=request.actor, at=request.at
    )
    return redirect("equipment:show", pk=pk)


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show a test's protocol; asked for by the page itself, only its changing part."""
    return _shown(request, _test(request, pk))


@require_POST
def mark(request: Any, pk: UUID) -> HttpResponse:
    """Write down what a step found, or take it back."""
    row = _test(request, pk)
    code, outcome = request.POST.get("step", ""), request.POST.get("outcome", "")
    try:
        if outcome == "none":
            testing.unmark(row, code, actor=request.actor, at=request.at)
        else:
            note = request.POST.get("note", "")
            testing.mark(row, code, outcome, _numbers(request), note, actor=request.actor, at=request.at)
    except Refused as refusal:
        return _shown(request, row, refusal=words(refusal), at_step=code)
    return _back(request, row, f"#step-{code}")


@require_POST
def probe(request: Any, pk: UUID) -> HttpResponse:
    """Ask the prober for a look."""
    row = _test(request, pk)
    try:
        probing.ask(row.endpoint, request.POST.get("kind", ""), test=row, actor=request.actor, at=request.at)
    except Refused as refusal:
        return _shown(request, row, refusal=words(refusal))
    return _back(request, row, "#probes")


@require_POST
def conclude(request: Any, pk: UUID) -> HttpResponse:
    """End the test with its verdict."""
    row = _test(request, pk)
    verdict, reason = request.POST.get("verdict", ""), request.POST.get("reason", "")
    try:
        testing.conclude(row, verdict, reason, actor=request.actor, at=request.at)
    except Refused as refusal:
        return _shown(request, row, refusal=words(refusal), reason=reason)
    return redirect("equipment:protocol", pk=pk)


def _shown(
    request: Any, row: EquipmentTest, *, refusal: str = "", at_step: str = "", reason: str = ""
) -> HttpResponse:
    is_part = bool(request.headers.get("HX-Request"))
    context = {
        "row": row,
        "endpoint": row.endpoint,
        "refusal": refusal,
        "at_step": at_step,
        "reason": reason,
        **_protocol(row, request.actor),
    }
    template = "equipment/_protocol.html" if is_part else "equipment/protocol.html"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, template, context, status=status)


def _back(request: Any, row: EquipmentTest, anchor: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return _shown(request, row)
    return redirect(reverse("equipment:protocol", args=[row.pk]) + anchor)


def _protocol(row: EquipmentTest, actor: Actor) -> dict[str, Any]:
    """Return the protocol in words (four queries)."""
    given = {step.code: step for step in row.steps.all()}
    is_open = row.concluded_at is None
    told = testing.proposal(row)
    steps = [_step(step, given.get(step.code), row, actor) for step in steps_of(row.endpoint.kind)]
    return {
        "kind": gettext(ENDPOINT_KIND_LABELS[EndpointKind(row.endpoint.kind)]),
        "is_open": is_open,
        "writes": is_open and may(actor.role, "equipment.write"),
        "concludes": is_open and may(actor.role, "equipment.test"),
        "verdict": gettext(VERDICTS[row.verdict]) if row.verdict else "",
        "tone": TONES.get(row.verdict, ""),
        "proposal": gettext(VERDICTS[told]) if told is not Proposal.OPEN else "",
        "proposal_tone": TONES.get(told, ""),
        "proposed": str(told),
        "verdicts": [(code, gettext(label)) for code, label in VERDICTS.items()],
        "outcomes": [(code, gettext(label), TONES[code]) for code, label in OUTCOME_LABELS.items()],
        "steps": steps,
        "done": sum(bool(step["outcome"]) for step in steps),
        "people": [_person(one) for one in row.took_part.order_by("at")],
        "probes": [_probe(one, actor) for one in row.probes.order_by("-asked_at")[:NEWEST_PROBES]],
        "echo": _echo(row) if is_open else "",
        "began": local(row.at, actor.time_zone),
        "ended": local(row.concluded_at, actor.time_zone) if row.concluded_at else "",
    }


def _step(step: Step, given: TestStep | None, row: EquipmentTest, actor: Actor) -> dict[str, Any]:
    measured = given.measured if given else {}
    return {
        "code": step.code,
        "label": gettext(step.label),
        "hint": gettext(step.hint),
        "is_needed": step.is_needed,
        "probe": step.probe if row.endpoint.approved_at else "",
        "probe_label": gettext(PROBE_LABELS[step.probe]) if step.probe in PROBE_LABELS else "",
        "outcome": given.outcome if given else "",
        "words": gettext(OUTCOME_LABELS[given.outcome]) if given else "",
        "tone": TONES.get(given.outcome, "") if given else "",
        "note": given.note if given else "",
        "who": (given.person_name or gettext("Measured")) if given else "",
        "when": local(given.at, actor.time_zone) if given else "",
        "numbers": [_number(code, measured.get(code)) for code in step.numbers],
    }


def _number(code: str, value: float | None) -> dict[str, Any]:
    band = NUMBERS[code]
    unit = gettext(band.unit) if band.unit else ""
    bounds = (
        gettext("at least %(value)s %(unit)s") if band.is_least else gettext("at most %(value)s %(unit)s")
    ) % {
        "value": plain(band.good),
        "unit": unit,
    }
    return {
        "code": code,
        "label": gettext(band.label),
        "unit": unit,
        "bounds": bounds.strip(),
        "value": "" if value is None else plain(value),
        "tone": "" if value is None else TONES[band.outcome(value)],
    }


def _echo(row: EquipmentTest) -> str:
    """Return what equipment dials to reach the echo line for this test; "" where it can't."""
    line = settings.ECHO
    if line is None or row.endpoint.kind == EndpointKind.H323 or not row.echo_number:
        return ""
    return f"sip:{row.echo_number}@{line.dial}"


def _person(one: Any) -> dict[str, str]:
    role = gettext(ROLE_LABELS[Role(one.role)]) if one.role in set(Role) else ""
    return {"name": one.name, "about": ", ".join(filter(None, (role, one.organization_name)))}


def _probe(one: Probe, actor: Actor) -> dict[str, Any]:
    return {
        "label": gettext(PROBE_LABELS.get(one.kind, one.kind)),
        "state": gettext(PROBE_STATE_LABELS[one.state]),
        **_answer(one.answer),
        "details": details(one.measured),
        "when": local(one.asked_at, actor.time_zone),
        "by": one.asked_by,
    }


def _answer(code: str) -> dict[str, str]:
    """Return what a look found in words, what to do about it, and its tone."""
    found = ANSWERS.get(code)
    if found is None:
        return {"answer": "", "advice": "", "tone": ""}
    advice = gettext(found.advice) if found.advice else ""
    return {"answer": gettext(found.words), "advice": advice, "tone": TONES.get(found.outcome, "")}


def _numbers(request: Any) -> dict[str, float]:
    """Read a step's numbers; what is no number is refused by the action."""
    found = {}
    for name in NUMBERS:
        text = request.POST.get(name, "").strip().replace(",", ".")
        if text:
            try:
                found[name] = float(text)
            except ValueError:
                found[name] = -1.0
    return found


def _endpoint(request: Any, pk: UUID) -> Endpoint:
    rows = Endpoint.objects.visible_to(request.actor).select_related("organization")
    return found(rows.filter(pk=pk).first())


def _test(request: Any, pk: UUID) -> EquipmentTest:
    rows = EquipmentTest.objects.filter(endpoint__in=Endpoint.objects.visible_to(request.actor))
    return found(rows.select_related("endpoint__organization").filter(pk=pk).first())

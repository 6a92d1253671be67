"""An organisation's own page, its equipment with the set-up guide, and the tests."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import equipment, onboarding
from konsilium.models import BrowserTest, Contact, Endpoint, EquipmentTest, Organization
from konsilium.web.browsertest.sheet import listed
from konsilium.web.equipment.cards import cards
from konsilium.web.equipment.deployment import facts_of
from konsilium.web.equipment.forms import EndpointForm, TestForm
from konsilium.web.equipment.sheet import guide, sheet, test_sheet
from konsilium.web.http import again, found, send_once, words
from konsilium.web.onboarding.forms import KeptContactForm
from konsilium.web.onboarding.sheet import contacts, facts
from konsilium.workflow.equipment import TEST_VALID
from konsilium.workflow.machine import Refused
from konsilium.workflow.onboarding import ORGANIZATION_STATE_LABELS, OrganizationState
from konsilium.workflow.roles import Role, may


def own(request: Any) -> HttpResponse:
    """Show the organisation acted in: who it is, its equipment and contacts."""
    row = _own_organization(request)
    context = {
        "row": row,
        "facts": facts(row, request.at),
        "state": gettext(ORGANIZATION_STATE_LABELS[OrganizationState(row.state)]),
        "cards": cards(row.pk, actor=request.actor, today=request.at.date()),
        "contacts": contacts(row.pk),
        "manages_contacts": may(request.actor.role, "contact.manage"),
    }
    return render(request, "equipment/own.html", context)


def add(request: Any, organization: UUID) -> HttpResponse:
    """Enter a codec or a software client."""
    rows = Organization.objects.visible_to(request.actor)
    if request.actor.role is not Role.COORDINATOR:
        rows = rows.filter(pk=request.actor.organization_id)
    row = found(rows.filter(pk=organization).first())
    form = EndpointForm(request.POST or None, initial={"is_active": True})
    context = {"row": row, "form": form, "heading": gettext("New equipment"), "back": _home(request, row.pk)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/form.html", context, status=422 if form.errors else 200)

    def run() -> str:
        made = equipment.add_endpoint(row, form.cleaned_data, actor=request.actor, at=request.at)
        return reverse("equipment:show", args=[made.pk])

    return send_once(request, run)


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show an endpoint: its guide with ticks, and its tests."""
    row = _endpoint(request, pk)
    checks = BrowserTest.objects.visible_to(request.actor).filter(endpoint=row)
    context = sheet(row, actor=request.actor, at=request.at) | {"back": _home(request, row.organization_id)}
    context |= {"kept": listed(checks, request.actor), "checks": may(request.actor.role, "computer.check")}
    return render(request, "equipment/show.html", context)


def change(request: Any, pk: UUID) -> HttpResponse:
    """Correct an endpoint, or take it out of use."""
    row = _endpoint(request, pk)
    form = EndpointForm(request.POST or None, initial={name: getattr(row, name) for name in equipment.FIELDS})
    back = reverse("equipment:show", args=[pk])
    context = {"row": row.organization, "form": form, "heading": row.name, "back": back}
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/form.html", context, status=422 if form.errors else 200)
    equipment.change_endpoint(row, form.cleaned_data, actor=request.actor, at=request.at)
    return redirect(back)


@require_POST
def tick(request: Any, pk: UUID) -> HttpResponse:
    """Tick a step of the guide off, or take the tick back."""
    row = _endpoint(request, pk)
    act = equipment.tick if request.POST.get("done") else equipment.untick
    try:
        act(row, request.POST.get("step", ""), actor=request.actor, at=request.at)
    except Refused as refusal:
        context = sheet(row, actor=request.actor, at=request.at) | {
            "back": _home(request, row.organization_id)
        }
        return again(request, "equipment/show.html", context | {"refusal": words(refusal)})
    return redirect(f"{reverse('equipment:show', args=[pk])}#guide")


def print_guide(request: Any, pk: UUID) -> HttpResponse:
    """Show the guide on a page to print."""
    row = _endpoint(request, pk)
    return render(request, "equipment/guide.html", {"row": row, **guide(row, request.actor), **facts_of(row)})


def record_test(request: Any, pk: UUID) -> HttpResponse:
    """Write down what a test call found."""
    row = _endpoint(request, pk)
    today = request.at.date()
    until = (request.at + TEST_VALID).date()
    form = TestForm(
        request.POST or None, today=today, initial={"valid_until": until, "participants": row.technician}
    )
    context = {"row": row, "form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "equipment/record.html", context, status=422 if form.errors else 200)

    def run() -> str:
        test = equipment.record_test(row, form.found(), actor=request.actor, at=request.at)
        return reverse("equipment:show_test", args=[test.pk])

    try:
        return send_once(request, run)
    except Refused as refusal:
        return again(request, "equipment/record.html", context | {"refusal": words(refusal)})


def show_test(request: Any, pk: UUID) -> HttpResponse:
    """Show a test's record, each number against its limit."""
    rows = EquipmentTest.objects.filter(endpoint__in=Endpoint.objects.visible_to(request.actor))
    row = found(rows.select_related("endpoint__organization").filter(pk=pk).first())
    return render(request, "equipment/test.html", test_sheet(row, request.actor))


def add_contact(request: Any) -> HttpResponse:
    """Add a contact of the own organisation."""
    row = _own_organization(request)
    form = KeptContactForm(request.POST or None, initial={"is_technical": True})
    context = {
        "row": row,
        "form": form,
        "heading": gettext("A new contact"),
        "back": reverse("equipment:own"),
    }
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/form.html", context, status=422 if form.errors else 200)

    def run() -> str:
        onboarding.add_contact(row, form.cleaned_data, actor=request.actor, at=request.at)
        return reverse("equipment:own")

    return send_once(request, run)


def change_contact(request: Any, pk: UUID) -> HttpResponse:
    """Correct a contact of the own organisation."""
    row = _own_organization(request)
    kept = found(Contact.objects.filter(organization=row, pk=pk).select_related("organization").first())
    initial = {name: getattr(kept, name) for name in onboarding.CONTACT_FIELDS}
    form = KeptContactForm(request.POST or None, initial=initial)
    context = {"row": row, "form": form, "heading": kept.name, "back": reverse("equipment:own")}
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/form.html", context, status=422 if form.errors else 200)
    onboarding.change_contact(kept, form.cleaned_data, actor=request.actor, at=request.at)
    return redirect("equipment:own")


def _own_organization(request: Any) -> Organization:
    return Organization.objects.visible_to(request.actor).get(pk=request.actor.organization_id)


def _endpoint(request: Any, pk: UUID) -> Endpoint:
    rows = Endpoint.objects.visible_to(request.actor).select_related("organization")
    return found(rows.filter(pk=pk).first())


def _home(request: Any, organization_id: UUID) -> str:
    if request.actor.role is Role.COORDINATOR:
        return reverse("onboarding:show", args=[organization_id])
    return reverse("equipment:own")

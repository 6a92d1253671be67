"""The coordinator's desk: organisations, from the application to access."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions import onboarding
from konsilium.models import Contact, Organization
from konsilium.web.http import again, found, seen_version, send_once, words
from konsilium.web.onboarding import worklist
from konsilium.web.onboarding.forms import KeptContactForm, LogForm, PlaceForm, ReasonForm
from konsilium.web.onboarding.sheet import sheet
from konsilium.workflow.machine import Refused
from konsilium.workflow.onboarding import ORGANIZATION_MACHINE, ORGANIZATION_MOVE_LABELS

# These moves say why.
WITH_REASON = ("decline", "suspend")


def show_list(request: Any) -> HttpResponse:
    """List organisations by state, or those that a search finds."""
    return render(
        request, "onboarding/list.html", worklist.page(request.GET, actor=request.actor, at=request.at)
    )


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show one organisation: what is next, its application, equipment, contacts and what happened."""
    return _page(request, organization(request, pk))


def _page(request: Any, row: Organization, **more: Any) -> HttpResponse:
    context = sheet(row, actor=request.actor, at=request.at) | {"log_form": _log_form(request, None)} | more
    return render(request, "onboarding/show.html", context, status=422 if more.get("refusal") else 200)


def move(request: Any, pk: UUID, name: str) -> HttpResponse:
    """Make a move; one with a reason has a page that asks for it."""
    row = organization(request, pk)
    if name not in ORGANIZATION_MACHINE.labels:
        raise Http404
    form = ReasonForm(request.POST or None) if name in WITH_REASON else None
    context = {"row": row, "form": form, "label": gettext(ORGANIZATION_MOVE_LABELS[name])}
    if request.method != "POST":
        return render(request, "onboarding/move.html", context)
    if form and not form.is_valid():
        return again(request, "onboarding/move.html", context)
    try:
        return send_once(request, lambda: _move(request, row, name, form))
    except Refused as refusal:
        if form:
            return again(request, "onboarding/move.html", context | {"refusal": words(refusal)})
        return _page(request, organization(request, pk), refusal=words(refusal))


def _move(request: Any, row: Organization, name: str, form: ReasonForm | None) -> str:
    reason = form.cleaned_data["reason"] if form else ""
    onboarding.move(
        row, name, actor=request.actor, at=request.at, version=seen_version(request), reason=reason
    )
    return _address(row.pk)


def log(request: Any, pk: UUID) -> HttpResponse:
    """Write a contact with the organisation down."""
    row = organization(request, pk)
    form = _log_form(request, request.POST or None)
    if request.method != "POST":
        return redirect("onboarding:show", pk=pk)
    if not form.is_valid():
        return _page(request, row, log_form=form, refusal=gettext("Not saved yet: correct what is marked"))
    try:
        return send_once(request, lambda: _log(request, row, form.cleaned_data))
    except Refused as refusal:
        return _page(request, row, log_form=form, refusal=words(refusal))


def _log(request: Any, row: Organization, said: dict[str, Any]) -> str:
    onboarding.log_contact(row, **said, actor=request.actor, at=request.at)
    return f"{_address(row.pk)}#log"


def _log_form(request: Any, data: Any) -> LogForm:
    return LogForm(data, at=request.at, time_zone=request.actor.time_zone)


def correct(request: Any, pk: UUID) -> HttpResponse:
    """Correct names, place or level."""
    row = organization(request, pk)
    names = ("full_name", "short_name", "region", "time_zone", "level")
    form = PlaceForm(
        request.POST or None, at=request.at, initial={name: getattr(row, name) for name in names}
    )
    context = {
        "row": row,
        "form": form,
        "heading": gettext("Correct the organisation's data"),
        "back": _address(pk),
    }
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/form.html", context, status=422 if form.errors else 200)
    onboarding.correct(row, form.cleaned_data, actor=request.actor, at=request.at)
    messages.success(request, gettext("Saved."))
    return redirect("onboarding:show", pk=pk)


def add_contact(request: Any, pk: UUID) -> HttpResponse:
    """Add a contact of an organisation."""
    row = organization(request, pk)
    form = KeptContactForm(request.POST or None, initial={"is_technical": True})
    context = {"row": row, "form": form, "heading": gettext("A new contact"), "back": _address(pk)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/form.html", context, status=422 if form.errors else 200)

    def run() -> str:
        onboarding.add_contact(row, form.cleaned_data, actor=request.actor, at=request.at)
        return _address(pk)

    return send_once(request, run)


def change_contact(request: Any, pk: UUID, contact: UUID) -> HttpResponse:
    """Correct a contact of an organisation."""
    row = organization(request, pk)
    kept = found(Contact.objects.filter(organization=row, pk=contact).first())
    form = KeptContactForm(
        request.POST or None, initial={name: getattr(kept, name) for name in onboarding.CONTACT_FIELDS}
    )
    context = {"row": row, "form": form, "heading": kept.name, "back": _address(pk)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/form.html", context, status=422 if form.errors else 200)
    onboarding.change_contact(kept, form.cleaned_data, actor=request.actor, at=request.at)
    return redirect("onboarding:show", pk=pk)


def _address(pk: UUID) -> str:
    return reverse("onboarding:show", args=[pk])


def organization(request: Any, pk: UUID) -> Organization:
    """Return an organisation that the actor sees, or answer as if it weren't there."""
    rows = Organization.objects.visible_to(request.actor).select_related("application")
    return found(rows.filter(pk=pk).first())

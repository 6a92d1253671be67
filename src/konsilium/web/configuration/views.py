"""The system administrator's pages: profiles, centres with their routes, terms."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from konsilium.actions import configuration
from konsilium.models import Organization, Profile, Route, Term
from konsilium.web.clockface import span
from konsilium.web.configuration import storage
from konsilium.web.configuration.forms import GROUPS, CentreForm, ProfileForm, TermForm, initial_of
from konsilium.web.http import again, found, words
from konsilium.workflow.clock import ANSWER_TERMS
from konsilium.workflow.machine import Refused
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.words import DOCUMENT_KINDS, URGENCIES, Urgency

# As many organisations as the search for a centre shows.
FOUND = 50


def show_list(request: Any) -> HttpResponse:
    """List profiles, centres with their routes, and how files are kept; a search finds any organisation."""
    text = " ".join(request.GET.get("q", "").split())[:100]
    context = {
        "profiles": [_profile(row) for row in Profile.objects.order_by("-is_active", "name")],
        "centres": _centres(request, text),
        "q": text,
        "terms": [(gettext(URGENCIES[code]), span(term)) for code, term in ANSWER_TERMS.items()],
        "storage": storage.panel(request.actor.time_zone),
    }
    return render(request, "configuration/list.html", context)


def _profile(row: Profile) -> dict[str, Any]:
    groups = ([gettext(DOCUMENT_KINDS.get(kind, kind)) for kind in group] for group in row.documents)
    return {
        "pk": row.pk,
        "code": row.code,
        "name": row.name,
        "active": row.is_active,
        "documents": [gettext(" or ").join(group) for group in groups],
    }


def _centres(request: Any, text: str) -> list[dict[str, Any]]:
    rows = Organization.objects.visible_to(request.actor)
    rows = rows.filter(short_name__icontains=text) if text else rows.filter(is_consulting=True)
    shown = list(rows.order_by("-is_consulting", "short_name", "id")[:FOUND])
    taken = defaultdict(set)
    for centre, name in Route.objects.filter(centre__in=shown, is_open=True).values_list(
        "centre_id", "profile__name"
    ):
        taken[centre].add(name)
    return [
        {
            "pk": row.pk,
            "name": row.short_name,
            "consults": row.is_consulting,
            "active": row.state == OrganizationState.ACTIVE,
            "profiles": ", ".join(sorted(taken[row.pk])),
        }
        for row in shown
    ]


def edit_profile(request: Any, pk: UUID | None = None) -> HttpResponse:
    """Make or change a profile."""
    row = found(Profile.objects.filter(pk=pk).first()) if pk else None
    form = ProfileForm(request.POST or None, initial=initial_of(row))
    context = {"form": form, "row": row, "too_many": bool(row and len(row.documents) > GROUPS)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "configuration/profile.html", context, status=422 if form.errors else 200)
    try:
        configuration.save_profile(row, form.values(), actor=request.actor, at=request.at)
    except Refused as refusal:
        return again(request, "configuration/profile.html", context | {"refusal": words(refusal)})
    return _saved(request)


def edit_centre(request: Any, pk: UUID) -> HttpResponse:
    """Say whether an organisation consults, on what, and for which levels."""
    row = _centre(request, pk)
    profiles = list(Profile.objects.filter(is_active=True).order_by("name"))
    data = request.POST if request.method == "POST" else None
    form = CentreForm(data, profiles=profiles, initial=_routes(row))
    context = {"form": form, "row": row, "terms": _terms(row), "term_form": TermForm(None, profiles=profiles)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "configuration/centre.html", context, status=422 if form.errors else 200)
    configuration.set_consulting(row, form.cleaned_data["is_consulting"], actor=request.actor, at=request.at)
    configuration.set_routes(row, form.routes(), actor=request.actor, at=request.at)
    return _saved(request)


def edit_term(request: Any, pk: UUID) -> HttpResponse:
    """Give a centre its own term, or take it back."""
    row = _centre(request, pk)
    profiles = list(Profile.objects.order_by("name"))
    form = TermForm(request.POST or None, profiles=profiles)
    context = {"row": row, "term_form": form, "terms": _terms(row)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "configuration/term.html", context, status=422 if form.errors else 200)
    profile = next((one for one in profiles if str(one.pk) == form.cleaned_data["profile"]), None)
    urgency, minutes = form.cleaned_data["urgency"], form.minutes()
    try:
        configuration.set_term(
            row, profile=profile, urgency=urgency, minutes=minutes, actor=request.actor, at=request.at
        )
    except Refused as refusal:
        return again(request, "configuration/term.html", context | {"refusal": words(refusal)})
    messages.success(request, gettext("Saved."))
    return redirect("configuration:centre", pk=pk)


def _routes(row: Organization) -> dict[str, Any]:
    levels = defaultdict(list)
    for profile, level in Route.objects.filter(centre=row, is_open=True).values_list(
        "profile_id", "requester_level"
    ):
        levels[f"levels-{profile}"].append(level)
    return {"is_consulting": row.is_consulting, **levels}


def _terms(row: Organization) -> list[dict[str, str]]:
    rows = Term.objects.filter(centre=row).select_related("profile").order_by("profile__name", "urgency")
    return [
        {
            "profile": term.profile.name if term.profile else gettext("All profiles"),
            "urgency": gettext(URGENCIES[Urgency(term.urgency)]),
            "hours": f"{term.minutes / 60:g}",
        }
        for term in rows
    ]


def _centre(request: Any, pk: UUID) -> Organization:
    return found(Organization.objects.visible_to(request.actor).filter(pk=pk).first())


def _saved(request: Any) -> HttpResponse:
    messages.success(request, gettext("Saved."))
    return redirect("configuration:list")

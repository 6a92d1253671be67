"""The responsible person's access: issued by a one-time link, issued again, ended, given back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from konsilium.actions import people
from konsilium.models import Membership, Organization, Person
from konsilium.web.http import again, found, words
from konsilium.web.onboarding.forms import AccessForm
from konsilium.web.onboarding.sheet import application_of
from konsilium.web.onboarding.views import organization
from konsilium.web.people.views import show_link
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Role


def issue(request: Any, pk: UUID) -> HttpResponse:
    """Make the responsible person's account; the one-time link is shown this once."""
    row = organization(request, pk)
    form = AccessForm(request.POST or None, initial=_named(row))
    context = {"row": row, "form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "onboarding/issue.html", context, status=422 if form.errors else 200)
    try:
        person, token = people.issue_access(
            row, people.Invitee(**form.cleaned_data), actor=request.actor, at=request.at
        )
    except Refused as refusal:
        return again(request, "onboarding/issue.html", context | {"refusal": words(refusal)})
    return _link(request, row, person, token)


@require_POST
def renew(request: Any, pk: UUID, member: UUID) -> HttpResponse:
    """Make a new one-time link for somebody who hasn't entered, or lost the way in."""
    row = organization(request, pk)
    membership = _member(request, row, member)
    try:
        token = people.invite_again(membership, actor=request.actor, at=request.at)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect("onboarding:show", pk=pk)
    return _link(request, row, membership.person, token)


@require_POST
def end(request: Any, pk: UUID, member: UUID) -> HttpResponse:
    """End the access; it counts from the person's next page on."""
    row = organization(request, pk)
    people.end_access(_member(request, row, member), actor=request.actor, at=request.at)
    return redirect("onboarding:show", pk=pk)


@require_POST
def restore(request: Any, pk: UUID, member: UUID) -> HttpResponse:
    """Give the access back."""
    row = organization(request, pk)
    people.restore_access(_member(request, row, member), actor=request.actor, at=request.at)
    return redirect("onboarding:show", pk=pk)


def _link(request: Any, row: Organization, person: Person, token: str) -> HttpResponse:
    return show_link(request, person, token, back=reverse("onboarding:show", args=[row.pk]))


def _member(request: Any, row: Organization, pk: UUID) -> Membership:
    rows = Membership.objects.visible_to(request.actor).filter(organization=row, role=Role.ORG_ADMIN)
    return found(rows.select_related("person", "organization").filter(pk=pk).first())


def _named(row: Organization) -> dict[str, str]:
    """Take the person's name apart as it was written: family name, given name, patronymic."""
    application = application_of(row)
    if application is None:
        return {}
    family, given, patronymic = [*application.responsible_name.split(maxsplit=2), "", "", ""][:3]
    return {
        "family": family,
        "given": given,
        "patronymic": patronymic,
        "position": application.responsible_position,
        "email": application.responsible_email,
        "phone": application.responsible_phone,
    }

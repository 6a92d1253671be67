"""The organisation's administrator: who has access, as what."""

from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import people
from konsilium.models import Membership, Organization, Person
from konsilium.web.http import again, found, words
from konsilium.web.people.forms import InviteForm
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import ROLE_LABELS, Role


class Row(NamedTuple):
    """One membership in the list."""

    pk: UUID
    name: str
    role: str
    position: str
    login: str
    state: str
    tone: str
    active: bool
    entered: bool
    me: bool


def show_list(request: Any) -> HttpResponse:
    """List the organisation's people with their roles and states."""
    rows = Membership.objects.visible_to(request.actor).filter(organization_id=request.actor.organization_id)
    rows = rows.select_related("person").order_by("-is_active", "person__family", "person__given", "role")
    return render(
        request, "people/list.html", {"rows": [_row(row, request.actor.membership_id) for row in rows]}
    )


def _row(row: Membership, mine: UUID) -> Row:
    state, tone = gettext("Invited"), "warn"
    if not row.is_active:
        state, tone = gettext("Ended"), ""
    elif row.person.has_entered:
        state, tone = gettext("Has access"), "good"
    label = gettext(ROLE_LABELS[Role(row.role)])
    person = row.person
    about = (row.pk, person.full_name, label, row.position, person.login, state, tone)
    return Row(*about, row.is_active, person.has_entered, row.pk == mine)


def invite(request: Any) -> HttpResponse:
    """Invite somebody; the one-time link is shown this once."""
    organization = Organization.objects.get(pk=request.actor.organization_id)
    form = InviteForm(request.POST or None, is_centre=organization.is_consulting)
    if request.method != "POST" or not form.is_valid():
        return render(request, "people/invite.html", {"form": form}, status=422 if form.errors else 200)
    roles = [Role(role) for role in form.cleaned_data.pop("roles")]
    invitee = people.Invitee(**form.cleaned_data)
    try:
        person, token = people.invite(
            invitee, roles=roles, organization=organization, actor=request.actor, at=request.at
        )
    except Refused as refusal:
        return again(request, "people/invite.html", {"form": form, "refusal": words(refusal)})
    return show_link(request, person, token, back=reverse("people:list"))


def show_link(request: Any, person: Person, token: str, *, back: str) -> HttpResponse:
    """Show a one-time link, this once."""
    link = settings.PUBLIC_URL + reverse("account:link", kwargs={"token": token})
    response = render(request, "people/link.html", {"invited": person, "link": link, "back": back})
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def invite_again(request: Any, pk: UUID) -> HttpResponse:
    """Make a new one-time link for somebody."""
    membership = _membership(request, pk)
    token = people.invite_again(membership, actor=request.actor, at=request.at)
    return show_link(request, membership.person, token, back=reverse("people:list"))


@require_POST
def end(request: Any, pk: UUID) -> HttpResponse:
    """End somebody's access in one role."""
    try:
        people.end_access(_membership(request, pk), actor=request.actor, at=request.at)
        messages.success(request, gettext("Access is ended; it can be given back here."))
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
    return redirect("people:list")


@require_POST
def restore(request: Any, pk: UUID) -> HttpResponse:
    """Give access back."""
    people.restore_access(_membership(request, pk), actor=request.actor, at=request.at)
    messages.success(request, gettext("Access is given back."))
    return redirect("people:list")


def _membership(request: Any, pk: UUID) -> Membership:
    rows = Membership.objects.visible_to(request.actor).filter(organization_id=request.actor.organization_id)
    return found(rows.select_related("person", "organization").filter(pk=pk).first())

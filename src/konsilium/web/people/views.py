"""The organisation's administrator: who has access, as what."""

from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import people, second_factor
from konsilium.actions.once import once
from konsilium.models import Membership, Organization, Person
from konsilium.notifications import letters
from konsilium.web.account.forms import suggestions
from konsilium.web.account.views import link_address
from konsilium.web.http import KEY_FIELD, again, fingerprint, found, words
from konsilium.web.people.forms import InviteForm, RoleForm, roles_to_give
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import ROLE_LABELS, Role


class Row(NamedTuple):
    """One person in the list."""

    url: str
    name: str
    roles: str
    position: str
    login: str
    state: str
    tone: str


def show_list(request: Any) -> HttpResponse:
    """List the organisation's people with their roles and states; those without access stand last."""
    text = request.GET.get("q", "").strip()
    rows = _memberships(request)
    if text:
        rows = rows.filter(person__family__icontains=text) | rows.filter(
            person__login__icontains=text.lower()
        )
    rows = rows.order_by("person__family", "person__given", "person_id", "role")
    grouped = [list(group) for _, group in groupby(rows, key=lambda row: row.person_id)]
    grouped.sort(key=lambda group: (not any(row.is_active for row in group), _sort_key(group[0].person)))
    context = {"rows": [_row(group) for group in grouped], "text": text}
    return render(request, "people/list.html", context)


def _memberships(request: Any) -> Any:
    rows = Membership.objects.visible_to(request.actor).filter(organization_id=request.actor.organization_id)
    return rows.select_related("person", "organization")


def _sort_key(person: Person) -> tuple[str, str]:
    """Ё stands beside Е, whatever the database thinks of it."""
    return person.family.upper().replace("Ё", "Е"), person.given


def _row(group: list[Membership]) -> Row:
    person, shown = group[0].person, [row for row in group if row.is_active] or group
    labels = ", ".join(gettext(ROLE_LABELS[Role(row.role)]) for row in shown)
    state, tone = _state(person, is_active=shown[0].is_active)
    url = reverse("people:show", args=[person.pk])
    return Row(url, person.full_name, labels, shown[0].position, person.login, state, tone)


def _state(person: Person, *, is_active: bool) -> tuple[str, str]:
    if not is_active:
        return gettext("Ended"), ""
    return (gettext("Has access"), "good") if person.has_entered else (gettext("Invited"), "warn")


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show one person of the organisation: how to reach them, their roles, and what can be done."""
    rows = list(_memberships(request).filter(person_id=pk).order_by("-is_active", "role"))
    found(rows[0] if rows else None)
    return render(request, "people/show.html", _person(request, rows, RoleForm(roles=_free_roles(rows))))


def _person(request: Any, rows: list[Membership], form: RoleForm) -> dict[str, Any]:
    person = rows[0].person
    state, tone = _state(person, is_active=any(row.is_active for row in rows))
    return {
        "one": person,
        "first": rows[0],
        "state": state,
        "tone": tone,
        "roles": [(row, gettext(ROLE_LABELS[Role(row.role)])) for row in rows],
        "active": any(row.is_active for row in rows),
        "me": person.pk == request.actor.person_id,
        "has_factor": bool(second_factor.people_with_one([person.pk])),
        "form": form if form.fields["role"].choices else None,  # type: ignore[attr-defined]
    }


def _free_roles(rows: list[Membership]) -> list[Role]:
    given = {row.role for row in rows}
    return [role for role in roles_to_give(rows[0].organization) if role not in given]


def invite(request: Any) -> HttpResponse:
    """Invite somebody; the one-time link is shown this once, so a form sent twice leads to the list."""
    organization = Organization.objects.get(pk=request.actor.organization_id)
    form = InviteForm(request.POST or None, organization=organization)
    context = {"form": form, **suggestions()}
    if request.method != "POST" or not form.is_valid():
        return render(request, "people/invite.html", context, status=422 if form.errors else 200)
    data = dict(form.cleaned_data)
    roles = [Role(role) for role in data.pop("roles")]
    key, body = request.POST.get(KEY_FIELD, "")[:64], fingerprint(request)
    try:
        with once(actor=request.actor, key=key, fingerprint=body, at=request.at) as given:
            if given.answer:
                return redirect(given.answer)
            person, token = people.invite(
                people.Invitee(**data),
                roles=roles,
                organization=organization,
                actor=request.actor,
                at=request.at,
            )
            given.answer = reverse("people:show", args=[person.pk])
    except Refused as refusal:
        return again(request, "people/invite.html", context | {"refusal": words(refusal)})
    return show_link(request, person, token, back=given.answer)


def show_link(request: Any, person: Person, token: str, *, back: str) -> HttpResponse:
    """Show a one-time link, this once, and send it where there is an address and a mail server."""
    link = link_address(token)
    mailed = letters.send_invitation(person, link, at=request.at)
    context = {"invited": person, "link": link, "back": back, "mailed": mailed}
    response = render(request, "people/link.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
def invite_again(request: Any, pk: UUID) -> HttpResponse:
    """Make a new one-time link for somebody; the earlier one ends."""
    membership = _membership(request, pk)
    try:
        token = people.invite_again(membership, actor=request.actor, at=request.at)
    except Refused as refusal:
        return _refused(request, membership, refusal)
    return show_link(
        request, membership.person, token, back=reverse("people:show", args=[membership.person_id])
    )


@require_POST
def add_role(request: Any, pk: UUID) -> HttpResponse:
    """Give somebody one more role."""
    membership = _membership(request, pk)
    form = RoleForm(request.POST, roles=roles_to_give(membership.organization))
    if not form.is_valid():
        rows = list(
            _memberships(request).filter(person_id=membership.person_id).order_by("-is_active", "role")
        )
        return again(request, "people/show.html", _person(request, rows, form))
    try:
        people.add_role(membership, Role(form.cleaned_data["role"]), actor=request.actor, at=request.at)
    except Refused as refusal:
        return _refused(request, membership, refusal)
    return _done(request, membership, gettext("The role is given."))


@require_POST
def end(request: Any, pk: UUID) -> HttpResponse:
    """End somebody's access in one role."""
    membership = _membership(request, pk)
    try:
        people.end_access(membership, actor=request.actor, at=request.at)
    except Refused as refusal:
        return _refused(request, membership, refusal)
    return _done(request, membership, gettext("Access is ended; it can be given back here."))


@require_POST
def restore(request: Any, pk: UUID) -> HttpResponse:
    """Give access back."""
    membership = _membership(request, pk)
    people.restore_access(membership, actor=request.actor, at=request.at)
    return _done(request, membership, gettext("Access is given back."))


@require_POST
def take_factor(request: Any, pk: UUID) -> HttpResponse:
    """Take the second factor of somebody away who has lost it."""
    membership = _membership(request, pk)
    try:
        people.take_second_factor(membership, actor=request.actor, at=request.at)
    except Refused as refusal:
        return _refused(request, membership, refusal)
    return _done(request, membership, gettext("The second factor is off; the person can turn a new one on."))


def _membership(request: Any, pk: UUID) -> Membership:
    row: Membership = found(_memberships(request).filter(pk=pk).first())
    return row


def _done(request: Any, membership: Membership, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("people:show", pk=membership.person_id)


def _refused(request: Any, membership: Membership, refusal: Refused) -> HttpResponse:
    rows = list(_memberships(request).filter(person_id=membership.person_id).order_by("-is_active", "role"))
    context = _person(request, rows, RoleForm(roles=_free_roles(rows)))
    return again(request, "people/show.html", context | {"refusal": words(refusal)})

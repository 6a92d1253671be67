"""A session's guests: invited and taken back by the request's people; their own door, and their room."""

from contextlib import suppress
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from konsilium.actions import guests, rooming
from konsilium.actions._step import NotThere
from konsilium.models import Session, SessionGuest
from konsilium.web.clockface import local
from konsilium.web.http import found, words
from konsilium.web.room.config import config
from konsilium.web.room.views import CSP
from konsilium.web.sessions.times import both_times
from konsilium.workflow.machine import NotNow, Refused
from konsilium.workflow.rooms import GUEST_LABELS

COOKIE = "__Host-konsilium-guest" if settings.SESSION_COOKIE_SECURE else "konsilium-guest"


class GuestForm(forms.Form):
    """Who is to come."""

    kind = forms.ChoiceField(
        label=_("As what"),
        choices=[(code, _(label)) for code, label in GUEST_LABELS.items()],
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=_("Family name and given name"), max_length=200)
    organization = forms.CharField(label=_("Organisation"), max_length=120, required=False)


def show(request: Any, pk: UUID) -> HttpResponse:
    """List a session's guests; sent a form, invite one and show the link this once."""
    row = _session(request, pk)
    form = GuestForm(request.POST or None, initial={"kind": "expert"})
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        given = guests.Invitation(data["kind"], data["name"], data["organization"])
        try:
            guest, secret = guests.invite(row, given, actor=request.actor, at=request.at)
        except Refused as refusal:
            context["refusal"] = words(refusal)
        else:
            link = request.build_absolute_uri(reverse("room:door", args=[secret]))
            context |= {"form": GuestForm(initial={"kind": "expert"}), "made": guest.name, "link": link}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or "refusal" in context else HTTPStatus.OK
    return render(request, "room/guests.html", context | _about(request, row), status=status)


def _about(request: Any, row: Session) -> dict[str, Any]:
    rows = SessionGuest.objects.filter(session=row).order_by("invited_at", "id")
    return {
        "row": row,
        "times": both_times(row, row.starts_at, request.actor) if row.starts_at else [],
        "request_url": reverse("consultation:show", args=[row.consultation_id]) + "#sessions",
        "guests": [_line(guest, request) for guest in rows],
    }


def _line(guest: SessionGuest, request: Any) -> dict[str, Any]:
    state = gettext("Invited")
    if guest.used_at:
        state = gettext("Has used the link")
    if guest.revoked_at:
        state = gettext("Taken back")
    elif guest.valid_until <= request.at:
        state = gettext("Its time is over")
    return {
        "pk": guest.pk,
        "name": guest.name,
        "about": ", ".join(
            filter(None, (gettext(GUEST_LABELS.get(guest.kind, "")), guest.organization_name))
        ),
        "by": f"{guest.invited_by}, {local(guest.invited_at, request.actor.time_zone)}",
        "state": state,
        "may_revoke": guest.revoked_at is None and guest.valid_until > request.at,
    }


@require_POST
def revoke(request: Any, pk: UUID) -> HttpResponse:
    """Take an invitation back."""
    row = _session(request, pk)
    # One that was taken back already stays so.
    with suppress(NotThere, ValueError):
        guests.revoke(row, UUID(request.POST.get("guest", "")), actor=request.actor, at=request.at)
    return redirect("room:guests", pk=pk)


def _session(request: Any, pk: UUID) -> Session:
    rows = Session.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk).first())


def arrive(request: Any, link: str) -> HttpResponse:
    """Show a guest to what they are invited; the button uses the link up, a look at the page doesn't."""
    try:
        guest = guests.invitation_of(link, at=request.at)
        if request.method != "POST":
            return render(request, "room/door.html", {"guest": guest, "is_used": guest.used_at is not None})
        guest, cookie = guests.open_door(link, at=request.at)
    except NotThere:
        return render(request, "room/door.html", {"guest": None}, status=HTTPStatus.NOT_FOUND)
    except NotNow:
        return render(
            request,
            "room/door.html",
            {"guest": guest, "is_used": True},
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    response = redirect("room:guest_room", pk=guest.session_id)
    response.set_cookie(
        COOKIE,
        cookie,
        expires=guest.valid_until,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


def guest_room(request: Any, pk: UUID) -> HttpResponse:
    """Show the room to a guest whose browser has used the link; before its time the page says when it opens."""
    guest = _guest(request, pk)
    try:
        rooming.enter_as_guest(pk, cookie_hash=guest.cookie_hash, at=request.at)
        refusal = ""
    except (NotThere, NotNow) as closed:
        refusal = gettext(str(closed) or "The room opens half an hour before the session.")
    made = config(request, pk, ticket_url=reverse("room:guest_ticket", args=[pk]))
    made |= {"name": guest.name, "organization": guest.organization_name}
    context = {"guest": guest, "config": made, "refusal": refusal}
    response = render(request, "room/guest_room.html", context)
    response._csp_update = CSP  # type: ignore[attr-defined]  # noqa: SLF001  what django-csp's decorator sets
    return response


@require_POST
def guest_ticket(request: Any, pk: UUID) -> HttpResponse:
    """Give a guest a ticket for the room's socket; else say why not."""
    guest = _guest(request, pk)
    try:
        rooming.enter_as_guest(pk, cookie_hash=guest.cookie_hash, at=request.at)
    except NotNow as refusal:
        return JsonResponse({"refused": words(refusal)}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except NotThere as missing:
        raise Http404 from missing
    word = rooming.ticket(rooming.ROOM, pk, key_hash=guest.cookie_hash, guest_id=guest.pk, at=request.at)
    return JsonResponse({"ticket": word}, headers={"Cache-Control": "no-store"})


def _guest(request: Any, pk: UUID) -> SessionGuest:
    try:
        return guests.guest_of_cookie(request.COOKIES.get(COOKIE, ""), pk, at=request.at)
    except NotThere as missing:
        raise Http404 from missing

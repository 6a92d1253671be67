"""How a session is joined otherwise than by its page: what each kind of endpoint dials, whom to ring, where it is held."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from konsilium.actions import engines
from konsilium.models import Room, Session
from konsilium.web.consultation.head import head
from konsilium.web.http import again, send_once, words
from konsilium.web.sessions.equipment import own_equipment, side_of
from konsilium.web.sessions.marking import session_of
from konsilium.web.sessions.panel import side_in_words
from konsilium.web.sessions.times import both_times
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import CENTRE_ROLES
from konsilium.workflow.session import OPEN_SESSION
from konsilium.workflow.words import Side

PAGE = "sessions/join.html"
# What an own endpoint of a kind dials; a kind that isn't here has no dial string of its own.
SAME_WAY = {"sip": "sip", "h323": "h323", "vinteo": "vinteo", "jabber": "jabber", "room": "browser"}


class OutsideForm(forms.Form):
    """An outside service's conference."""

    link = forms.URLField(label=_("Link"), max_length=500, required=False, assume_scheme="https")
    dial = forms.CharField(label=_("Number or address to dial"), max_length=200, required=False)
    pin = forms.CharField(label=_("PIN"), max_length=20, required=False)
    instructions = forms.CharField(
        label=_("What else to know"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for a way in; the operator's pattern may do with a number alone."""
        data = super().clean() or {}
        if not self.errors and not data.get("link") and not data.get("dial"):
            self.add_error("link", gettext("Enter the link, or the number to dial."))
        return data

    def clean_link(self) -> str:
        """An encrypted page, nothing else."""
        link = str(self.cleaned_data["link"])
        if link and not link.startswith("https://"):
            raise forms.ValidationError(gettext("The link begins with https://."))
        return link


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show every way into the session, and to the consulting side where it is held."""
    row = session_of(request, pk)
    return render(request, PAGE, _context(request, row, OutsideForm(None, initial=_place(row))))


@require_POST
def meet_outside(request: Any, pk: UUID) -> HttpResponse:
    """Hold the session in an outside service."""
    row = session_of(request, pk)
    form = OutsideForm(request.POST)
    if not form.is_valid():
        return again(request, PAGE, _context(request, row, form))

    def run() -> str:
        engines.meet_outside(row, form.cleaned_data, actor=request.actor, at=request.at)
        return reverse("sessions:join", args=[pk])

    return _sent(request, row, form, run)


@require_POST
def meet_inside(request: Any, pk: UUID) -> HttpResponse:
    """Hold the session in the own room again."""
    row = session_of(request, pk)

    def run() -> str:
        engines.meet_inside(row, actor=request.actor, at=request.at)
        return reverse("sessions:join", args=[pk])

    return _sent(request, row, OutsideForm(None, initial=_place(row)), run)


def _sent(request: Any, row: Session, form: OutsideForm, run: Any) -> HttpResponse:
    try:
        return send_once(request, run)
    except Refused as refusal:
        return again(request, PAGE, _context(request, row, form) | {"refusal": words(refusal)})


def _place(row: Session) -> dict[str, str]:
    room = Room.objects.filter(session=row).first()
    return {name: getattr(room, name) for name in engines.OUTSIDE} if room else {}


def _context(request: Any, row: Session, form: OutsideForm) -> dict[str, Any]:
    room = Room.objects.filter(session=row).first()
    outside = room is not None and room.engine == engines.EXTERNAL
    own = own_equipment(request.actor)
    dialled = {SAME_WAY[one.kind] for one in own}
    ways = [{"way": way, "own": way.kind in dialled} for way in engines.ways_of(room)]
    decides = bool(row.roles_of(request.actor) & set(CENTRE_ROLES)) and row.state in OPEN_SESSION
    side = side_of(row, request.actor.organization_id)
    return {
        "head": head(row.consultation, actor=request.actor, at=request.at),
        "row": row,
        "form": form,
        "outside": outside,
        "instructions": room.instructions if room and outside else "",
        "ways": sorted(ways, key=lambda one: not one["own"]),
        "calls_codecs": engines.can(room.engine if room else "", "dials"),
        "codec": row.requesting_dial if row.requesting_connection in ("sip", "jabber") else "",
        "times": both_times(row, row.starts_at, request.actor) if row.starts_at else [],
        "sides": [side_in_words(row, one) for one in sorted(Side, key=lambda one: one is side)],
        "room_url": reverse("room:show", args=[row.pk]),
        "decides": decides,
    }

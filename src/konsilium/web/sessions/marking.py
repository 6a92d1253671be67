"""Noting who took part in a session in a way that the room didn't see, on the session's record."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from konsilium.actions import attending
from konsilium.actions._step import NotThere
from konsilium.actions.attending import Presence
from konsilium.models import Session
from konsilium.web.http import again, found, send_once, words
from konsilium.web.sessions.forms import moment_field
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import SIDES, Side


class PresenceForm(forms.Form):
    """Somebody who took part in another way."""

    name = forms.CharField(label=_("Name"), max_length=310)
    organization_name = forms.CharField(label=_("Organisation"), max_length=120)
    side = forms.ChoiceField(label=_("Side"), choices=[(code, _(label)) for code, label in SIDES.items()])

    def __init__(self, data: Any, *, zone: Any, initial: dict[str, Any]) -> None:
        """Ask for the times in the reader's zone."""
        super().__init__(data, initial=initial)
        self.fields["joined_at"] = moment_field(gettext("There from"), zone)
        self.fields["left_at"] = moment_field(gettext("There until"), zone, required=False)


@require_POST
def mark(request: Any, pk: UUID) -> HttpResponse:
    """Note somebody who took part in another way."""
    row = session_of(request, pk)
    form = presence_form(request, row, request.POST)
    back = reverse("sessions:record", args=[pk])
    if form.is_valid():
        try:
            given = Presence(**form.cleaned_data)
            return send_once(request, lambda: _marked(row, given, request, back))
        except Refused as refusal:
            form.add_error(None, words(refusal))
    return again(request, "sessions/mark.html", {"form": form, "row": row, "back_url": back})


def _marked(row: Session, given: Presence, request: Any, back: str) -> str:
    attending.mark(row, given, actor=request.actor, at=request.at)
    return back


@require_POST
def unmark(request: Any, pk: UUID, attendance: UUID) -> HttpResponse:
    """Take such a note back."""
    row = session_of(request, pk)
    try:
        attending.take_back(row, attendance, actor=request.actor)
    except (Refused, NotThere) as gone:
        raise Http404 from gone
    return redirect("sessions:record", pk)


def presence_form(request: Any, row: Session, data: Any = None) -> PresenceForm:
    """Return the form of a presence; it begins with the session's own times."""
    initial = {
        "joined_at": row.began_at or row.starts_at,
        "left_at": row.ended_at,
        "side": Side.REQUESTING,
        "organization_name": row.requesting_name,
    }
    return PresenceForm(data, zone=ZoneInfo(request.actor.time_zone), initial=initial)


def session_of(request: Any, pk: UUID) -> Session:
    """Return a session that the reader may see, with its request."""
    rows = Session.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk).exclude(starts_at=None).first())

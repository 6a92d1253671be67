"""The room of a session: the page that opens its socket."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions import rooming
from konsilium.models import Session
from konsilium.web.http import found
from konsilium.web.room.config import of_a_person
from konsilium.web.sessions.times import both_times
from konsilium.workflow.machine import NotNow

# Of this page alone: frames of our own viewer beside the pictures, stills out of memory.
CSP = {"frame-src": ["'self'"], "img-src": ["data:", "blob:"], "media-src": ["blob:"]}


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show the room's page; outside of the session's time it says when the room opens."""
    rows = Session.objects.visible_to(request.actor).select_related("consultation")
    row = found(rows.filter(pk=pk).first())
    times = both_times(row, row.starts_at, request.actor) if row.starts_at else []
    context = {
        "row": row,
        "times": times,
        "request_url": reverse("consultation:show", args=[row.consultation_id]),
        "refusal": _refusal(request, row),
    }
    if not context["refusal"]:
        context["config"] = of_a_person(request, row)
    response = render(request, "room/show.html", context)
    response._csp_update = CSP  # type: ignore[attr-defined]  # noqa: SLF001  what django-csp's decorator sets
    return response


def _refusal(request: Any, row: Session) -> str:
    try:
        rooming.enter(row.pk, actor=request.actor, at=request.at)
    except NotNow as refusal:
        return gettext(refusal.message)
    return ""

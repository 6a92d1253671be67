"""The page that checks a computer, what it asks for, and what it found."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import browsertest
from konsilium.models import BrowserTest
from konsilium.web.browsertest.sheet import listed, result
from konsilium.web.browsertest.texts import TEXTS
from konsilium.web.http import found, words
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import may
from konsilium.workflow.words import N_

UNPROCESSABLE = 422


def show(request: Any) -> HttpResponse:
    """Show the check, to begin by a button, and the organisation's earlier ones."""
    context = {
        "rooms": browsertest.rooms_of(request.actor),
        "endpoint": request.GET.get("endpoint", ""),
        "kept": listed(BrowserTest.objects.visible_to(request.actor), request.actor),
        "config": {
            "relays": reverse("computer:relays"),
            "keep": reverse("computer:keep"),
            "csrf": get_token(request),
            "texts": {name: gettext(text) for name, text in TEXTS.items()},
        },
    }
    return render(request, "browsertest/show.html", context)


@require_POST
def relays(request: Any) -> HttpResponse:
    """Hand out relays to measure the line with; an empty list where there is no TURN server."""
    return _json({"servers": browsertest.relays(actor=request.actor, at=request.at)})


@require_POST
def keep(request: Any) -> HttpResponse:
    """Keep what the page found (JSON: `measured`, `computer`, `endpoint`), and say where it stands."""
    try:
        said = _said(request)
        row = browsertest.keep(
            said["measured"],
            computer=str(said.get("computer") or ""),
            endpoint_id=UUID(str(said["endpoint"])) if said.get("endpoint") else None,
            actor=request.actor,
            at=request.at,
        )
    except Refused as refusal:
        return JsonResponse({"refusal": words(refusal)}, status=UNPROCESSABLE)
    return _json({"url": reverse("computer:result", args=[row.pk])})


def _said(request: Any) -> dict[str, Any]:
    """Read a JSON body. Raises Refused."""
    unread = Refused(N_("The result of the check can't be read. Repeat it."))
    if request.content_type != "application/json":
        raise unread
    try:
        said = dict(json.loads(request.body))
        said["measured"] = dict(said["measured"])
        UUID(str(said.get("endpoint") or UUID(int=0)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise unread from wrong
    return said


def show_result(request: Any, pk: UUID) -> HttpResponse:
    """Show what a check found, what to do, and the mode it proposes."""
    rows = BrowserTest.objects.visible_to(request.actor).select_related("endpoint", "organization")
    row = found(rows.filter(pk=pk).first())
    context = result(row, request.actor) | {"checks": may(request.actor.role, "computer.check")}
    return render(request, "browsertest/result.html", context)


def _json(said: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(said)
    response.headers["Cache-Control"] = "private, no-store"
    return response

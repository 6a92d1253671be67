"""Tickets: a page that may be here asks for a word that opens its socket once."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import rooming
from konsilium.models import Endpoint, EquipmentTest, Session, stored_key
from konsilium.web.http import found
from konsilium.workflow.machine import NotNow


@require_POST
def room_ticket(request: Any, pk: UUID) -> HttpResponse:
    """Give a ticket for a session's room to somebody who may be in it now; else say why not."""
    found(Session.objects.visible_to(request.actor).filter(pk=pk).first())
    try:
        rooming.enter(pk, actor=request.actor, at=request.at)
    except NotNow as refusal:
        return JsonResponse({"refused": gettext(refusal.message)}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _given(request, rooming.ROOM, pk)


@require_POST
def test_ticket(request: Any, pk: UUID) -> HttpResponse:
    """Give a ticket for hearing of an equipment test to somebody who sees it."""
    rows = EquipmentTest.objects.filter(endpoint__in=Endpoint.objects.visible_to(request.actor))
    found(rows.filter(pk=pk).first())
    return _given(request, rooming.TEST, pk)


def _given(request: Any, subject: str, pk: UUID) -> HttpResponse:
    key = stored_key(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    word = rooming.ticket(subject, pk, key_hash=key, at=request.at)
    return JsonResponse({"ticket": word}, headers={"Cache-Control": "no-store"})

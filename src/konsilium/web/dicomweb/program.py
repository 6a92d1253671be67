"""The page that lets a DICOM program in: an address and a ticket for an hour."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from konsilium.web.clockface import local
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import case
from konsilium.web.dicomweb import ticket


def show(request: Any, pk: UUID) -> HttpResponse:
    """Say how a program reads the request's studies; asked to, make a ticket and show it this once."""
    row = case(request, pk)
    place = reverse("dicomweb:studies", args=[row.pk]).removesuffix("/studies")
    context: dict[str, Any] = {
        "head": head(row, actor=request.actor, at=request.at),
        "address": request.build_absolute_uri(place),
    }
    if request.method == "POST":
        session = request.session.stored_key
        until = request.at + timedelta(seconds=ticket.SECONDS)
        context["ticket"] = ticket.make(row.pk, actor=request.actor, session=session)
        context["until"] = local(until, request.actor.time_zone)
    response = render(request, "dicomweb/program.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response

"""Pages that a session's room may show beside the pictures: within our own frames, and nobody else's."""

from typing import Any

from csp.constants import SELF
from django.http import HttpResponse

BESIDE = "room"


def within_a_room(request: Any, response: HttpResponse) -> HttpResponse:
    """Let our own pages frame this answer when the room asked for it (`?room=…`); else leave it as it is."""
    if BESIDE in request.GET:
        response["X-Frame-Options"] = "SAMEORIGIN"
        response._csp_replace = {"frame-ancestors": [SELF]}  # type: ignore[attr-defined]  # noqa: SLF001  what django-csp's decorator sets
    return response

"""What the room's page tells its script, as one JSON object (`<script type="application/json" id="room-config">`)."""

from typing import Any
from uuid import UUID

from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext

from konsilium.models import Session, Study
from konsilium.web.gallery.items import items
from konsilium.web.room.framing import BESIDE
from konsilium.web.room.texts import TEXTS


def config(request: Any, session_id: UUID, *, ticket_url: str) -> dict[str, Any]:
    """Return the settings that everybody in a room has."""
    return {
        "session": str(session_id),
        "seatKey": f"seat-{session_id}",
        "ticketUrl": ticket_url,
        "socketUrl": request.build_absolute_uri(f"/live/room/{session_id}"),
        "csrf": get_token(request),
        "assets": {"janus": static("dist/room/janus.js")},
        "language": get_language(),
        "texts": {name: gettext(text) for name, text in TEXTS.items()},
        "things": [],
        "backUrl": "",
    }


def of_a_person(request: Any, session: Session) -> dict[str, Any]:
    """Return the settings of a room for somebody of the request: with its studies and documents to look at together."""
    made = config(request, session.pk, ticket_url=reverse("room:ticket", args=[session.pk]))
    return made | {
        "name": request.actor.name,
        "organization": request.actor.organization_name,
        "backUrl": reverse("consultation:show", args=[session.consultation_id]) + "#sessions",
        "things": [*_studies(session), *_documents(request, session)],
        "codec": session.requesting_dial if session.requesting_connection == "sip" else "",
    }


def _studies(session: Session) -> list[dict[str, str]]:
    rows = Study.objects.filter(consultation_id=session.consultation_id).order_by("study_date", "id")
    return [
        {
            "key": f"study:{row.pk}",
            "name": row.description or gettext("Study"),
            "url": reverse("viewer:show", args=[session.consultation_id, row.pk]) + f"?{BESIDE}={session.pk}",
        }
        for row in rows
    ]


def _documents(request: Any, session: Session) -> list[dict[str, str]]:
    there = items(session.consultation, actor=request.actor, at=request.at)
    return [
        {"key": f"document:{one.pk}", "name": f"{one.kind}: {one.name}", "url": _beside(one.url, session.pk)}
        for one in there
    ]


def _beside(url: str, session_id: UUID) -> str:
    address, _, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{BESIDE}={session_id}" + (f"#{fragment}" if fragment else "")

"""The page of a session's recording: its tracks for whoever was given them, and the consultant's list of listeners."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import hearing
from konsilium.actions._record import record_viewing
from konsilium.actions._step import NotThere
from konsilium.adapters.ciphering import NotGenuine
from konsilium.adapters.sealing import NotOpened
from konsilium.adapters.storage import NotStored, StoreUnreachable
from konsilium.models import Recording, RecordingAccess, Room, Session
from konsilium.web.clockface import local
from konsilium.web.consultation.head import head
from konsilium.web.http import found, new_key, send_once, words
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor, Role

_RANGE = re.compile(r"bytes=(\d+)-(\d*)$")
_HEADERS = (
    ("Content-Disposition", "inline"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Accept-Ranges", "bytes"),
    ("Cache-Control", "private, no-store"),
    # A compressing middleware would read the whole stream.
    ("Content-Encoding", "identity"),
)
_TYPES = {"audio": "audio/webm", "video": "video/webm"}


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show the tracks that were given to the reader, who else may listen, and for the consultant to whom to give it."""
    session = _session(request, pk)
    actor: Actor = request.actor
    room = Room.objects.filter(session=session).first()
    gives = Role.CONSULTANT in session.roles_of(actor)
    record_viewing(session.consultation, "session", session.pk, actor=actor, at=request.at)
    context = {
        "head": head(session.consultation, actor=actor, at=request.at),
        "session": session,
        "when": local(session.starts_at, actor.time_zone) if session.starts_at else "",
        "is_running": room is not None and room.is_recorded,
        "tracks": [_shown(track, actor) for track in hearing.tracks(session, actor=actor)],
        "listeners": [_listener(access, request) for access in _accesses(session)],
        "gives": gives,
        "givable": sorted(hearing.givable(session).items(), key=lambda one: one[1]) if gives else [],
        "once_key": new_key(),
    }
    return render(request, "recordings/show.html", context)


def _session(request: Any, pk: UUID) -> Session:
    rows = Session.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk).first())


def _shown(track: Recording, actor: Actor) -> dict[str, Any]:
    lasts = (track.ended_at - track.began_at).total_seconds() if track.ended_at else 0
    return {
        "label": track.label,
        "kind": track.kind,
        "began": local(track.began_at, actor.time_zone),
        "minutes": f"{int(lasts) // 60}:{int(lasts) % 60:02}",
        "is_lost": track.state == "failed",
        "delete_on": track.delete_on,
        "url": reverse("recordings:sound", args=[track.pk]),
    }


def _accesses(session: Session) -> Any:
    return RecordingAccess.objects.filter(session=session).order_by("person_name", "id")


def _listener(access: RecordingAccess, request: Any) -> dict[str, Any]:
    return {
        "person": access.person_id,
        "name": access.person_name,
        "until": local(access.until, request.actor.time_zone),
        "is_over": access.until <= request.at,
    }


@require_POST
def give(request: Any, pk: UUID) -> HttpResponse:
    """Let somebody who was in the session listen."""
    return _change(request, pk, hearing.give, gettext("They may listen for two weeks."))


@require_POST
def take_back(request: Any, pk: UUID) -> HttpResponse:
    """End somebody's listening."""
    return _change(request, pk, hearing.take_back, gettext("They may listen no more."))


def _change(request: Any, pk: UUID, verb: Callable[..., object], done: str) -> HttpResponse:
    session = _session(request, pk)
    address = reverse("recordings:show", args=[pk])

    def run() -> str:
        verb(session, _person(request), actor=request.actor, at=request.at)
        messages.success(request, done)
        return address

    try:
        return send_once(request, run)
    except NotThere:
        messages.error(request, gettext("Choose somebody who was in the session."), extra_tags="bad")
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
    return redirect(address)


def _person(request: Any) -> UUID:
    try:
        return UUID(request.POST.get("person", ""))
    except ValueError:
        raise NotThere from None


def sound(request: Any, pk: UUID) -> HttpResponseBase:
    """Play a track that was given to the reader, whole or a part of it, and write that down. Never to be saved by a cache."""
    rows = Recording.objects.select_related("session__consultation").filter(pk=pk, state="kept")
    track = found(rows.first())
    start, length, status = _wanted(request.headers.get("Range", ""), track.size)
    try:
        chunks = hearing.sound(track, start=start, length=length)
    except (NotStored, NotOpened, NotGenuine, StoreUnreachable):
        text = gettext("This recording can't be opened. Tell the administrator.")
        return HttpResponse(text, status=410, content_type="text/plain; charset=utf-8")
    hearing.note_hearing(track, actor=request.actor, at=request.at)
    response = StreamingHttpResponse(chunks, status=status, content_type=_TYPES[track.kind])
    for name, value in (*_HEADERS, ("Content-Length", str(length))):
        response.headers[name] = value
    if status == 206:  # noqa: PLR2004
        response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{track.size}"
    return response


def _wanted(header: str, size: int) -> tuple[int, int, int]:
    """Return where to begin, how many bytes, and the status, of a range that makes sense; else the whole."""
    match = _RANGE.match(header)
    if not match or int(match[1]) >= size:
        return 0, size, 200
    start = int(match[1])
    end = min(int(match[2]), size - 1) if match[2] else size - 1
    return (start, end - start + 1, 206) if end >= start else (0, size, 200)

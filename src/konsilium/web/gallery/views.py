"""The gallery of a request, the bytes it shows, and the names of photographs' views."""

import json
from typing import Any
from uuid import UUID

from csp.constants import SELF
from django.contrib import messages
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import imaging_choices
from konsilium.actions._record import record_viewing
from konsilium.actions._step import NotThere
from konsilium.models import Derived, Document
from konsilium.web.consultation.moving import case
from konsilium.web.documents.handing_out import inline
from konsilium.web.gallery.items import FILM, PAPER, PHOTO, SURFACE, Item, facts_of, items, look_address
from konsilium.web.gallery.looking import (
    ORIGINAL,
    QUARTER,
    SHOWN_COPIES,
    SHOWN_ORIGINALS,
    THUMBNAIL,
    Looked,
    read,
)
from konsilium.web.gallery.protocol import cards, choices
from konsilium.web.http import found, words
from konsilium.web.room.framing import within_a_room
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.machine import Refused

# Files that pdf.js asks for by name while it draws; the build puts them there.
PAPER_FILES = "dist/pdf"
# Of this page alone: films, and the worker that reads a PDF.
CSP = {"media-src": [SELF], "worker-src": [SELF]}


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show one document large, the others as a strip, and the photo protocol; log which one was looked at."""
    row = case(request, pk)
    there = items(row, actor=request.actor, at=request.at)
    number = _wanted(request.GET.get("at", ""), there)
    item = there[number] if there else None
    if item is not None and row.state != State.DRAFT:
        record_viewing(row, "document", item.pk, actor=request.actor, at=request.at)
    context = {
        "row": row,
        "is_draft": row.state == State.DRAFT,
        "items": there,
        "shown": item,
        "number": number + 1,
        "previous": there[number - 1].url if item and number > 0 else "",
        "next": there[number + 1].url if item and number + 1 < len(there) else "",
        "parts": cards(row, there),
        "choices": choices(item, row, request.actor) if item and row.state not in FINAL else [],
        **(_large(request, item) if item else {}),
    }
    response = render(request, "gallery/show.html", context)
    response._csp_update = CSP  # type: ignore[attr-defined]  # noqa: SLF001  what django-csp's decorator sets
    return within_a_room(request, response)


def _wanted(text: str, there: list[Item]) -> int:
    """Return the number of the wanted document in the strip; the first one when it isn't there."""
    return next((number for number, item in enumerate(there) if str(item.pk) == text), 0)


def _large(request: Any, item: Item) -> dict[str, Any]:
    """Return what the large picture needs: which page, which script, and what is known of a surface."""
    page = min(max(_number(request.GET.get("page", "")), 1), max(len(item.pages), 1))
    return {
        "source": item.pages[page - 1] if item.pages else "",
        "page": page,
        "pages": [(one, f"{item.url}&page={one}") for one in range(1, len(item.pages) + 1)],
        "is_photo": item.how == PHOTO,
        "is_paper": item.how == PAPER,
        "is_film": item.how == FILM,
        "is_surface": item.how == SURFACE,
        "paper_files": json.dumps(_paper_files()) if item.how == PAPER else "",
        "triangles": facts_of(item.document).get("triangles", ""),
    }


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 5 else 1  # noqa: PLR2004


def _paper_files() -> dict[str, str]:
    """Return under which hashed address each of pdf.js' own files is kept for good."""
    hashed = getattr(staticfiles_storage, "hashed_files", {})
    return {
        name.rpartition("/")[2]: staticfiles_storage.url(name)
        for name in hashed
        if name.startswith(f"{PAPER_FILES}/")
    }


def looking(request: Any, ticket: str) -> HttpResponseBase:
    """Show the bytes behind a short-lived address to the person it was made for, and log it (but for thumbnails)."""
    wanted = found(read(ticket, actor=request.actor, at=request.at))
    shown = (DocumentState.AVAILABLE, DocumentState.SUPERSEDED)
    rows = Document.objects.handed_to(request.actor).select_related("consultation")
    document = found(rows.filter(pk=wanted.document, state__in=shown).first())
    sha256, size, media_type = _bytes(document, wanted)
    if wanted.purpose != THUMBNAIL and document.consultation.state != State.DRAFT:
        record_viewing(document.consultation, "document", document.pk, actor=request.actor, at=request.at)
    return inline(request, sha256, size, media_type, seconds=QUARTER)


def _bytes(document: Document, wanted: Looked) -> tuple[str, int, str]:
    if wanted.purpose == ORIGINAL and document.media_type in SHOWN_ORIGINALS:
        return document.sha256, document.size, document.media_type
    copy = Derived.objects.filter(document=document, purpose=wanted.purpose).first()
    if copy is None or copy.media_type not in SHOWN_COPIES:
        raise Http404
    return copy.sha256, copy.size, copy.media_type


@require_POST
def name_view(request: Any, pk: UUID) -> HttpResponse:
    """Say which view of the protocol a photograph is."""
    rows = Document.objects.visible_to(request.actor).select_related("consultation")
    document = found(rows.filter(pk=pk).first())
    try:
        view = request.POST.get("view", "")
        imaging_choices.name_view(document, view, actor=request.actor, at=request.at)
        messages.success(request, gettext("Saved."))
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
    except NotThere as gone:
        raise Http404 from gone
    return redirect(
        look_address(document.consultation, document)
        or reverse("gallery:show", args=[document.consultation_id])
    )

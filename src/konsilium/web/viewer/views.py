"""The viewer's page, the previews it begins with, the marks drawn there, and the key images taken."""

import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import documents, marking
from konsilium.actions._step import NotThere
from konsilium.actions.marking import BadMark, Drawing, Slice
from konsilium.adapters.storage import NotKept, NotStored
from konsilium.models import Consultation, Mark, Series, Study
from konsilium.web.consultation.head import head
from konsilium.web.dicomweb import finding
from konsilium.web.dicomweb.answers import GONE, Piece, kept, refused, sent, unchanged
from konsilium.web.documents.views import LEFT_OUT, why_left_out
from konsilium.web.http import found, words
from konsilium.web.room.framing import within_a_room
from konsilium.web.viewer.config import config, mark_of, marks_of
from konsilium.web.viewer.links import way_back
from konsilium.workflow.machine import Refused

LARGEST_PICTURE = 20 * 1024 * 1024
# What a preview may be: nothing that a browser would run.
SHOWN = ("image/webp", "image/png", "image/jpeg", "application/json")
UNPROCESSABLE = 422
# Of this page alone: decoders run as WebAssembly in workers made of blobs, and pictures are drawn from memory.
CSP = {
    "script-src": ["'wasm-unsafe-eval'"],
    "worker-src": ["'self'", "blob:"],
    "img-src": ["blob:", "data:"],
}


def show(request: Any, pk: UUID, study: UUID) -> HttpResponse:
    """Show the viewer of a study, and log that it was looked at."""
    row = found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    shown = finding.series(request.actor, pk).filter(study_id=study).select_related("study")
    rows = list(shown.order_by("number", "id"))
    if not rows:
        raise Http404
    its = found(Study.objects.filter(consultation=row, pk=study).first())
    finding.remember(row, its.pk, actor=request.actor, at=request.at)
    context = {
        "row": row,
        "head": head(row, actor=request.actor, at=request.at),
        "study": its,
        "series": rows,
        "config": config(request, row, its, rows),
    }
    response = render(request, "viewer/show.html", context)
    response._csp_update = CSP  # type: ignore[attr-defined]  # noqa: SLF001  what django-csp's decorator sets
    return within_a_room(request, response)


def preview(request: Any, pk: UUID, name: str) -> HttpResponseBase:
    """Show a preview of a series inside a page."""
    rows = Series.objects.visible_to(request.actor).select_related("consultation")
    row = found(rows.filter(pk=pk).first())
    copy = row.previews.get(name)
    if copy is None or copy.get("media_type") not in SHOWN:
        raise Http404
    finding.remember_all(request, [row])
    piece = Piece(copy["sha256"], 0, copy["size"], copy["media_type"])
    try:
        answer = unchanged(request, copy["sha256"]) or sent([piece], piece.content_type, is_multipart=False)
    except NotStored:
        return refused(503, GONE)
    return kept(request, answer, copy["sha256"])


def marks(request: Any, pk: UUID) -> HttpResponse:
    """List the marks of a request; sent one, keep it."""
    row = found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    if request.method != "POST":
        return _json({"marks": marks_of(row, request.actor)})
    return _kept(request, lambda: marking.add(row, _drawing(request), actor=request.actor, at=request.at))


@require_POST
def change_mark(request: Any, pk: UUID) -> HttpResponse:
    """Keep a new edition of an own mark."""
    mark = _mark(request, pk)
    return _kept(request, lambda: marking.change(mark, _drawing(request), actor=request.actor, at=request.at))


@require_POST
def remove_mark(request: Any, pk: UUID) -> HttpResponse:
    """Take an own mark back."""
    mark = _mark(request, pk)
    try:
        marking.remove(mark, actor=request.actor, at=request.at)
    except Refused as refusal:
        return _refusal(refusal)
    return _json({"removed": str(mark.pk)})


def _mark(request: Any, pk: UUID) -> Mark:
    return found(Mark.objects.visible_to(request.actor).select_related("consultation").filter(pk=pk).first())


def _kept(request: Any, keep: Any) -> HttpResponse:
    try:
        return _json({"mark": mark_of(keep(), request.actor)})
    except Refused as refusal:
        return _refusal(refusal)
    except NotThere as gone:
        raise Http404 from gone


def _drawing(request: Any) -> Drawing:
    """Read a mark out of a JSON body. Raises BadMark."""
    if request.content_type != "application/json":
        raise BadMark
    try:
        said = json.loads(request.body)
        return Drawing(
            kind=str(said["kind"]),
            data=said["data"],
            text=str(said.get("text") or ""),
            series_id=_key(said.get("series")),
            document_id=_key(said.get("document")),
            sop_uid=str(said.get("instance") or ""),
            frame=int(said.get("frame") or 1),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as wrong:
        raise BadMark from wrong


def _key(text: Any) -> UUID | None:
    return UUID(str(text)) if text else None


@require_POST
def keep_image(request: Any, pk: UUID) -> HttpResponse:
    """Keep a picture of a slice (form fields `image`, `series`, `instance`, `frame`, `view`) as a document.

    With `text` it goes into the thread at once, with the way back to the slice.
    """
    row = found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    who = {"actor": request.actor, "at": request.at}
    text = request.POST.get("text", "")
    try:
        key = marking.keep_image(row, _slice(request), _picture(request), text=text, **who)
    except Refused as refusal:
        return _refusal(refusal)
    except NotThere as gone:
        raise Http404 from gone
    return _json({"image": str(key.pk), "document": str(key.document_id), "back": way_back(key)})


def _slice(request: Any) -> Slice:
    said = request.POST
    try:
        return Slice(
            series_id=UUID(said.get("series", "")),
            sop_uid=said.get("instance", ""),
            frame=int(said.get("frame") or 1),
            view=json.loads(said.get("view") or "{}"),
        )
    except (ValueError, RecursionError) as wrong:
        raise BadMark from wrong


def _picture(request: Any) -> documents.Upload:
    """Store the picture that came along. Raises BadMark without one, and Refused with words for its size."""
    file = request.FILES.get("image")
    if file is None:
        raise BadMark
    name = gettext("Key image")
    try:
        return documents.Upload(documents.store().receive(file.chunks(), LARGEST_PICTURE), name)
    except NotKept as trouble:
        raise Refused(LEFT_OUT[why_left_out(trouble)], params={"name": name}) from trouble


def _json(said: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(said)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _refusal(refusal: Refused) -> JsonResponse:
    return JsonResponse({"refusal": words(refusal)}, status=UNPROCESSABLE)

"""Photographing the signed paper, with a phone first: several sheets, turned and ordered, sent as one scan."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions import concluding, scanning_paper
from konsilium.actions._step import NotThere
from konsilium.actions.paper_codes import present_code
from konsilium.actions.scanning_paper import NotCompared, Photo
from konsilium.models import Conclusion
from konsilium.web.consultation.moving import case
from konsilium.web.http import again, found, new_key, send_once, words
from konsilium.workflow.machine import Refused

TEMPLATE = "scanning/scan.html"
# The chosen photographs are shown before they are sent.
CSP = {"img-src": ["blob:"]}


def scan(request: Any, pk: UUID) -> HttpResponse:
    """Show where the paper is photographed; sent, join the photographs and lay them to the draft."""
    row = case(request, pk)
    try:
        draft = concluding.paper_of(row, actor=request.actor, at=request.at).draft
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect("consultation:show", pk)
    draft = found(Conclusion.objects.filter(pk=draft.pk, placed_at=None).first())
    if request.method == "POST":
        return _sent(request, draft)
    return _seen(render(request, TEMPLATE, _context(draft)))


def _sent(request: Any, draft: Conclusion) -> HttpResponse:
    photos = _photos(request)
    compared = bool(request.POST.get("compared"))

    def run() -> str:
        scanning_paper.lay(draft, photos, compared=compared, actor=request.actor, at=request.at)
        return reverse("consulting:write", args=[draft.consultation_id])

    try:
        response = send_once(request, run)
    except Refused as refusal:
        context = _context(draft) | {"refusal": words(refusal), "compares": isinstance(refusal, NotCompared)}
        return _seen(again(request, TEMPLATE, context))
    except NotThere as gone:
        raise Http404 from gone
    messages.success(request, gettext("The scan is joined and laid to the conclusion."))
    return response


def _photos(request: Any) -> list[Photo]:
    turns = request.POST.get("turns", "").split(",")
    files = request.FILES.getlist("photos")
    return [
        Photo(file.name or "", file.chunks(), file.size or 0, _quarters(turns, number))
        for number, file in enumerate(files)
    ]


def _quarters(turns: list[str], number: int) -> int:
    given = turns[number] if number < len(turns) else ""
    return int(given) % scanning_paper.QUARTERS if given.isdecimal() and len(given) == 1 else 0


def _seen(response: HttpResponse) -> HttpResponse:
    response._csp_update = CSP  # type: ignore[attr-defined]  # noqa: SLF001  what django-csp's decorator sets
    return response


def _context(draft: Conclusion) -> dict[str, Any]:
    return {
        "draft": draft,
        "number": draft.consultation.number,
        "back": reverse("consulting:write", args=[draft.consultation_id]),
        "code": present_code(draft),
        "most": scanning_paper.MOST,
        "once_key": new_key(),
    }

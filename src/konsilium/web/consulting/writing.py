"""Writing a conclusion, keeping it while it is written, placing it, and throwing a draft away."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import concluding, documents, printing
from konsilium.actions._step import NotThere
from konsilium.actions.concluding import Paper
from konsilium.actions.paper_codes import MATCH_LABELS, SAID, match_of_scan
from konsilium.models import Conclusion, Consultation, Document
from konsilium.web.clockface import local
from konsilium.web.consultation.head import head
from konsilium.web.consultation.moving import case
from konsilium.web.consultation.sheet import sheet
from konsilium.web.consulting.forms import ConclusionForm
from konsilium.web.consulting.placed import attended
from konsilium.web.documents.views import take
from konsilium.web.http import again, found, new_key, seen_version, send_once, words
from konsilium.web.signing.panel import of_conclusion
from konsilium.workflow.consultation import State
from konsilium.workflow.document import DOCUMENT_STATE_LABELS, DocumentState
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import CONCLUSION_SCAN

TEMPLATE, FRAGMENT = "consulting/write.html", "consulting/_saved.html"


def write(request: Any, pk: UUID) -> HttpResponse:
    """Show the conclusion's form; sent, keep what was written, and place it when that was asked."""
    row = case(request, pk)
    try:
        paper = concluding.paper_of(row, actor=request.actor, at=request.at)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect("consultation:show", pk)
    form = ConclusionForm(request.POST or None, paper)
    if request.method != "POST":
        return render(request, TEMPLATE, _context(request, row, paper, form))
    if not form.is_valid():
        return again(request, TEMPLATE, _context(request, row, paper, form))
    return _keep(request, row, paper, form)


def _keep(request: Any, row: Consultation, paper: Paper, form: ConclusionForm) -> HttpResponse:
    """Keep what was written; what could not be done beyond that is said on the page, and the words stay kept."""
    troubles: list[str] = []
    wants_placing = request.POST.get("go") == "place"

    def run() -> str:
        draft = _save(request, row, form)
        troubles.extend(_change_scans(request, row, draft))
        if not wants_placing or troubles:
            return str(request.path)
        troubles.extend(_place(request, row))
        return str(request.path) if troubles else reverse("consultation:show", args=[row.pk])

    try:
        response = send_once(request, run)
    except Refused as refusal:
        context = _context(request, row, paper, form) | {"refusal": words(refusal), "once_key": new_key()}
        return again(request, TEMPLATE, context)
    except NotThere as gone:
        raise Http404 from gone
    if troubles:
        return _kept_but(request, row, troubles)
    messages.success(request, gettext("The conclusion is placed.") if wants_placing else gettext("Saved."))
    return response


def _save(request: Any, row: Consultation, form: ConclusionForm) -> Conclusion:
    draft = concluding.draft_of(row, actor=request.actor, at=request.at)
    return concluding.save_draft(
        draft,
        form.values(),
        form.written(),
        form.given_parts(),
        actor=request.actor,
        at=request.at,
        version=_draft_version(request),
    )


def _draft_version(request: Any) -> int | None:
    seen = request.POST.get("draft_version", "")
    return int(seen) if seen.isdecimal() else None


def _change_scans(request: Any, row: Consultation, draft: Conclusion) -> list[str]:
    """Take away the scans that were ticked for it, take the new ones; return what was refused."""
    refused = []
    wanted = [pk for pk in request.POST.getlist("remove_scan") if _is_id(pk)]
    for scan in Document.objects.filter(conclusion=draft, kind=CONCLUSION_SCAN, pk__in=wanted):
        documents.remove(scan, actor=request.actor, at=request.at)
    for file in request.FILES.getlist("files"):
        try:
            take(request, row, file, kind=CONCLUSION_SCAN, conclusion=draft)
        except Refused as refusal:
            refused.append(f"{file.name}: {words(refusal)}")
    return refused


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _place(request: Any, row: Consultation) -> list[str]:
    """Place the conclusion; return why it could not be."""
    action = concluding.correct if row.state == State.COMPLETED else concluding.place
    try:
        action(row, actor=request.actor, at=request.at, version=seen_version(request))
    except Refused as refusal:
        return [words(refusal)]
    return []


def _kept_but(request: Any, row: Consultation, troubles: list[str]) -> HttpResponse:
    paper = concluding.paper_of(row, actor=request.actor, at=request.at)
    context = _context(request, row, paper, ConclusionForm(None, paper))
    kept = gettext("What was written is saved, but: %(why)s") % {"why": " ".join(troubles)}
    return again(request, TEMPLATE, context | {"refusal": kept, "once_key": new_key()})


@require_POST
def preview(request: Any, pk: UUID) -> HttpResponse:
    """Keep what was written, and lead to its print form."""
    row = found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    try:
        paper = concluding.paper_of(row, actor=request.actor, at=request.at)
        form = ConclusionForm(request.POST, paper)
        if not form.is_valid():
            return again(request, TEMPLATE, _context(request, row, paper, form))
        draft = _save(request, row, form)
        made = printing.ask("conclusion", draft.pk, actor=request.actor, at=request.at)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect("consulting:write", pk)
    except NotThere as gone:
        raise Http404 from gone
    return redirect("printing:show", made.pk)


@require_POST
def autosave(request: Any, pk: UUID) -> HttpResponse:
    """Keep what is right of what was written so far, and say so; nothing is kept over another window's words."""
    row = found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    try:
        paper = concluding.paper_of(row, actor=request.actor, at=request.at)
        form = ConclusionForm(request.POST, paper)
        form.is_valid()
        draft = _save(request, row, form)
    except Refused as refusal:
        context = {"not_saved": words(refusal), "draft_version": request.POST.get("draft_version", "")}
        return again(request, FRAGMENT, context)
    except NotThere as gone:
        raise Http404 from gone
    return render(request, FRAGMENT, _saved(draft, request))


@require_POST
def discard(request: Any, pk: UUID) -> HttpResponse:
    """Throw a draft away with its scans."""
    row = found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    draft = found(Conclusion.objects.filter(consultation=row, placed_at=None).first())
    try:
        concluding.discard(draft, actor=request.actor, at=request.at)
        messages.success(request, gettext("The draft is thrown away."))
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
    return redirect("consultation:show", row.pk)


def _context(request: Any, row: Consultation, paper: Paper, form: ConclusionForm) -> dict[str, Any]:
    is_begun = not paper.draft._state.adding  # noqa: SLF001  Django's own word for "not saved yet"
    return {
        "head": head(row, actor=request.actor, at=request.at),
        "row": row,
        "form": form,
        "draft": paper.draft,
        "is_begun": is_begun,
        "scans": _scans(request, paper.draft),
        "signed": of_conclusion(paper.draft, actor=request.actor) if is_begun else None,
        "attended": attended(row, request.actor),
        "sheet": [section for section in sheet(row) if section.prose],
        **_saved(paper.draft, request),
        "saved_at": local(paper.draft.updated_at, request.actor.time_zone) if is_begun else "",
    }


def _saved(draft: Conclusion, request: Any) -> dict[str, Any]:
    return {
        "draft_version": draft.version,
        "saved_at": local(draft.updated_at, request.actor.time_zone),
        "lacking": [gettext(label) for label in concluding.lacking(draft)],
    }


def _scans(request: Any, draft: Conclusion) -> list[dict[str, Any]]:
    rows = Document.objects.filter(conclusion=draft, kind=CONCLUSION_SCAN)
    return [
        {
            "pk": scan.pk,
            "name": scan.file_name,
            "state": gettext(DOCUMENT_STATE_LABELS[DocumentState(scan.state)]),
            "is_available": scan.state == DocumentState.AVAILABLE,
            "refusal": scan.refusal,
            "match": gettext(MATCH_LABELS[match]) if (match := match_of_scan(scan, draft)) in SAID else "",
            "own": scan.author_id == request.actor.person_id,
            "author": scan.author_name,
        }
        for scan in rows.exclude(state=DocumentState.REMOVED)
    ]

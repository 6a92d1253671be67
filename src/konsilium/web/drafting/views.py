"""Writing a request, looking at it before it goes, and its receipt."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import drafting
from konsilium.actions._step import NotThere
from konsilium.models import Consultation, Organization, Term
from konsilium.web.clockface import age, local, span, zone_label
from konsilium.web.consultation.sheet import sheet
from konsilium.web.documents.panel import panel as documents_panel
from konsilium.web.drafting.forms import RequestForm
from konsilium.web.http import again, found, new_key, seen_version, send_once, words
from konsilium.web.studies.panel import panel as studies_panel
from konsilium.web.studies.patient import mismatches
from konsilium.workflow.completeness import Lack
from konsilium.workflow.consultation import State
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import DOCUMENT_KINDS


@require_POST
def begin(request: Any) -> HttpResponse:
    """Begin a draft and open its form."""

    def run() -> str:
        return reverse("drafting:edit", args=[drafting.begin(actor=request.actor, at=request.at).pk])

    return send_once(request, run)


def edit(request: Any, pk: UUID) -> HttpResponse:
    """Show the form; sent, keep what was written, and stay, go on to the check, or add a question's row."""
    row = _row(request, pk)
    if row.state not in (State.DRAFT, State.CLARIFICATION):
        return redirect("consultation:show", pk)
    questions = list(row.questions.values_list("text", flat=True))
    form = RequestForm(request.POST or None, row, questions)
    if request.method != "POST":
        return render(request, "drafting/edit.html", _context(request, row, form))
    if not form.is_valid():
        # Another window may have saved meanwhile: the corrected form must still be told so.
        row.version = seen_version(request) or row.version
        return again(request, "drafting/edit.html", _context(request, row, form))

    def run() -> str:
        asked = request.POST.getlist("question")
        version = seen_version(request)
        drafting.save(row, form.cleaned_data, asked, actor=request.actor, at=request.at, version=version)
        return _next(request, row)

    try:
        return send_once(request, run)
    except Refused as refusal:
        context = _context(request, row, form) | {"refusal": words(refusal), "once_key": new_key()}
        return again(request, "drafting/edit.html", context)
    except NotThere as gone:
        raise Http404 from gone


def _next(request: Any, row: Consultation) -> str:
    go = request.POST.get("go", "")
    if go == "send":
        return reverse("drafting:send" if row.state == State.DRAFT else "consultation:show", args=[row.pk])
    messages.success(request, gettext("Saved."))
    return reverse("drafting:edit", args=[row.pk]) + ("#questions" if go == "question" else "")


def _context(request: Any, row: Consultation, form: RequestForm) -> dict[str, Any]:
    roles = row.roles_of(request.actor)
    return {
        "row": row,
        "form": form,
        "missing": missing_items(drafting.missing(row, actor=request.actor, at=request.at)),
        "documents": documents_panel(row, actor=request.actor, at=request.at, roles=roles),
        "studies": studies_panel(row, actor=request.actor, at=request.at, roles=roles),
        "age": age(row.patient_birth_date, request.at.date()),
        "is_draft": row.state == State.DRAFT,
    }


def missing_items(lacks: tuple[Lack, ...]) -> list[dict[str, str]]:
    """Return what is missing in words, each with the place in the form it belongs to."""
    ids = {
        "profile": "profile_id",
        "named_centre": "named_centre_id",
        "questions": "questions",
        "documents": "documents",
    }
    places = {
        name: name if name in ("questions", "documents") else f"field-{field}" for name, field in ids.items()
    }
    return [{"label": _label(lack), "place": places.get(lack.field, f"field-{lack.field}")} for lack in lacks]


def _label(lack: Lack) -> str:
    if not lack.kinds:
        return gettext(lack.label)
    return gettext(" or ").join(gettext(DOCUMENT_KINDS[kind]) for kind in lack.kinds)


def send(request: Any, pk: UUID) -> HttpResponse:
    """Show what goes to whom and what is missing; sent, hand it to the centre and show the receipt."""
    row = _row(request, pk)
    if row.state != State.DRAFT:
        return redirect("drafting:receipt" if request.method == "POST" else "consultation:show", pk)
    context = _sending(request, row)
    if request.method != "POST":
        return render(request, "drafting/send.html", context)

    def run() -> str:
        drafting.submit(row, actor=request.actor, at=request.at, version=seen_version(request))
        return reverse("drafting:receipt", args=[row.pk])

    try:
        return send_once(request, run)
    except Refused as refusal:
        return again(
            request, "drafting/send.html", context | {"refusal": words(refusal), "once_key": new_key()}
        )
    except NotThere as gone:
        raise Http404 from gone


def _sending(request: Any, row: Consultation) -> dict[str, Any]:
    lacks = drafting.missing(row, actor=request.actor, at=request.at)
    centre = Organization.objects.filter(pk=row.named_centre_id).first() if row.named_centre_id else None
    term = (
        Term.objects.of(centre_id=centre.pk, profile_id=row.profile_id, urgency=row.urgency)
        if centre and row.profile_id
        else None
    )
    return {
        "row": row,
        "missing": missing_items(lacks),
        "may_send": drafting.may_send(row, actor=request.actor, at=request.at),
        "centre": centre,
        "term": span(term) if term else "",
        "sheet": sheet(row),
        "questions": list(row.questions.values_list("number", "text")),
        "documents": documents_panel(row, actor=request.actor, at=request.at, roles=frozenset()),
        "studies": studies_panel(row, actor=request.actor, at=request.at, roles=frozenset()),
        "mismatches": mismatches(row, actor=request.actor),
    }


def receipt(request: Any, pk: UUID) -> HttpResponse:
    """Show that the request arrived: its number, when, by when it is answered, what comes next."""
    row = _row(request, pk)
    if row.submitted_at is None:
        return redirect("drafting:edit", pk)
    zones = (row.requesting_time_zone, row.centre_time_zone)
    context = {
        "row": row,
        "sent": [f"{local(row.submitted_at, name)} {zone_label(name, row.submitted_at)}" for name in zones],
        "due": [f"{local(row.due_at, name)} {zone_label(name, row.submitted_at)}" for name in zones],
    }
    return render(request, "drafting/receipt.html", context)


@require_POST
def delete(request: Any, pk: UUID) -> HttpResponse:
    """Delete a draft."""
    row = _row(request, pk)
    try:
        drafting.delete_draft(row, actor=request.actor, at=request.at)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect("consultation:show", pk)
    messages.success(request, gettext("Draft %(number)s is deleted.") % {"number": row.number})
    return redirect("requests:list")


@require_POST
def copy(request: Any, pk: UUID) -> HttpResponse:
    """Begin a new draft from a rejected or withdrawn request."""
    row = _row(request, pk)

    def run() -> str:
        return reverse("drafting:edit", args=[drafting.copy(row, actor=request.actor, at=request.at).pk])

    try:
        return send_once(request, run)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect("consultation:show", pk)


def _row(request: Any, pk: UUID) -> Consultation:
    rows = Consultation.objects.visible_to(request.actor).select_related("profile")
    return found(rows.filter(pk=pk).first())

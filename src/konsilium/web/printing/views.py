"""Asking for a print form, waiting until the worker has made it, and reading it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import printing
from konsilium.actions._record import record_viewing
from konsilium.actions._step import NotThere
from konsilium.models import Conclusion, PrintForm, Session
from konsilium.web.documents.handing_out import inline
from konsilium.web.http import found, words
from konsilium.web.signing.panel import name_of
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import may

PDF = "application/pdf"
VIEWED = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@require_POST
def ask(request: Any, kind: str, pk: UUID) -> HttpResponse:
    """Ask for the form of a subject as it stands now; asking again leads to the same form."""
    try:
        form = printing.ask(kind, pk, actor=request.actor, at=request.at)
    except NotThere as gone:
        raise Http404 from gone
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect(request.headers.get("Referer") or reverse("account:home"))
    return redirect("printing:show", form.pk)


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show a form when it is ready; until then the page asks again by itself."""
    form = _form(request, pk)
    if form.state == "ready":
        record_viewing(form.consultation, "form", form.pk, actor=request.actor, at=request.at)
    template = "printing/_state.html" if request.headers.get("HX-Request") else "printing/show.html"
    return render(request, template, _about(request, form))


def pdf(request: Any, pk: UUID) -> HttpResponseBase:
    """Hand out the form's bytes, to be read in the browser."""
    form = _form(request, pk)
    if form.state != "ready":
        raise Http404
    record_viewing(form.consultation, "form", form.pk, actor=request.actor, at=request.at)
    response = inline(request, form.sha256, form.size, PDF, seconds=0)
    response.headers["Content-Disposition"] = f'inline; filename="{form.kind}-{form.consultation.number}.pdf"'
    # Ours, and read by the browser's own viewer, which a sandbox would keep out.
    response.headers["Content-Security-Policy"] = VIEWED
    return response


def _form(request: Any, pk: UUID) -> PrintForm:
    rows = PrintForm.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk).first())


def _about(request: Any, form: PrintForm) -> dict[str, Any]:
    reads = may(request.actor.role, "request.read")
    signs = form.state == "ready" and form.kind in ("conclusion", "protocol")
    return {
        "form": form,
        "name": name_of(form),
        "number": form.consultation.number,
        "short": form.content_sha256[: printing.SHORT],
        "request_url": reverse("consultation:show", args=[form.consultation_id]) if reads else "",
        "back": _back(form),
        "pdf_url": reverse("printing:pdf", args=[form.pk]) if form.state == "ready" else "",
        "signatures_url": reverse("signing:show", args=[form.pk])
        if signs and may(request.actor.role, "signature.read")
        else "",
        "again_url": reverse("printing:ask", args=[form.kind, form.subject_id]),
        "says": gettext("Changed since it was asked for, or it could not be made."),
    }


def _back(form: PrintForm) -> str:
    """Return where the subject itself is read."""
    if form.kind == "session" and Session.objects.filter(pk=form.subject_id).exists():
        return reverse("sessions:record", args=[form.subject_id])
    if form.kind in ("conclusion", "protocol"):
        placed = Conclusion.objects.filter(pk=form.subject_id).exclude(placed_at=None).exists()
        name = "consulting:conclusion" if placed else "consulting:write"
        return reverse(name, args=[form.subject_id if placed else form.consultation_id])
    return reverse("consultation:show", args=[form.consultation_id])

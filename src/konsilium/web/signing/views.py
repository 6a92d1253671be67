"""A document's signatures, the page where it is signed, its bytes, and the container that verifies elsewhere."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import packing_signed, signing
from konsilium.actions._record import record_viewing
from konsilium.models import PrintForm, Signature
from konsilium.web.documents.handing_out import attachment
from konsilium.web.http import found, new_key, send_once, words
from konsilium.web.signing.panel import name_of, panel
from konsilium.web.signing.texts import texts
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.roles import may
from konsilium.workflow.signing import SIGNATURE_ROLE_LABELS

PDF = "application/pdf"


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show a document's signatures, and whether the reader's own is waited for."""
    form = _form(request, pk)
    record_viewing(form.consultation, "form", form.pk, actor=request.actor, at=request.at)
    return render(request, "signing/show.html", _about(request, form) | _own(request, form))


def _form(request: Any, pk: UUID) -> PrintForm:
    rows = PrintForm.objects.visible_to(request.actor).select_related("consultation")
    return found(rows.filter(pk=pk, state="ready").first())


def _about(request: Any, form: PrintForm) -> dict[str, Any]:
    actor = request.actor
    reads_request = may(actor.role, "request.read")
    return {
        "form": form,
        "name": name_of(form),
        "number": form.consultation.number,
        "request_url": reverse("consultation:show", args=[form.consultation_id]) if reads_request else "",
        "desk_url": reverse("signing:list") if may(actor.role, "signature.list") else "",
        "document_url": reverse("signing:document", args=[form.pk]),
        "panel": panel(form, actor=actor),
        "rechecks": may(actor.role, "signature.write"),
        "once_key": new_key(),
    }


def _own(request: Any, form: PrintForm) -> dict[str, Any]:
    """Return in which role the reader signs, if they do, and why not now."""
    if not may(request.actor.role, "signature.write"):
        return {"own_role": "", "why_not": ""}
    standing = signing.standing_of(form, form.consultation, actor=request.actor)
    return {
        "own_role": gettext(SIGNATURE_ROLE_LABELS[standing.role]) if standing.role else "",
        "why_not": gettext(standing.why_not),
    }


def sign(request: Any, pk: UUID) -> HttpResponse:
    """Offer the document, and take the signature that was made over it at the reader's side."""
    form = _form(request, pk)
    if request.method == "POST":
        return _take(request, form)
    own = _own(request, form)
    if not own["own_role"] or own["why_not"]:
        return redirect("signing:show", form.pk)
    return render(request, "signing/sign.html", _signing_page(request, form) | own)


def _signing_page(request: Any, form: PrintForm) -> dict[str, Any]:
    config = {
        "document": reverse("signing:document", args=[form.pk]),
        "texts": texts(),
    }
    return _about(request, form) | {"config": config}


def _take(request: Any, form: PrintForm) -> HttpResponse:
    """Keep a signature; a script that signs several documents hears of each, a page goes on to what was signed."""
    as_words = "application/json" in request.headers.get("Accept", "")
    address = reverse("signing:show", args=[form.pk])
    done = gettext("The signature is kept and is being checked.")

    def run() -> str:
        _attach(request, form)
        if not as_words:
            messages.success(request, done)
        return address

    try:
        answer = send_once(request, run)
    except Refused as refusal:
        return _refused(request, form, words(refusal), as_words=as_words)
    return JsonResponse({"done": done, "url": address}) if as_words else answer


def _attach(request: Any, form: PrintForm) -> None:
    file = request.FILES.get("signature")
    if file is None:
        raise signing.NoSignature(signing.BRING)
    if file.size > signing.LARGEST_CMS + form.size:
        raise signing.NoSignature(signing.TOO_LARGE)
    data = file.read()
    role = signing.standing_of(form, form.consultation, actor=request.actor).role
    if role is None:
        raise NotYours(signing.NOT_YOURS)
    kind = signing.kind_of(data)
    signing.attach(form, data, role=role, kind=kind, actor=request.actor, at=request.at)


def _refused(request: Any, form: PrintForm, refusal: str, *, as_words: bool) -> HttpResponse:
    if as_words:
        return JsonResponse({"refused": refusal}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    context = _signing_page(request, form) | _own(request, form) | {"refusal": refusal}
    return render(request, "signing/sign.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def document(request: Any, pk: UUID) -> HttpResponseBase:
    """Hand out the bytes that are signed, as they are kept."""
    form = _form(request, pk)
    record_viewing(form.consultation, "form", form.pk, actor=request.actor, at=request.at)
    return attachment(request, form.sha256, form.size, PDF, f"{packing_signed.stem_of(form)}.pdf")


@require_POST
def recheck(request: Any, pk: UUID) -> HttpResponse:
    """Let a signature be checked again."""
    rows = Signature.objects.visible_to(request.actor).select_related("consultation")
    signature = found(rows.filter(pk=pk).first())
    address = reverse("signing:show", args=[signature.form_id])

    def run() -> str:
        signing.recheck(signature, actor=request.actor, at=request.at)
        messages.success(request, gettext("The signature is being checked again."))
        return address

    try:
        return send_once(request, run)
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
        return redirect(address)


def export(request: Any, pk: UUID) -> HttpResponseBase:
    """Hand out the document with its signatures, certificates, revocation lists and verdicts as one ZIP."""
    form = _form(request, pk)
    entries = packing_signed.contents(form, actor=request.actor)
    record_viewing(form.consultation, "form", form.pk, actor=request.actor, at=request.at)
    response = StreamingHttpResponse(packing_signed.packed(entries), content_type="application/zip")
    name = quote(f"{packing_signed.stem_of(form)}-signed.zip", safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # A compressing middleware would read the whole stream.
    response.headers["Content-Encoding"] = "identity"
    return response

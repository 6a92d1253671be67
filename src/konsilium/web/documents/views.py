"""Adding documents, handing them out by short-lived tickets, taking them back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from konsilium.actions import documents
from konsilium.actions._record import record_viewing
from konsilium.adapters.storage import NotKept, StoreUnreachable, TooLarge
from konsilium.models import Consultation, Document
from konsilium.web.documents.handing_out import TICKET_SECONDS, attachment
from konsilium.web.http import found, words
from konsilium.workflow.document import MAX_BYTES, DocumentState
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import N_

_SALT = "document"
LEFT_OUT = {
    "too_large": N_("%(name)s is larger than 100 MB and was not taken."),
    "no_room": N_(
        "There is no room for %(name)s on the server. Nothing of it was kept: tell the administrator."
    ),
    "no_store": N_("The store of files doesn't answer: %(name)s was not taken. Try again in a few minutes."),
}


@require_POST
def add(request: Any, pk: UUID) -> HttpResponse:
    """Add one or several files to a request; each is said to be taken or refused by its name."""
    row = found(Consultation.objects.visible_to(request.actor).filter(pk=pk).first())
    files = request.FILES.getlist("files")
    refusals = [gettext(LEFT_OUT[why]) % {"name": name} for name, why in getattr(request, "left_out", [])]
    taken = 0
    for file in files:
        try:
            take(request, row, file, kind=request.POST.get("kind", ""))
            taken += 1
        except Refused as refusal:
            refusals.append(f"{file.name}: {words(refusal)}")
    if not files and not refusals:
        refusals.append(gettext("Choose a file first."))
    if taken:
        messages.success(request, gettext("Documents added: %(count)s") % {"count": taken})
    if refusals and request.headers.get("X-Upload"):
        return render(request, "documents/refused.html", {"refusals": refusals, "row": row}, status=422)
    for refusal_text in refusals:
        messages.error(request, refusal_text, extra_tags="bad")
    return redirect(_back(request, row))


def take(request: Any, row: Consultation, file: Any, *, kind: str, **more: Any) -> Document:
    """Store a received file and make it a document of the request. Raises Refused with words for its sender."""
    try:
        stored = documents.store().receive(file.chunks(), MAX_BYTES)
    except NotKept as trouble:
        raise Refused(LEFT_OUT[why_left_out(trouble)], params={"name": file.name}) from trouble
    upload = documents.Upload(stored, file.name or "")
    return documents.add(row, upload, kind=kind, actor=request.actor, at=request.at, **more)


def why_left_out(trouble: NotKept) -> str:
    """Return which of the sentences of LEFT_OUT says why bytes were not kept."""
    if isinstance(trouble, StoreUnreachable):
        return "no_store"
    return "too_large" if isinstance(trouble, TooLarge) else "no_room"


def _back(request: Any, row: Consultation) -> str:
    wanted = str(request.POST.get("next", ""))
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("consultation:show", args=[row.pk]) + "#documents"


def open_document(request: Any, pk: UUID) -> HttpResponse:
    """Log that the person takes a document, and send them to its bytes with a ticket for a minute."""
    document = found(
        Document.objects.handed_to(request.actor).select_related("consultation").filter(pk=pk).first()
    )
    if document.state not in (DocumentState.AVAILABLE, DocumentState.SUPERSEDED):
        raise Http404
    record_viewing(document.consultation, "document", document.pk, actor=request.actor, at=request.at)
    ticket = signing.dumps([str(document.pk), str(request.actor.membership_id)], salt=_SALT, compress=True)
    return redirect("documents:file", ticket=ticket)


def file(request: Any, ticket: str) -> HttpResponseBase:
    """Hand out a document's bytes as an attachment to the person the ticket was made for, while it is fresh."""
    try:
        document_id, membership_id = signing.loads(ticket, salt=_SALT, max_age=TICKET_SECONDS)
    except signing.SignatureExpired:
        return render(request, "documents/expired.html", status=410)
    except signing.BadSignature as bad:
        raise Http404 from bad
    if membership_id != str(request.actor.membership_id):
        raise Http404
    document = found(Document.objects.handed_to(request.actor).filter(pk=document_id).first())
    return attachment(request, document.sha256, document.size, document.media_type, document.file_name)


@require_POST
def remove(request: Any, pk: UUID) -> HttpResponse:
    """Take an own document back before it is sent."""
    document = found(
        Document.objects.visible_to(request.actor).select_related("consultation").filter(pk=pk).first()
    )
    try:
        documents.remove(document, actor=request.actor, at=request.at)
        messages.success(request, gettext("%(name)s is removed.") % {"name": document.file_name})
    except Refused as refusal:
        messages.error(request, words(refusal), extra_tags="bad")
    return redirect(_back(request, document.consultation))

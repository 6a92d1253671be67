"""A request's documents, as the request page and the form show them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions.documents import is_checked_by_nobody
from konsilium.models import Consultation, Document
from konsilium.web.clockface import local
from konsilium.web.documents.arriving import arriving, config
from konsilium.web.gallery.items import look_address, thumbnails
from konsilium.web.gallery.protocol import said as protocol_said
from konsilium.web.viewer.links import key_links
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.document import DOCUMENT_STATE_LABELS, DocumentState
from konsilium.workflow.photo_protocol import label_of
from konsilium.workflow.roles import LOOKING_IN, Actor, Role, may
from konsilium.workflow.words import CONCLUSION_SCAN, DOCUMENT_KINDS, KEY_IMAGE, KEY_IMAGE_LABEL


class Row(NamedTuple):
    """One document as text."""

    pk: UUID
    name: str
    about: str
    open_url: str
    remove_url: str
    state: str
    tone: str
    note: str
    look_url: str = ""
    thumbnail: str = ""
    slice_url: str = ""


def panel(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, Any]:
    """Return the documents of a request and, for those who may add, the kinds to choose from."""
    rows = Document.objects.visible_to(actor).filter(consultation=consultation).exclude(kind=CONCLUSION_SCAN)
    shown = [row for row in rows.order_by("added_at", "id") if row.state != DocumentState.REMOVED]
    whole = set(_whole(shown, actor))
    pictures = thumbnails([row for row in shown if row.pk in whole], actor=actor, at=at)
    keys = key_links(consultation) if any(row.kind == KEY_IMAGE for row in shown) else {}
    in_form = consultation.state == State.DRAFT
    may_add = may(actor.role, "document.add") and bool(roles) and consultation.state not in FINAL
    edit = reverse("drafting:edit", args=[consultation.pk])
    return {
        "rows": [
            _row(row, consultation, actor, whole, pictures)._replace(
                slice_url=keys[row.pk].back if row.pk in keys else ""
            )
            for row in shown
        ],
        "may_add": may_add,
        "address": reverse("documents:add", args=[consultation.pk]),
        "next": f"{edit}#documents" if in_form else "",
        "kinds": [(code, gettext(label)) for code, label in DOCUMENT_KINDS.items()] if may_add else [],
        "arriving": arriving(consultation, actor=actor) if may(actor.role, "document.add") else [],
        "sending": config(consultation) if may_add else {},
        "unchecked": is_checked_by_nobody(),
        "gallery": reverse("gallery:show", args=[consultation.pk]),
        "protocol": protocol_said(consultation, shown),
    }


def _whole(shown: list[Document], actor: Actor) -> Iterable[UUID]:
    """Return the documents whose bytes this person may have (one query for the centre)."""
    if actor.role not in LOOKING_IN or not shown:
        return (row.pk for row in shown)
    rows = Document.objects.handed_to(actor).filter(pk__in=[row.pk for row in shown])
    return rows.values_list("pk", flat=True)


def _row(
    row: Document, consultation: Consultation, actor: Actor, whole: set[UUID], pictures: dict[UUID, str]
) -> Row:
    available = row.state in (DocumentState.AVAILABLE, DocumentState.SUPERSEDED)
    shown = available and row.pk in whole
    kind = gettext(KEY_IMAGE_LABEL if row.kind == KEY_IMAGE else DOCUMENT_KINDS.get(row.kind, row.kind))
    own = row.author_id == actor.person_id and _removable(row, consultation)
    about = f"{kind} · {size(row.size)} · {local(row.added_at, actor.time_zone)} · {row.author_name}"
    return Row(
        pk=row.pk,
        name=row.file_name,
        about=about,
        open_url=reverse("documents:open", args=[row.pk]) if shown else "",
        remove_url=reverse("documents:remove", args=[row.pk]) if own else "",
        state="" if available else gettext(DOCUMENT_STATE_LABELS[DocumentState(row.state)]),
        tone="bad" if row.state == DocumentState.REFUSED else "warn",
        note=_note(row, withheld=available and not shown),
        look_url=look_address(consultation, row) if shown else "",
        thumbnail=pictures.get(row.pk, "") if shown else "",
    )


def _note(row: Document, *, withheld: bool) -> str:
    """Say why a document was refused or isn't handed out, else what its sender wrote to it."""
    if withheld:
        return gettext("Holds pictures that are not sent; what is sent stands among the studies.")
    if row.refusal:
        params = row.facts.get("refusal", {})
        return gettext(row.refusal) % params if params else gettext(row.refusal)
    return row.note or (gettext(label_of(row.photo_view)) if row.photo_view else "")


def _removable(row: Document, consultation: Consultation) -> bool:
    if consultation.state == State.CLARIFICATION and consultation.asked_at:
        return row.added_at > consultation.asked_at and row.message_id is None
    return consultation.state == State.DRAFT


def size(count: int) -> str:
    """Say a size in the unit that fits."""
    if count < 1024 * 1024:
        return gettext("%(count)s kB") % {"count": max(round(count / 1024), 1)}
    return gettext("%(count)s MB") % {"count": f"{count / 1024 / 1024:.1f}".replace(".", ",")}

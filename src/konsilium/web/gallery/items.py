"""What of a request's documents can be looked at on a page, and how."""

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.adapters.kinds import HEIC, JPEG, MP4, PDF, PLY, PNG, STL, TIFF
from konsilium.models import Consultation, Derived, Document
from konsilium.web.clockface import local
from konsilium.web.gallery.looking import ORIGINAL, SHOWN_COPIES, THUMBNAIL, VIEW, address
from konsilium.workflow.document import DocumentState
from konsilium.workflow.photo_protocol import label_of
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import CONCLUSION_SCAN, DOCUMENT_KINDS, KEY_IMAGE, KEY_IMAGE_LABEL, N_

PHOTO, PAPER, FILM, SURFACE = "photo", "paper", "film", "surface"
HOW = {
    JPEG: PHOTO,
    PNG: PHOTO,
    TIFF: PHOTO,
    HEIC: PHOTO,
    PDF: PAPER,
    MP4: FILM,
    STL: SURFACE,
    PLY: SURFACE,
}
HOW_LABELS = {PHOTO: N_("Picture"), PAPER: "PDF", FILM: N_("Film"), SURFACE: N_("Surface")}
_KINDS = {**DOCUMENT_KINDS, KEY_IMAGE: KEY_IMAGE_LABEL}


class Item(NamedTuple):
    """A document that can be looked at: how, under which addresses, and what is said of it."""

    pk: UUID
    how: str
    name: str
    kind: str
    about: str
    view: str
    view_label: str
    thumbnail: str
    pages: list[str]
    url: str
    document: Document


def items(row: Consultation, *, actor: Actor, at: datetime) -> list[Item]:
    """Return what can be looked at, in the order it was added (two queries)."""
    rows = Document.objects.handed_to(actor).filter(consultation=row, state=DocumentState.AVAILABLE)
    rows = rows.filter(media_type__in=list(HOW)).exclude(kind=CONCLUSION_SCAN).order_by("added_at", "id")
    documents = list(rows)
    copies = purposes([document.pk for document in documents])
    return [_item(document, copies[document.pk], row, actor, at) for document in documents]


def purposes(keys: list[UUID]) -> dict[UUID, set[str]]:
    """Return which copies of each document can be shown (one query)."""
    found: dict[UUID, set[str]] = defaultdict(set)
    rows = Derived.objects.filter(document_id__in=keys, media_type__in=SHOWN_COPIES)
    for document, purpose in rows.values_list("document_id", "purpose"):
        found[document].add(purpose)
    return found


def _item(document: Document, copies: set[str], row: Consultation, actor: Actor, at: datetime) -> Item:
    def of(purpose: str) -> str:
        return address(document.pk, purpose, actor=actor, at=at)

    kind = gettext(_KINDS.get(document.kind, document.kind))
    return Item(
        pk=document.pk,
        how=HOW[document.media_type],
        name=document.file_name,
        kind=kind,
        about=f"{kind} · {local(document.added_at, actor.time_zone)} · {document.author_name}",
        view=document.photo_view,
        view_label=gettext(label_of(document.photo_view)) if document.photo_view else "",
        thumbnail=of(THUMBNAIL) if THUMBNAIL in copies else "",
        pages=[of(purpose) for purpose in pages(document.media_type, copies)],
        url=reverse("gallery:show", args=[row.pk]) + f"?at={document.pk}",
        document=document,
    )


def pages(media_type: str, copies: set[str]) -> list[str]:
    """Return under which purposes a document is shown, page by page: copies where there are, else the original."""
    if HOW[media_type] != PHOTO:
        return [ORIGINAL]
    if VIEW in copies:
        more = [purpose for purpose in copies if purpose.startswith(f"{VIEW}-")]
        return [VIEW, *sorted(more, key=lambda purpose: int(purpose.rpartition("-")[2]))]
    return [ORIGINAL] if media_type in (JPEG, PNG) else []


def look_address(row: Consultation, document: Document) -> str:
    """Return where a document is looked at; nothing for one that can only be downloaded."""
    if document.media_type not in HOW or document.kind == CONCLUSION_SCAN:
        return ""
    return reverse("gallery:show", args=[row.pk]) + f"?at={document.pk}"


def thumbnails(documents: list[Document], *, actor: Actor, at: datetime) -> dict[UUID, str]:
    """Return the addresses of the documents' small pictures, where there are (one query at most)."""
    keys = [document.pk for document in documents if document.media_type in HOW]
    if not keys:
        return {}
    return {
        key: address(key, THUMBNAIL, actor=actor, at=at)
        for key, copies in purposes(keys).items()
        if THUMBNAIL in copies
    }


def facts_of(document: Document) -> dict[str, Any]:
    """Return what the inspector found out of a surface or a film: plain numbers."""
    facts: dict[str, Any] = document.facts
    return facts

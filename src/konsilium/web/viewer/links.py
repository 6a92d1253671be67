"""The ways back from key images to their slices, for the pages that show them as documents."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.urls import reverse

from konsilium.models import Consultation, KeyImage
from konsilium.workflow.document import DocumentState


class KeyLink(NamedTuple):
    """A key image: its document with its name and address ("" while it is being checked), the way back, and since when."""

    document_id: UUID
    name: str
    address: str
    back: str
    added_at: datetime


def way_back(key: KeyImage) -> str:
    """Return the address of the slice that a key image was taken of; `series` must be loaded."""
    place = reverse("viewer:show", args=[key.consultation_id, key.series.study_id])
    return f"{place}?image={key.pk}"


def key_links(consultation: Consultation) -> dict[UUID, KeyLink]:
    """Return a request's key images that the reader may see, by their documents, the oldest first (one query)."""
    gone = (DocumentState.REMOVED, DocumentState.REFUSED)
    rows = KeyImage.objects.filter(consultation=consultation).exclude(document__state__in=gone)
    found = rows.select_related("document", "series").order_by("document__added_at", "id")
    return {row.document_id: _link(row) for row in found}


def _link(row: KeyImage) -> KeyLink:
    ready = row.document.state in (DocumentState.AVAILABLE, DocumentState.SUPERSEDED)
    address = reverse("documents:open", args=[row.document_id]) if ready else ""
    return KeyLink(row.document_id, row.document.file_name, address, way_back(row), row.document.added_at)

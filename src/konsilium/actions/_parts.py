"""The parts of a conclusion that are rows of their own: recommendations, documents studied, pictures shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from konsilium.models import (
    Conclusion,
    ConclusionPicture,
    Document,
    KeyImage,
    Recommendation,
    Studied,
)
from konsilium.workflow.document import DocumentState
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import CONCLUSION_SCAN, N_, URGENCIES

MOST_ITEMS = 40
MOST_PICTURES = 30


class Unfit(Refused):
    """A part of a conclusion isn't right; the words say what would be."""


@dataclass(frozen=True)
class Parts:
    """`items`: text and urgency, in order. `studied`: documents' ids. `pictures`: key images' documents with captions."""

    items: tuple[tuple[str, str], ...] = ()
    studied: frozenset[UUID] = frozenset()
    pictures: tuple[tuple[UUID, str], ...] = ()


def parts_of(conclusion: Conclusion) -> Parts:
    """Return the parts of a conclusion (three queries)."""
    return Parts(
        tuple(conclusion.items.values_list("text", "urgency")),
        frozenset(conclusion.studied.values_list("document_id", flat=True)),
        tuple(conclusion.pictures.values_list("document_id", "caption")),
    )


def items_as_kept(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return recommendations as they are kept: no empty ones, and each line ended in one way."""
    kept = ((text.strip().replace("\r\n", "\n"), urgency) for text, urgency in items)
    return tuple((text, urgency) for text, urgency in kept if text)


def put_parts(draft: Conclusion, parts: Parts) -> None:
    """Make the draft's parts these; what is no more of the case is left out. Raises Unfit."""
    if len(parts.items) > MOST_ITEMS or len(parts.pictures) > MOST_PICTURES:
        raise Unfit(N_("So many recommendations or pictures don't fit into one conclusion."))
    _put_items(draft, parts.items)
    _put_studied(draft, parts.studied)
    _put_pictures(draft, parts.pictures)


def _put_items(draft: Conclusion, items: Iterable[tuple[str, str]]) -> None:
    wanted = list(items_as_kept(items))
    if not all(urgency in URGENCIES for _, urgency in wanted):
        raise Unfit(N_("Say how urgent each recommendation is."))
    if wanted == list(draft.items.values_list("text", "urgency")):
        return
    draft.items.all().delete()
    Recommendation.objects.bulk_create(
        Recommendation(conclusion=draft, number=number, text=text, urgency=urgency)
        for number, (text, urgency) in enumerate(wanted, start=1)
    )


def _put_studied(draft: Conclusion, studied: frozenset[UUID]) -> None:
    there = set(draft.studied.values_list("document_id", flat=True))
    draft.studied.exclude(document_id__in=studied).delete()
    documents = Document.objects.filter(consultation_id=draft.consultation_id, pk__in=studied - there)
    known = documents.filter(state=DocumentState.AVAILABLE).exclude(kind=CONCLUSION_SCAN)
    Studied.objects.bulk_create(
        Studied(conclusion=draft, document_id=pk, name=name, kind=kind)
        for pk, name, kind in known.values_list("pk", "file_name", "kind")
    )


def _put_pictures(draft: Conclusion, pictures: tuple[tuple[UUID, str], ...]) -> None:
    keys = KeyImage.objects.filter(consultation_id=draft.consultation_id)
    known = set(keys.filter(document_id__in=[pk for pk, _ in pictures]).values_list("document_id", flat=True))
    wanted = [(pk, caption.strip()) for pk, caption in dict(pictures).items() if pk in known]
    if wanted == list(draft.pictures.values_list("document_id", "caption")):
        return
    draft.pictures.all().delete()
    ConclusionPicture.objects.bulk_create(
        ConclusionPicture(conclusion=draft, document_id=pk, number=number, caption=caption[:300])
        for number, (pk, caption) in enumerate(wanted, start=1)
    )

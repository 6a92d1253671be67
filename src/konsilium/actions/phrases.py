"""Words that a consultant uses again: phrases of their own and of their centre, and their own past conclusions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from konsilium.actions._step import NotThere
from konsilium.models import Conclusion, Phrase
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

MOST_FOUND = 12
MOST_PAST = 6
# Fewer letters stand in every text.
FEWEST_LETTERS = 3
LONGEST = 4000
LONGEST_TITLE = 120


class Unfit(Refused):
    """A phrase isn't right; the words say what would be."""


@dataclass(frozen=True)
class PastWords:
    """A passage of an own placed conclusion, with what tells it from others. No patient's name is in it."""

    number: str
    placed_at: datetime
    diagnosis_code: str
    text: str


def phrases_of(actor: Actor) -> QuerySet[Phrase]:
    """Return the actor's own phrases and their centre's, those used most first."""
    own = Q(person_id=None) | Q(person_id=actor.person_id)
    return Phrase.objects.filter(own, organization_id=actor.organization_id).order_by("-used", "title")


def find(words: str, *, actor: Actor) -> list[Phrase]:
    """Return the phrases whose title or text hold the words; without words, those used most (one query)."""
    rows = phrases_of(actor)
    if words.strip():
        rows = rows.filter(Q(title__icontains=words.strip()) | Q(text__icontains=words.strip()))
    return list(rows[:MOST_FOUND])


def past(words: str, *, actor: Actor) -> list[PastWords]:
    """Return passages of own placed conclusions that hold the words, the newest first (two queries)."""
    wanted = words.strip()
    if len(wanted) < FEWEST_LETTERS:
        return []
    holds = Q(text__icontains=wanted) | Q(items__text__icontains=wanted)
    rows = Conclusion.objects.filter(holds, author_id=actor.person_id).exclude(placed_at=None)
    pks = rows.order_by("-placed_at").values("pk", "placed_at").distinct()[:MOST_PAST]
    found = Conclusion.objects.filter(pk__in=[one["pk"] for one in pks]).order_by("-placed_at")
    chosen = found.select_related("consultation").prefetch_related("items")
    return [passage for row in chosen for passage in _passages(row, wanted.casefold())]


def _passages(row: Conclusion, wanted: str) -> Iterator[PastWords]:
    if row.placed_at is None:
        return
    for text in (row.text, *(item.text for item in row.items.all())):
        if wanted in text.casefold():
            yield PastWords(row.consultation.number, row.placed_at, row.diagnosis_code, text)


def keep(
    title: str, text: str, *, for_all: bool = False, pk: UUID | None = None, actor: Actor, at: datetime
) -> Phrase:
    """Keep a phrase, the own or the whole centre's; with `pk`, change that one. Raises Unfit.

    No patient's words belong here: the page says so, and nothing is taken over by itself.
    """
    title, text = title.strip(), text.strip()
    if not title or not text or len(text) > LONGEST or len(title) > LONGEST_TITLE:
        raise Unfit(N_("A phrase has a short title and a text."))
    row = phrases_of(actor).filter(pk=pk).first() if pk else Phrase(organization_id=actor.organization_id)
    if row is None:
        raise Unfit(N_("This phrase is no longer there."))
    row.title, row.text, row.updated_at = title, text, at
    row.person_id = None if for_all else actor.person_id
    row.save()
    return row


def forget(pk: UUID, *, actor: Actor) -> None:
    """Remove a phrase. Raises NotThere."""
    if not phrases_of(actor).filter(pk=pk).delete()[0]:
        raise NotThere


def count_use(pk: UUID, *, actor: Actor) -> None:
    """Remember that a phrase was used: those used most come first. Raises NotThere."""
    if not phrases_of(actor).filter(pk=pk).update(used=F("used") + 1):
        raise NotThere

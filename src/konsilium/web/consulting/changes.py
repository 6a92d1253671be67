"""What a corrected conclusion says otherwise than the one before it, word by word."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from konsilium.models import Conclusion
from konsilium.web.clockface import local
from konsilium.web.consultation.head import head
from konsilium.web.consulting.placed import placed_conclusion
from konsilium.web.http import found

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """Words that stayed (""), came ("ins") or went ("del")."""

    tag: str
    text: str


class Change(NamedTuple):
    """A part of the conclusion that reads otherwise."""

    label: str
    pieces: list[Piece]


def show(request: Any, pk: UUID) -> HttpResponse:
    """Show a corrected edition beside the one before it; the reader must see both."""
    rows = Conclusion.objects.visible_to(request.actor).exclude(placed_at=None)
    row = found(rows.filter(pk=pk, edition__gt=1).select_related("consultation__profile").first())
    before = found(rows.filter(consultation=row.consultation, edition=row.edition - 1).first())
    consultation = row.consultation
    before.consultation = consultation
    texts = [parts(placed_conclusion(one, consultation, actor=request.actor)) for one in (before, row)]
    context = {
        "head": head(consultation, actor=request.actor, at=request.at),
        "row": row,
        "placed": local(row.placed_at, request.actor.time_zone),
        "changes": list(changes(*texts)),
        "url": reverse("consulting:conclusion", args=[row.pk]),
        "before_url": reverse("consulting:conclusion", args=[before.pk]),
    }
    return render(request, "consulting/changes.html", context)


def parts(shown: dict[str, Any]) -> dict[str, str]:
    """Return a conclusion's parts as texts by their labels, in the order they are read."""
    answers = {f"{number}. {question}": text for number, question, text in shown["answers"]}
    return {
        "": shown["text"],
        **dict(shown["sections"]),
        **answers,
        "recommendations": "\n".join(f"{text} ({urgency})" for text, urgency in shown["recommendations"]),
        "needs": "; ".join(shown["needs"]),
        **dict(shown["facts"]),
        "studied": "\n".join(name for name, _ in shown["studied"]),
        "pictures": "\n".join(one["caption"] for one in shown["key_images"]),
    }


def changes(before: dict[str, str], after: dict[str, str]) -> Iterator[Change]:
    """Compare part by part; what reads the same is left out."""
    for label in dict.fromkeys([*after, *before]):
        old, new = before.get(label, ""), after.get(label, "")
        if old != new:
            yield Change(label, list(pieces(old, new)))


def pieces(before: str, after: str) -> Iterator[Piece]:
    """Compare two texts word by word."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("", "".join(old[a:b]))
            continue
        if b > a:
            yield Piece("del", "".join(old[a:b]))
        if d > c:
            yield Piece("ins", "".join(new[c:d]))

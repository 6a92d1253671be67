"""How long documents are kept after their request is over. Without a term nothing is ever deleted.

Terms are the operator's: "conclusion_scan=25y cbct=10y unanswered=3y unused=30d". Never anything of an open request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.words import CONCLUSION_SCAN, DOCUMENT_KINDS, KEY_IMAGE

# Documents of a rejected or withdrawn request, and files that were refused, taken back or superseded.
UNANSWERED, UNUSED = "unanswered", "unused"
KEPT_BY = (*DOCUMENT_KINDS, KEY_IMAGE, CONCLUSION_SCAN, UNANSWERED, UNUSED)
# The record that a conclusion is part of is kept for a quarter of a century.
LEAST_YEARS = {CONCLUSION_SCAN: 25}

_TERM = re.compile(r"([a-z_]+)=(\d{1,3})([yd])")
_OUT_OF_USE = (DocumentState.REFUSED, DocumentState.REMOVED, DocumentState.SUPERSEDED)


class BadTerms(ValueError):
    """Terms that can't be used; the text tells the operator what to write."""


@dataclass(frozen=True)
class Term:
    """A time after a request's end."""

    years: int = 0
    days: int = 0

    def after(self, end: datetime) -> datetime:
        """Return the end of the term. A year from 29 February ends on 1 March: never a day too early."""
        year = end.year + self.years
        try:
            moved = end.replace(year=year)
        except ValueError:
            moved = end.replace(year=year, month=3, day=1)
        return moved + timedelta(days=self.days)


Terms = Mapping[str, Term]


@dataclass(frozen=True)
class Held:
    """What the rule looks at of a document and its request."""

    kind: str
    state: str
    request_state: str
    closed_at: datetime | None


def due_at(held: Held, terms: Terms) -> datetime | None:
    """Return when the document may be deleted, or None for never."""
    if held.request_state not in FINAL or held.closed_at is None:
        return None
    term = next((terms[name] for name in _names(held) if name in terms), None)
    return None if term is None else term.after(held.closed_at)


def _names(held: Held) -> list[str]:
    """Return whose term holds, the most special first; a conclusion has its own and no other."""
    if held.kind == CONCLUSION_SCAN:
        return [CONCLUSION_SCAN]
    names = [UNUSED] if held.state in _OUT_OF_USE else []
    if held.request_state in (State.REJECTED, State.WITHDRAWN):
        names.append(UNANSWERED)
    return [*names, held.kind]


def read_terms(text: str) -> dict[str, Term]:
    """Return the terms of the operator's text. Raises BadTerms for what isn't one, is nobody's, or is too short."""
    terms = {}
    for part in text.split():
        match = _TERM.fullmatch(part)
        if match is None or match[1] not in KEPT_BY or not int(match[2]):
            raise BadTerms(
                f"{part!r} is no term: write cbct=10y or unused=30d, with one of {', '.join(KEPT_BY)}."
            )
        name, number = match[1], int(match[2])
        terms[name] = Term(years=number) if match[3] == "y" else Term(days=number)
        if name in LEAST_YEARS and terms[name].years < LEAST_YEARS[name]:
            raise BadTerms(
                f"{name} is kept for at least {LEAST_YEARS[name]} years: write {LEAST_YEARS[name]}y."
            )
    return terms

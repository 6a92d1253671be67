"""What the rows of hot lists are made of: each row is one string of markup, made in Python.

Fifty rows of fifteen template variables cost more than all the rest of a page. Words, zones and addresses are looked up
once a list, and all that came from people is escaped in one go.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from html import escape
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from konsilium.web.clockface import Left, Phrases, left, local_clock, phrases
from konsilium.workflow.consultation import FINAL, STATE_LABELS, TURN_LABELS
from konsilium.workflow.words import URGENCIES

_NOWHERE = UUID(int=0)
# No text of ours holds one: PostgreSQL keeps no NUL.
_BETWEEN = "\x00"


def escaped(rows: Iterable[tuple[str, ...]]) -> list[list[str]]:
    """Escape every text of the rows, which are equally long."""
    texts = list(rows)
    if not texts:
        return []
    flat = escape(_BETWEEN.join([text for row in texts for text in row])).split(_BETWEEN)
    width = len(texts[0])
    return [flat[begin : begin + width] for begin in range(0, len(flat), width)]


def joined(rows: Iterable[str]) -> SafeString:
    """Return the rows as one piece of markup for the template."""
    return SafeString("\n".join(rows))


@cache
def pattern(name: str) -> tuple[str, str]:
    """Return what stands before and after a request's id in the addresses of this name."""
    before, _, after = reverse(name, args=[_NOWHERE]).partition(str(_NOWHERE))
    return before, after


class Words(NamedTuple):
    """What a language calls the things in a row, as markup."""

    is_russian: bool
    times: Phrases
    unread: str
    unknown: str
    urgencies: dict[str, str]
    states: dict[str, str]
    turns: dict[str, str]


def words() -> Words:
    """Return the words of the page's language."""
    return _words(get_language())


@lru_cache(maxsize=16)
def _words(language: str) -> Words:
    return Words(
        is_russian=language == "ru",
        times=phrases(),
        unread=f'<span class="unread" title="{escape(gettext("New"))}"></span>',
        unknown=gettext("Unknown patient"),
        urgencies=_labels(URGENCIES),
        states=_labels(STATE_LABELS),
        turns=_labels(TURN_LABELS),
    )


def _labels(labels: Mapping[Any, str]) -> dict[str, str]:
    return {str(code): escape(gettext(label)) for code, label in labels.items()}


def clocks(zones: Iterable[str], at: datetime) -> dict[str, str]:
    """Return the time of day in each of the zones, escaped."""
    return {name: escape(local_clock(at, name)) for name in set(zones)}


def short_name(family: str, given: str, patronymic: str) -> str:
    """Return a family name with initials, as lists show it."""
    return f"{family} {given[:1] and given[:1] + '.'}{patronymic[:1] and patronymic[:1] + '.'}".strip()


def time(
    state: str,
    due_at: datetime | None,
    paused_at: datetime | None,
    answered_at: datetime | None,
    *,
    at: datetime,
    said: Phrases,
) -> str:
    """Mark up what is left of a request's term; nothing once it is over."""
    if state in FINAL or due_at is None:
        return ""
    return time_mark(left(due_at, at=at, paused_at=paused_at, answered_at=answered_at, said=said))


def time_mark(given: Left) -> SafeString:
    """Mark up what is left of a term; it ticks in the browser while it runs."""
    text = escape(given.text)
    if not given.until:
        return SafeString(f'<span class="left {given.tone}">{text}</span>')
    return SafeString(f'<time class="left {given.tone}" datetime="{given.until}" data-left>{text}</time>')

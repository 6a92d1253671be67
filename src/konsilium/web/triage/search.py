"""What a dispatcher looks for, as the address of the work-list says it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from konsilium.web.triage.worklist import TABS, Tab, Wanted, tab_of
from konsilium.workflow.words import Urgency

_NUMBER = re.compile(r"(?:(\d{4})-)?(\d{1,8})")
# How the running number stands in a request's number.
_DIGITS = 6


@dataclass(frozen=True)
class Search:
    """The tab, the filters, the text that was typed, and after which row the page begins."""

    tab: Tab = TABS[0]
    text: str = ""
    urgency: str = ""
    profile: UUID | None = None
    consultant: UUID | None = None
    after: tuple[datetime, UUID] | None = None
    year: int = 0

    @classmethod
    def of(cls, given: Mapping[str, str], *, at: datetime) -> "Search":
        """Read an address; what can't be read counts as not given."""
        urgency = given.get("urgency", "")
        return cls(
            tab=tab_of(given.get("tab", "")),
            text=" ".join(given.get("q", "").split())[:100],
            urgency=urgency if urgency in set(Urgency) else "",
            profile=_uuid(given.get("profile", "")),
            consultant=_uuid(given.get("consultant", "")),
            after=_after(given.get("after", "")),
            year=at.year,
        )

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that the text may mean: with its year, or this year's and last year's."""
        found = _NUMBER.fullmatch(self.text)
        if not found:
            return ()
        years = [found[1]] if found[1] else [str(self.year), str(self.year - 1)]
        return tuple(f"{year}-{int(found[2]):0{_DIGITS}}" for year in years)

    @property
    def is_narrowed(self) -> bool:
        """Say whether anything beside the tab was asked for."""
        return bool(self.text or self.urgency or self.profile or self.consultant)

    @property
    def family(self) -> str:
        """The text as a family name's search key."""
        return self.text.upper().replace("Ё", "Е")

    def wanted(self) -> Wanted:
        """Return the filters for the query."""
        return Wanted(self.urgency, self.profile, self.consultant, self.after)

    def address(self, *, tab: str = "", after: str = "") -> str:
        """Return the address of a tab with the same filters, or of the next page."""
        given = {
            "tab": tab or self.tab.code,
            "urgency": self.urgency,
            "profile": str(self.profile or ""),
            "consultant": str(self.consultant or ""),
            "after": after,
        }
        return (
            f"{reverse('triage:list')}?{urlencode({name: value for name, value in given.items() if value})}"
        )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _after(text: str) -> tuple[datetime, UUID] | None:
    due, _, pk = text.partition(",")
    found = _uuid(pk)
    try:
        moment = datetime.fromisoformat(due)
    except ValueError:
        return None
    return (moment, found) if found and moment.tzinfo else None

"""The requesting side's list: one page of raw rows by key, the newest change first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import N_

PAGE = 50
COUNT_TO = 100


@dataclass(frozen=True)
class Tab:
    """A part of the list: what the rows have in common, as SQL over constants."""

    code: str
    label: str
    where: str


_OPEN = ", ".join(f"'{state}'" for state in sorted(set(State) - FINAL - {State.DRAFT}))
_OVER = ", ".join(f"'{state}'" for state in sorted(FINAL))
TABS = (
    Tab("mine", N_("My turn"), f"turn IN ('requester', 'both') AND state IN ({_OPEN})"),
    Tab("open", N_("In work"), f"state IN ({_OPEN})"),
    Tab("drafts", N_("Drafts"), "state = 'draft'"),
    Tab("over", N_("Finished"), f"state IN ({_OVER})"),
    Tab("all", N_("All"), "true"),
)


class Raw(NamedTuple):
    """One row as the database gives it."""

    id: UUID
    updated_at: datetime
    number: str
    state: str
    turn: str
    urgency: str
    patient_unknown: bool
    patient_family: str
    patient_given: str
    patient_patronymic: str
    diagnosis_code: str
    centre_name: str
    consultant_name: str
    requester_name: str
    due_at: datetime | None
    paused_at: datetime | None
    answered_at: datetime | None
    stirred_at: datetime
    profile_name: str | None
    profile_name_en: str | None
    read_at: datetime | None


_COLUMNS = ", ".join(
    name for name in Raw._fields if name not in ("profile_name", "profile_name_en", "read_at")
)


def tab_of(code: str) -> Tab:
    """Return the tab of a code; the first for anything else."""
    return next((tab for tab in TABS if tab.code == code), TABS[0])


def page(tab: Tab, *, actor: Actor, before: tuple[datetime, UUID] | None = None, text: str = "") -> list[Raw]:
    """Return the next PAGE rows and one more, which says that there are more."""
    where, values = [tab.where, _own(actor)], _values(actor)
    if text:
        where.append("(number = %(text)s OR patient_key LIKE %(family)s)")
        values |= {
            "text": text,
            "family": text.upper().replace("Ё", "Е").replace("%", "").replace("_", "") + "%",
        }
    if before:
        where.append("(updated_at, id) < (%(before)s, %(before_id)s)")
        values |= {"before": before[0], "before_id": before[1]}
    # The page is taken before anything is joined to it.
    query = (
        f"WITH page AS MATERIALIZED (SELECT {_COLUMNS}, profile_id FROM konsilium_consultation "  # noqa: S608
        f"WHERE {' AND '.join(where)} ORDER BY updated_at DESC, id DESC LIMIT {PAGE + 1}) "
        f"SELECT {', '.join(f'page.{name}' for name in _COLUMNS.split(', '))}, p.name, p.name_en, m.read_at FROM page "
        "LEFT JOIN konsilium_profile p ON p.id = page.profile_id "
        "LEFT JOIN konsilium_readmark m ON m.consultation_id = page.id AND m.person_id = %(person)s "
        "ORDER BY page.updated_at DESC, page.id DESC"
    )
    return [Raw(*row) for row in _rows(query, values)]


def counts(*, actor: Actor) -> dict[str, int]:
    """Count each tab's rows up to COUNT_TO."""
    parts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM konsilium_consultation "  # noqa: S608
        f"WHERE {tab.where} AND {_own(actor)} LIMIT {COUNT_TO + 1}) t)"
        for tab in TABS
    ]
    row = _rows(f"SELECT {', '.join(parts)}", _values(actor))[0]
    return dict(zip((tab.code for tab in TABS), row, strict=True))


def _own(actor: Actor) -> str:
    own = "requesting_organization_id = %(organization)s"
    return own if actor.role is Role.ORG_ADMIN else f"{own} AND requester_id = %(person)s"


def _values(actor: Actor) -> dict[str, Any]:
    return {"organization": actor.organization_id, "person": actor.person_id}


def _rows(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())

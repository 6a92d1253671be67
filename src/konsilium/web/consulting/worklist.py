"""The consultant's list: the requests assigned to them, by due time, taken by key before anything is joined."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from konsilium.workflow.consultation import State
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

PAGE = 50
COUNT_TO = 100


@dataclass(frozen=True)
class Tab:
    """A part of the list: what its rows have in common."""

    code: str
    label: str
    where: str


_WORKING = ", ".join(f"'{state}'" for state in (State.ASSIGNED, State.SESSION, State.CONCLUSION))
_WAITING = ", ".join(
    f"'{state}'" for state in (State.ASSIGNED, State.SESSION, State.CONCLUSION, State.CLARIFICATION)
)
TABS = (
    Tab("mine", N_("My turn"), f"turn IN ('consultant', 'both') AND state IN ({_WORKING})"),
    Tab("waiting", N_("Waiting"), f"turn NOT IN ('consultant', 'both') AND state IN ({_WAITING})"),
    Tab("done", N_("Done"), "state IN ('completed', 'closed', 'withdrawn', 'rejected')"),
)


class Raw(NamedTuple):
    """One row as the database gives it."""

    id: UUID
    due_at: datetime
    number: str
    state: str
    turn: str
    urgency: str
    patient_unknown: bool
    patient_family: str
    patient_given: str
    patient_patronymic: str
    patient_birth_date: Any
    diagnosis_code: str
    requesting_name: str
    requesting_time_zone: str
    paused_at: datetime | None
    answered_at: datetime | None
    stirred_at: datetime
    profile_name: str | None
    profile_name_en: str | None
    read_at: datetime | None


_COLUMNS = ", ".join(
    name for name in Raw._fields if name not in ("profile_name", "profile_name_en", "read_at")
)
_OWN = "consultant_id = %(person)s AND centre_id = %(organization)s"


def tab_of(code: str) -> Tab:
    """Return the tab of a code; the first for anything else."""
    return next((tab for tab in TABS if tab.code == code), TABS[0])


def page(tab: Tab, *, actor: Actor, after: tuple[datetime, UUID] | None = None) -> list[Raw]:
    """Return the next PAGE rows by due time and one more; what is done runs from the newest back."""
    order, sign = ("DESC", "<") if tab.code == "done" else ("ASC", ">")
    where, values = [tab.where, _OWN], _values(actor)
    if after:
        where.append(f"(due_at, id) {sign} (%(after)s, %(after_id)s)")
        values |= {"after": after[0], "after_id": after[1]}
    query = (
        f"WITH page AS MATERIALIZED (SELECT {_COLUMNS}, profile_id FROM konsilium_consultation "  # noqa: S608
        f"WHERE {' AND '.join(where)} ORDER BY due_at {order}, id {order} LIMIT {PAGE + 1}) "
        f"SELECT {', '.join(f'page.{name}' for name in _COLUMNS.split(', '))}, p.name, p.name_en, m.read_at FROM page "
        "LEFT JOIN konsilium_profile p ON p.id = page.profile_id "
        "LEFT JOIN konsilium_readmark m ON m.consultation_id = page.id AND m.person_id = %(person)s "
        f"ORDER BY page.due_at {order}, page.id {order}"
    )
    return [Raw(*row) for row in _rows(query, values)]


def counts(*, actor: Actor) -> dict[str, int]:
    """Count each tab's rows up to COUNT_TO."""
    parts = [
        f"(SELECT count(*) FROM (SELECT 1 FROM konsilium_consultation "  # noqa: S608
        f"WHERE {tab.where} AND {_OWN} LIMIT {COUNT_TO + 1}) t)"
        for tab in TABS
    ]
    row = _rows(f"SELECT {', '.join(parts)}", _values(actor))[0]
    return dict(zip((tab.code for tab in TABS), row, strict=True))


def _values(actor: Actor) -> dict[str, Any]:
    return {"organization": actor.organization_id, "person": actor.person_id}


def _rows(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())

"""The dispatcher's work-list: one page of raw rows, taken by key before anything is joined to it.

Each tab is one or a few states; every state's rows are read in the order of its index and merged, so that a page costs
the same with a thousand requests and with a million. Counts stop at a hundred.
"""

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

# Sorts after every letter.
_LAST = "\U0010ffff"
_LATE = "due_at < %(at)s AND paused_at IS NULL AND answered_at IS NULL"


@dataclass(frozen=True)
class Tab:
    """A part of the work-list: its states, and whether it holds the late ones only or runs from the newest back."""

    code: str
    label: str
    states: tuple[State, ...]
    late: bool = False
    newest_first: bool = False


TABS = (
    Tab("new", N_("To triage"), (State.SUBMITTED,)),
    Tab("asked", N_("Information asked"), (State.CLARIFICATION,)),
    Tab("consultants", N_("With consultants"), (State.ASSIGNED, State.CONCLUSION)),
    Tab("video", N_("Video"), (State.SESSION,)),
    Tab(
        "overdue",
        N_("Overdue"),
        (State.SUBMITTED, State.CLARIFICATION, State.ASSIGNED, State.SESSION, State.CONCLUSION),
        late=True,
    ),
    Tab(
        "done",
        N_("Finished"),
        (State.COMPLETED, State.CLOSED, State.REJECTED, State.WITHDRAWN),
        newest_first=True,
    ),
)
_BY_CODE = {tab.code: tab for tab in TABS}


def tab_of(code: str) -> Tab:
    """Return the tab of a code; the first one for anything else."""
    return _BY_CODE.get(code, TABS[0])


class Raw(NamedTuple):
    """A row as the database gives it."""

    id: UUID
    due_at: datetime
    paused_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    state: str
    urgency: str
    number: str
    patient_family: str
    patient_given: str
    patient_patronymic: str
    patient_birth_date: Any
    patient_unknown: bool
    requesting_name: str
    requesting_time_zone: str
    consultant_name: str
    stirred_at: datetime
    profile_name: str | None
    profile_name_en: str | None
    read_at: datetime | None


_COLUMNS = ", ".join(Raw._fields[:-3])


@dataclass(frozen=True)
class Wanted:
    """What the dispatcher looks for beside the tab, and after which row the page begins."""

    urgency: str = ""
    profile: UUID | None = None
    consultant: UUID | None = None
    after: tuple[datetime, UUID] | None = None


def found(numbers: tuple[str, ...], family: str, *, actor: Actor) -> list[Raw]:
    """Return what the centre ever had under one of the numbers or a family name's beginning: at most a page."""
    sought = "number = ANY(%(numbers)s)"
    if not numbers:
        sought = "patient_key >= %(family)s AND patient_key < %(family_end)s"
    page_of_rows = (
        f"SELECT {_COLUMNS}, profile_id, patient_key FROM konsilium_consultation"  # noqa: S608
        f" WHERE centre_id = %(centre)s AND due_at IS NOT NULL AND {sought} ORDER BY patient_key, id LIMIT {PAGE}"
    )
    values = {"numbers": list(numbers), "family": family, "family_end": family + _LAST}
    return _rows(_joined(page_of_rows, "page.patient_key, page.id"), values, actor)


def page(tab: Tab, wanted: Wanted, *, actor: Actor, at: datetime) -> list[Raw]:
    """Return one page of the tab, and one row more where there is a next page."""
    sql, values = _page_query(tab, wanted)
    return _rows(sql, values | {"at": at}, actor)


def counts(*, actor: Actor, at: datetime) -> dict[str, int]:
    """Return how many rows each tab has, up to a hundred and one; 'done' is not counted."""
    counted = [tab for tab in TABS if not tab.newest_first]
    sql = "SELECT " + ", ".join(_count(tab) for tab in counted)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"centre": actor.organization_id, "at": at})
        row = cursor.fetchone() or ()
    return dict(zip((tab.code for tab in counted), row, strict=True))


def load(*, actor: Actor) -> dict[UUID, int]:
    """Return how many open requests each consultant of the centre has."""
    sql = (
        "SELECT consultant_id, count(*) FROM konsilium_consultation WHERE centre_id = %s"  # noqa: S608
        f" AND state IN ({_listed((State.ASSIGNED, State.SESSION, State.CONCLUSION))})"
        " AND consultant_id IS NOT NULL GROUP BY consultant_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [actor.organization_id])
        return dict(cursor.fetchall())


def _page_query(tab: Tab, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    conditions, values = _conditions(tab, wanted)
    direction = "DESC" if tab.newest_first else "ASC"
    order = f"due_at {direction}, id {direction}"
    one_state = (
        f"SELECT {_COLUMNS}, profile_id FROM konsilium_consultation"  # noqa: S608
        f" WHERE centre_id = %(centre)s AND state = s.state AND {' AND '.join(conditions)}"
        f" ORDER BY {order} LIMIT {PAGE + 1}"
    )
    merged = (
        f"SELECT c.* FROM (VALUES {_values(tab.states)}) AS s(state)"  # noqa: S608
        f" CROSS JOIN LATERAL ({one_state}) c ORDER BY {order} LIMIT {PAGE + 1}"
    )
    return _joined(merged, f"page.due_at {direction}, page.id {direction}"), values


def _joined(page_of_rows: str, order: str) -> str:
    return (
        f"WITH page AS MATERIALIZED ({page_of_rows})"  # noqa: S608
        f" SELECT {', '.join('page.' + name for name in Raw._fields[:-3])}, p.name, p.name_en, r.read_at FROM page"
        " LEFT JOIN konsilium_profile p ON p.id = page.profile_id"
        " LEFT JOIN konsilium_readmark r ON r.consultation_id = page.id AND r.person_id = %(me)s"
        f" ORDER BY {order}"
    )


def _rows(sql: str, values: dict[str, Any], actor: Actor) -> list[Raw]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values | {"centre": actor.organization_id, "me": actor.person_id})
        return [Raw(*row) for row in cursor.fetchall()]


def _conditions(tab: Tab, wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    given: dict[str, tuple[str, Any]] = {
        "urgency": ("urgency = %(urgency)s", wanted.urgency),
        "profile": ("profile_id = %(profile)s", wanted.profile),
        "consultant": ("consultant_id = %(consultant)s", wanted.consultant),
    }
    conditions = ["due_at IS NOT NULL", *(sql for sql, value in given.values() if value)]
    values = {name: value for name, (_, value) in given.items() if value}
    if tab.late:
        conditions.append(_LATE)
    if wanted.after:
        conditions.append(f"(due_at, id) {'<' if tab.newest_first else '>'} (%(after_due)s, %(after_id)s)")
        values["after_due"], values["after_id"] = wanted.after
    return conditions, values


def _count(tab: Tab) -> str:
    late = f" AND {_LATE}" if tab.late else ""
    one_state = (
        "SELECT 1 FROM konsilium_consultation WHERE centre_id = %(centre)s"  # noqa: S608
        f" AND state = s.state{late} LIMIT {COUNT_TO + 1}"
    )
    return (
        f"(SELECT count(*) FROM (SELECT 1 FROM (VALUES {_values(tab.states)}) AS s(state)"  # noqa: S608
        f" CROSS JOIN LATERAL ({one_state}) c LIMIT {COUNT_TO + 1}) t)"
    )


def _values(states: tuple[State, ...]) -> str:
    return ", ".join(f"('{state}')" for state in states)


def _listed(states: tuple[State, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)

"""The dispatcher's work-list: its tabs, each a walk along an index, and a search (see web/keyset.py)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from konsilium.web import keyset
from konsilium.web.keyset import PAGE, Around, Walk
from konsilium.workflow.consultation import State
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

__all__ = ["PAGE", "TABS", "Raw", "Tab", "Wanted", "around", "choices", "found", "load", "page", "tab_of"]

# Sorts after every letter.
_LAST = "\U0010ffff"
_ORDER = ("due_at", "id")
_OWN = "centre_id = %(centre)s AND due_at IS NOT NULL"
_LATE = "due_at < %(at)s AND paused_at IS NULL AND answered_at IS NULL"
_RUNNING = (State.SUBMITTED, State.CLARIFICATION, State.ASSIGNED, State.SESSION, State.CONCLUSION)


def _listed(states: tuple[State, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)


def _in_states(*states: State, newest_first: bool = False) -> Walk:
    return Walk(_OWN, _ORDER, backwards=newest_first, column="state", values=states)


@dataclass(frozen=True)
class Tab:
    """A part of the work-list."""

    code: str
    label: str
    walk: Walk
    is_counted: bool = True


TABS = (
    Tab("new", N_("To triage"), _in_states(State.SUBMITTED)),
    Tab("asked", N_("Information asked"), _in_states(State.CLARIFICATION)),
    Tab("consultants", N_("With consultants"), _in_states(State.ASSIGNED, State.CONCLUSION)),
    Tab("video", N_("Video"), _in_states(State.SESSION)),
    Tab("overdue", N_("Overdue"), Walk(f"{_OWN} AND {_LATE} AND state IN ({_listed(_RUNNING)})", _ORDER)),
    Tab(
        "done",
        N_("Finished"),
        _in_states(State.COMPLETED, State.CLOSED, State.REJECTED, State.WITHDRAWN, newest_first=True),
        is_counted=False,
    ),
)
_BY_CODE = {tab.code: tab for tab in TABS}


def tab_of(code: str) -> Tab:
    """Return the tab of a code; the first one for anything else."""
    return _BY_CODE.get(code, TABS[0])


class Raw(NamedTuple):
    """A row as the database gives it."""

    id: str
    due_at: datetime
    paused_at: datetime | None
    answered_at: datetime | None
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
    profile_name: str | None
    profile_name_en: str | None
    is_unread: bool


_CHOICES = """
SELECT 'profile', id::text, name FROM (SELECT id, name FROM konsilium_profile WHERE is_active ORDER BY name) profiles
UNION ALL
SELECT 'consultant', id::text, name FROM (
    SELECT p.id, concat_ws(' ', p.family, nullif(p.given, ''), nullif(p.patronymic, '')) AS name
    FROM konsilium_membership m JOIN konsilium_person p ON p.id = m.person_id
    WHERE m.organization_id = %(centre)s AND m.role = 'consultant' AND m.is_active AND p.is_active
    ORDER BY p.family, p.given, m.id
) consultants
"""
_COLUMNS = tuple(name for name in Raw._fields if name not in keyset.JOINED)


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
    taken = (
        f"SELECT {', '.join(_COLUMNS)}, profile_id, stirred_at, patient_key FROM konsilium_consultation"  # noqa: S608
        f" WHERE {_OWN} AND {sought} ORDER BY patient_key, id LIMIT {PAGE}"
    )
    values = {"numbers": list(numbers), "family": family, "family_end": family + _LAST}
    return _rows(keyset.joined(taken, _COLUMNS, "page.patient_key, page.id"), values, actor)


def page(tab: Tab, wanted: Wanted, *, actor: Actor, at: datetime) -> list[Raw]:
    """Return one page of the tab, and one row more where there is a next page."""
    walk, values = _narrowed(tab.walk, wanted)
    return _rows(walk.page(_COLUMNS), values | {"at": at}, actor)


def around(*, actor: Actor, at: datetime) -> Around:
    """Return the unread notices, and how many rows each tab has, up to a hundred and one; 'done' is not counted."""
    walks = {tab.code: tab.walk for tab in TABS if tab.is_counted}
    return keyset.around(walks, {"centre": actor.organization_id, "person": actor.person_id, "at": at})


def choices(*, actor: Actor) -> dict[str, list[tuple[str, str]]]:
    """Return what the filters choose from: the profiles in use, and the centre's consultants by name (one query)."""
    found: dict[str, list[tuple[str, str]]] = {"profile": [], "consultant": []}
    for kind, key, name in keyset.fetch(_CHOICES, {"centre": actor.organization_id}):
        found[kind].append((key, name))
    return found


def load(*, actor: Actor) -> dict[UUID, int]:
    """Return how many open requests each consultant of the centre has."""
    sql = (
        "SELECT consultant_id, count(*) FROM konsilium_consultation WHERE centre_id = %(centre)s"  # noqa: S608
        f" AND state IN ({_listed((State.ASSIGNED, State.SESSION, State.CONCLUSION))})"
        " AND consultant_id IS NOT NULL GROUP BY consultant_id"
    )
    return dict(keyset.fetch(sql, {"centre": actor.organization_id}))


def _rows(sql: str, values: dict[str, Any], actor: Actor) -> list[Raw]:
    own = {"centre": actor.organization_id, "person": actor.person_id}
    return [Raw(*row) for row in keyset.fetch(sql, values | own)]


def _narrowed(walk: Walk, wanted: Wanted) -> tuple[Walk, dict[str, Any]]:
    given: dict[str, tuple[str, Any]] = {
        "urgency": ("urgency = %(urgency)s", wanted.urgency),
        "profile": ("profile_id = %(profile)s", wanted.profile),
        "consultant": ("consultant_id = %(consultant)s", wanted.consultant),
    }
    walk = walk.narrowed(*(sql for sql, value in given.values() if value))
    values = {name: value for name, (_, value) in given.items() if value}
    if wanted.after:
        walk = walk.after("after_due", "after_id")
        values["after_due"], values["after_id"] = wanted.after
    return walk, values

"""The consultant's list: the requests assigned to them, by due time (see web/keyset.py)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from konsilium.web import keyset
from konsilium.web.keyset import PAGE, Around, Walk
from konsilium.workflow.consultation import State, Turn
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_

__all__ = ["PAGE", "TABS", "Raw", "Tab", "around", "page", "tab_of"]


@dataclass(frozen=True)
class Tab:
    """A part of the list."""

    code: str
    label: str
    walk: Walk


_OWN = "consultant_id = %(person)s AND centre_id = %(centre)s"
_ORDER = ("due_at", "id")
_MINE = (Turn.CONSULTANT, Turn.BOTH)
_OTHERS = tuple(turn for turn in Turn if turn not in _MINE)
_WORKING = ", ".join(f"'{state}'" for state in (State.ASSIGNED, State.SESSION, State.CONCLUSION))
TABS = (
    Tab(
        "mine", N_("My turn"), Walk(f"{_OWN} AND state IN ({_WORKING})", _ORDER, column="turn", values=_MINE)
    ),
    Tab(
        "waiting",
        N_("Waiting"),
        Walk(
            f"{_OWN} AND state IN ({_WORKING}, '{State.CLARIFICATION}')",
            _ORDER,
            column="turn",
            values=_OTHERS,
        ),
    ),
    Tab(
        "done",
        N_("Done"),
        Walk(f"{_OWN} AND state IN ('completed', 'closed', 'withdrawn', 'rejected')", _ORDER, backwards=True),
    ),
)


class Raw(NamedTuple):
    """One row as the database gives it."""

    id: str
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
    profile_name: str | None
    profile_name_en: str | None
    is_unread: bool


_COLUMNS = tuple(name for name in Raw._fields if name not in keyset.JOINED)


def tab_of(code: str) -> Tab:
    """Return the tab of a code; the first for anything else."""
    return next((tab for tab in TABS if tab.code == code), TABS[0])


def page(tab: Tab, *, actor: Actor, after: tuple[datetime, UUID] | None = None) -> list[Raw]:
    """Return the next PAGE rows by due time and one more; what is done runs from the newest back."""
    walk, values = tab.walk, _values(actor)
    if after:
        walk = walk.after("after", "after_id")
        values |= {"after": after[0], "after_id": after[1]}
    return [Raw(*row) for row in keyset.fetch(walk.page(_COLUMNS), values)]


def around(*, actor: Actor) -> Around:
    """Count each tab's rows up to a hundred and one, and the unread notices (one query)."""
    return keyset.around({tab.code: tab.walk for tab in TABS}, _values(actor))


def _values(actor: Actor) -> dict[str, Any]:
    return {"centre": actor.organization_id, "person": actor.person_id}

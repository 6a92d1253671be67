"""The requesting side's list, the newest change first (see web/keyset.py)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from konsilium.web import keyset
from konsilium.web.keyset import PAGE, Around, Walk
from konsilium.workflow.consultation import FINAL, OPEN, State, Turn
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import N_

__all__ = ["PAGE", "TABS", "Raw", "Tab", "around", "page", "tab_of"]


@dataclass(frozen=True)
class Tab:
    """A part of the list: its rows, whosever they are."""

    code: str
    label: str
    walk: Walk


def _walk(where: str = "true", column: str = "", values: tuple[str, ...] = ()) -> Walk:
    return Walk(where, ("updated_at", "id"), backwards=True, column=column, values=values)


_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN))
TABS = (
    Tab("mine", N_("My turn"), _walk(f"state IN ({_OPEN})", "turn", (Turn.REQUESTER, Turn.BOTH))),
    Tab("open", N_("In work"), _walk(column="state", values=tuple(sorted(OPEN)))),
    Tab("drafts", N_("Drafts"), _walk(column="state", values=(State.DRAFT,))),
    Tab("over", N_("Finished"), _walk(column="state", values=tuple(sorted(FINAL)))),
    Tab("all", N_("All"), _walk()),
)


class Raw(NamedTuple):
    """One row as the database gives it."""

    id: str
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
    profile_name: str | None
    profile_name_en: str | None
    is_unread: bool


_COLUMNS = tuple(name for name in Raw._fields if name not in keyset.JOINED)


def tab_of(code: str) -> Tab:
    """Return the tab of a code; the first for anything else."""
    return next((tab for tab in TABS if tab.code == code), TABS[0])


def page(tab: Tab, *, actor: Actor, before: tuple[datetime, UUID] | None = None, text: str = "") -> list[Raw]:
    """Return the next PAGE rows and one more, which says that there are more."""
    walk, values = tab.walk.narrowed(_own(actor)), _values(actor)
    if text:
        walk = walk.narrowed("(number = %(text)s OR patient_key LIKE %(family)s)")
        values |= {
            "text": text,
            "family": text.upper().replace("Ё", "Е").replace("%", "").replace("_", "") + "%",
        }
    if before:
        walk = walk.after("before", "before_id")
        values |= {"before": before[0], "before_id": before[1]}
    return [Raw(*row) for row in keyset.fetch(walk.page(_COLUMNS), values)]


def around(*, actor: Actor) -> Around:
    """Count each tab's rows up to a hundred and one, and the unread notices (one query)."""
    return keyset.around({tab.code: tab.walk.narrowed(_own(actor)) for tab in TABS}, _values(actor))


def _own(actor: Actor) -> str:
    own = "requesting_organization_id = %(organization)s"
    return own if actor.role is Role.ORG_ADMIN else f"{own} AND requester_id = %(person)s"


def _values(actor: Actor) -> dict[str, Any]:
    return {"organization": actor.organization_id, "person": actor.person_id}

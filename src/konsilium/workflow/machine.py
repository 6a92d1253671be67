"""A machine is a table of transitions; asking it is the only way to learn whether a move is allowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_


class Refused(Exception):
    """A move that the rules don't allow. Its text may be shown to the person who tried."""

    def __init__(self, message: str, *, params: dict[str, Any] | None = None) -> None:
        """Keep the message id and what goes into it, so that a page can translate it."""
        super().__init__(message)
        self.message = message
        self.params = params or {}


class NotNow(Refused):
    """The move exists, but not from the state the object is in."""


class NotYours(Refused):
    """The move exists here, but not for this person's role."""


class Missing(Refused):
    """The move is allowed, but something it needs is not there yet."""

    def __init__(self, need: "Need") -> None:
        """Keep which need is not met."""
        super().__init__(need.label)
        self.need = need


class Stale(Refused):
    """Somebody else moved the object after this person had looked at it."""

    def __init__(self) -> None:
        """Say it in words that help: look again."""
        super().__init__(N_("Somebody has changed this meanwhile. Look at its present state and try again."))


@dataclass(frozen=True)
class Need:
    """A fact that must be true for a move, and what to tell the person when it isn't."""

    fact: str
    label: str


@dataclass(frozen=True)
class Transition:
    """One row: who may move what from where to where, and what that needs."""

    move: str
    from_state: str
    to_state: str
    role: Role
    needs: tuple[Need, ...] = ()


class Machine:
    """The states of one kind of object, and its rows."""

    def __init__(
        self, states: type[StrEnum], rows: Iterable[Transition], *, initial: str, labels: dict[str, str]
    ) -> None:
        """Take the states, the rows, the first state, and the words on the buttons."""
        self.states = states
        self.rows = tuple(rows)
        self.initial = initial
        self.labels = labels

    def find(self, move: str, *, state: str, roles: Iterable[Role], facts: Any) -> Transition:
        """Return the row that allows the move.

        Looks at the state first, the role second, the needs last, and raises NotNow, NotYours or Missing.
        Several rows may fit (one per role); the first whose needs are met wins.
        """
        here = [row for row in self.rows if row.move == move and row.from_state == state]
        if not here:
            raise NotNow(N_("This step is not possible in the present state."))
        mine = [row for row in here if row.role in set(roles)]
        if not mine:
            raise NotYours(N_("This step belongs to another role."))
        unmet = [self._first_unmet(row, facts) for row in mine]
        for row, need in zip(mine, unmet, strict=True):
            if need is None:
                return row
        raise Missing(next(need for need in unmet if need is not None))

    def open_to(self, state: str, roles: Iterable[Role]) -> tuple[str, ...]:
        """Return the moves these roles may try from this state, in the table's order, each once."""
        mine = set(roles)
        return tuple(
            dict.fromkeys(row.move for row in self.rows if row.from_state == state and row.role in mine)
        )

    @staticmethod
    def _first_unmet(row: Transition, facts: Any) -> Need | None:
        return next((need for need in row.needs if not getattr(facts, need.fact)), None)

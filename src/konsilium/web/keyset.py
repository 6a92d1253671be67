"""Long lists of requests: a page by key, before anything is joined to it, and counts that stop.

A list is one index's order, or a few equal stretches of it (one a state, or one a turn) that are merged. So a page, and
each tab's count, read as much of the database among a million requests as among a thousand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from konsilium.web.context import UNREAD

PAGE = 50
COUNT_TO = 100

# What stands in every row beside the request's own columns, in this order.
JOINED = ("profile_name", "profile_name_en", "is_unread")
_NEEDED = ("profile_id", "stirred_at")


class Around(NamedTuple):
    """What stands around a list's rows: how many rows each tab has, and how many notices are unread."""

    counts: dict[str, int]
    unread: int


@dataclass(frozen=True)
class Walk:
    """Which rows of requests, and in which order: an index holds them so.

    With `values`, the index holds the rows of each value of `column` in that order, and they are merged.
    `where` and `order` are SQL; values stand in it as %(name)s.
    """

    where: str
    order: tuple[str, str]
    backwards: bool = False
    column: str = ""
    values: tuple[str, ...] = ()

    def narrowed(self, *conditions: str) -> "Walk":
        """Return the same walk, leaving rows out."""
        where = " AND ".join((self.where, *conditions))
        return Walk(where, self.order, self.backwards, self.column, self.values)

    def after(self, value: str, key: str) -> "Walk":
        """Return the rest of the walk after the row that two parameters name."""
        sign = "<" if self.backwards else ">"
        return self.narrowed(f"({', '.join(self.order)}) {sign} (%({value})s, %({key})s)")

    def page(self, columns: Iterable[str]) -> str:
        """Return the query for PAGE rows and one more, which says that there are more.

        It gives `columns` (the id as text), then JOINED; the reader of the unread marks is %(person)s.
        """
        columns = tuple(columns)
        taken = self._rows(", ".join((*columns, *_NEEDED)), PAGE + 1)
        return joined(taken, columns, self._ordered("page."))

    def count(self) -> str:
        """Return the query, in brackets, that counts up to one more than COUNT_TO."""
        most = COUNT_TO + 1
        return f"(SELECT count(*) FROM ({self._rows('1', most, merge=False)}) counted)"  # noqa: S608

    def _rows(self, what: str, most: int, *, merge: bool = True) -> str:
        where = f"{self.where} AND {self.column} = stretch.value" if self.values else self.where
        order = self._ordered()
        one = f"SELECT {what} FROM konsilium_consultation WHERE {where} ORDER BY {order} LIMIT {most}"  # noqa: S608
        if not self.values:
            return one
        stretches = ", ".join(f"('{value}')" for value in self.values)
        merged = f"ORDER BY {order} " if merge else ""
        return (
            f"SELECT one.* FROM (VALUES {stretches}) AS stretch(value)"  # noqa: S608
            f" CROSS JOIN LATERAL ({one}) one {merged}LIMIT {most}"
        )

    def _ordered(self, table: str = "") -> str:
        way = "DESC" if self.backwards else "ASC"
        return ", ".join(f"{table}{name} {way}" for name in self.order)


def joined(taken: str, columns: Iterable[str], order: str) -> str:
    """Return the query that gives the rows that `taken` takes, each with its profile's names and whether it is unread.

    `taken` gives `profile_id` and `stirred_at` beside the columns.
    """
    # A mark for each row, by its key: a join would read all that the person ever opened.
    mark = (
        "SELECT m.read_at FROM konsilium_readmark m"
        " WHERE m.consultation_id = page.id AND m.person_id = %(person)s"
    )
    shown = ", ".join("page.id::text" if name == "id" else f"page.{name}" for name in columns)
    return (
        f"WITH page AS MATERIALIZED ({taken})"  # noqa: S608
        f" SELECT {shown}, p.name, p.name_en, page.stirred_at > coalesce(({mark}), '-infinity') FROM page"
        f" LEFT JOIN konsilium_profile p ON p.id = page.profile_id ORDER BY {order}"
    )


def fetch(query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a query in the caller's database context and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def around(walks: Mapping[str, Walk], values: Mapping[str, Any]) -> Around:
    """Count each walk's rows by name, and the notices that %(person)s has not read (one query)."""
    parts = [*(walk.count() for walk in walks.values()), UNREAD]
    *found, unread = fetch("SELECT " + ", ".join(parts), values)[0]
    return Around(dict(zip(walks, found, strict=True)), unread)


def capped(count: int) -> str:
    """Write a count as a tab shows it: nothing for none, and a plus after COUNT_TO."""
    return f"{COUNT_TO}+" if count > COUNT_TO else str(count or "")

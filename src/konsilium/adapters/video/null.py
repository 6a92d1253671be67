"""The engine of tests: it remembers in memory what it was asked, keeps every promise, and moves no picture."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from konsilium.adapters.video.driver import (
    GRANT_VALID,
    Capabilities,
    Grant,
    GrantKind,
    Happening,
    Health,
    Leg,
    Party,
    Place,
    Present,
    differences,
    following,
)


class NullEngine:
    """Rooms and who is in them, in memory. `arrive` and `leave` are what people's pages would do."""

    name = "null"

    def __init__(self) -> None:
        """Begin without rooms."""
        self.rooms: dict[str, dict[str, frozenset[str]]] = {}
        self.recorded: set[str] = set()
        self.legs: dict[str, list[str]] = defaultdict(list)

    def capabilities(self) -> Capabilities:
        """See `Driver`."""
        return Capabilities(
            in_page=True,
            lists=True,
            mutes=True,
            removes=True,
            dials=True,
            records=True,
            checked_with="memory",
        )

    def health(self) -> Health:
        """See `Driver`."""
        return Health(is_up=True, version="null")

    def open_room(self, place: Place) -> None:
        """See `Driver`."""
        self.rooms.setdefault(place.name, {})
        if place.is_recorded:
            self.recorded.add(place.name)

    def close_room(self, place: Place) -> None:
        """See `Driver`."""
        self.rooms.pop(place.name, None)
        self.recorded.discard(place.name)
        self.legs.pop(place.name, None)

    def join_grant(
        self, place: Place, party: Party, *, at: datetime, valid: timedelta = GRANT_VALID
    ) -> Grant:
        """See `Driver`."""
        token = f"{place.name}:{party.id}"
        return Grant(self.name, GrantKind.MESH, at + valid, token=token, room=place.name, party=str(party.id))

    def arrive(self, grant: Grant, media: Collection[str] = ("audio", "video")) -> None:
        """Be in the room that the grant is for."""
        self.rooms[grant.room][grant.party] = frozenset(media)

    def leave(self, grant: Grant) -> None:
        """Be gone from it."""
        self.rooms[grant.room].pop(grant.party, None)

    def participants(self, place: Place) -> tuple[Present, ...]:
        """See `Driver`."""
        return tuple(Present(party, media) for party, media in self.rooms.get(place.name, {}).items())

    def mute(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        people = self.rooms.get(place.name, {})
        if str(party) in people:
            people[str(party)] -= {"audio"}

    def remove(self, place: Place, party: UUID) -> None:
        """See `Driver`."""
        self.rooms.get(place.name, {}).pop(str(party), None)

    def dial_out(self, place: Place, target: str) -> Leg:
        """See `Driver`."""
        if target not in self.legs[place.name]:
            self.legs[place.name].append(target)
        return Leg(target)

    def hang_up(self, place: Place, leg: str) -> None:
        """See `Driver`."""
        if leg in self.legs[place.name]:
            self.legs[place.name].remove(leg)

    def start_recording(self, place: Place) -> Place:
        """See `Driver`."""
        return self._move(place, recorded=True)

    def stop_recording(self, place: Place) -> Place:
        """See `Driver`."""
        return self._move(place, recorded=False)

    def _move(self, place: Place, *, recorded: bool) -> Place:
        if place.is_recorded == recorded:
            return place
        other = replace(place, name=following(place.name), is_recorded=recorded)
        self.open_room(other)
        self.close_room(place)
        return other

    def reconcile(self, place: Place, known: Mapping[str, Collection[str]]) -> tuple[Happening, ...]:
        """See `Driver`."""
        return differences(self.participants(place), known)

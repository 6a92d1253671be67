"""What a video engine promises, and the plain values that go in and out of it.

Every call may be repeated without harm: our database is the truth, and an engine's memory isn't. Whoever asks an
engine does so outside any transaction, for an engine may be another machine that is slow or away.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from konsilium.workflow.words import N_

# What a grant may be used for without being asked for again; the room's socket brings newer ones.
GRANT_VALID = timedelta(minutes=10)

# Who asks for ICE servers, and when: their names and passwords are good for minutes.
Servers = Callable[[str, datetime], list[dict[str, Any]]]


class EngineTrouble(Exception):
    """Something an engine didn't do. The text is a message id and may be shown."""

    def __init__(self, message: str) -> None:
        """Keep the message id, so that a page can translate it."""
        super().__init__(message)
        self.message = message


class EngineAway(EngineTrouble):
    """The engine doesn't answer, or not as it should. The session can go on by telephone or in the built-in room."""

    def __init__(self, message: str = N_("The video service doesn't answer. Try again in a minute.")) -> None:
        super().__init__(message)


class NotOffered(EngineTrouble):
    """The engine has no such thing."""

    def __init__(self, message: str = N_("This video service can't do that.")) -> None:
        super().__init__(message)


class GrantKind(StrEnum):
    """Where the media of a session runs: in our page, through one of its engines, or somewhere else."""

    MESH = "mesh"
    JANUS = "janus"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do. `checked_with` names what it was tried against, and an operator's page says it."""

    in_page: bool
    most_parties: int | None = None
    lists: bool = False
    mutes: bool = False
    removes: bool = False
    dials: bool = False
    records: bool = False
    checked_with: str = ""


@dataclass(frozen=True)
class Health:
    """Whether the engine answers, in which version, after how many seconds; `trouble` says what to do when not."""

    is_up: bool
    version: str = ""
    seconds: float = 0
    trouble: str = ""


@dataclass(frozen=True)
class Place:
    """A room as an engine needs it. For an outside engine a person may have entered link, number and PIN."""

    name: str
    link: str = ""
    dial: str = ""
    pin: str = ""
    instructions: str = ""
    is_recorded: bool = False


@dataclass(frozen=True)
class Party:
    """Who is to be let in. `moderates` is the consulting side's right to mute and to remove."""

    id: UUID
    name: str = ""
    side: str = ""
    role: str = ""
    moderates: bool = False


@dataclass(frozen=True)
class Way:
    """How one kind of endpoint gets in: what to dial, the PIN, and the steps, which are message ids."""

    kind: str
    label: str
    dial: str
    pin: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grant:
    """What lets one party into one room for a while. Nothing in it is good for another room or much later."""

    engine: str
    kind: GrantKind
    expires_at: datetime
    address: str = ""
    token: str = ""
    room: str = ""
    party: str = ""
    # What the engine asks for beside the token, by its own names.
    keys: Mapping[str, str] = field(default_factory=dict)
    ice: tuple[dict[str, Any], ...] = ()
    dial: str = ""
    pin: str = ""
    instructions: str = ""
    ways: tuple[Way, ...] = ()
    is_recorded: bool = False
    most_parties: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the room's page takes."""
        plain = asdict(replace(self, keys=dict(self.keys)))
        return {**plain, "kind": str(self.kind), "expires_at": self.expires_at.isoformat()}


@dataclass(frozen=True)
class Present:
    """Somebody whom the engine has in a room, by our id where the engine keeps it, and what they send."""

    id: str
    media: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Leg:
    """A call to an endpoint. `is_in_page`: a page with a grant carries it, and rings when it is told to."""

    id: str
    is_in_page: bool = False


@dataclass(frozen=True)
class Happening:
    """What became different in a room: joined, left, media_up, media_lost, leg_ringing, leg_failed."""

    kind: str
    party: str


class Driver(Protocol):
    """An engine behind one face. `tests/adapters/video/test_contract.py` is the contract.

    Whatever an engine's capabilities leave out raises `NotOffered`; any call but `capabilities`, `health` and
    `join_grant` may raise `EngineAway`.
    """

    name: str

    def capabilities(self) -> Capabilities:
        """Return what the engine can do."""

    def health(self) -> Health:
        """Ask the engine how it is. Raises nothing: an engine that is away is an answer."""

    def open_room(self, place: Place) -> None:
        """Make the room when it isn't there; also after the engine forgot it."""

    def close_room(self, place: Place) -> None:
        """End the room for everybody in it; nothing happens when it isn't there."""

    def join_grant(
        self, place: Place, party: Party, *, at: datetime, valid: timedelta = GRANT_VALID
    ) -> Grant:
        """Return what lets this party in until `at + valid`. Asks nobody."""

    def participants(self, place: Place) -> tuple[Present, ...]:
        """Return whom the engine has in the room; nobody when there is no such room."""

    def mute(self, place: Place, party: UUID) -> None:
        """Switch this party's sound off for the others; nothing happens when they aren't there."""

    def remove(self, place: Place, party: UUID) -> None:
        """Put this party out; nothing happens when they aren't there."""

    def dial_out(self, place: Place, target: str) -> Leg:
        """Call an endpoint by its SIP address."""

    def hang_up(self, place: Place, leg: str) -> None:
        """End a call to an endpoint; nothing happens when there is none."""

    def start_recording(self, place: Place) -> Place:
        """Make a room that is recorded from its first packet, and return it: everybody moves there.

        A recording that begins in the middle of a stream can't be decoded, hence another room.
        """

    def stop_recording(self, place: Place) -> Place:
        """End the recorded room and return one that isn't: everybody moves there."""

    def reconcile(self, place: Place, known: Mapping[str, Collection[str]]) -> tuple[Happening, ...]:
        """Return what became different since `known`: our ids, and what each of them sent."""


def differences(present: Collection[Present], known: Mapping[str, Collection[str]]) -> tuple[Happening, ...]:
    """Return what became different between what was known and who is present, joins first and leaves last."""
    now = {one.id: one.media for one in present}
    joined = [Happening("joined", party) for party in now if party not in known]
    media = [
        Happening("media_up" if now[party] else "media_lost", party)
        for party in now
        if bool(now[party]) != bool(known.get(party, ()))
    ]
    left = [Happening("left", party) for party in known if party not in now]
    return (*joined, *media, *left)


def following(name: str) -> str:
    """Return the name of the room to which everybody moves from this one: a-1, a-2 …"""
    stem, _, number = name.rpartition("-")
    return f"{stem}-{int(number) + 1}" if stem and number.isdecimal() else f"{name}-1"


def is_our_id(text: str) -> bool:
    """Say whether an engine's name of somebody is an id that we gave."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True

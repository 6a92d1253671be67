"""Janus' own recordings (.mjr): a head, then the RTP packets of one sender's sound or picture as they came.

The server is ours, the packets are somebody's browser's: every length is a claim and is checked against the file.
"""

import heapq
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

MARK, FRAME = b"MJR00002", b"MEET"
CLOCKS = {"opus": 48000, "vp8": 90000}
KINDS = {"a": "audio", "v": "video"}
LONGEST_HEAD = 16 * 1024
# Packets that came out of order are put right within so many.
WINDOW = 128
_HALF, _ROUND = 1 << 15, 1 << 16
_NAME = re.compile(
    r"videoroom-(?P<room>[0-9a-f]{24}(?:-\d+)?)-user-(?P<party>[0-9a-f-]{36})-\d+-(?:audio|video)-\d+\.mjr"
)


class BadTrack(ValueError):
    """The file is no recording that we can make playable."""


@dataclass(frozen=True)
class Origin:
    """Whose track a file is: the room's name and our id of the sender."""

    room: str
    party: UUID


@dataclass(frozen=True)
class Head:
    """What the file says of itself."""

    kind: str
    codec: str
    began_at: datetime


@dataclass(frozen=True, order=True)
class Packet:
    """An RTP packet: its number and time counted on past their overflow."""

    number: int
    time: int
    payload: bytes
    is_marked: bool = False


def read_origin(name: str) -> Origin:
    """Return whose track a file of this name is. Raises BadTrack for a name that Janus didn't give."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise BadTrack(name)
    try:
        return Origin(match["room"], UUID(match["party"]))
    except ValueError as error:
        raise BadTrack(name) from error


def read_head(path: Path) -> Head:
    """Return what the file says of itself. Raises BadTrack."""
    with path.open("rb") as file:
        return _head(file)


def packets(path: Path) -> Iterator[Packet]:
    """Yield the packets in the order in which they were sent. A file that breaks off ends there."""
    with path.open("rb") as file:
        _head(file)
        yield from _in_order(_counted_on(_raw(file)))


def _head(file: IO[bytes]) -> Head:
    mark, length = file.read(len(MARK)), file.read(2)
    if mark != MARK or len(length) != 2:  # noqa: PLR2004
        raise BadTrack
    size = int.from_bytes(length)
    if size > LONGEST_HEAD:
        raise BadTrack
    try:
        said = json.loads(file.read(size))
        kind, codec = KINDS[said["t"]], str(said["c"])
        began_at = datetime.fromtimestamp(int(said.get("u") or said["s"]) / 1_000_000, UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise BadTrack from error
    if codec not in CLOCKS or (kind == "audio") != (codec == "opus"):
        raise BadTrack
    return Head(kind, codec, began_at)


def _raw(file: IO[bytes]) -> Iterator[bytes]:
    while len(start := file.read(10)) == 10:  # noqa: PLR2004
        mark, _, length = struct.unpack("!4sIH", start)
        if mark != FRAME:
            return
        packet = file.read(length)
        if len(packet) < length:
            return
        yield packet


def _counted_on(raw: Iterator[bytes]) -> Iterator[Packet]:
    number = time = None
    for packet in raw:
        parsed = _parsed(packet)
        if parsed is None:
            continue
        number = _past(number, parsed.number, _ROUND)
        time = _past(time, parsed.time, 1 << 32)
        yield Packet(number, time, parsed.payload, parsed.is_marked)


def _past(last: int | None, now: int, span: int) -> int:
    """Return the value nearest to the last one that `now` can mean after its overflow."""
    if last is None:
        return now + span
    return last + ((now - last + span // 2) % span) - span // 2


def _parsed(packet: bytes) -> Packet | None:
    if len(packet) < 12 or packet[0] >> 6 != 2:  # noqa: PLR2004
        return None
    first, second, number, time = struct.unpack_from("!BBHI", packet)
    start, end = 12 + 4 * (first & 15), len(packet)
    if first & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4])
    if first & 0x20:
        end -= packet[-1]
    return Packet(number, time, packet[start:end], bool(second & 0x80)) if start < end else None


def _in_order(found: Iterator[Packet]) -> Iterator[Packet]:
    waiting: list[Packet] = []
    last = -1
    for packet in found:
        heapq.heappush(waiting, packet)
        if len(waiting) > WINDOW:
            first = heapq.heappop(waiting)
            if first.number > last:
                last = first.number
                yield first
    while waiting:
        first = heapq.heappop(waiting)
        if first.number > last:
            last = first.number
            yield first

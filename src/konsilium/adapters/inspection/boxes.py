"""ISO base media files (MP4, HEIC): boxes that follow each other exactly up to the end."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass

_MOST = 200_000
_PLAIN, _LARGE = 8, 16


class Damaged(Exception):
    """The boxes don't fill the file."""


@dataclass(frozen=True)
class Box:
    """One box: its kind, and where its content begins and ends."""

    kind: bytes
    begin: int
    end: int


def walk_bytes(data: mmap.mmap | bytes, at: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two places. Raises `Damaged` when they don't end exactly there."""
    for _ in range(_MOST):
        if at == end:
            return
        box, at = _box(data, at, end)
        yield box
    raise Damaged


def _box(data: mmap.mmap | bytes, at: int, end: int) -> tuple[Box, int]:
    size, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], _PLAIN
    if size == 1:
        size, head = int.from_bytes(data[at + 8 : at + 16], "big"), _LARGE
    if size == 0:
        size = end - at
    if size < head or at + size > end:
        raise Damaged
    return Box(kind, at + head, at + size), at + size


def find(data: mmap.mmap | bytes, begin: int, end: int, *kinds: bytes) -> Iterator[Box]:
    """Yield the boxes at a path of kinds, from outside to inside."""
    for box in walk_bytes(data, begin, end):
        if box.kind == kinds[0]:
            if len(kinds) == 1:
                yield box
            else:
                yield from find(data, box.begin, box.end, *kinds[1:])

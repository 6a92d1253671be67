"""Where a JPEG ends, and what cameras are known to put behind the end."""

import mmap
import re
import struct

from konsilium.adapters.inspection.boxes import Damaged, walk_bytes
from konsilium.adapters.inspection.reasons import Refused

_SEGMENTS = 100_000
_PADDING = 64 * 1024
_MARKER = re.compile(rb"\xff(?![\x00\xd0-\xd7\xff])", re.DOTALL)
_START, _SCAN = 0xD8, 0xDA
_EOI = b"\xff\xd9"
_WITHOUT_LENGTH = {0x00, 0x01, _START, *range(0xD0, 0xD8)}
_SAMSUNG_HEAD, _SAMSUNG_END = b"SEFH", b"SEFT"
_SAMSUNG_ENTRY = 12


def explain(data: mmap.mmap) -> None:
    """Walk the picture, and pictures, a film and a maker's block that telephones put behind it.

    Raises `Refused` when the picture is cut off, or when something unknown stands behind it.
    """
    end = _without_maker(data)
    at = _walk(data, 0, end)
    while (at := _skip_padding(data, at, end)) < end:
        if data[at : at + 2] == b"\xff\xd8":
            at = _walk(data, at, end)
        elif data[at + 1 : at + 5] == b"ftyp":
            # Three of the four bytes of its size are zeros too.
            at = _film(data, at - 3, end)
        else:
            raise Refused("rest_behind")


def _walk(data: mmap.mmap, at: int, end: int) -> int:
    """Return where the picture that begins at `at` ends, going from segment to segment."""
    at += 2
    for _ in range(_SEGMENTS):
        while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] == b"\xff":
            at += 1
        head = data[at : at + 4]
        if at + len(_EOI) > end or head[0] != _EOI[0] or head[1] in _WITHOUT_LENGTH:
            break
        if head[1] == _EOI[1]:
            return at + 2
        at += 2 + int.from_bytes(head[2:], "big")
        if head[1] == _SCAN:
            following = _MARKER.search(data, at, end)
            at = following.start() if following else end
    raise Refused("damaged")


def _film(data: mmap.mmap, at: int, end: int) -> int:
    """Pass over the film of a "motion photo", which reaches up to the end."""
    try:
        for _ in walk_bytes(data, at, end):
            pass
    except Damaged:
        raise Refused("rest_behind") from None
    return end


def _without_maker(data: mmap.mmap) -> int:
    """Return where Samsung's block begins, which is found from the end; the file's end without one."""
    end = len(data)
    if data[end - 4 : end] != _SAMSUNG_END:
        return end
    length = int.from_bytes(data[end - 8 : end - 4], "little")
    head = end - 8 - length
    if length < _SAMSUNG_ENTRY or head < 0 or data[head : head + 4] != _SAMSUNG_HEAD:
        return end
    (count,) = struct.unpack_from("<I", data, head + 8)
    entries = [head + 12 + _SAMSUNG_ENTRY * number for number in range(min(count, 1000))]
    back = [struct.unpack_from("<I", data, at + 4)[0] for at in entries if at + _SAMSUNG_ENTRY <= end - 8]
    return max(2, head - max(back, default=0))


def _skip_padding(data: mmap.mmap, at: int, end: int) -> int:
    part = data[at : min(end, at + _PADDING)]
    return at + len(part) - len(part.lstrip(b"\x00"))

"""MP4: only boxes that belong there, exactly up to the end, and a track with a picture. Nothing is decoded."""

import mmap
from pathlib import Path
from typing import Any

from konsilium.adapters.inspection.boxes import Box, Damaged, find, walk_bytes
from konsilium.adapters.inspection.reasons import Refused

_KNOWN = {
    b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"udta", b"meta", b"moof", b"mfra", b"sidx",
    b"styp", b"pdin", b"ssix", b"prft", b"emsg",
}  # fmt: skip
_LONGEST_DESCRIPTION = 64 * 1024**2


def judge(path: Path, size: int) -> dict[str, Any]:
    """Return width, height, seconds and codec of the first picture track. Raises `Refused`."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            boxes = list(walk_bytes(data, 0, size))
            if foreign := [box for box in boxes if box.kind not in _KNOWN]:
                raise Refused("rest_behind" if foreign[-1] is boxes[-1] else "video_foreign")
            return _picture(data, boxes)
        except Damaged:
            raise Refused("damaged") from None


def _picture(data: mmap.mmap, boxes: list[Box]) -> dict[str, Any]:
    for movie in (box for box in boxes if box.kind == b"moov"):
        if movie.end - movie.begin > _LONGEST_DESCRIPTION:
            raise Damaged
        for track in find(data, movie.begin, movie.end, b"trak"):
            if facts := _facts(data, track):
                return facts
    raise Refused("video_none")


def _facts(data: mmap.mmap, track: Box) -> dict[str, Any] | None:
    """Return what is known of a track when it is a picture's; None when it is sound or text."""
    handler = _content(data, track, b"mdia", b"hdlr")
    if handler[8:12] != b"vide":
        return None
    head = _content(data, track, b"tkhd")
    described = _content(data, track, b"mdia", b"minf", b"stbl", b"stsd")
    return {
        "width": int.from_bytes(head[-8:-6], "big"),
        "height": int.from_bytes(head[-4:-2], "big"),
        "seconds": _seconds(_content(data, track, b"mdia", b"mdhd")),
        "codec": described[12:16].decode("latin-1"),
    }


def _content(data: mmap.mmap, track: Box, *kinds: bytes) -> bytes:
    box = next(find(data, track.begin, track.end, *kinds), None)
    if box is None:
        raise Damaged
    return data[box.begin : min(box.end, box.begin + 256)]


def _seconds(head: bytes) -> float:
    at, width = (20, 8) if head[:1] == b"\x01" else (12, 4)
    scale = int.from_bytes(head[at : at + 4], "big")
    length = int.from_bytes(head[at + 4 : at + 4 + width], "big")
    return round(length / scale, 1) if scale else 0.0

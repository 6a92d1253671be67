"""Frames as plain pictures, for programs that can't window by themselves: JPEG in the window the header asks for."""

from pathlib import Path
from typing import Any

from PIL import Image

from konsilium.adapters.imaging.bytes import part
from konsilium.adapters.imaging.pixels import read, shown, windows_of
from konsilium.adapters.imaging.study import read_header, whole
from konsilium.adapters.sandbox_child import progress

QUALITY = 90


def render_frames(scratch: Path, *, instances: list[dict[str, Any]]) -> dict[str, Any]:
    """Write every frame as JPEG into `rendered`, one after the other, with the pixels it has.

    `instances` are those of `render_series`. Returns {"file", "ranges": {SOP UID: [[offset, length], …]}}. Raises what
    a decoder raises on a damaged frame.
    """
    ranges: dict[str, list[list[int]]] = {}
    with (scratch / "rendered").open("xb") as target:
        for number, one in enumerate(instances):
            ranges[one["sop_uid"]] = _instance(target, one)
            progress((number + 1) / len(instances))
    return {"file": "rendered", "ranges": ranges}


def _instance(target: Any, one: dict[str, Any]) -> list[list[int]]:
    header, ranges = read_header(one["path"], one["offset"], one["length"]), []
    with part(one["path"], one["offset"], one["length"]) as file:
        for number in range(whole(header.get("NumberOfFrames")) or 1):
            pixels = read(file, header, number)
            begun = target.tell()
            window = windows_of(header, pixels)["default"]
            Image.fromarray(shown(pixels, header, window)).save(target, "JPEG", quality=QUALITY)
            ranges.append([begun, target.tell() - begun])
    return ranges

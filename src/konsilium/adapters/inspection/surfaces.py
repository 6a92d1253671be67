"""STL, and PLY by its own module: surfaces whose size is exactly what their head says, and whose numbers are numbers."""

import re
from pathlib import Path
from typing import IO, Any

import numpy as np

from konsilium.adapters.inspection import ply
from konsilium.adapters.inspection.extent import Extent
from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import STL

LARGEST_MB = 1024
_TRIANGLES_AT_ONCE = 200_000
_STL_HEAD = 84
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("free", "<u2")])
_NUMBER = rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VERTEX = re.compile(rb"\s*vertex\s+(%b)\s+(%b)\s+(%b)\s*" % (_NUMBER, _NUMBER, _NUMBER))
_STL_LINE = re.compile(
    rb"\s*(?:facet\s+normal(?:\s+\S+){3}|outer\s+loop|endloop|endfacet|endsolid[^\x00]*|solid[^\x00]*|)\s*",
)
_LONGEST_LINE = 4096


def judge(path: Path, size: int, media_type: str) -> dict[str, Any]:
    """Return the number of triangles and the box around them, in the file's units. Raises `Refused`."""
    if size > LARGEST_MB * 1024**2:
        raise Refused("too_large", most=LARGEST_MB)
    try:
        with path.open("rb") as file:
            return _stl(file, size) if media_type == STL else ply.read(file, size)
    except (ValueError, KeyError, IndexError, TypeError, OverflowError):
        raise Refused("damaged") from None


def _stl(file: IO[bytes], size: int) -> dict[str, Any]:
    head = file.read(_STL_HEAD)
    triangles = int.from_bytes(head[80:84], "little")
    if size != _STL_HEAD + _TRIANGLE.itemsize * triangles:
        file.seek(0)
        return _stl_text(file)
    box = Extent()
    while piece := file.read(_TRIANGLE.itemsize * _TRIANGLES_AT_ONCE):
        box.add(np.frombuffer(piece, _TRIANGLE)["corners"].reshape(-1, 3))
    return box.facts(triangles, 3 * triangles)


def _stl_text(file: IO[bytes]) -> dict[str, Any]:
    box, vertices, last = Extent(), 0, b""
    points: list[tuple[float, ...]] = []
    while line := file.readline(_LONGEST_LINE):
        if found := _VERTEX.fullmatch(line):
            points.append(tuple(map(float, found.groups())))
            vertices += 1
        elif not _STL_LINE.fullmatch(line):
            raise Refused("damaged")
        if len(points) >= _TRIANGLES_AT_ONCE:
            box.add(np.array(points))
            points.clear()
        last = line.strip() or last
    if not last.startswith(b"endsolid") or vertices % 3:
        raise Refused("damaged")
    box.add(np.array(points).reshape(-1, 3))
    return box.facts(vertices // 3, vertices)

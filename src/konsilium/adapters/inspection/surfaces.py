"""STL and PLY: surfaces whose size is exactly what their head says, and whose numbers are numbers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

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
_LARGEST_HEAD = 64 * 1024
_SIZES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip


def judge(path: Path, size: int, media_type: str) -> dict[str, Any]:
    """Return the number of triangles and the box around them, in the file's units. Raises `Refused`."""
    if size > LARGEST_MB * 1024**2:
        raise Refused("too_large", most=LARGEST_MB)
    try:
        with path.open("rb") as file:
            return _stl(file, size) if media_type == STL else _ply(file, size)
    except (ValueError, KeyError, IndexError, TypeError, OverflowError):
        raise Refused("damaged") from None


class _Box:
    """The box around all points so far."""

    def __init__(self) -> None:
        self._least = np.full(3, np.inf)
        self._most = np.full(3, -np.inf)

    def add(self, points: npt.NDArray[Any]) -> None:
        """Take points in, one a row. Raises `Refused` for what isn't a place."""
        if not np.isfinite(points).all():
            raise Refused("damaged")
        if len(points):
            self._least = np.minimum(self._least, points.min(axis=0))
            self._most = np.maximum(self._most, points.max(axis=0))

    def facts(self, triangles: int, vertices: int) -> dict[str, Any]:
        if not np.isfinite(self._least).all() or not triangles:
            raise Refused("damaged")
        box = [[round(float(value), 4) for value in corner] for corner in (self._least, self._most)]
        return {"triangles": triangles, "vertices": vertices, "box": box}


def _stl(file: IO[bytes], size: int) -> dict[str, Any]:
    head = file.read(_STL_HEAD)
    triangles = int.from_bytes(head[80:84], "little")
    if size != _STL_HEAD + _TRIANGLE.itemsize * triangles:
        file.seek(0)
        return _stl_text(file)
    box = _Box()
    while piece := file.read(_TRIANGLE.itemsize * _TRIANGLES_AT_ONCE):
        box.add(np.frombuffer(piece, _TRIANGLE)["corners"].reshape(-1, 3))
    return box.facts(triangles, 3 * triangles)


def _stl_text(file: IO[bytes]) -> dict[str, Any]:
    box, vertices, last = _Box(), 0, b""
    points: list[tuple[float, ...]] = []
    for line in _lines(file):
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


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise Refused("damaged")
        yield line


class _Element:
    """An element of a PLY's head: how many rows, and of what properties."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count
        self.plain: list[tuple[str, str]] = []
        self.lists: list[tuple[str, str, str]] = []


def _ply(file: IO[bytes], size: int) -> dict[str, Any]:
    form, elements = _ply_head(file)
    box, triangles = _Box(), 0
    vertices = 0
    for element in elements:
        if element.count > size:
            raise Refused("damaged")
        if element.lists:
            triangles += _faces(file, element, form)
        else:
            for points in _rows(file, element, form):
                box.add(points)
            vertices += element.count if element.name == "vertex" else 0
    if file.read(_LARGEST_HEAD).strip():
        raise Refused("rest_behind")
    if not triangles:
        triangles = sum(element.count for element in elements if element.name == "face")
    return box.facts(triangles or vertices, vertices)


def _ply_head(file: IO[bytes]) -> tuple[str, list[_Element]]:
    form, elements = "", list[_Element]()
    for line in _lines(file):
        words = line.decode("ascii", "replace").split()
        match words:
            case ["end_header"]:
                break
            case ["format", name, _]:
                form = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}[name]
            case ["element", name, count]:
                elements.append(_Element(name, int(count)))
            case ["property", "list", counts, items, name]:
                elements[-1].lists.append((name, _SIZES[counts], _SIZES[items]))
            case ["property", kind, name]:
                elements[-1].plain.append((name, _SIZES[kind]))
            case ["ply"] | ["comment", *_] | ["obj_info", *_]:
                continue
            case _:
                raise Refused("damaged")
        if file.tell() > _LARGEST_HEAD:
            raise Refused("damaged")
    if not elements or any(element.count < 0 for element in elements):
        raise Refused("damaged")
    return form, elements


def _rows(file: IO[bytes], element: _Element, form: str) -> Iterator[npt.NDArray[Any]]:
    """Read rows of plain properties and yield places, many at once; raises when there are fewer than said."""
    for at in range(0, element.count, _TRIANGLES_AT_ONCE):
        yield _some_rows(file, element, form, min(_TRIANGLES_AT_ONCE, element.count - at))


def _some_rows(file: IO[bytes], element: _Element, form: str, count: int) -> npt.NDArray[Any]:
    names = [name for name, _ in element.plain]
    wanted = [names.index(axis) for axis in "xyz"] if element.name == "vertex" else []
    if not form:
        return _text_rows(file, count, len(names), wanted)
    row = np.dtype([(f"{name}-{at}", form + kind) for at, (name, kind) in enumerate(element.plain)])
    values = np.frombuffer(_exactly(file, row.itemsize * count), row)
    fields = [f"{names[at]}-{at}" for at in wanted]
    return np.stack([values[field] for field in fields], axis=1) if fields else np.empty((0, 3))


def _text_rows(file: IO[bytes], count: int, width: int, wanted: list[int]) -> npt.NDArray[Any]:
    points = []
    for _ in range(count):
        words = file.readline(_LONGEST_LINE).split()
        if len(words) != width:
            raise Refused("damaged")
        points.append([float(words[at]) for at in wanted])
    return np.array(points) if wanted else np.empty((0, 3))


def _exactly(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise Refused("damaged")
    return content


def _faces(file: IO[bytes], element: _Element, form: str) -> int:
    """Pass over rows with lists, and return how many triangles they make."""
    if not form:
        return sum(_text_face(file) for _ in range(element.count))
    _name, counts, items = element.lists[0]
    counted, item = np.dtype(form + counts), np.dtype(form + items)
    plain = sum(np.dtype(kind).itemsize for _, kind in element.plain)
    if len(element.lists) > 1:
        raise Refused("damaged")
    triangle = counted.itemsize + 3 * item.itemsize + plain
    if not plain and _all_threes(file, counted, triangle, element.count):
        return element.count
    total = 0
    for _ in range(element.count):
        corners = int(np.frombuffer(_exactly(file, counted.itemsize), counted)[0])
        _exactly(file, corners * item.itemsize + plain)
        total += _triangles(corners)
    return total


def _triangles(corners: int) -> int:
    """Return how many triangles a face makes. Raises `Refused` when it is none."""
    if corners < 3:  # noqa: PLR2004
        raise Refused("damaged")
    return corners - 2


def _all_threes(file: IO[bytes], counted: np.dtype[Any], triangle: int, count: int) -> bool:
    """Pass over the faces when each has three corners; otherwise stay where they begin."""
    begin = file.tell()
    for at in range(0, count, _TRIANGLES_AT_ONCE):
        rows = min(_TRIANGLES_AT_ONCE, count - at)
        piece = np.frombuffer(file.read(triangle * rows), np.uint8)
        if len(piece) != triangle * rows:
            file.seek(begin)
            return False
        heads = np.ascontiguousarray(piece.reshape(rows, triangle)[:, : counted.itemsize])
        if (heads.view(counted) != 3).any():  # noqa: PLR2004
            file.seek(begin)
            return False
    return True


def _text_face(file: IO[bytes]) -> int:
    words = file.readline(_LONGEST_LINE).split()
    corners = int(words[0])
    if len(words) < corners + 1:
        raise Refused("damaged")
    for word in words[1:]:
        float(word)
    return _triangles(corners)

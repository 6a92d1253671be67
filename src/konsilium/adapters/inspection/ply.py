"""PLY: a head that tells rows and their properties, and exactly those rows behind it."""

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from konsilium.adapters.inspection.extent import Extent
from konsilium.adapters.inspection.reasons import Refused

_AT_ONCE = 200_000
_LONGEST_LINE = 4096
_LARGEST_HEAD = 64 * 1024
_SIZES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_FORMS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_CORNERS = ("vertex_indices", "vertex_index")


class _Element:
    """An element of the head: how many rows, and of what properties: (name, kind of its count, kind).

    A property that is one number has no count.
    """

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count
        self.properties: list[tuple[str, str, str]] = []

    @property
    def has_lists(self) -> bool:
        return any(counts for _, counts, _ in self.properties)


def read(file: IO[bytes], size: int) -> dict[str, Any]:
    """Return the number of triangles and vertices, and the box around them.

    Raises `Refused`, and what wrong numbers make Python raise. A cloud of points has no triangles.
    """
    form, elements = _head(file)
    extent, triangles, vertices = Extent(), 0, 0
    for element in elements:
        # Rows of nothing would take no bytes, and any number of them no end.
        if not 0 <= element.count <= size:
            raise Refused("damaged")
        if element.has_lists:
            triangles += _lists(file, element, form)
        else:
            for points in _numbers(file, element, form):
                extent.add(points)
            vertices += element.count if element.name == "vertex" else 0
    if file.read(_LARGEST_HEAD).strip():
        raise Refused("rest_behind")
    return extent.facts(triangles, vertices)


def _head(file: IO[bytes]) -> tuple[str, list[_Element]]:
    form, elements = "", list[_Element]()
    while file.tell() < _LARGEST_HEAD:
        words = file.readline(_LONGEST_LINE).decode("ascii", "replace").split()
        match words:
            case ["end_header"]:
                return form, elements
            case ["format", name, _]:
                form = _FORMS[name]
            case ["element", name, count]:
                elements.append(_Element(name, int(count)))
            case ["property", "list", counts, kind, name]:
                elements[-1].properties.append((name, _SIZES[counts], _SIZES[kind]))
            case ["property", kind, name]:
                elements[-1].properties.append((name, "", _SIZES[kind]))
            case ["ply"] | ["comment", *_] | ["obj_info", *_]:
                continue
            case _:
                break
    raise Refused("damaged")


def _exactly(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise Refused("damaged")
    return content


# --- Rows of single numbers


def _numbers(file: IO[bytes], element: _Element, form: str) -> Iterator[npt.NDArray[Any]]:
    """Read rows of numbers and yield the places among them, many at once."""
    names = [name for name, _, _ in element.properties]
    wanted = [names.index(axis) for axis in "xyz"] if element.name == "vertex" else []
    for at in range(0, element.count, _AT_ONCE):
        count = min(_AT_ONCE, element.count - at)
        rows = _binary_rows(file, element, form, count) if form else _text_rows(file, len(names), count)
        yield np.stack([rows[place] for place in wanted], axis=1) if wanted else np.empty((0, 3))


def _binary_rows(file: IO[bytes], element: _Element, form: str, count: int) -> list[npt.NDArray[Any]]:
    """Return the columns of the next rows."""
    row = np.dtype([(str(at), form + kind) for at, (_, _, kind) in enumerate(element.properties)])
    values = np.frombuffer(_exactly(file, row.itemsize * count), row)
    return [values[str(at)] for at in range(len(element.properties))]


def _text_rows(file: IO[bytes], width: int, count: int) -> list[npt.NDArray[Any]]:
    rows = [file.readline(_LONGEST_LINE).split() for _ in range(count)]
    if any(len(row) != width for row in rows):
        raise Refused("damaged")
    return list(np.array(rows, dtype=np.float64).T)


# --- Rows with lists: faces, with their corners and perhaps more


def _lists(file: IO[bytes], element: _Element, form: str) -> int:
    """Pass over rows with lists, and return how many triangles they make."""
    if not element.count:
        return 0
    if not form:
        return sum(_triangles(element, _text_counts(file, element)) for _ in range(element.count))
    begin = file.tell()
    first = _counts(file, element, form)
    file.seek(begin)
    if _are_alike(file, element, form, first):
        return element.count * _triangles(element, first)
    file.seek(begin)
    return sum(_triangles(element, _counts(file, element, form)) for _ in range(element.count))


def _triangles(element: _Element, counts: list[int]) -> int:
    """Return how many triangles a face with these counts makes. Raises `Refused` when it is none."""
    if element.name != "face":
        return 0
    names = [name for name, counted, _ in element.properties if counted]
    corners = counts[next((names.index(name) for name in _CORNERS if name in names), 0)]
    if corners < 3:  # noqa: PLR2004
        raise Refused("damaged")
    return corners - 2


def _counts(file: IO[bytes], element: _Element, form: str) -> list[int]:
    """Pass over one row and return how long its lists are."""
    found = []
    for _, counted, kind in element.properties:
        many = 1
        if counted:
            width = np.dtype(counted).itemsize
            many = int(np.frombuffer(_exactly(file, width), form + counted)[0])
            found.append(many)
        if many < 0:
            raise Refused("damaged")
        _exactly(file, many * np.dtype(kind).itemsize)
    return found


def _are_alike(file: IO[bytes], element: _Element, form: str, counts: list[int]) -> bool:
    """Pass over all rows at once when their lists are as long as the first row's; say whether they are."""
    left, fields = list(counts), list[tuple[str, str, tuple[int, ...]]]()
    for at, (_, counted, kind) in enumerate(element.properties):
        many = left.pop(0) if counted else 1
        if counted:
            fields.append((f"count-{at}", form + counted, ()))
        fields.append((str(at), form + kind, (many,)))
    row = np.dtype(fields)
    for at in range(0, element.count, _AT_ONCE):
        size = row.itemsize * min(_AT_ONCE, element.count - at)
        piece = file.read(size)
        if len(piece) != size:
            return False
        rows = np.frombuffer(piece, row)
        told = [rows[name] for name, _, _ in fields if name.startswith("count-")]
        if any((column != many).any() for column, many in zip(told, counts, strict=True)):
            return False
    return True


def _text_counts(file: IO[bytes], element: _Element) -> list[int]:
    words = iter(file.readline(_LONGEST_LINE).split())
    found = []
    for _, counted, _ in element.properties:
        many = int(next(words, b"")) if counted else 1
        if counted:
            found.append(many)
        if sum(1 for _, word in zip(range(many), words, strict=False) if np.isfinite(float(word))) != many:
            raise Refused("damaged")
    if next(words, None) is not None:
        raise Refused("damaged")
    return found

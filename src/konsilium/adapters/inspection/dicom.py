"""DICOM: elements that follow each other up to the end of the file, and a head that can be read.

What is in the pixels is for the imaging tasks to find out; nothing is decoded here.
"""

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import PREAMBLE

_DISC_INDEX = "1.2.840.10008.1.3.10"
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXELS = 0x7FE00010
_META = 0x0002
_SYNTAX = 0x00020010
_DEEPEST = 32
_PADDING = 64 * 1024
_TAGS = ["SOPClassUID", "Modality", "NumberOfFrames", "Rows", "Columns"]


def judge(path: Path, size: int) -> dict[str, Any]:
    """Return kind of object, modality, transfer syntax, frames, rows and columns. Raises `Refused`."""
    # First, since the library would make room for whatever length an element tells.
    _explain_whole(path, size)
    facts = _head(path)
    if facts["sop_class"] == _DISC_INDEX:
        raise Refused("dicom_index")
    return facts


def _head(path: Path) -> dict[str, Any]:
    """Return the facts. What looks odd is for the imaging tasks to warn of."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            head = pydicom.dcmread(
                path, stop_before_pixels=True, defer_size="64 KB", specific_tags=list(_TAGS)
            )
            return _facts(head)
    except Exception as error:
        # Whatever a head of foreign make lets the library stumble over.
        if isinstance(error, MemoryError):
            raise
        raise Refused("damaged") from None


def _facts(head: pydicom.FileDataset) -> dict[str, Any]:
    media_class = head.file_meta.get("MediaStorageSOPClassUID", "")
    return {
        "sop_class": str(head.get("SOPClassUID") or media_class),
        "transfer_syntax": str(head.file_meta.TransferSyntaxUID),
        "modality": str(head.get("Modality") or "")[:16],
        "frames": _number(head, "NumberOfFrames") or 1,
        "rows": _number(head, "Rows"),
        "columns": _number(head, "Columns"),
    }


def _number(head: pydicom.FileDataset, name: str) -> int:
    """Return a number of the head; 0 when it isn't there or is none, which is for the imaging tasks to judge."""
    try:
        return int(head.get(name) or 0)
    except (ValueError, TypeError, OverflowError):
        return 0


def _explain_whole(path: Path, size: int) -> None:
    with path.open("rb") as file:
        file.seek(PREAMBLE + 4)
        meta = _Walk(file, size, is_implicit=False, order="<")
        meta.elements(0, lambda tag: tag >> 16 != _META)
        syntax = meta.syntax
        if syntax == DeflatedExplicitVRLittleEndian:
            return
        file.seek(meta.at)
        walk = _Walk(
            file,
            size,
            is_implicit=syntax == ImplicitVRLittleEndian,
            order=">" if syntax == ExplicitVRBigEndian else "<",
        )
        walk.elements(0, lambda _: False)


class _Walk:
    """Goes from element to element by their lengths. Raises `Refused` where a length leaves the file."""

    def __init__(self, file: IO[bytes], size: int, *, is_implicit: bool, order: str) -> None:
        self._file, self._size = file, size
        self._is_implicit, self._order = is_implicit, order
        # Where the last element's head began, and the form of what follows when it was told.
        self.at = 0
        self.syntax = ""

    def elements(self, depth: int, is_over: Callable[[int], bool]) -> None:
        """Pass over elements up to the file's end, to an item's end, or to where `is_over` says so."""
        if depth > _DEEPEST:
            raise Refused("damaged")
        while head := self._head(depth):
            tag, kind, length = head
            if is_over(tag):
                return
            if tag == _SYNTAX:
                self.syntax = self._text(length)
            elif length != _UNDEFINED:
                self._skip(length)
            elif tag == _PIXELS:
                self._items(depth, None)
            else:
                self._items(depth, kind)

    def _head(self, depth: int) -> tuple[int, bytes, int] | None:
        """Return tag, kind and length of the next element; None at the end of the file."""
        self.at = self._file.tell()
        raw = self._file.read(8)
        if depth == 0 and (not raw or (not raw.strip(b"\x00") and self._is_padding())):
            return None
        tag = self._tag(raw)
        if self._is_implicit or tag >> 16 == 0xFFFE:  # noqa: PLR2004  items and their ends have no kind
            return tag, b"", self._number(raw[4:])
        kind = raw[4:6]
        if kind in _LONG:
            return tag, kind, self._number(self._file.read(4))
        if not (kind.isalpha() and kind.isupper()):
            # Some writers fall back to the implicit form within sequences.
            return tag, b"", self._number(raw[4:])
        return tag, kind, int(struct.unpack(self._order + "H", raw[6:8])[0])

    def _is_padding(self) -> bool:
        self._file.seek(self.at)
        rest = self._file.read(_PADDING)
        return self.at + len(rest) == self._size and not rest.strip(b"\x00")

    def _items(self, depth: int, kind: bytes | None) -> None:
        """Pass over the items of a sequence, or over the fragments of pixels, to the sequence's end."""
        while True:
            raw = self._file.read(8)
            tag, length = self._tag(raw), self._number(raw[4:])
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise Refused("damaged")
            if length != _UNDEFINED:
                self._skip(length)
            elif kind is None:
                raise Refused("damaged")
            else:
                # Within a sequence of unknown kind the implicit form is prescribed.
                inner = _Walk(
                    self._file,
                    self._size,
                    is_implicit=self._is_implicit or kind == b"UN",
                    order=self._order,
                )
                inner.elements(depth + 1, lambda tag: tag == _ITEM_END)

    def _skip(self, length: int) -> None:
        at = self._file.tell() + length
        if at > self._size:
            raise Refused("damaged")
        self._file.seek(at)

    def _text(self, length: int) -> str:
        begin = self._file.tell()
        self._skip(length)
        self._file.seek(begin)
        return self._file.read(length).rstrip(b"\x00 ").decode("ascii", "replace")

    def _tag(self, raw: bytes) -> int:
        if len(raw) < 8:  # noqa: PLR2004  the head of an element
            raise Refused("damaged")
        group, element = struct.unpack(self._order + "HH", raw[:4])
        return int(group) << 16 | int(element)

    def _number(self, raw: bytes) -> int:
        if len(raw) < 4:  # noqa: PLR2004
            raise Refused("damaged")
        return int(struct.unpack(self._order + "I", raw[:4])[0])

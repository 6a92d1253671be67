"""A second kind of file inside a first: heads that readers look for further on, and archives read from the end."""

import struct
from pathlib import Path

from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import DICOM, PDF

# Unpackers look this far for the head of an archive behind a program; readers of PDF, for theirs, only so far.
ARCHIVE_WITHIN = 1024 * 1024
PDF_WITHIN = 1024
_HEADS = {"RAR": b"Rar!\x1a\x07", "7-Zip": b"7z\xbc\xaf\x27\x1c"}
_END_OF_ZIP = b"PK\x05\x06"
_SMALLEST_END = 22
_LONGEST_END = _SMALLEST_END + 0xFFFF


def refuse_second_kind(path: Path, media_type: str) -> None:
    """Raise `Refused` when another program would take the file for an archive or a PDF."""
    with path.open("rb") as file:
        head = file.read(ARCHIVE_WITHIN)
    for found, mark in _HEADS.items():
        if mark in head:
            raise Refused("two_kinds", found=found)
    # A DICOM file may wrap a PDF, and says so inside.
    if media_type not in (PDF, DICOM) and b"%PDF-" in head[:PDF_WITHIN]:
        raise Refused("two_kinds", found="PDF")
    if end_of_archive(path) is not None:
        raise Refused("two_kinds", found="ZIP")


def end_of_archive(path: Path) -> int | None:
    """Return where a ZIP's end record begins whose comment reaches the end of the file; None without one."""
    size = path.stat().st_size
    begin = max(0, size - _LONGEST_END)
    with path.open("rb") as file:
        file.seek(begin)
        tail = file.read()
    at = tail.rfind(_END_OF_ZIP)
    while at >= 0:
        if _reaches_end(tail[at:]):
            return begin + at
        at = tail.rfind(_END_OF_ZIP, 0, at)
    return None


def _reaches_end(record: bytes) -> bool:
    if len(record) < _SMALLEST_END:
        return False
    (comment,) = struct.unpack_from("<H", record, 20)
    return bool(len(record) == _SMALLEST_END + comment)

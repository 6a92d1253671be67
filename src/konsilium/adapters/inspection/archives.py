"""ZIP archives: entries one behind the other without overlaps or gaps, counted while they are unpacked.

A ZIP of a study counts only its DICOM files; everything else is named and left out, archives within it too.
Office documents are archives as well and are held to the same form.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from konsilium.adapters.inspection.foreign import end_of_archive
from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import PREAMBLE, NotAllowed, is_dicom, refuse_preamble
from konsilium.workflow.words import N_

ENTRIES = 10_000
LARGEST_GB = 2
RATIO = 100
# Small archives may unpack to so much whatever their ratio: an empty slice of a CT is nearly nothing.
RATIO_FROM = 50 * 1024**2
NAMED = 200
NOT_DICOM = N_("not a DICOM file")
OWN_METHOD = N_("packed in a way that can't be read here")
BROKEN_ENTRY = N_("the file is damaged")
PREAMBLE_ENTRY = N_("begins with something that is not DICOM")
_GIB = 1024**3
_PIECE = 256 * 1024
_LOCAL = 30
_LOCAL_MARK = b"PK\x03\x04"
# A descriptor of sizes behind an entry, and what a few archivers align by.
_GAP = 4096
_LARGEST_TABLE = ENTRIES * 1024
_ENCRYPTED, _STRONGLY, _UTF8 = 0x01, 0x40, 0x800
_LONGEST_NAME = 400


@dataclass(frozen=True)
class Entry:
    """A file in an archive, and its path as people see it."""

    name: str
    info: zipfile.ZipInfo


def judge(path: Path, size: int) -> dict[str, Any]:
    """Return how many files there are, how many of them DICOM, and which are left out. Raises `Refused`."""
    with opened(path, size) as archive:
        budget = Budget(size)
        dicom, left_out = 0, []
        for entry in entries(archive, size):
            reason = _why_left_out(archive, entry, budget)
            if reason is None:
                dicom += 1
            else:
                left_out.append({"name": entry.name, "reason": reason})
    if not dicom:
        raise Refused("archive_no_dicom")
    return {
        "entries": dicom + len(left_out),
        "dicom": dicom,
        "bytes": budget.used,
        "left_out": left_out[:NAMED],
        "left_out_count": len(left_out),
    }


def opened(path: Path, size: int) -> zipfile.ZipFile:
    """Open an archive whose table of contents is where it should be. Raises `Refused`."""
    end = end_of_archive(path)
    if end is None:
        raise Refused("damaged")
    with path.open("rb") as file:
        file.seek(end)
        *_, count, table, _at, _comment = struct.unpack("<4s4H2LH", file.read(22))
    if table != 0xFFFFFFFF and table > _LARGEST_TABLE:  # noqa: PLR2004  then the large form holds the number
        raise Refused("archive_entries", most=ENTRIES)
    if count == 0:
        raise Refused("damaged")
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, struct.error, OSError, NotImplementedError):
        raise Refused("damaged") from None


def entries(archive: zipfile.ZipFile, size: int) -> list[Entry]:
    """Return the files of an archive in their order. Raises `Refused` for any that isn't in good form."""
    infos = archive.infolist()
    if len(infos) > ENTRIES:
        raise Refused("archive_entries", most=ENTRIES)
    if any(info.flag_bits & (_ENCRYPTED | _STRONGLY) for info in infos):
        raise Refused("archive_password")
    _refuse_overlaps(archive, infos)
    seen: set[str] = set()
    found = []
    for info in infos:
        name = _name(info)
        _refuse_path(name, info)
        if name in seen:
            raise Refused("archive_twice", name=name)
        seen.add(name)
        if not info.is_dir():
            found.append(Entry(name, info))
    return found


def _refuse_overlaps(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """Go through the entries in the order of their places: each ends before the next, with nothing between."""
    file: IO[bytes] | None = archive.fp
    if file is None:
        raise Refused("damaged")
    at = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        gap = info.header_offset - at
        if gap < 0 or gap > (_GAP if at else 0):
            raise Refused("archive_overlap")
        file.seek(info.header_offset)
        head = file.read(_LOCAL)
        if len(head) < _LOCAL or head[:4] != _LOCAL_MARK:
            raise Refused("archive_overlap")
        at = info.header_offset + _LOCAL + sum(struct.unpack("<HH", head[26:30])) + info.compress_size
    if not 0 <= archive.start_dir - at <= _GAP:
        raise Refused("archive_overlap")


def _name(info: zipfile.ZipInfo) -> str:
    """Return the path as it was meant: old archivers write Russian in CP866 and say nothing of it."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        raw = name.encode("cp437")
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            name = raw.decode("cp866")
    return name.replace("\\", "/")[:_LONGEST_NAME]


def _refuse_path(name: str, info: zipfile.ZipInfo) -> None:
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    is_outside = name.startswith("/") or ".." in name.split("/") or name[1:2] == ":"
    if is_link or is_outside or "\x00" in name:
        raise Refused("archive_paths", name=name.replace("\x00", "")[:60])


class Budget:
    """Counts what unpacking really gives, whatever the archive says of it."""

    def __init__(self, size: int) -> None:
        self._size, self.used = size, 0

    def take(self, count: int) -> None:
        """Add to what was unpacked. Raises `Refused` past the limits of ratio and size."""
        self.used += count
        if self.used > max(RATIO_FROM, RATIO * self._size):
            raise Refused("archive_bomb")
        if self.used > LARGEST_GB * _GIB:
            raise Refused("archive_size", most=LARGEST_GB)


def read(archive: zipfile.ZipFile, entry: Entry, budget: Budget) -> Iterator[bytes]:
    """Yield an entry's content in pieces, counting them. Raises what a broken entry makes zipfile raise."""
    with archive.open(entry.info) as content:
        while piece := content.read(_PIECE):
            budget.take(len(piece))
            yield piece


def _why_left_out(archive: zipfile.ZipFile, entry: Entry, budget: Budget) -> str | None:
    """Unpack an entry and return why it doesn't count; None for a DICOM file."""
    if entry.info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return OWN_METHOD
    head = b""
    try:
        for piece in read(archive, entry, budget):
            head = head or piece[: PREAMBLE + 4]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
        return BROKEN_ENTRY
    if not is_dicom(head):
        return NOT_DICOM
    try:
        refuse_preamble(head[:PREAMBLE])
    except NotAllowed:
        return PREAMBLE_ENTRY
    return None

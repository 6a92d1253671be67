"""Where the DICOM files of a source lie: the source itself, or entries of a ZIP as CD exports have them.

A stored entry is named by its place in the archive and not copied; a compressed one is unpacked into the scratch
folder under a number. Entries are told by bytes 128-131 alone, and no name ever becomes a path.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from konsilium.adapters.imaging.texts import guess

MOST_ENTRIES = 20_000
MOST_BYTES = 8 * 1024**3
MOST_RATIO = 100
# Below this a high ratio is harmless: an empty picture packs well.
SMALL = 10 * 1024**2
HEAD = 132
PIECE = 1024 * 1024
_LOCAL_HEAD = 30
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Found:
    """A DICOM file: `path` with `offset` and `length` in it; `unpacked` is its name in the scratch folder, or ""."""

    name: str
    path: Path
    offset: int
    length: int
    unpacked: str = ""


@dataclass(frozen=True)
class Skipped:
    """An entry that is no DICOM file, and why: a code of `study.index_study`."""

    name: str
    reason: str


def look_into(path: Path, name: str, scratch: Path, numbers: Iterator[int]) -> Iterator[Found | Skipped]:
    """Yield what a source holds. An archive that is no archive, or grows past its bounds, is one `Skipped`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head[128:] == b"DICM":
        yield Found(name, path, 0, size)
    elif head.startswith(b"PK"):
        yield from _entries(path, name, scratch, numbers)
    else:
        yield Skipped(name, "not_dicom")


def _entries(path: Path, name: str, scratch: Path, numbers: Iterator[int]) -> Iterator[Found | Skipped]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError):
        yield Skipped(name, "damaged")
        return
    unpacked = 0
    with archive, path.open("rb") as file:
        for count, entry in enumerate(archive.infolist()):
            if entry.is_dir():
                continue
            shown = _name(entry)
            if count >= MOST_ENTRIES or unpacked > MOST_BYTES:
                yield Skipped(shown, "too_large")
                return
            found = _entry(archive, entry, shown, file, path, scratch, numbers)
            unpacked += found.length if isinstance(found, Found) else 0
            yield found


def _name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name: UTF-8 where marked so, else in the character set old archivers wrote."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        return guess(entry.filename.encode("cp437"))
    except UnicodeEncodeError:
        return entry.filename


def _entry(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    name: str,
    file: BinaryIO,
    path: Path,
    scratch: Path,
    numbers: Iterator[int],
) -> Found | Skipped:
    if entry.flag_bits & _ENCRYPTED:
        return Skipped(name, "encrypted")
    if entry.file_size > SMALL and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        return Skipped(name, "too_large")
    if Path(name).name.upper() == "DICOMDIR":
        return Skipped(name, "dicomdir")
    if entry.compress_type == zipfile.ZIP_STORED:
        return _stored(entry, name, file, path)
    try:
        return _unpacked(archive, entry, name, scratch, numbers)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, zipfile.zlib.error):  # type: ignore[attr-defined]
        return Skipped(name, "damaged")


def _stored(entry: zipfile.ZipInfo, name: str, file: BinaryIO, path: Path) -> Found | Skipped:
    file.seek(entry.header_offset)
    local = file.read(_LOCAL_HEAD)
    begin = (
        entry.header_offset
        + _LOCAL_HEAD
        + sum(int.from_bytes(local[at : at + 2], "little") for at in (26, 28))
    )
    file.seek(begin)
    if file.read(HEAD)[128:] != b"DICM":
        return Skipped(name, "not_dicom")
    return Found(name, path, begin, entry.file_size)


def _unpacked(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, scratch: Path, numbers: Iterator[int]
) -> Found | Skipped:
    """Unpack an entry that begins like DICOM, never more of it than the archive says it has."""
    with archive.open(entry) as packed:
        head = packed.read(HEAD)
        if head[128:] != b"DICM":
            return Skipped(name, "not_dicom")
        target = scratch / f"{next(numbers)}.dcm"
        size = len(head)
        with target.open("xb") as file:
            file.write(head)
            while piece := packed.read(PIECE):
                size += len(piece)
                file.write(piece)
    return Found(name, target, 0, size, unpacked=target.name)

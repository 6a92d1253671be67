"""A part of a file as a file of its own: an instance that lies within an archive is read where it lies."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class _Window(io.RawIOBase):
    """`length` bytes of a file from `offset` on."""

    # Who reads asks for a name; there is none that could be opened again.
    name = ""

    def __init__(self, file: BinaryIO, offset: int, length: int) -> None:
        self._file, self._offset, self._length, self._at = file, offset, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        room = max(0, min(len(buffer), self._length - self._at))
        self._file.seek(self._offset + self._at)
        piece = self._file.read(room)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


@contextmanager
def part(path: str | Path, offset: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
    """Open `length` bytes from `offset` on (all that follow, when not given) as a seekable file."""
    with Path(path).open("rb") as file:
        size = length if length is not None else Path(path).stat().st_size - offset
        with io.BufferedReader(_Window(file, offset, size)) as window:
            yield window

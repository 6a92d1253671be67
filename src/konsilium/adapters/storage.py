"""Where uploaded bytes are kept: by content, so that an address can never mean other bytes.

The local store's promise is that `receive` returns only when the bytes would outlive a power cut: temporary
file, write, fdatasync, rename to the content address, fsync of the directories. Leaving the directories out
loses files that were acknowledged.

Deleting goes row first, file later: `orphans` names what no row knows any more, and is asked only about files
older than any upload still in progress.
"""

import errno
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from konsilium.workflow.words import N_

CHUNK = 64 * 1024
HEAD = 4096
_ADDRESS = re.compile(r"[0-9a-f]{64}")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class TooLarge(Exception):
    """More bytes came than are allowed; nothing was kept."""

    def __init__(self) -> None:
        super().__init__(N_("The file is larger than allowed"))


class StorageFull(Exception):
    """The volume has no room; nothing was kept, and everything else goes on working."""

    def __init__(self) -> None:
        super().__init__(N_("There is no room left for files; nothing was saved. Tell the administrator"))


class NotStored(LookupError):
    """There are no bytes at this address."""


@dataclass(frozen=True)
class Stored:
    """What was received: its content address, its size, and its first bytes for telling its kind."""

    sha256: str
    size: int
    head: bytes


class Store(Protocol):
    """Keeps bytes by their SHA-256. `tests/adapters/test_storage.py` is the contract."""

    def receive(self, chunks: Iterable[bytes], limit: int) -> Stored:
        """Keep the bytes and return once they are safe.

        Raises `TooLarge` past the limit and `StorageFull` without room. Then, and when `chunks` raises,
        nothing is left behind.
        """

    def open_range(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return the bytes from `start`, at most `length`, in chunks. Raises `NotStored` at once."""

    def open_path(self, sha256: str) -> AbstractContextManager[Path]:
        """Give a path to the bytes, to be read only and only inside the block. Raises `NotStored` at once."""

    def exists(self, sha256: str) -> bool:
        """Say whether the bytes are here."""

    def delete(self, sha256: str) -> None:
        """Remove the bytes; nothing happens when they are gone already."""

    def orphans(self, older_than: datetime, known: Container[str]) -> Iterator[str]:
        """Yield addresses received before `older_than` that aren't `known`, which may ask a database."""

    def sweep(self, older_than: datetime) -> int:
        """Remove what broken uploads began before `older_than` and left behind; return how many."""


class LocalStore:
    """Keeps bytes in a folder: `incoming/` while they are written, then `content/ab/cd/<sha256>`."""

    def __init__(self, root: Path) -> None:
        """Make the two folders, safely on the disk, when they aren't there yet."""
        self._incoming = root / "incoming"
        self._content = root / "content"
        for folder in (self._incoming, self._content):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (root, root.parent):
            _sync_folder(folder)

    def receive(self, chunks: Iterable[bytes], limit: int) -> Stored:
        """Write to a temporary file, make it safe, and move it to its address. See `Store`."""
        temporary = self._incoming / f"{secrets.token_hex(16)}.part"
        try:
            with temporary.open("xb") as file:
                stored = _pour(chunks, limit, file.write)
                file.flush()
                os.fdatasync(file.fileno())
            self._settle(temporary, stored.sha256)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            if error.errno in _FULL:
                raise StorageFull from error
            raise
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return stored

    def _settle(self, temporary: Path, sha256: str) -> None:
        """Rename to the address, over an equal file too: its fresh date keeps it from being an orphan."""
        place = self._place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o440)
        temporary.rename(place)
        # The folders above as well: another process may have made them and not come to its fsync yet.
        for folder in (place.parent, place.parent.parent, self._content):
            _sync_folder(folder)

    def open_range(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Look for the file now, open it at the first read: an answer to HEAD never reads. See `Store`."""
        if not self.exists(sha256):
            raise NotStored(sha256)
        return _read_range(self._place(sha256), start, length)

    @contextmanager
    def open_path(self, sha256: str) -> Iterator[Path]:
        """Give the file itself, which is nobody's to write. See `Store`."""
        if not self.exists(sha256):
            raise NotStored(sha256)
        yield self._place(sha256)

    def exists(self, sha256: str) -> bool:
        """See `Store`."""
        return self._place(sha256).is_file()

    def delete(self, sha256: str) -> None:
        """See `Store`."""
        self._place(sha256).unlink(missing_ok=True)

    def orphans(self, older_than: datetime, known: Container[str]) -> Iterator[str]:
        """See `Store`."""
        for file in self._content.glob("*/*/*"):
            if _ADDRESS.fullmatch(file.name) and _is_older(file, older_than) and file.name not in known:
                yield file.name

    def sweep(self, older_than: datetime) -> int:
        """See `Store`."""
        broken = [file for file in self._incoming.glob("*.part") if _is_older(file, older_than)]
        for file in broken:
            file.unlink(missing_ok=True)
        return len(broken)

    def _place(self, sha256: str) -> Path:
        return self._content / _checked(sha256)[:2] / sha256[2:4] / sha256


class NullStore:
    """Keeps bytes in memory, under the same contract."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Start empty; the clock stands in for the file system's."""
        self._clock = clock
        self._kept: dict[str, tuple[bytes, datetime]] = {}

    def receive(self, chunks: Iterable[bytes], limit: int) -> Stored:
        """See `Store`."""
        whole = bytearray()
        stored = _pour(chunks, limit, whole.extend)
        self._kept[stored.sha256] = bytes(whole), self._clock()
        return stored

    def open_range(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `Store`."""
        if not self.exists(sha256):
            raise NotStored(sha256)
        whole, _ = self._kept[sha256]
        part = whole[start : None if length is None else start + length]
        return (part[at : at + CHUNK] for at in range(0, len(part), CHUNK))

    @contextmanager
    def open_path(self, sha256: str) -> Iterator[Path]:
        """Give a file that is gone afterwards. See `Store`."""
        with tempfile.NamedTemporaryFile() as file:
            file.writelines(self.open_range(sha256))
            file.flush()
            yield Path(file.name)

    def exists(self, sha256: str) -> bool:
        """See `Store`."""
        return _checked(sha256) in self._kept

    def delete(self, sha256: str) -> None:
        """See `Store`."""
        self._kept.pop(_checked(sha256), None)

    def orphans(self, older_than: datetime, known: Container[str]) -> Iterator[str]:
        """See `Store`."""
        for sha256, (_, received_at) in list(self._kept.items()):
            if received_at < older_than and sha256 not in known:
                yield sha256

    def sweep(self, older_than: datetime) -> int:
        """Return 0: nothing half received is ever kept in memory."""
        return 0


def _pour(chunks: Iterable[bytes], limit: int, write: Callable[[bytes], object]) -> Stored:
    """Write the chunks, hashing and counting. Raises `TooLarge` before the byte past the limit is written."""
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge
        digest.update(chunk)
        head = (head + chunk[:HEAD])[:HEAD] if len(head) < HEAD else head
        write(chunk)
    return Stored(digest.hexdigest(), size, head)


def _read_range(path: Path, start: int, length: int | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = length
        while chunk := file.read(CHUNK if left is None else min(CHUNK, left)):
            yield chunk
            left = left if left is None else left - len(chunk)


def _checked(sha256: str) -> str:
    """Return the address; refuse what isn't one, for it becomes part of a path."""
    if not _ADDRESS.fullmatch(sha256):
        raise NotStored(sha256)
    return sha256


def _is_older(file: Path, than: datetime) -> bool:
    with suppress(FileNotFoundError):
        return file.stat().st_mtime < than.timestamp()
    return False


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

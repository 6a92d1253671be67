"""The store in a folder: temporary file, write, fdatasync, rename to the content address, fsync of the directories.

Leaving the directories out loses files that were acknowledged.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from konsilium.adapters.storage.protocol import (
    ADDRESS,
    CHUNK,
    NotStored,
    StorageFull,
    Stored,
    checked,
    described,
    kept_before,
    pour,
)

COPY_CHUNK = 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
        with room(), passing(self._incoming) as temporary:
            with temporary.open("xb") as file:
                stored = pour(chunks, limit, file.write)
                file.flush()
                os.fdatasync(file.fileno())
            self._settle(temporary, stored.sha256)
        return stored

    def keep_file(self, path: Path, sha256: str) -> Stored:
        """Rename the file to its address; from another volume, copy it first. See `Store`."""
        before = kept_before(self, path, sha256)
        if before is not None:
            return before
        stored = described(path, sha256)
        if path.stat().st_dev == self._incoming.stat().st_dev:
            with room():
                self._settle(path, sha256)
            return stored
        with room(), passing(self._incoming) as temporary:
            with path.open("rb") as source, temporary.open("xb") as file:
                shutil.copyfileobj(source, file, COPY_CHUNK)
                file.flush()
                os.fdatasync(file.fileno())
            self._settle(temporary, sha256)
        path.unlink(missing_ok=True)
        return stored

    def _settle(self, temporary: Path, sha256: str) -> None:
        """Rename to the address, over an equal file too: its fresh date keeps it from being an orphan."""
        place = self._place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o440)
        # A file that was days on its way would otherwise look old the moment it is here.
        os.utime(temporary)
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

    def size(self, sha256: str) -> int:
        """See `Store`."""
        try:
            return self._place(sha256).stat().st_size
        except FileNotFoundError as error:
            raise NotStored(sha256) from error

    def delete(self, sha256: str) -> None:
        """See `Store`."""
        self._place(sha256).unlink(missing_ok=True)

    def orphans(self, older_than: datetime, known: Container[str]) -> Iterator[str]:
        """See `Store`."""
        for file in self._content.glob("*/*/*"):
            if ADDRESS.fullmatch(file.name) and _is_older(file, older_than) and file.name not in known:
                yield file.name

    def sweep(self, older_than: datetime) -> int:
        """See `Store`."""
        return sweep_passing(self._incoming, older_than)

    def free_bytes(self) -> int:
        """Return what the volume has left for us, without what is kept back for root. See `Store`."""
        volume = os.statvfs(self._content)
        return volume.f_bavail * volume.f_frsize

    def check(self) -> None:
        """Do nothing: the folder was made when the store was, or that failed. See `Store`."""

    def _place(self, sha256: str) -> Path:
        return self._content / checked(sha256)[:2] / sha256[2:4] / sha256


@contextmanager
def passing(folder: Path) -> Iterator[Path]:
    """Give the name of a file that doesn't stand there afterwards."""
    path = folder / f"{secrets.token_hex(16)}.part"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def sweep_passing(folder: Path, older_than: datetime) -> int:
    """Remove what a killed process left there before that time. Returns how many files."""
    broken = [file for file in folder.glob("*.part") if _is_older(file, older_than)]
    for file in broken:
        file.unlink(missing_ok=True)
    return len(broken)


@contextmanager
def room() -> Iterator[None]:
    """Raise `StorageFull` when the body meets a full volume."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        raise


def _read_range(path: Path, start: int, length: int | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = length
        while chunk := file.read(CHUNK if left is None else min(CHUNK, left)):
            yield chunk
            left = left if left is None else left - len(chunk)


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

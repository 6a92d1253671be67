"""The store in memory, for tests."""

import os
import tempfile
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from konsilium.adapters.storage.protocol import (
    CHUNK,
    NotStored,
    Stored,
    checked,
    described,
    kept_before,
    pour,
)


class NullStore:
    """Keeps bytes in memory, under the same contract."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Start empty; the clock stands in for the file system's."""
        self._clock = clock
        self._kept: dict[str, tuple[bytes, datetime]] = {}

    def receive(self, chunks: Iterable[bytes], limit: int) -> Stored:
        """See `Store`."""
        whole = bytearray()
        stored = pour(chunks, limit, whole.extend)
        self._kept[stored.sha256] = bytes(whole), self._clock()
        return stored

    def keep_file(self, path: Path, sha256: str) -> Stored:
        """See `Store`."""
        before = kept_before(self, path, sha256)
        if before is not None:
            return before
        stored = described(path, sha256)
        self._kept[sha256] = path.read_bytes(), self._clock()
        path.unlink()
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
            Path(file.name).chmod(0o440)
            yield Path(file.name)

    def exists(self, sha256: str) -> bool:
        """See `Store`."""
        return checked(sha256) in self._kept

    def size(self, sha256: str) -> int:
        """See `Store`."""
        if not self.exists(sha256):
            raise NotStored(sha256)
        return len(self._kept[sha256][0])

    def delete(self, sha256: str) -> None:
        """See `Store`."""
        self._kept.pop(checked(sha256), None)

    def orphans(self, older_than: datetime, known: Container[str]) -> Iterator[str]:
        """See `Store`."""
        for sha256, (_, received_at) in list(self._kept.items()):
            if received_at < older_than and sha256 not in known:
                yield sha256

    def sweep(self, older_than: datetime) -> int:
        """Return 0: nothing half received is ever kept in memory."""
        return 0

    def free_bytes(self) -> int | None:
        """Return the machine's free memory. See `Store`."""
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def check(self) -> None:
        """Do nothing. See `Store`."""

"""What a store promises, and the ways in which it may fail.

`receive` and `keep_file` return only when the bytes would outlive a power cut. Deleting goes row first, file later:
`orphans` names what no row knows any more, and is asked only about files older than any upload still in progress.
"""

import hashlib
import re
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from konsilium.workflow.words import N_

CHUNK = 64 * 1024
HEAD = 4096
ADDRESS = re.compile(r"[0-9a-f]{64}")


class NotKept(Exception):
    """The bytes were not kept; nothing is left behind, and the text may be shown."""


class TooLarge(NotKept):
    """More bytes came than are allowed; nothing was kept."""

    def __init__(self) -> None:
        super().__init__(N_("The file is larger than allowed"))


class StorageFull(NotKept):
    """There is no room; nothing was kept, and everything else goes on working."""

    def __init__(self) -> None:
        super().__init__(N_("There is no room left for files; nothing was saved. Tell the administrator"))


class StoreUnreachable(NotKept):
    """The store doesn't answer, or answers that something is wrong with it. What was kept before is not touched."""

    def __init__(self) -> None:
        super().__init__(
            N_("The store of files doesn't answer now; nothing was saved. Try again in a few minutes")
        )


class BadStore(Exception):
    """The store can't be used as it is configured; the text tells the operator what to do."""


class NotStored(LookupError):
    """There are no bytes at this address."""


class Damaged(OSError):
    """The bytes at this address are not the ones that were kept, or can't be read any more."""


@dataclass(frozen=True)
class Stored:
    """What was received: its content address, its size in bytes, and its first bytes for telling its kind."""

    sha256: str
    size: int
    head: bytes


class Store(Protocol):
    """Keeps bytes by their SHA-256. `tests/adapters/test_storage.py` is the contract.

    Any of these may raise `StoreUnreachable` where the store is another machine.
    """

    def receive(self, chunks: Iterable[bytes], limit: int) -> Stored:
        """Keep the bytes and return once they are safe.

        Raises `TooLarge` past the limit and `StorageFull` without room. Then, and when `chunks` raises,
        nothing is left behind.
        """

    def keep_file(self, path: Path, sha256: str) -> Stored:
        """Take over a finished file, already safe on the disk, whose hash the caller made while writing it.

        The file is gone from its path afterwards. Raises `StorageFull` without room; then the file stands where it
        stood, and whatever this raises, the bytes stand at the path or at the address. Called again by whoever died
        afterwards, with the file gone, it finds what was kept.
        """

    def open_range(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return the bytes from `start`, at most `length`, in chunks. Raises `NotStored` at once."""

    def open_path(self, sha256: str) -> AbstractContextManager[Path]:
        """Give a path to the bytes, to be read only and only inside the block. Raises `NotStored` at once.

        Where they come from another machine, raises `Damaged` when they aren't the ones that were kept.
        """

    def exists(self, sha256: str) -> bool:
        """Say whether the bytes are here."""

    def size(self, sha256: str) -> int:
        """Return how many bytes stand at the address. Raises `NotStored`."""

    def delete(self, sha256: str) -> None:
        """Remove the bytes; nothing happens when they are gone already."""

    def orphans(self, older_than: datetime, known: Container[str]) -> Iterator[str]:
        """Yield addresses received before `older_than` that aren't `known`, which may ask a database."""

    def sweep(self, older_than: datetime) -> int:
        """Remove what broken uploads began before `older_than` and left behind; return how many."""

    def free_bytes(self) -> int | None:
        """Return how many bytes there is room for, or None where nobody can tell."""

    def check(self) -> None:
        """Try at a start whether the store can be used. Raises `BadStore`, or `StoreUnreachable` when it's only away."""


def pour(chunks: Iterable[bytes], limit: int, write: Callable[[bytes], object]) -> Stored:
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


def described(path: Path, sha256: str) -> Stored:
    """Return a finished file's size and head beside the hash that its writer made."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    return Stored(checked(sha256), path.stat().st_size, head)


def kept_before(store: Store, path: Path, sha256: str) -> Stored | None:
    """Return what an earlier taking over of this file kept, when the file is gone and its bytes are here."""
    if path.exists() or not store.exists(sha256):
        return None
    return Stored(sha256, store.size(sha256), b"".join(store.open_range(sha256, 0, HEAD)))


def checked(sha256: str) -> str:
    """Return the address; refuse what isn't one, for it becomes part of a path."""
    if not ADDRESS.fullmatch(sha256):
        raise NotStored(sha256)
    return sha256

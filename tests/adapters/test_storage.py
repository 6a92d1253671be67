"""The contract of a store, and the local one's promise about power cuts and full volumes."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from konsilium.adapters import storage
from konsilium.adapters.storage import LocalStore, NotStored, NullStore, StorageFull, Store, TooLarge

ABSENT = "0" * 64
LATER = timedelta(minutes=5)


@pytest.fixture(params=["local", "null"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return LocalStore(tmp_path / "files") if request.param == "local" else NullStore()


def read(store: Store, sha256: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(store.open_range(sha256, start, length))


def left_behind(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_bytes_come_back_as_they_went_in(store: Store) -> None:
    whole = os.urandom(200_000)
    stored = store.receive([whole[:1], whole[1:150_000], b"", whole[150_000:]], limit=200_000)
    assert stored == storage.Stored(hashlib.sha256(whole).hexdigest(), 200_000, whole[: storage.HEAD])
    assert read(store, stored.sha256) == whole


def test_an_empty_file_has_an_address_too(store: Store) -> None:
    stored = store.receive([], limit=0)
    assert (stored.size, stored.head, read(store, stored.sha256)) == (0, b"", b"")


@pytest.mark.parametrize(
    ("start", "length"), [(0, 0), (0, 10), (5, None), (99_990, 500), (100_000, 1), (7, 70_000)]
)
def test_a_range_is_a_slice(store: Store, start: int, length: int | None) -> None:
    whole = os.urandom(100_000)
    sha256 = store.receive([whole], limit=100_000).sha256
    assert read(store, sha256, start, length) == whole[start:][:length]


def test_chunks_are_at_most_64_kib(store: Store) -> None:
    sha256 = store.receive([bytes(200_000)], limit=200_000).sha256
    assert [len(chunk) for chunk in store.open_range(sha256)] == [65_536, 65_536, 65_536, 3_392]


def test_equal_bytes_are_kept_once(store: Store) -> None:
    first, second = (store.receive([b"the same"], limit=100) for _ in range(2))
    assert first == second
    store.delete(first.sha256)
    assert not store.exists(first.sha256)


def test_what_was_deleted_is_gone_and_deleting_again_is_nothing(store: Store) -> None:
    sha256 = store.receive([b"x"], limit=1).sha256
    assert store.exists(sha256)
    store.delete(sha256)
    store.delete(sha256)
    assert not store.exists(sha256)


@pytest.mark.parametrize("address", [ABSENT, "../../etc/passwd", "", "A" * 64, "0" * 63 + "\n"])
def test_what_is_not_there_is_refused_before_the_first_chunk(store: Store, address: str) -> None:
    with pytest.raises(NotStored):
        store.open_range(address)


def test_a_byte_too_many_is_refused_and_nothing_is_kept(store: Store, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        store.receive([b"12345", b"6"], limit=5)
    assert list(store.orphans(datetime.now(UTC) + LATER, known=())) == []
    assert left_behind(tmp_path) == []


def test_reading_stops_at_the_limit(store: Store) -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(1000)

    with pytest.raises(TooLarge):
        store.receive(endless(), limit=10_000)
    assert len(taken) == 11


def test_a_broken_upload_leaves_nothing(store: Store, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"begun"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.receive(broken(), limit=100)
    assert left_behind(tmp_path) == []


def test_orphans_are_the_old_ones_that_nobody_knows(store: Store) -> None:
    known, unknown = (store.receive([text], limit=100).sha256 for text in (b"known", b"unknown"))
    now = datetime.now(UTC)
    assert list(store.orphans(now + LATER, known={known})) == [unknown]
    assert list(store.orphans(now - LATER, known={known})) == []


def test_receiving_again_keeps_an_old_file_from_being_an_orphan(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    sha256 = store.receive([b"again"], limit=100).sha256
    (path,) = left_behind(tmp_path)
    os.utime(path, (0, 0))
    store.receive([b"again"], limit=100)
    assert list(store.orphans(datetime.now(UTC) - LATER, known=())) == []
    assert store.exists(sha256)


def test_sweeping_removes_what_a_killed_upload_left_but_not_one_in_progress(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    old, new = (tmp_path / "incoming" / name for name in ("old.part", "new.part"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert store.sweep(datetime.now(UTC) - LATER) == 1
    assert left_behind(tmp_path) == [new]


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record what reaches the operating system, in order, under the names the files had at that moment."""
    log: list[tuple[str, str]] = []

    def watch(name: str, describe: Callable[..., str]) -> None:
        real = getattr(os, name)

        def call(*arguments: object) -> object:
            log.append((name, describe(*arguments)))
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    def opened(handle: int) -> str:
        return str(Path(f"/proc/self/fd/{handle}").readlink())

    watch("fdatasync", opened)
    watch("fsync", opened)
    watch("rename", lambda _, target: str(target))
    return log


def unsafe_steps(log: list[tuple[str, str]], place: Path, content: Path) -> list[str]:
    """Return what a power cut after the last step could take away."""
    names = [name for name, _ in log]
    renamed = log.index(("rename", str(place)))
    synced_after = {path for name, path in log[renamed:] if name == "fsync"}
    folders = (place.parent, place.parent.parent, content)
    unsafe = [str(folder) for folder in folders if str(folder) not in synced_after]
    return unsafe if "fdatasync" in names[:renamed] else ["bytes", *unsafe]


def test_bytes_and_their_name_are_on_the_disk_before_receiving_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)
    log = recorded(monkeypatch)
    sha256 = store.receive([b"safe"], limit=100).sha256
    (place,) = left_behind(tmp_path)
    assert place.name == sha256
    assert unsafe_steps(log, place, tmp_path / "content") == []


def test_control_the_check_above_sees_a_store_that_forgets_the_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)
    monkeypatch.setattr(storage, "_sync_folder", lambda _folder: None)
    log = recorded(monkeypatch)
    store.receive([b"unsafe"], limit=100)
    (place,) = left_behind(tmp_path)
    assert len(unsafe_steps(log, place, tmp_path / "content")) == 3


@pytest.mark.parametrize("call", ["fdatasync", "rename", "mkdir"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_volume_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    store = LocalStore(tmp_path)

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as full:
        full.setattr(os, call, refuse)
        with pytest.raises(StorageFull):
            store.receive([b"no room"], limit=100)
    assert left_behind(tmp_path) == []


def test_another_error_of_the_volume_is_not_called_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", refuse)
    with pytest.raises(OSError, match="Input/output"):
        store.receive([b"bad disk"], limit=100)
    assert left_behind(tmp_path) == []


REALLY_FULL = """
import pathlib, subprocess, sys
from konsilium.adapters.storage import LocalStore, StorageFull
root = pathlib.Path(sys.argv[1])
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", root]).returncode:
    sys.exit(77)
store = LocalStore(root)
small = store.receive([b"small"], limit=10).sha256
try:
    store.receive((bytes(65536) for _ in range(100)), limit=10**9)
except StorageFull:
    left = [path.name for path in root.rglob("*") if path.is_file()]
    sys.exit(0 if left == [small] else 2)
sys.exit(1)
"""


def test_a_really_full_volume_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare to mount a small volume with")
    source = str(Path(storage.__file__).parents[2])
    command = [
        unshare,
        "--user",
        "--map-root-user",
        "--mount",
        sys.executable,
        "-c",
        REALLY_FULL,
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode == 77 or b"unshare failed" in done.stderr:
        pytest.skip("this machine lets nobody mount a small volume")
    assert done.returncode == 0, done.stderr.decode()

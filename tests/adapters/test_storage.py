"""The contract of a store, the same for a folder, a bucket and memory, and the folder's promise about power cuts."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from konsilium.adapters import storage
from konsilium.adapters.storage import (
    LocalStore,
    NotStored,
    NullStore,
    StorageFull,
    Store,
    TooLarge,
    connect,
    local,
)
from tests import bucket

ABSENT = "0" * 64
LATER = timedelta(minutes=5)


@pytest.fixture(params=["local", "s3", "null"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "s3":
        return bucket.new_store(request.getfixturevalue("s3_endpoint"), tmp_path / "files")
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


def finished(folder: Path, content: bytes) -> tuple[Path, str]:
    """A file as the upload's code leaves it."""
    path = folder / "finished"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_a_finished_file_is_taken_over(store: Store, tmp_path: Path) -> None:
    whole = os.urandom(100_000)
    path, sha256 = finished(tmp_path, whole)
    assert store.keep_file(path, sha256) == storage.Stored(sha256, 100_000, whole[: storage.HEAD])
    assert read(store, sha256) == whole
    assert not path.exists()


def test_a_finished_file_that_is_here_already_is_kept_once(store: Store, tmp_path: Path) -> None:
    sha256 = store.receive([b"the same"], limit=100).sha256
    path, _ = finished(tmp_path, b"the same")
    assert store.keep_file(path, sha256).sha256 == sha256
    assert (read(store, sha256), path.exists()) == (b"the same", False)


def test_taking_a_file_over_again_after_a_crash_finds_what_was_kept(store: Store, tmp_path: Path) -> None:
    path, sha256 = finished(tmp_path, os.urandom(10_000))
    assert store.keep_file(path, sha256) == store.keep_file(path, sha256)


def test_a_file_that_is_neither_here_nor_there_is_not_said_to_be_kept(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.keep_file(tmp_path / "nothing", ABSENT)


@pytest.mark.parametrize("address", ["../../evil", "", "A" * 64])
def test_a_finished_file_is_taken_under_a_hash_only(store: Store, tmp_path: Path, address: str) -> None:
    path, _ = finished(tmp_path, b"x")
    with pytest.raises(NotStored):
        store.keep_file(path, address)
    assert path.read_bytes() == b"x"


def test_a_parser_gets_a_path_to_the_bytes_that_it_may_only_read(store: Store) -> None:
    sha256 = store.receive([b"for a parser"], limit=100).sha256
    with store.open_path(sha256) as path:
        assert path.read_bytes() == b"for a parser"
        assert path.stat().st_mode & 0o222 == 0
    assert store.exists(sha256)


def test_no_path_is_given_to_what_is_not_there(store: Store) -> None:
    with pytest.raises(NotStored), store.open_path(ABSENT):
        pass


def test_a_size_is_told_without_reading(store: Store) -> None:
    sha256 = store.receive([bytes(70_000)], limit=70_000).sha256
    assert store.size(sha256) == 70_000
    with pytest.raises(NotStored):
        store.size(ABSENT)


def test_a_store_that_works_passes_the_check_of_a_start(store: Store) -> None:
    store.check()
    assert list(store.orphans(datetime.now(UTC) + LATER, known=())) == []


def test_the_folder_tells_how_much_room_is_left(tmp_path: Path) -> None:
    store = connect("", tmp_path)
    assert abs((store.free_bytes() or 0) - shutil.disk_usage(tmp_path).free) < 1_000_000_000


def test_a_finished_file_is_renamed_and_not_written_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "files")
    path, sha256 = finished(tmp_path, b"large")
    before = path.stat().st_ino
    store.keep_file(path, sha256)
    with store.open_path(sha256) as kept:
        assert kept.stat().st_ino == before


def test_a_finished_file_from_another_volume_is_copied(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")  # noqa: S108  memory, and so another volume
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second volume here")
    store = LocalStore(tmp_path / "files")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        path, sha256 = finished(Path(folder), b"from elsewhere")
        store.keep_file(path, sha256)
        assert not path.exists()
    assert read(store, sha256) == b"from elsewhere"


def test_a_finished_file_that_was_long_on_its_way_is_no_orphan(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "files")
    path, sha256 = finished(tmp_path, b"slow line")
    os.utime(path, (0, 0))
    store.keep_file(path, sha256)
    assert list(store.orphans(datetime.now(UTC) - LATER, known=())) == []


def test_a_finished_files_name_is_on_the_disk_before_it_counts_as_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path / "files")
    path, sha256 = finished(tmp_path, b"safe")
    log = [("fdatasync", "by the upload"), *taken_over(monkeypatch, store, path, sha256)]
    with store.open_path(sha256) as place:
        assert unsafe_steps(log, place, tmp_path / "files" / "content") == []


def taken_over(
    monkeypatch: pytest.MonkeyPatch, store: Store, path: Path, sha256: str
) -> list[tuple[str, str]]:
    with monkeypatch.context() as watched:
        log = recorded(watched)
        store.keep_file(path, sha256)
    return log


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
    monkeypatch.setattr(local, "_sync_folder", lambda _folder: None)
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


@pytest.mark.parametrize("call", ["rename", "mkdir"])
def test_a_full_volume_leaves_a_finished_file_where_it_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store = LocalStore(tmp_path / "files")
    path, sha256 = finished(tmp_path, b"no room")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, call, refuse)
        with pytest.raises(StorageFull):
            store.keep_file(path, sha256)
    assert left_behind(tmp_path) == [path]
    store.keep_file(path, sha256)
    assert read(store, sha256) == b"no room"


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
elsewhere = pathlib.Path(sys.argv[2]) / "finished"
elsewhere.write_bytes(bytes(2_000_000))

def refused(call):
    try:
        call()
    except StorageFull:
        left = [path.name for path in root.rglob("*") if path.is_file()]
        return left == [small] and b"".join(store.open_range(small)) == b"small"
    return False

if not refused(lambda: store.receive((bytes(65536) for _ in range(100)), limit=10**9)):
    sys.exit(1)
if not refused(lambda: store.keep_file(elsewhere, "0" * 64)) or elsewhere.stat().st_size != 2_000_000:
    sys.exit(2)
store.receive([bytes(1000)], limit=1000)
"""


CAPPED = """
import pathlib, resource, sys
from konsilium.adapters.storage import LocalStore, StorageFull
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
root = pathlib.Path(sys.argv[1])
store = LocalStore(root)
try:
    store.receive((bytes(65536) for _ in range(100)), limit=10**9)
except StorageFull:
    sys.exit(any(path.is_file() for path in root.rglob("*")))
sys.exit(1)
"""


def test_a_quota_of_the_operating_system_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(storage.__file__).parents[3])}
    command = [sys.executable, "-c", CAPPED, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_a_really_full_volume_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare to mount a small volume with")
    source = str(Path(storage.__file__).parents[3])
    volume = tmp_path / "volume"
    volume.mkdir()
    command = [
        unshare,
        "--user",
        "--map-root-user",
        "--mount",
        sys.executable,
        "-c",
        REALLY_FULL,
        str(volume),
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode == 77 or b"unshare failed" in done.stderr:
        pytest.skip("this machine lets nobody mount a small volume")
    assert done.returncode == 0, done.stderr.decode()

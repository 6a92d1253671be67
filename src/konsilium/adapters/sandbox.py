"""The sandbox: parsers of foreign files run in a child process with limits, and only plain values come back.

The child has an empty environment, no network, no way to start programs, a view of the files that ends at its
scratch folder and at the files named in its arguments, and limits on memory, time and sizes. How many of these
walls stand depends on the kernel and on what a container allows; `isolation` tries them and says.

Nothing of a file's content is in an exception or a log line: a crash is told by its kind only.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from konsilium.adapters.sandbox_child import TASKS

MIB = 1024**2
GIB = 1024**3
COMMAND = (sys.executable, "-I", "-B", "-X", "utf8", "-m", "konsilium.adapters.sandbox_child")
# A thread for each core would each reserve address space, which is limited.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_LOOK_EVERY = 0.25
# From the end of its pipe to the end of the child.
_LAST_SECONDS = 10
_PIECE = 64 * 1024


@dataclass(frozen=True)
class Limits:
    """What one task may use. `memory_bytes` is address space, so it bounds what is resident too."""

    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 120
    wall_seconds: float = 300
    file_bytes: int = 2 * GIB
    scratch_bytes: int = 4 * GIB
    open_files: int = 128
    answer_bytes: int = 32 * MIB


@dataclass(frozen=True)
class Usage:
    """What the child used: the most memory it ever had resident, and its time on the processor."""

    peak_bytes: int
    cpu_seconds: float


class Killed(Exception):
    """The task reached a limit: "time", "memory", "size" or "answer". Its files are gone."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Failed(Exception):
    """The task broke. `kind` is the name of an exception or a signal, never a word of the file."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def run(
    task: str,
    arguments: dict[str, Any],
    *,
    scratch: Path,
    limits: Limits = Limits(),
    on_progress: Callable[[float], object] | None = None,
    on_usage: Callable[[Usage], object] | None = None,
) -> dict[str, Any]:
    """Run a task of `sandbox_child.TASKS` in a child process and return its answer.

    `arguments` are plain values; absolute paths among them are what the child may read. It may write in
    `scratch` only, which has to exist. `on_progress` gets numbers from 0 to 1 and may raise to end the task.
    Raises `Killed` at a limit and `Failed` at a crash; then, and when `on_progress` raises, the child is gone
    with everything that it started, and so is everything it wrote in `scratch`.
    """
    if task not in TASKS:
        raise ValueError(task)
    before = set(scratch.iterdir())
    try:
        with _started(task, arguments, scratch.resolve(), limits) as child:
            talk = _Talk(child, scratch, limits, on_progress, on_usage)
            try:
                return talk.answer()
            finally:
                _end(child)
    except BaseException:
        _clear(scratch, before)
        raise


def _started(task: str, arguments: dict[str, Any], scratch: Path, limits: Limits) -> subprocess.Popen[bytes]:
    with tempfile.TemporaryFile() as given:
        request = {
            "task": task,
            "arguments": arguments,
            "limits": asdict(limits),
            "scratch": str(scratch),
            "reads": sorted(set(_paths(arguments))),
            "parent": os.getpid(),
        }
        given.write(json.dumps(request).encode())
        given.seek(0)
        return subprocess.Popen(
            COMMAND,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env=ENVIRONMENT,
            start_new_session=True,
            bufsize=0,
            umask=0o077,
        )


def _paths(value: Any) -> Iterator[str]:
    """Yield the absolute paths of files and folders that stand anywhere among the arguments."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _paths(part)
    elif isinstance(value, str) and value.startswith("/") and "\x00" not in value and Path(value).exists():
        yield str(Path(value).resolve())


class _Talk:
    """Reads the child's lines until it is done, while looking at clock and sizes."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        scratch: Path,
        limits: Limits,
        on_progress: Callable[[float], object] | None,
        on_usage: Callable[[Usage], object] | None,
    ) -> None:
        self._child, self._scratch, self._limits = child, scratch, limits
        self._on_progress, self._on_usage = on_progress, on_usage
        self._result: dict[str, Any] | None = None
        self._usage: Usage | None = None

    def answer(self) -> dict[str, Any]:
        """Return the result, or raise what became of the child."""
        try:
            for line in self._lines():
                self._take(line)
            code = self._child.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            raise Killed("time") from None
        finally:
            self._tell_usage()
        if self._result is None or code:
            raise _end_of(code)
        return self._result

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines up to the end of the pipe. Raises `Killed` at the limits seen from outside."""
        pipe, rest, size = _pipe(self._child), b"", 0
        deadline = time.monotonic() + self._limits.wall_seconds
        look_at = 0.0
        while True:
            ready, _, _ = select.select([pipe], [], [], _LOOK_EVERY)
            now = time.monotonic()
            if now > deadline:
                raise Killed("time")
            if now >= look_at:
                look_at = now + _LOOK_EVERY
                self._look()
            if not ready:
                continue
            piece = os.read(pipe.fileno(), _PIECE)
            if not piece:
                return
            size += len(piece)
            if size > self._limits.answer_bytes:
                raise Killed("answer")
            *lines, rest = (rest + piece).split(b"\n") if b"\n" in piece else (rest + piece,)
            yield from lines

    def _look(self) -> None:
        if _size(self._scratch) > self._limits.scratch_bytes:
            raise Killed("size")

    def _take(self, line: bytes) -> None:
        """Take one line; what a library prints in between is no JSON object and is passed over."""
        try:
            said = json.loads(line)
        except ValueError:
            return
        match said:
            case {"progress": int() | float() as part} if self._on_progress:
                self._on_progress(min(1.0, max(0.0, float(part))))
            case {"usage": [int() as peak, int() | float() as seconds]}:
                self._usage = Usage(peak, float(seconds))
            case {"killed": str() as limit}:
                raise Killed(limit)
            case {"failed": str() as kind}:
                raise Failed(kind)
            case {"result": dict() as result}:
                self._result = result

    def _tell_usage(self) -> None:
        if self._on_usage and (usage := self._usage or _usage(self._child.pid)):
            self._on_usage(usage)


def _pipe(child: subprocess.Popen[bytes]) -> IO[bytes]:
    if child.stdout is None:
        raise RuntimeError
    return child.stdout


def _end_of(code: int) -> Killed | Failed:
    """Say what became of a child that gave no answer."""
    if code == -signal.SIGXCPU:
        return Killed("time")
    return Failed(signal.Signals(-code).name if code < 0 else "NoAnswer")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child's whole group, while its number can't have become another's, and reap it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _usage(pid: int) -> Usage | None:
    """Return what a child that still runs has used; None when it has ended."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return Usage(peak, sum(map(int, times)) / os.sysconf("SC_CLK_TCK"))
    return None


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


def _clear(scratch: Path, keep: set[Path]) -> None:
    for entry in set(scratch.iterdir()) - keep:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


@cache
def isolation() -> dict[str, bool]:
    """Try the walls in a child and return which stand, by name: see `sandbox_walls.try_walls`."""
    with tempfile.TemporaryDirectory() as scratch:
        return run("try_walls", {}, scratch=Path(scratch), limits=Limits(wall_seconds=30))

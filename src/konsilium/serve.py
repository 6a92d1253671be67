"""Supervision: start the parts in order, keep them alive, stop all of them.

Database (embedded), migrations as the owner, the demonstration world once, pages, worker. Each part also starts alone.
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import FrameType

import django
from django.conf import settings

from konsilium.adapters.postgres import CantRun, Cluster, find_binaries

RESTART_AFTER = (0.5, 1, 2, 5, 10, 30)
STEADY_SECONDS = 60
READY_SECONDS = 120
PR_SET_PDEATHSIG = 1


class CantServe(Exception):
    """A part can't be started; the text says what to do."""


def run(part: str, *, as_json: bool = False) -> int:
    """Run one part until it ends or is told to, and return the exit code."""
    django.setup()
    if part == "cast":
        return show_cast(as_json=as_json)
    runs: dict[str, Callable[[], None]] = {
        "serve": serve,
        "pages": pages,
        "worker": worker,
        "database": database,
        "migrate": migrate,
        "demo": demo,
    }
    runs[part]()
    return 0


def serve() -> None:
    """Run everything until SIGTERM or Ctrl-C, then stop it in the opposite order."""
    check_port()
    stop = until_told()
    with embedded_database():
        migrate()
        collect_static()
        if settings.DEMO:
            demo()
        supervise([Part("pages", ["pages"]), Part("worker", ["worker"])], stop, when_ready=announce)


def pages() -> None:
    """Serve the pages on the configured address with granian; SIGTERM and Ctrl-C end it."""
    check_port()
    _check_login()
    if not Path(settings.STATIC_ROOT).exists():
        collect_static()
    workers = os.environ.get("KONSILIUM_WORKERS", str(min(os.cpu_count() or 1, 8)))
    threads = os.environ.get("KONSILIUM_THREADS", "3")
    command = ["granian", "--interface", "wsgi", "--host", settings.HOST, "--port", str(settings.PORT)]
    command += [
        "--workers",
        workers,
        "--blocking-threads",
        threads,
        "--backpressure",
        "128",
        "--no-access-log",
    ]
    command += ["--log-level", "warning", "--respawn-failed-workers", "--workers-kill-timeout", "10"]
    os.execv(sys.executable, [sys.executable, "-m", *command, "konsilium.wsgi:application"])  # noqa: S606


def worker() -> None:
    """Empty what is pending and run the due clocks until told to stop."""
    from konsilium import worker as work  # noqa: PLC0415  models must be ready

    _check_login()
    work.run(until_told())


def database() -> None:
    """Run the embedded database alone until told to stop."""
    stop = until_told()
    with embedded_database():
        stop.wait()


def migrate() -> None:
    """Bring the database to this version as its owner, then load the dictionaries."""
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", database="owner", verbosity=0, interactive=False)
    if importlib.util.find_spec("konsilium.management.commands.load_dictionaries"):
        call_command("load_dictionaries", verbosity=0)


def demo() -> None:
    """Build the demonstration world once; a database that holds organisations is left as it is."""
    from konsilium.demo import world  # noqa: PLC0415

    if world.is_needed():
        _say("building the demonstration world …")
        world.build()


def show_cast(*, as_json: bool) -> int:
    """Print each person of the demonstration with role, organisation, login and password."""
    if not settings.DEMO and not (Path(settings.DATA) / "demo-cast.json").exists():
        raise CantServe("There is no cast: this is not a demonstration. Start one with `make run`.")
    from konsilium.demo import world  # noqa: PLC0415

    people = world.cast_list()
    print(json.dumps(people, ensure_ascii=False, indent=1) if as_json else cast_table(people))
    return 0


def cast_table(people: list[dict[str, str]]) -> str:
    """Return the cast as a table for a terminal."""
    columns = ("role", "name", "organization", "login", "password")
    widths = {name: max(len(person[name]) for person in people) for name in columns}
    return "\n".join(
        "  ".join(person[name].ljust(widths[name]) for name in columns).rstrip() for person in people
    )


def collect_static() -> None:
    """Copy styles and scripts under names that hold their content's hash, compressed."""
    from django.core.management import call_command  # noqa: PLC0415

    call_command("collectstatic", verbosity=0, interactive=False)


def check_port() -> None:
    """Raise CantServe when somebody else listens on our address."""
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, settings.PORT))
        except OSError as error:
            raise CantServe(
                f"{settings.HOST}:{settings.PORT} can't be used ({error.strerror}). Stop the program that uses it, "
                "or choose another port: KONSILIUM_PORT=8001 make run"
            ) from error


@contextlib.contextmanager
def embedded_database() -> Iterator[None]:
    """Run the embedded PostgreSQL around the body; nothing when an outside database is configured."""
    if not settings.EMBEDDED:
        yield
        return
    binaries = find_binaries(os.environ.get("KONSILIUM_POSTGRES_BIN", ""))
    cluster = Cluster(binaries, Path(settings.DATA) / "postgres", Path(settings.SOCKET_FOLDER))
    cluster.start()
    try:
        yield
    finally:
        cluster.stop()


def until_told() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop


@dataclass
class Part:
    """One child process and when it was last started."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0
    falls: int = 0
    start_again_at: float = 0
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start the child in a session of its own, so that Ctrl-C reaches it through us alone."""
        command = [sys.executable, "-m", "konsilium", *self.arguments]
        self.process = subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: PLW1509  one system call
        self.started = time.monotonic()

    def look(self) -> None:
        """Start the child again when it has fallen, later each time; say so in one line."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            steady = now - self.started > STEADY_SECONDS
            self.falls = 1 if steady else self.falls + 1
            pause = RESTART_AFTER[min(self.falls, len(RESTART_AFTER)) - 1]
            _say(f"{self.name} ended with code {self.process.returncode}; starting it again in {pause:g} s")
            self.process, self.start_again_at = None, now + pause
        if self.process is None and now >= self.start_again_at:
            self.start()

    def stop(self) -> None:
        """Ask the child to end, and make it end."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def supervise(parts: list[Part], stop: threading.Event, *, when_ready: Callable[[], None]) -> None:
    """Keep the parts running until `stop` is set; `when_ready` is called once pages can be served."""
    told = False
    begun = time.monotonic()
    try:
        while not stop.wait(0.25 if told else 0.1):
            for part in parts:
                part.look()
            if not told and _ready():
                told = True
                when_ready()
            if not told and time.monotonic() - begun > READY_SECONDS:
                raise CantServe("The pages don't answer; the lines above say why.")
    finally:
        _say("stopping …")
        for part in reversed(parts):
            part.stop()


def announce() -> None:
    """Say where the pages are, and in a demonstration who may sign in."""
    if settings.DEMO:
        show_cast(as_json=False)
    _say(f"ready: http://{settings.HOST}:{settings.PORT}/   (Ctrl-C stops everything)")


def _ready() -> bool:
    host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
    host = {"0.0.0.0": "127.0.0.1"}.get(host, host)  # noqa: S104
    try:
        with urllib.request.urlopen(f"http://{host}:{settings.PORT}/readyz", timeout=2) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _check_login() -> None:
    from django.db import DatabaseError  # noqa: PLC0415

    from konsilium.checks import unsafe_login  # noqa: PLC0415

    try:
        trouble = unsafe_login()
    except DatabaseError as error:
        raise CantServe(
            "The database can't be reached. Start it with `konsilium database`, or set KONSILIUM_DATABASE_URL."
        ) from error
    if trouble:
        raise CantServe(trouble)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _say(text: str) -> None:
    print(f"konsilium: {text}", flush=True)


__all__ = ["CantRun", "CantServe", "run"]

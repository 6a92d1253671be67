"""Our own runner, on the package's PostgreSQL and on the system's."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from konsilium.adapters.postgres import CantRun, Cluster, find_binaries, installed, packaged, version_of


def kinds():
    fifteen = [folder for folder in installed() if version_of(folder) == 15]
    lacks = pytest.mark.skipif(not fifteen, reason="no PostgreSQL 15 here")
    return [
        pytest.param(packaged()[0], id="the package's"),
        pytest.param(fifteen[0] if fifteen else None, id="the system's 15", marks=lacks),
    ]


@pytest.fixture
def folder():
    place = Path(tempfile.mkdtemp(prefix="konsilium-pg-"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def make(folder):
    made = []

    def begin(binaries=None, data="pg"):
        cluster = Cluster(binaries or packaged()[0], folder / data, folder / "s", for_tests=True)
        made.append(cluster)
        return cluster

    yield begin
    for cluster in made:
        cluster.stop()


def ask(cluster, statement, user="konsilium_app", database="konsilium"):
    with psycopg.connect(
        f"host={cluster.sockets} user={user} dbname={database}", autocommit=True
    ) as connection:
        return connection.execute(statement).fetchone()


@pytest.mark.parametrize("binaries", kinds())
def test_a_cluster_starts_with_roles_that_may_no_more_than_they_need(make, binaries):
    cluster = make(binaries)
    cluster.start()
    roles = (
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolinherit FROM pg_roles WHERE rolname = current_user"
    )
    assert ask(cluster, roles) == (False, False, False, False)
    assert ask(cluster, roles, user="konsilium_owner") == (False, False, True, True)
    assert ask(cluster, "SHOW data_checksums") == ("on",)


@pytest.mark.parametrize("binaries", kinds())
def test_russian_is_searched_and_changed_in_case_alike_everywhere(make, binaries):
    cluster = make(binaries)
    cluster.start()
    with psycopg.connect(
        f"host={cluster.sockets} user=konsilium_owner dbname=konsilium", autocommit=True
    ) as owner:
        owner.execute("CREATE EXTENSION pg_trgm")
        owner.execute("CREATE EXTENSION btree_gist")
    assert ask(
        cluster, "SELECT upper('ёлкин'), 'Щукин' ILIKE 'щу%', similarity('Петров', 'Петрова') > 0.5"
    ) == (
        "ЁЛКИН",
        True,
        True,
    )


@pytest.mark.parametrize("binaries", kinds())
def test_starting_again_keeps_what_was_written(make, binaries):
    first = make(binaries)
    first.start()
    with psycopg.connect(
        f"host={first.sockets} user=konsilium_owner dbname=konsilium", autocommit=True
    ) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 'still here' AS words")
    first.stop()
    assert first.pid() is None
    second = make(binaries)
    second.start()
    assert ask(second, "SELECT words FROM kept", user="konsilium_owner") == ("still here",)


def test_a_server_that_lives_is_adopted_and_can_be_stopped(make):
    first, second = make(), make()
    first.start()
    second.start()
    assert second.pid() == first.pid()
    assert second.process is None
    second.stop()
    assert not second.answers()


def test_a_killed_server_comes_back_with_its_data(make):
    cluster = make()
    cluster.start()
    pid = cluster.pid()
    os.kill(pid, signal.SIGKILL)
    cluster.process.wait(10)
    cluster.start()
    assert cluster.pid() != pid
    assert ask(cluster, "SELECT 1") == (1,)


def test_nothing_listens_but_the_socket_that_only_we_can_open(make):
    cluster = make()
    cluster.start()
    assert ask(cluster, "SHOW listen_addresses") == ("",)
    assert [path.stat().st_mode & 0o077 for path in (cluster.sockets, cluster.data)] == [0, 0]


def test_a_failing_statement_writes_nothing_of_itself_into_the_log(make):
    cluster = make()
    cluster.start()
    with pytest.raises(psycopg.Error):
        ask(cluster, "SELECT 'Иванов Пётр'::int")
    cluster.stop()
    log = (cluster.data.parent / "postgres.log").read_text()
    assert "SELECT" not in log


def test_a_place_for_the_socket_that_others_may_write_to_is_refused(make, folder):
    (folder / "s").mkdir()
    (folder / "s").chmod(0o777)
    with pytest.raises(CantRun, match="is open to others"):
        make().start()


def test_a_path_too_long_for_a_socket_is_refused(folder):
    cluster = Cluster(packaged()[0], folder / "pg", folder / ("long" * 30))
    with pytest.raises(CantRun, match="KONSILIUM_SOCKET"):
        cluster.start()


def test_what_a_broken_start_left_half_made_is_made_anew(make, folder):
    half = folder / "pg.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    make().start()
    assert not half.exists()


def test_a_folder_of_another_version_is_refused_by_name(make, folder):
    cluster = make()
    cluster.start()
    cluster.stop()
    (folder / "pg" / "PG_VERSION").write_text("16\n")
    with pytest.raises(CantRun, match="was made by PostgreSQL 16"):
        make().start()


def test_programs_that_are_not_there_or_do_not_run_are_named(tmp_path):
    with pytest.raises(CantRun, match=r"KONSILIUM_POSTGRES_BIN: there is no postgres and initdb in"):
        find_binaries(str(tmp_path))
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("not a program")
    with pytest.raises(CantRun, match="does not run on this machine"):
        find_binaries(str(tmp_path))


def test_without_any_postgresql_the_ways_out_are_named(monkeypatch):
    monkeypatch.setattr("konsilium.adapters.postgres.packaged", list)
    monkeypatch.setattr("konsilium.adapters.postgres.installed", list)
    with pytest.raises(CantRun, match="No PostgreSQL found"):
        find_binaries()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has to become somebody else")
def test_root_without_user_namespaces_gives_the_folder_to_another_user(make, folder, monkeypatch):
    refusing = folder / "bin"
    refusing.mkdir()
    (refusing / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (refusing / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{refusing}:{os.environ['PATH']}")
    cluster = make()
    reached = subprocess.run(
        ["setpriv", "--reuid=nobody", "--clear-groups", "--", "test", "-x", cluster.binaries / "postgres"],
        check=False,
    )
    if reached.returncode:
        with pytest.raises(CantRun, match="no other user reaches"):
            cluster.start()
    else:
        cluster.start()
        assert cluster.data.stat().st_uid != 0
        assert ask(cluster, "SELECT 1") == (1,)

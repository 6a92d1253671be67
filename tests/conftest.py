"""The tests' database: made and migrated by its owner, used by the application's own login, as in life."""

import os
from contextlib import suppress

import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tests.playing import out_of_the_way

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("konsilium", deadline=None)
hypothesis.settings.load_profile("konsilium")
TEMPLATE = "konsilium_template"
# What a migration or a set-up command puts there stays when a test with real commits is cleaned up.
KEPT = {"konsilium_dictionary", "konsilium_dictionaryentry"}
KNOWN = {}
# Most tests are about something else than looking at files; those that are switch the inspector on.
settings.INSPECTOR = "null"


def pytest_make_parametrize_id(config, val, argname):
    """Name bytes by their place alone: made files hold the second at which they were made, another in each worker."""
    return argname if isinstance(val, bytes) else None


def _sockets():
    return os.environ["KONSILIUM_TEST_SOCKETS"]


def _superuser(database="postgres"):
    return psycopg.connect(f"host={_sockets()} user=postgres dbname={database}", autocommit=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    """Make this worker's database from a template that the first worker migrates as the owner."""
    name = settings.DATABASES["default"]["NAME"]
    with _superuser() as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
        if not known:
            connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER konsilium_owner")
            with django_db_blocker.unblock():
                _migrate(TEMPLATE)
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER konsilium_owner")
    yield
    for connection in connections.all():
        connection.close()


def _migrate(database):
    owner = connections["owner"]
    name, owner.settings_dict["NAME"] = owner.settings_dict["NAME"], database
    try:
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        from django.core.management import get_commands

        if "load_dictionaries" in get_commands():
            call_command("load_dictionaries", verbosity=0)
    finally:
        owner.close()
        owner.settings_dict["NAME"] = name


@pytest.fixture(scope="session")
def owner_url():
    """The owner's address of this worker's database, for set-up and control runs."""
    return f"host={_sockets()} user=konsilium_owner dbname={settings.DATABASES['default']['NAME']}"


@pytest.fixture
def owner(owner_url):
    """A connection as the owner: what the application itself may never do."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(autouse=True, scope="class")
def _no_loop_of_playwright(request):
    """Hide it before the database is set up: with a loop in sight Django would open a connection of its own to that."""
    group = request.node.get_closest_marker("xdist_group")
    if group and "browser" in group.args:
        yield
        return
    with out_of_the_way():
        yield


@pytest.fixture(autouse=True)
def _clean_after_commits(request):
    """After a test with real commits, empty all tables as the owner: the application has no right to."""
    yield
    marker = request.node.get_closest_marker("django_db")
    real = "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction"))
    if not real:
        return
    for connection in connections.all():
        connection.close()
    with psycopg.connect(request.getfixturevalue("owner_url"), autocommit=True) as connection:
        _empty(connection)


def _empty(connection):
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND (relname LIKE 'konsilium\\_%' OR relname LIKE 'otp%')"
    ).fetchall()
    names = ", ".join(name for (name,) in rows if name not in KEPT)
    KNOWN.clear()
    # Served pages and workers go on asking meanwhile: whoever holds a table that we want may want one of ours.
    for _ in range(20):
        with suppress(psycopg.errors.DeadlockDetected):
            connection.execute(f"TRUNCATE {names} CASCADE")
            return
    raise AssertionError("the tables can't be emptied")


@pytest.fixture(scope="session", autouse=True)
def _no_flush():
    """Django would empty tables as the application, which may not; `_clean_after_commits` does it as the owner."""
    from django.test import TransactionTestCase

    TransactionTestCase._fixture_teardown = lambda self: None


@pytest.fixture
def cast(django_db_setup, django_db_blocker, owner_url):
    """Everybody, committed by the owner once; a test with real commits takes them away with the rest."""
    from tests.cast import Cast

    if "cast" not in KNOWN:
        with django_db_blocker.unblock(), psycopg.connect(owner_url, autocommit=True) as connection:
            _empty(connection)
            KNOWN["cast"] = Cast(connection)
    return KNOWN["cast"]


@pytest.fixture
def client_as(db):
    """A test client signed in as an actor: `client_as(cast.omsk_doctor)`."""
    from django.test import Client

    from tests.cast import sign_in

    return lambda actor: sign_in(Client(), actor)


@pytest.fixture(scope="session", autouse=True)
def _static():
    """Styles and scripts under their hashed names, as in life."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)

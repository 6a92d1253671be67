"""A pytest plugin: a throw-away PostgreSQL for the whole run, in place before Django reads its settings."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from konsilium.adapters.postgres import CantRun, Cluster, find_binaries

_running = {}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    """Start the cluster in the controlling process; workers of xdist find its address in the environment."""
    if "KONSILIUM_TEST_SOCKETS" not in os.environ:
        try:
            _start()
        except CantRun as trouble:
            raise pytest.UsageError(str(trouble)) from trouble
    sockets = os.environ["KONSILIUM_TEST_SOCKETS"].replace("/", "%2F")
    database = f"konsilium_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    folder = Path(os.environ["KONSILIUM_TEST_FOLDER"]) / database
    folder.mkdir(exist_ok=True)
    os.environ |= {
        "KONSILIUM_DATA": str(folder),
        "KONSILIUM_DATABASE_URL": f"postgresql://konsilium_app@{sockets}/{database}",
        "KONSILIUM_OWNER_DATABASE_URL": f"postgresql://konsilium_owner@{sockets}/{database}",
        "KONSILIUM_DESIGN": "1",
        "DJANGO_SETTINGS_MODULE": "konsilium.settings",
    }


def _start():
    binaries = find_binaries(os.environ.get("KONSILIUM_POSTGRES_BIN", ""))
    folder = Path(tempfile.mkdtemp(prefix="konsilium-test-"))
    cluster = Cluster(binaries, folder / "pg", folder / "s", for_tests=True)
    cluster.start()
    os.environ["KONSILIUM_TEST_SOCKETS"] = str(cluster.sockets)
    os.environ["KONSILIUM_TEST_FOLDER"] = str(folder)
    _running["cluster"], _running["folder"] = cluster, folder


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Stop and remove it."""
    if "cluster" in _running:
        _running.pop("cluster").stop()
        shutil.rmtree(_running.pop("folder"), ignore_errors=True)

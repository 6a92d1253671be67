"""The pages and live parts as they are served, on the tests' own database."""

import os
import resource
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from django.conf import settings

from tests.browser.conftest import free_port
from tests.live.pages import hang_up, joined, meeting


class Server:
    """The served product, which can be killed and started again at the same address."""

    def __init__(self, workers=1, limit=None):
        self.port, self.workers, self.process = free_port(), workers, None
        self.limit = limit
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self):
        environment = os.environ | {
            "KONSILIUM_PORT": str(self.port),
            "KONSILIUM_WORKERS": str(self.workers),
            "KONSILIUM_THREADS": "2",
            "PYTHONPATH": "src",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "konsilium", "pages"],
            env=environment,
            start_new_session=True,
            preexec_fn=self._shrink,  # noqa: PLW1509  one system call, before anything runs
        )
        for _ in range(200):
            assert self.process.poll() is None
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=1) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError("not ready")

    def _shrink(self):
        """Let no file grow beyond the limit: to the program that is what a full disk is."""
        if self.limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))

    def end(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        self.process.wait(20)


@pytest.fixture(scope="module")
def served(django_db_setup):
    server = Server(workers=2).start()
    yield server
    server.end(signal.SIGTERM)


@pytest.fixture
def restless(django_db_setup):
    """A server that a test may kill."""
    server = Server().start()
    yield server
    server.end()


@pytest.fixture
def files():
    return settings.FILES


@pytest.fixture
def cramped(django_db_setup):
    """A server whose files can't grow beyond 3 MiB."""
    server = Server(limit=3 * 1024**2).start()
    yield server
    server.end()


@pytest.fixture
def hung_up():
    """After the test no page is left open."""
    yield
    hang_up()


@pytest.fixture
def met(cast, served, hung_up):
    """The session, its doctor's and its consultant's page."""
    way, session = meeting(cast)
    doctor = joined(served, cast.omsk_doctor, session)
    consultant = joined(served, cast.cniis_consultant, session)
    doctor.hear("joined")
    return way, session, doctor, consultant

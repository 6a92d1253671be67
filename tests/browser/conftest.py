"""A real Chromium against really served pages over the tests' database."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

from tests.playing import driver

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Browser stories share one server and run one after the other, in the same worker.

    A story that stands in both widths for long runs in its chief one; the other belongs to `make prove`.
    """
    for item in items:
        if "tests/browser" in str(item.fspath):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            chief = item.get_closest_marker("chiefly")
            if chief and chief.args[0] not in item.callspec.params.values():
                item.add_marker(pytest.mark.prove)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def site(django_db_setup):
    """The pages and the inspector as they are served, on the tests' own database. Yields the pages' address."""
    port = free_port()
    environment = os.environ | {
        "KONSILIUM_PORT": str(port),
        "KONSILIUM_WORKERS": "1",
        "KONSILIUM_THREADS": "2",
    }
    environment["PYTHONPATH"] = "src"
    log = (settings.DATA / "pages.log").open("wb")
    process, inspector = (
        subprocess.Popen(
            [sys.executable, "-m", "konsilium", part],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        for part in ("pages", "inspector")
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield address
    finally:
        for part in (process, inspector):
            os.killpg(part.pid, signal.SIGTERM)
            part.wait(20)
        log.close()


def _wait(address, process):
    for _ in range(200):
        assert process.poll() is None, (settings.DATA / "pages.log").read_text()
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError((settings.DATA / "pages.log").read_text())


@pytest.fixture(scope="session")
def chromium():
    path = shutil.which("chromium")
    assert path, "chromium is missing: run make test, which installs it"
    browser = driver().chromium.launch(executable_path=path, chromium_sandbox=False, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(params=["wide", "narrow"])
def people(request, chromium, site):
    """Open a browser of one's own for each person: `people("omsk_doctor")` is their page, signed in by nobody yet."""
    opened = {}
    troubles = []

    def open_for(name):
        if name not in opened:
            context = chromium.new_context(
                viewport=SIZES[request.param], locale="ru-RU", base_url=site, accept_downloads=True
            )
            context.set_default_timeout(20_000)
            page = context.new_page()
            page.on("pageerror", lambda error: troubles.append(f"{name}: {error}"))
            page.on(
                "console",
                lambda message: troubles.append(message.text) if "Content Security" in message.text else None,
            )
            opened[name] = page
        return opened[name]

    open_for.size = request.param
    yield open_for
    keep_pictures(request, opened)
    for page in opened.values():
        page.context.close()
    assert troubles == []


def keep_pictures(request, opened):
    folder = os.environ.get("KONSILIUM_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(exist_ok=True, parents=True)
        for name, page in opened.items():
            page.screenshot(path=f"{folder}/{request.node.name}-{name}.png", full_page=True)

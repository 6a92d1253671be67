"""`python -m bench.viewer`: a consultant opens a study over a thin line (2 Mbit/s, 80 ms), shaped in the browser.

Starts a demonstration of its own, waits until its cone-beam study is read, and prints when the first picture, the
planes to scroll through and a diagnostic slice stood there, and how many bytes each took. Scripts are not cached.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psycopg
from playwright.sync_api import sync_playwright

BYTES_A_SECOND, DELAY_MS = 2_000_000 / 8, 80
WANTED = {"konsilium-first-picture": 1000, "konsilium-diagnostic": 8000}
FLAGS = (
    "--use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader --ignore-gpu-blocklist --disable-quic"
)
STUDY = (
    "SELECT s.consultation_id, s.study_id, p.login FROM konsilium_series s JOIN konsilium_consultation c "
    "ON c.id = s.consultation_id JOIN konsilium_person p ON p.id = c.consultant_id WHERE s.is_volume AND s.state = 'ready'"
)


def main():
    """Serve, wait, look, and say what was reached."""
    with tempfile.TemporaryDirectory(prefix="konsilium-viewer-") as folder:
        environment = os.environ | {
            "KONSILIUM_DEMO": "1",
            "KONSILIUM_DATA": folder,
            "KONSILIUM_SOCKET": f"{folder}/s",
            "KONSILIUM_PORT": "8479",
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "konsilium", "serve"], env=environment, stdout=subprocess.DEVNULL
        )
        try:
            look(f"http://127.0.0.1:{environment['KONSILIUM_PORT']}", Path(folder))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def look(address, folder):
    """Open the study once with an empty cache and once more."""
    request, study, login = _ready_study(address, folder)
    cast = json.loads((folder / "demo-cast.json").read_text())
    person = next(one for one in cast if one["login"] == login)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), chromium_sandbox=False, args=FLAGS.split()
        )
        page = browser.new_page(locale="ru-RU", base_url=address, viewport={"width": 1280, "height": 900})
        page.goto("/sign-in/")
        page.fill("input[name=login]", person["login"])
        page.fill("input[name=password]", person["password"])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)
        for name in ("nothing cached", "scripts cached"):
            print(name)
            _time(page, f"/requests/{request}/viewer/{study}/")
        browser.close()


def _ready_study(address, folder):
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=2):  # noqa: S310  our own address
                pass
            owner = f"host={folder}/s user=konsilium_owner dbname=konsilium"
            with psycopg.connect(owner) as connection:
                found = connection.execute(STUDY).fetchone()
                busy = connection.execute("SELECT 1 FROM konsilium_reading WHERE done_at IS NULL").fetchone()
            if found and not busy:
                return found
        except (OSError, psycopg.Error):
            pass
        time.sleep(0.5)
    raise SystemExit("the demonstration did not get ready")


def _time(page, place):
    line = page.context.new_cdp_session(page)
    received = []
    line.send("Network.enable")
    line.on(
        "Network.loadingFinished",
        lambda said: received.append((said["timestamp"], said["encodedDataLength"])),
    )
    shaped = {
        "offline": False,
        "latency": DELAY_MS,
        "downloadThroughput": BYTES_A_SECOND,
        "uploadThroughput": BYTES_A_SECOND,
    }
    line.send("Network.emulateNetworkConditions", shaped)
    page.goto(place, timeout=120_000)
    page.wait_for_selector("#viewer[data-ready]", timeout=120_000)
    begun = page.evaluate("performance.timeOrigin") / 1000
    marks = page.evaluate("performance.getEntriesByType('mark').map((mark) => [mark.name, mark.startTime])")
    monotonic = time.monotonic() - time.time()
    for name, at in marks:
        if name in WANTED:
            size = sum(length for when, length in received if when <= begun + at / 1000 + monotonic)
            verdict = "holds " if at <= WANTED[name] else "MISSED"
            print(
                f"  {verdict} {name.removeprefix('konsilium-'):14} {at:7.0f} ms   {size / 1000:7.0f} kB so far"
            )
    line.detach()


if __name__ == "__main__":
    main()

"""Parties in Chromium around an engine alone, without our server: who sees and hears whom, by colour and tone."""

import json
import shutil
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.playing import driver

HERE = Path(__file__).resolve().parent
ENGINES = HERE.parents[2] / "frontend" / "src" / "room" / "engines"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--no-first-run",
]
COLOURS = {"red": "#e01010", "green": "#10c010", "blue": "#1010e0"}
TONES = {"red": 440, "green": 880, "blue": 1320}


class Files(SimpleHTTPRequestHandler):
    """The page, and the engines as they are."""

    def translate_path(self, path):
        name = path.partition("?")[0].lstrip("/")
        folder, _, file = name.rpartition("/")
        return str((ENGINES if folder == "engines" else HERE / "pages") / (file or "index.html"))

    def log_message(self, *args):
        pass


@contextmanager
def chromium():
    """A browser, and the address of the page. Skips by name without Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = driver().chromium.launch(executable_path=program, args=FLAGS)
    try:
        yield browser, f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        browser.close()
        server.shutdown()
        server.server_close()


class Party:
    """One page in the room, by its colour."""

    def __init__(self, browser, address, colour):
        self.colour = colour
        self.page = browser.new_context().new_page()
        self.trouble = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_function("window.party")

    def come(self, grant):
        self.id = grant.party
        told = [json.loads(json.dumps(grant.as_json())), COLOURS[self.colour], TONES[self.colour]]
        self.page.evaluate("([grant, colour, tone]) => party.begin(grant, colour, tone)", told)
        return self

    def sees(self, other):
        """The strongest colour of the other's picture, or nothing."""
        found = self.page.evaluate("id => party.sees(id)", other.id)
        if not found or max(found[c] for c in "rgb") < 100:
            return None
        return {"r": "red", "g": "green", "b": "blue"}[max("rgb", key=lambda c: found[c])]

    def width(self, other):
        return (self.page.evaluate("id => party.sees(id)", other.id) or {}).get("width", 0)

    def hears(self, other):
        return self.page.evaluate("id => party.hears(id)", other.id)

    def frames(self):
        return self.page.evaluate("party.frames()")

    def events(self):
        return [tuple(event) for event in self.page.evaluate("party.events")]

    def renew(self, grant):
        self.page.evaluate("grant => party.engine.renew(grant)", grant.as_json())


def until(ask, wanted=True, seconds=15):
    """Ask again and again; returns how long it took. Fails with what was answered last."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        answer = ask()
        if answer == wanted or (wanted is True and answer):
            return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError(f"{answer!r} instead of {wanted!r} after {seconds} s")

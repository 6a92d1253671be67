"""A session's room whose first person sits at the end of an emulated line; the pages' own bytes share it with media."""

import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

from tests.browser.conftest import FLAGS, SIZES
from tests.line.between import FLAGS as MEDIA_FLAGS
from tests.line.between import put_between, totals
from tests.line.emulator import Emulator, Line
from tests.live.conftest import Server
from tests.live.pages import key_of, meeting

CAMERA = (Path(__file__).parents[1] / "line" / "camera.js").read_text()
PEOPLE = ("omsk_doctor", "cniis_consultant", "cniis_dispatcher", "omsk_admin")
DELAY_MS = 30


class Meeting:
    """The pages of a session in their order, and the line of the first one."""

    def __init__(self, line):
        self.line, self.pages = line, []

    @property
    def thin(self):
        return self.pages[0]

    def step(self, page=None):
        """What a page sends now: sound, slow, low or full."""
        return (page or self.thin).evaluate("document.getElementById('room').dataset.step ?? 'slow'")

    def wait(self, seconds):
        self.thin.wait_for_timeout(seconds * 1000)

    def sound_alone(self):
        """Press the button for sound and still pictures at the thin end."""
        self.thin.locator("[data-name=sound_only]").click()

    def until(self, holds, *, seconds):
        """Wait until something holds; returns after how many seconds, None when it doesn't."""
        for half in range(seconds * 2):
            if holds():
                return half / 2
            self.wait(0.5)
        return None

    def sees(self, page, before):
        """Say whether a page has shown new pictures since a look at its totals."""
        return totals(page)["video"][2] > before["video"][2] + 3


@contextmanager
def gathered(chromium, cast, people=2):
    """Hold a session: who sits at the line comes last, over a line that is open yet."""
    _, session = meeting(cast)
    server = Server().start()
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium"), chromium_sandbox=False, args=[*FLAGS, *MEDIA_FLAGS]
    )
    try:
        with Emulator() as emulator:
            held = Meeting(Line())
            held.line.set(delay_ms=DELAY_MS)
            door = emulator.stream_door(("127.0.0.1", server.port), held.line)
            far = [
                _enter(browser, emulator, Line(), server.address, cast, name, session)
                for name in PEOPLE[1:people]
            ]
            near = _enter(browser, emulator, held.line, f"http://127.0.0.1:{door}", cast, PEOPLE[0], session)
            held.pages = [near, *far]
            yield held
            browser.close()
    finally:
        if browser.is_connected():
            browser.close()
        server.end(signal.SIGTERM)


def _enter(browser, emulator, line, address, cast, name, session):
    context = browser.new_context(viewport=SIZES["wide"], base_url=address)
    context.set_default_timeout(20_000)
    put_between(context, emulator, line)
    context.add_init_script(CAMERA)
    key = key_of(cast.actor_of(name))
    context.add_cookies([{"name": "konsilium", "value": key, "url": address}])
    page = context.new_page()
    page.goto(f"/sessions/{session.pk}/room/")
    page.locator("#enter").click()
    page.locator("#room[data-ready]").wait_for(state="attached")
    return page

"""A computer checks itself in a real Chromium: its devices are told apart, its line is measured through a real relay."""

import os
import re
import signal

import pytest

from konsilium.models import BrowserTest
from konsilium.models.access import acting
from tests.bed.coturn import coturn
from tests.browser.conftest import SIZES, keep_pictures
from tests.browser.devices import FAKE, GIVEN, camera, launch, silence
from tests.browser.test_story import fits, sign_in
from tests.line.emulator import Emulator, Line
from tests.live.conftest import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def check(request, chromium, cast):
    """Check a computer with these devices, at an address: `check(site, *flags)` returns its page and what was kept."""
    opened = []

    def run(address, *flags, size="wide", who="omsk_doctor"):
        browser = launch(chromium.browser_type, *flags)
        opened.append(browser)
        page = browser.new_page(viewport=SIZES[size], locale="ru-RU", base_url=address)
        page.set_default_timeout(40_000)
        troubles = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None
        )
        sign_in(page, who)
        page.goto("/computer/")
        fits(page)
        page.get_by_label("Какой это компьютер?").fill("Ноутбук в ординаторской")
        page.get_by_role("button", name="Начать проверку").click()
        page.get_by_role("button", name="Да, слышу").click()
        page.wait_for_url(re.compile(r"/computer/[0-9a-f-]{36}/"))
        fits(page)
        keep_pictures(request, {f"{who}-{size}": page})
        assert troubles == []
        actor = getattr(cast, who)
        with acting(actor):
            return page, BrowserTest.objects.visible_to(actor).latest("at")

    yield run
    for browser in opened:
        browser.close()


@pytest.mark.chiefly("narrow")
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_good_computer_without_a_relay_is_told_what_is_not_known(check, site, size):
    page, row = check(site, FAKE, *GIVEN, size=size)
    found = row.measured
    assert (found["camera"], found["microphone"], found["speakers"]) == ("ok", "ok", "heard")
    assert found["camera_fps"] > 8
    assert found["camera_width"] >= 320
    assert found["microphone_peak"] > -40
    assert (found["line"], row.band, row.mode) == ("no_relay", "", "")
    assert page.get_by_text("Неизвестно, можно ли отсюда связаться").is_visible()
    assert row.computer == "Ноутбук в ординаторской"


def test_a_black_picture_and_a_silent_microphone_are_told(check, site, tmp_path):
    black = camera(tmp_path / "black.y4m", lambda x, y: 16)
    page, row = check(site, FAKE, *GIVEN, black, silence(tmp_path / "silence.wav"))
    assert (row.measured["camera"], row.measured["microphone"]) == ("black", "silent")
    assert page.get_by_text("Откройте крышку или шторку камеры").is_visible()


@pytest.mark.prove
def test_a_picture_that_stands_still_is_told(check, site, tmp_path):
    still = camera(tmp_path / "still.y4m", lambda x, y: 60 + (x * 7 + y * 3) % 160)
    _, row = check(site, FAKE, *GIVEN, still)
    assert (row.measured["camera"], row.measured["microphone"]) == ("frozen", "ok")


def test_a_computer_without_devices_is_told(check, site):
    _, row = check(site, "--disable-audio-input", "--use-fake-ui-for-media-stream")
    assert (row.measured["camera"], row.measured["microphone"]) == ("none", "none")
    assert row.mode == "deferred"


def test_a_page_that_is_not_allowed_is_told(check, site):
    _, row = check(site, FAKE, "--deny-permission-prompts")
    assert (row.measured["camera"], row.measured["microphone"]) == ("denied", "denied")


@pytest.fixture
def relayed(tmp_path, monkeypatch, django_db_setup):
    """Pages that know a relay, which lies at the far end of an emulated line. Yields both."""
    with coturn(tmp_path) as server, Emulator() as emulator:
        line = Line()
        door = emulator.door(server.address, line)
        monkeypatch.setitem(os.environ, "KONSILIUM_TURN_URLS", f"turn:127.0.0.1:{door}?transport=udp")
        monkeypatch.setitem(os.environ, "KONSILIUM_TURN_SECRET", server.turn.secret)
        pages = Server().start()
        try:
            yield pages.address, line
        finally:
            pages.end(signal.SIGTERM)


@pytest.mark.prove
def test_a_thin_line_is_measured_through_the_relay_and_sound_comes_first(check, relayed):
    address, line = relayed
    line.set(kbits=350, delay_ms=20)
    page, row = check(address, FAKE, *GIVEN)
    found = row.measured
    assert found["line"] == "ok"
    assert 130 < found["line_kbits"] < 360
    assert 40 <= found["line_round_trip"] < 400
    assert row.mode == "audio_first"
    assert page.get_by_text("Сначала звук").first.is_visible()


@pytest.mark.prove
def test_a_wide_line_carries_everybody(check, relayed):
    address, line = relayed
    line.set(delay_ms=10)
    _, row = check(address, FAKE, *GIVEN)
    assert (row.measured["line"], row.mode) == ("ok", "full")
    assert row.measured["line_loss"] < 2


def test_a_firewall_before_the_relay_is_told(check, relayed):
    address, line = relayed
    line.set(loss=1)
    page, row = check(address, FAKE, *GIVEN)
    assert (row.measured["line"], row.band, row.mode) == ("blocked", "phone", "deferred")
    assert page.get_by_text("не пропускает сетевой экран").is_visible()

"""A room codec in the consulting side's room: the page calls it, and it calls the page."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as NotInTime

from tests.bed.codec import codec
from tests.bed.janus import janus
from tests.bed.kamailio import kamailio
from tests.bed.space import namespace, need
from tests.browser.conftest import SIZES
from tests.browser.rooms import Somebody
from tests.browser.test_room import CAST, browser  # noqa: F401
from tests.live.conftest import Server
from tests.live.pages import key_of, meeting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bed(tmp_path, django_db_setup):
    """Janus, a SIP server, a codec, and the product that knows of them."""
    need("janus", "kamailio", "baresip")
    with (
        namespace() as space,
        janus(tmp_path / "janus", space) as media,
        kamailio(tmp_path / "kamailio", space) as sip,
        codec(tmp_path / "codec", space) as room,
    ):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**media.environment, "KONSILIUM_JANUS_SIP": sip}.items():
                patch.setenv(name, value)
            server = Server().start()
        yield server, room
        server.end(signal.SIGTERM)


@pytest.fixture
def consultant(bed, browser, cast):  # noqa: F811
    """The consultant's page in the room."""
    server, _ = bed
    _, session = meeting(cast)
    context = browser.new_context(viewport=SIZES["wide"], locale="ru-RU", base_url=server.address)
    context.set_default_timeout(20_000)
    one = Somebody(context, "green", key_of(cast.actor_of(CAST["green"])), server.address)
    yield one.come(session)
    folder = os.environ.get("KONSILIUM_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        one.page.screenshot(path=f"{folder}/codec.png")
    context.close()
    assert one.troubles == []


def rings(page, room, number):
    """Let the codec dial until the page rings: for a moment after the last call the line is busy."""
    for _ in range(5):
        room.say("dial", f"sip:{number}")
        with suppress(NotInTime):
            return page.locator("[data-name=codec_answer]").wait_for(timeout=5000)
    with suppress(AssertionError):
        room.hear("nothing of this name", seconds=1)
    raise AssertionError([one.get("type") or one for one in room.heard[-30:]])


def test_the_consultant_calls_the_codec_and_the_codec_calls_the_room(bed, consultant):
    _, room = bed
    page = consultant.page
    page.get_by_label("SIP-адрес кодека").fill(room.address)
    page.locator("[data-name=codec_call]").click()
    room.hear("CALL_ESTABLISHED")
    page.locator(".codec-picture").wait_for()
    page.locator("[data-name=codec_hang_up]").click()
    room.hear("CALL_CLOSED")
    number = page.locator("[data-name=codec] .mono").inner_text()
    rings(page, room, number)
    page.locator("[data-name=codec_answer]").click()
    room.hear("CALL_ESTABLISHED")
    consultant.soon(lambda: page.evaluate("document.querySelector('.codec-picture')?.videoWidth > 0"))


COUNT_PLACES = """() => {
  window.places = 0;
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    if (String(text).includes('"janus.plugin.sip"')) window.places += 1;
    return send.call(this, text);
  };
}"""


def test_each_call_has_a_place_of_its_own_on_the_line(bed, consultant):
    # A place whose call ended while its media was being set up can stay busy for good in Janus.
    _, room = bed
    page = consultant.page
    page.evaluate(COUNT_PLACES)
    for calls in (1, 2):
        page.get_by_label("SIP-адрес кодека").fill(room.address)
        page.locator("[data-name=codec_call]").click()
        room.hear("CALL_ESTABLISHED")
        page.locator("[data-name=codec_hang_up]").click()
        room.hear("CALL_CLOSED")
        consultant.soon(lambda calls=calls: page.evaluate("window.places") == calls)

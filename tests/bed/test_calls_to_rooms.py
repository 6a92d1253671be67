"""A room codec and a page, one to one, through Kamailio and Janus: both directions, sound and picture by content."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest

from konsilium.adapters.video import Party as Somebody
from konsilium.adapters.video import Place, connect, read_choice
from tests.adapters.video.browsers import Party, chromium, until
from tests.bed.codec import codec
from tests.bed.janus import janus
from tests.bed.kamailio import kamailio
from tests.bed.raw_sip import OFFER, Caller
from tests.bed.space import namespace, need

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TONE = 1000


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """Kamailio and Janus in a namespace, a codec outside of it, and a browser."""
    need("janus", "kamailio", "baresip")
    folder = tmp_path_factory.mktemp("bed")
    with (
        namespace() as space,
        janus(folder / "janus", space) as media,
        kamailio(folder / "kamailio", space) as server,
        codec(folder / "codec", space, hertz=TONE) as room,
        chromium() as browser,
    ):
        room.folder = folder / "codec"
        yield Bed(space, media, server, room, browser)


@dataclass
class Bed:
    """What stands there."""

    space: object
    media: object
    server: str
    room: object
    browser: tuple

    def page(self, server=""):
        """A page that has a session's number at the SIP server."""
        given = {**self.media.environment, "KONSILIUM_JANUS_SIP": server or self.server}
        engine = connect("janus", read_choice(given), key=b"a key", servers=lambda name, at: [])
        return Page(*self.browser, "red").ready(engine)


class Page(Party):
    """The consulting side's page."""

    def ready(self, engine):
        place = Place(uuid4().hex[:24])
        grant = engine.join_grant(place, Somebody(uuid4(), moderates=True), at=datetime.now(UTC))
        self.number = grant.keys["sip_me"]
        self.page.wait_for_function("window.line")
        self.page.evaluate("grant => line.begin(grant, '#e01010', 440)", grant.as_json())
        return self

    def said(self):
        return [tuple(event) for event in self.page.evaluate("line.events")]

    def hears_codec(self):
        return abs(self.page.evaluate("party.hears('codec')") - TONE) < 30

    def sees_codec(self):
        return bool(self.page.evaluate("party.sees('codec')"))


@pytest.fixture
def page(bed):
    made = bed.page()
    yield made
    made.page.evaluate("line.call.close()")
    made.page.context.close()
    assert made.trouble == []


def test_a_codec_dials_the_sessions_number_and_is_seen_and_heard(bed, page):
    room = bed.room
    room.say("dial", page.number)
    until(lambda: any(said[0] == "ringing" for said in page.said()))
    page.page.evaluate("line.call.answer(line.own)")
    room.hear("CALL_ESTABLISHED")
    until(page.hears_codec)
    until(page.sees_codec)
    room.say("hangup")
    until(lambda: page.said()[-1][0] == "over")


def test_the_page_dials_the_codec_and_each_gets_the_others_sound_and_picture(bed, page):
    room = bed.room
    page.page.evaluate("address => line.call.call(address, line.own)", room.address)
    room.hear("CALL_ESTABLISHED")
    until(lambda: ("up",) in page.said())
    until(page.hears_codec)
    until(page.sees_codec)
    page.page.wait_for_timeout(2000)
    page.page.evaluate("line.call.hangUp()")
    room.hear("CALL_CLOSED")
    (heard,) = sorted(room.folder.glob("dump-*-dec.wav"))[-1:]
    assert loudest(heard) == pytest.approx(440, abs=15)


def loudest(path):
    """The frequency that a recorded sound is mostly made of, in its last second."""
    content = path.read_bytes()[44:]
    # Two channels.
    samples = np.frombuffer(content[: len(content) // 4 * 4], dtype="<i2")[-96_000::2]
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(power)) * 48_000 / len(samples)


@pytest.fixture
def caller(bed):
    made = Caller(bed.space.outside, bed.server)
    yield made
    made.close()


def test_a_picture_offered_as_avpf_is_taken_and_answered_as_it_was_offered(bed, page, caller):
    caller.send("INVITE", page.number, body=OFFER.format(own=bed.space.outside))
    until(lambda: any(said[0] == "ringing" for said in page.said()))
    page.page.evaluate("line.call.answer(line.own)")
    code, text = caller.answer(200)
    assert code == 200
    assert "m=video " in text
    assert "m=video 0 " not in text
    assert " RTP/AVP " not in text


def test_without_the_rewriting_such_a_picture_is_refused(bed, tmp_path):
    """The control run: the same offer, with the line left out that makes AVP of AVPF."""
    line = 'subst_body("/RTP\\/AVPF/RTP\\/AVP/g");'
    with kamailio(tmp_path / "control", bed.space, without=line, port=5066) as server:
        page = bed.page(server)
        caller = Caller(bed.space.outside, server)
        caller.send("INVITE", page.number, body=OFFER.format(own=bed.space.outside))
        until(lambda: any(said[0] == "ringing" for said in page.said()))
        page.page.evaluate("line.call.answer(line.own)")
        _, text = caller.answer(200)
        caller.close()
        page.page.evaluate("line.call.close()")
        page.page.context.close()
    assert "m=video 0 " in text


def test_nobody_but_the_media_server_takes_a_sessions_number(bed, caller):
    contact = f"Contact: <sip:raw@{bed.space.outside}>\r\nExpires: 60\r\n"
    caller.send("REGISTER", f"sip:12345678@{bed.server}", extra=contact)
    assert caller.answer()[0] == 403


def test_nobody_calls_the_world_through_it(bed, caller):
    caller.send("INVITE", "sip:somebody@192.0.2.1:5060", body=OFFER.format(own=bed.space.outside))
    assert caller.answer(200)[0] == 403


def test_a_number_without_a_session_is_told_so(bed, caller):
    caller.send("INVITE", f"sip:00000000@{bed.server}", body=OFFER.format(own=bed.space.outside))
    assert caller.answer(200)[0] == 404

"""Test calls and the echo line on loopback: what is counted, where packets may go, what a refusal means."""

import random
import socket
import struct
import time

import pytest

from konsilium.adapters.reach import Target
from konsilium.adapters.sip import baresip
from konsilium.adapters.sip.addresses import read_uri
from konsilium.adapters.sip.calls import Setting, make_call
from konsilium.adapters.sip.choosing import BadMedia, read_echo, read_place
from konsilium.adapters.sip.descriptions import mirrored, read_description, readdressed
from konsilium.adapters.sip.echo import Desk, EchoLine, Reflection, _first_of_each
from konsilium.adapters.sip.ports import Place
from konsilium.adapters.sip.registering import Account
from konsilium.adapters.sip.relaying import Relay
from konsilium.adapters.sip.sizes import size_in
from konsilium.adapters.sip.streams import EPOCH, Heard, Told, mos, ntp_now, report
from konsilium.adapters.sip.weighing import weighed
from konsilium.workflow.probing import ANSWERS, NotReached
from tests.sip_bed import Authority, Server, answer

OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"a=candidate:1 1 UDP 1 10.0.0.5 4000 typ host\r\na=rtcp:4009 IN IP4 10.0.0.6\r\na=crypto:1 AES\r\n"
    b"m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e01f\r\n"
)
needs_baresip = pytest.mark.skipif(baresip.program() is None, reason="baresip is not installed")


def rtp(number, *, stamp=0, ssrc=7, payload=b"x" * 20, kind=8):
    return struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc) + payload


def heard(lost=0.0, packets=400, **named):
    """A stream of which every so many packets were lost."""
    one = Heard(**named)
    step = round(100 / lost) if lost else 0
    for i in range(packets):
        if not step or i % step or i == 0:
            one.take(rtp(65400 + i, stamp=i * 160), i / 50)
    return one


# --- Counting


@pytest.mark.parametrize("lost", [0, 1, 5, 20])
def test_loss_is_counted_by_the_packets_numbers_across_their_wrap(lost):
    assert heard(lost).lost == pytest.approx(lost, abs=0.5)


def test_late_and_repeated_packets_are_no_loss():
    one, numbers = Heard(), list(range(100, 200))
    random.Random(1).shuffle(numbers)
    for number in [99, *numbers, 150, 200]:
        one.take(rtp(number), 0)
    assert one.lost == 0


def test_jitter_is_how_much_arrivals_waver():
    steady, wavering = Heard(), Heard()
    for i in range(300):
        steady.take(rtp(i, stamp=i * 160), i / 50)
        wavering.take(rtp(i, stamp=i * 160), i / 50 + 0.02 * (i % 2))
    assert steady.jitter_ms < 0.1
    assert wavering.jitter_ms == pytest.approx(20, abs=1)


def test_a_report_of_ours_is_understood_by_ourselves():
    sent, came = heard(5, ssrc=3), heard()
    told = Told()
    told.take(report(9, came, sent, Told()), ntp_now())
    assert (told.reports, told.blocks) == (1, 1)
    assert told.lost(sent.base) == pytest.approx(5, abs=0.5)
    assert told.lost(sent.base, before=sent.gaps) == 0
    assert told.round_trip is None


def test_the_round_trip_is_what_remains_of_the_reports_journey():
    told, ntp = Told(), int((1_000_000 + EPOCH) * 2**32)
    last, since = (ntp >> 16) & 0xFFFFFFFF, 65536  # held back for a second
    block = struct.pack("!IIIIII", 1, 0, 10, 0, last, since)
    told.take(struct.pack("!BBHI", 0x81, 201, 7, 5) + block, ntp + int(1.08 * 2**32))
    assert told.round_trip == pytest.approx(80, abs=1)


@pytest.mark.parametrize(
    "junk",
    [b"", b"\x80", b"\x00" * 40, b"\x81\xc8\xff\xff" + b"\x00" * 8, b"\x9f\xc9\x00\x01" + b"\x01" * 30],
)
def test_junk_is_neither_media_nor_a_report(junk):
    one, told = Heard(), Told()
    one.take(junk[:11], 0)
    told.take(junk, 0)
    assert one.packets == 0
    assert told.blocks <= 1


def test_the_estimate_falls_with_loss_and_delay():
    assert mos(0, 20) > 4.3
    assert mos(0, 20) > mos(2, 20) > mos(5, 20) > mos(5, 400) > mos(20, 800) >= 1


@pytest.mark.parametrize(
    ("codec", "payload", "size"),
    [
        ("vp8", bytes.fromhex("10 500200 9d012a 8002 6801".replace(" ", "")), (640, 360)),
        ("vp8", bytes.fromhex("11 500200 9d012a 8002 6801".replace(" ", "")), None),
        ("h264", bytes.fromhex("6742c01fda014016ec0440000003004000000c83c60ca8"), (1280, 720)),
        ("h264", b"\x67", None),
        ("h264", b"\x67" + b"\x00" * 60, None),
        ("h263", b"\x00" * 20, None),
    ],
)
def test_a_pictures_size_is_read_from_its_beginning(codec, payload, size):
    assert size_in(codec, payload) == size


def test_no_bytes_break_the_reading_of_sizes():
    chance = random.Random(5)
    for _ in range(3000):
        content = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
        size_in("vp8", content)
        size_in("h264", b"\x67" + content)


# --- Descriptions


def test_a_description_handed_on_names_no_address_but_ours():
    text = readdressed(OFFER, "203.0.113.9", [42000, 42002])
    assert "10.0.0." not in text
    assert "crypto" not in text
    assert "candidate" not in text
    audio, video = read_description(text.encode())
    assert (audio.host, audio.port, video.port) == ("203.0.113.9", 42000, 42002)
    assert video.details[97] == "profile-level-id=42e01f"


def test_the_echo_lines_answer_takes_the_first_codec_of_sound_and_picture():
    audio, video = read_description(
        mirrored(read_description(OFFER), "203.0.113.9", [1, 3], frozenset({"pcma"})).encode()
    )
    assert (audio.numbers, audio.port) == ((8,), 1)
    assert video.port == 0


def test_a_room_codecs_slides_and_their_control_are_refused_in_their_own_words():
    slides = b"m=application 5070 UDP/BFCP *\r\na=floorctrl:c-s\r\nm=video 4004 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
    offer = _first_of_each(read_description(OFFER + slides))
    text = mirrored(offer, "203.0.113.9", [1, 3, 0, 0], frozenset({"pcma", "h264"}))
    lines = [line for line in text.splitlines() if line.startswith("m=")]
    assert lines == [
        "m=audio 1 RTP/AVP 8",
        "m=video 3 RTP/AVP 97",
        "m=application 0 UDP/BFCP *",
        "m=video 0 RTP/AVP 97",
    ]
    # What is weighed is the camera, not the slides that were refused.
    assert [media.is_on for media in offer] == [True, True, False, False]


@pytest.mark.parametrize(
    "content",
    [b"", b"m=\r\n", b"m=audio 99999999 RTP/AVP 8", b"\xff" * 300, b"c=IN IP4 x\r\nm=audio 1 RTP/AVP 8\r\n"],
)
def test_what_is_no_description_is_read_as_nothing(content):
    assert not any(media.is_on and media.host for media in read_description(content))


# --- Where packets go


class Kept:
    """Ports that keep what is sent."""

    number = 1

    def __init__(self):
        self.sent = []

    def send(self, data, to):
        if to is not None:
            self.sent.append(to)


def relay(answer_host):
    made = Relay("audio", ("127.0.0.1", 5000))
    made._inner, made._outer = (Kept(), Kept()), (Kept(), Kept())
    offered, _ = read_description(OFFER)
    (taken,) = read_description(f"v=0\nc=IN IP4 {answer_host}\nm=audio 7000 RTP/AVP 8\n".encode())
    made.begin(offered, taken, frozenset({"203.0.113.7"}))
    return made


def run(made, name, packet, whence):
    import asyncio

    async def inside():
        getattr(made, name)(packet, whence)

    asyncio.run(inside())


def test_media_go_only_to_an_address_that_was_judged():
    open_one, closed_one = relay("203.0.113.7"), relay("10.0.0.5")
    for made in (open_one, closed_one):
        run(made, "_from_near", rtp(1), ("127.0.0.1", 5000))
    assert open_one._outer[0].sent == [("203.0.113.7", 7000)]
    assert closed_one._outer[0].sent == []


def test_media_of_a_stranger_are_not_taken():
    made = relay("203.0.113.7")
    run(made, "_from_far", rtp(1), ("198.51.100.3", 7000))
    assert (made.into.packets, made._inner[0].sent) == (0, [])
    run(made, "_from_far", rtp(1), ("203.0.113.7", 7777))
    assert made.into.packets == 1
    # From now on ours go to where theirs come from.
    assert made.far == ("203.0.113.7", 7777)


def test_the_echo_line_sends_one_packet_for_one_and_to_its_sender_alone():
    made = Reflection("audio", frozenset({"203.0.113.7"}))
    made.ports = (Kept(), Kept())
    run(made, "_media", rtp(1), ("198.51.100.3", 9))
    assert made.ports[0].sent == []
    run(made, "_media", rtp(2), ("203.0.113.7", 9))
    assert made.ports[0].sent == [("203.0.113.7", 9)]


# --- What is missing, by its direction


class Way:
    before = 0

    def __init__(self, kind, *, comes=True, arrives=True, reports=2):
        self.kind, self.out = kind, heard(rate=8000)
        self.into = heard() if comes else Heard()
        self.told = Told(reports=reports)
        if arrives and reports:
            self.told.blocks, self.told.highest = 2, self.out.highest


@pytest.mark.parametrize(
    ("sound", "sight", "code"),
    [
        ({"comes": False}, {"comes": False}, "no_media_in"),
        ({"arrives": False}, {"arrives": False}, "no_media_out"),
        ({"comes": False, "arrives": False}, {"comes": False, "arrives": False}, "no_media"),
        ({"comes": False, "reports": 0}, {"comes": False, "reports": 0}, "no_media_in"),
        ({}, {"comes": False, "arrives": False}, "sound_only"),
        ({}, {}, "call_good"),
        ({"reports": 0}, {"reports": 0}, "call_good"),
    ],
)
def test_what_is_missing_has_an_answer_by_its_direction(sound, sight, code):
    answer_lines = read_description(OFFER)
    found = weighed([Way("audio", **sound), Way("video", **sight)], answer_lines, {}, None, is_cut=False)
    assert found.answer == code
    assert found.answer in ANSWERS
    # Without their reports, nothing is said of what they hear.
    assert ("sound_out" in found.steps) == (sound.get("reports", 2) > 0)


# --- Calls


def call(port, *, transport="udp", trust=None, account=None, seconds=1.0, user="codec"):
    def closed(host, port):
        raise NotReached("closed_address")

    target = Target("127.0.0.1", "127.0.0.1", port)
    setting = Setting(Place(), trust, seconds)
    return make_call(target, read_uri(f"sip:{user}@127.0.0.1:{port}"), transport, account, closed, setting)


@needs_baresip
@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("404 Not Found", "not_found"),
        ("480 Temporarily Unavailable", "not_registered"),
        ("486 Busy Here", "busy"),
        ("603 Decline", "declined"),
        ("488 Not Acceptable Here", "no_common_codec"),
        ("302 Moved Temporarily", "moved"),
        ("500 Server Error", "call_failed"),
    ],
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_each_refusal_has_an_answer_of_its_own(status, code, transport):
    extra = ["Contact: <sip:somebody@127.0.0.1:9>"]
    with Server(lambda request, number: [answer(request, status, extra=extra)] if request.startswith(b"INVITE") else [], transport) as server:  # fmt: skip
        found = call(server.port, transport=transport)
        assert sum(one.startswith(b"INVITE") for one in server.got) == 1
        for _ in range(20):
            if not any(one.startswith(b"ACK") for one in server.got):
                time.sleep(0.02)
        assert transport == "tcp" or any(one.startswith(b"ACK") for one in server.got)
    assert found.answer == code
    assert found.measured["code"] == int(status[:3])


@needs_baresip
def test_a_port_that_somebody_took_meanwhile_is_let_go(monkeypatch):
    free, refused = baresip._free, lambda request, number: [answer(request, "486 Busy Here")]
    with socket.socket() as taken, Server(refused) as server:
        taken.bind(("127.0.0.1", 0))
        ports = [taken.getsockname()[1]]
        monkeypatch.setattr(baresip, "_free", lambda: ports.pop() if ports else free())
        monkeypatch.setattr(baresip, "START_SECONDS", 3.0)
        assert call(server.port).answer == "busy"
        assert not ports


@needs_baresip
def test_a_wrong_password_is_tried_once():
    wanted = ['Proxy-Authenticate: Digest realm="x", nonce="n", qop="auth"']

    def talk(request, number):
        return [answer(request, "407 Asks", extra=wanted)] if request.startswith(b"INVITE") else []

    with Server(talk) as server:
        assert call(server.port).answer == "no_password"
        found = call(server.port, account=Account("codec", "x", "secret"))
        assert sum(one.startswith(b"INVITE") for one in server.got) == 3
        assert not any(b"secret" in one for one in server.got)
    assert found.answer == "login_wrong"


@needs_baresip
def test_a_bad_certificate_ends_a_call_before_it_is_made(tmp_path):
    authority = Authority(tmp_path)
    with Server(lambda request, number: [], "tls", authority.server("127.0.0.1", expired=True)) as server:
        found = call(server.port, transport="tls", trust=authority.trust())
        assert server.got == []
    assert found.answer == "expired"


@needs_baresip
def test_silence_is_told():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert call(deaf.getsockname()[1]).answer == "silent"


def test_without_baresip_a_call_is_never_green(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    found = call(9)
    assert (found.answer, found.steps) == ("not_here", {})
    assert ANSWERS["not_here"].outcome == ""


@needs_baresip
def test_a_call_to_the_echo_line_is_counted_by_both_and_leaves_nobody_behind():
    landed = []
    line = EchoLine(
        "127.0.0.1",
        0,
        Desk(lambda number: "it" if number == "12345678" else None, lambda *told: landed.append(told)),
    )
    line.start()
    try:
        assert call(line.port, user="87654321").answer == "not_found"
        found = call(line.port, user="12345678", seconds=7.0)
        for _ in range(50):
            if not landed:
                time.sleep(0.1)
    finally:
        line.stop()
    # On a machine with too much to do packets waver; none is lost on loopback.
    assert found.answer in ("call_good", "call_limited")
    assert not [code for code, step in found.steps.items() if step.outcome == "failed"]
    assert found.measured["video"]["from_them"]["loss"] == 0
    assert found.steps["picture_in"].numbers["width"] == 640
    assert found.steps["sound_out"].numbers["loss"] == 0
    assert found.picture.startswith(b"\x89PNG")
    ((key, told),) = landed
    assert (key, told.steps["sound_in"].numbers["loss"]) == ("it", 0)
    assert not children("call-")


def children(word):
    import subprocess

    listed = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    import os

    return [row for row in listed.splitlines() if row.split()[0] == str(os.getpid()) and word in row]


# --- Settings


@pytest.mark.parametrize(
    "given",
    [
        {"KONSILIUM_ECHO_LISTEN": "somewhere:5060"},
        {"KONSILIUM_ECHO_LISTEN": "0.0.0.0:5060"},
        {"KONSILIUM_ECHO_LISTEN": "203.0.113.7"},
        {"KONSILIUM_ECHO_LISTEN": "203.0.113.7:5060", "KONSILIUM_ECHO_DIAL": "a b"},
    ],
)
def test_a_setting_of_the_echo_line_that_can_not_be_is_refused(given):
    with pytest.raises(BadMedia):
        read_echo(given)


def test_settings_of_media_are_read():
    assert read_echo({}) is None
    line = read_echo({"KONSILIUM_ECHO_LISTEN": "203.0.113.7:5060", "KONSILIUM_ECHO_DIAL": "echo.example.org"})
    assert (line.host, line.port, line.dial) == ("203.0.113.7", 5060, "echo.example.org")
    assert read_place({"KONSILIUM_MEDIA_PORTS": "30000-30100"}).first == 30000
    for text in ("30000", "30000-30001", "80-400", "50000-99999"):
        with pytest.raises(BadMedia):
            read_place({"KONSILIUM_MEDIA_PORTS": text})
    with pytest.raises(BadMedia):
        read_place({"KONSILIUM_MEDIA_ADDRESS": "echo.example.org"})

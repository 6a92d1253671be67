"""An H.323 device's signalling: called, understood, hung up on; against a device that the test plays itself."""

import socket
import struct
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from konsilium.adapters import h323
from konsilium.adapters.reach import Target, read_host
from konsilium.workflow.probing import ANSWERS, NotReached

needs_pycrate = pytest.mark.skipif(not h323.is_here(), reason="the optional package pycrate isn't installed")
PROCEEDING, ALERTING, CONNECT, RELEASE = 0x02, 0x01, 0x07, 0x5A
BREAK = object()
BUSY = bytes([0x08, 0x02, 0x80, 0x80 | 17])


class Device:
    """A listening device that answers a call's SETUP with what it is told, and keeps what it heard."""

    def __init__(self, *answers):
        self.answers = answers
        self.heard = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.target = Target("codec.example", "127.0.0.1", self.listening.getsockname()[1])
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        line, _ = self.listening.accept()
        line.settimeout(5)
        # The caller may hang up in the middle of it.
        with line, suppress(OSError):
            self.heard.append(read(line))
            for answer in self.answers:
                if answer is BREAK:
                    # What is closed so is reset, not ended.
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    time.sleep(0.2)
                    return
                line.sendall(answer)
            while message := read(line):
                self.heard.append(message)


def read(line):
    head = line.recv(4)
    return line.recv(int.from_bytes(head[2:], "big") - 4) if len(head) == 4 else b""


@contextmanager
def playing(*answers):
    device = Device(*answers)
    try:
        yield device
    finally:
        device.listening.close()
        device.thread.join(6)


def says(kind, elements=b""):
    body = bytes([8, 2, 0x80, 1, kind]) + elements
    return bytes([3, 0]) + (len(body) + 4).to_bytes(2, "big") + body


def rejected(reason):
    body = {"protocolIdentifier": (0, 0, 8, 2250, 0, 4), "reason": (reason, 0)}
    inside = b"\x05" + h323._uu("releaseComplete", body)
    return says(RELEASE, BUSY + bytes([0x7E]) + len(inside).to_bytes(2, "big") + inside)


@needs_pycrate
@pytest.mark.parametrize("last", [ALERTING, CONNECT])
def test_a_device_that_rings_or_answers_is_reached_and_hung_up_on(last):
    with playing(says(PROCEEDING), says(last)) as device:
        found = h323.call(device.target, "4711")
    assert found.answer == "h323_answers"
    assert found.measured["said"][0] == "proceeding"
    assert found.steps["reach_h323"].numbers["connect_ms"] >= 0
    assert [message[4] for message in device.heard] == [0x05, RELEASE]


@needs_pycrate
def test_the_call_names_who_is_called_in_the_words_of_h225():
    with playing(says(ALERTING)) as device:
        h323.call(device.target, "4711")
    kind, elements = h323._unpacked(device.heard[0])
    name, setup = h323._decoded("H323_UserInformation", elements[0x7E][1:])["h323-uu-pdu"][
        "h323-message-body"
    ]
    assert (kind, name) == (0x05, "setup")
    assert setup["destinationAddress"] == [("dialledDigits", "4711")]


@needs_pycrate
def test_a_rejection_tells_its_cause_and_reason_and_nobody_hangs_up_again():
    with playing(rejected("unreachableDestination")) as device:
        found = h323.call(device.target)
    assert found.answer == "h323_rejects"
    assert (found.measured["cause"], found.measured["reason"]) == (17, "unreachableDestination")
    assert found.steps["reach_h323"].outcome == "limited"
    assert len(device.heard) == 1


@needs_pycrate
def test_a_rejection_whose_reason_cant_be_read_still_tells_the_cause():
    rubbish = bytes([0x7E, 0, 3, 5, 255, 255])
    with playing(says(RELEASE, BUSY + rubbish)) as device:
        found = h323.call(device.target)
    assert (found.answer, found.measured["cause"], found.measured["reason"]) == ("h323_rejects", 17, "")


@needs_pycrate
@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\3\0\xff\xff", b"\3\0\0\5x", b"\3\0\0\x09\x08\x00abc"]
)
def test_what_speaks_otherwise_is_no_h323_device(answer):
    with playing(answer) as device:
        assert h323.call(device.target).answer == "not_h323"


@needs_pycrate
def test_a_device_that_says_nothing_is_silent_and_a_closed_port_refuses():
    with playing() as device:
        assert h323.call(device.target, wait=0.4).answer == "silent"
    assert h323.call(device.target, wait=0.4).answer == "refused"


@needs_pycrate
def test_what_was_said_before_a_device_broke_the_line_off_still_counts():
    with playing(says(PROCEEDING), BREAK) as device:
        found = h323.call(device.target)
    assert (found.answer, found.measured["said"]) == ("h323_answers", ["proceeding"])


@needs_pycrate
def test_messages_that_no_call_has_make_no_h323_device():
    with playing(says(0x33), says(0x05)) as device:
        assert h323.call(device.target, wait=0.4).answer == "not_h323"


@needs_pycrate
def test_a_package_that_cant_be_loaded_is_not_here(monkeypatch):
    assert h323.is_here()
    monkeypatch.setitem(sys.modules, "pycrate_asn1dir.H225", None)
    assert not h323.is_here()


@needs_pycrate
def test_a_device_that_goes_on_and_on_is_left():
    with playing(*[says(PROCEEDING)] * 40) as device:
        assert len(h323.call(device.target).measured["said"]) == h323.MOST_MESSAGES


@needs_pycrate
@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("gatekeeperConfirm", {"rasAddress": ("ipAddress", {"ip": b"\x7f\0\0\1", "port": 1719})}, "confirms"),
        ("gatekeeperReject", {"rejectReason": ("terminalExcluded", 0)}, "rejects"),
        ("gatekeeperReject", {"rejectReason": ("terminalExcluded", 0), "requestSeqNum": 77}, "silent"),
        ("", {}, "silent"),
    ],
)
def test_a_gatekeeper_says_whether_it_would_take_us(name, body, said):
    asked = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
        keeper.bind(("127.0.0.1", 0))
        keeper.settimeout(5)

        def serve():
            message, back = keeper.recvfrom(4096)
            asked.append(h323._decoded("RasMessage", message)[0])
            full = {"requestSeqNum": 1, "protocolIdentifier": (0, 0, 8, 2250, 0, 4)} | body
            keeper.sendto(h323._encoded("RasMessage", (name, full)) if name else b"\xff\xff", back)

        thread = threading.Thread(target=serve)
        thread.start()
        target = Target("gk.example", "127.0.0.1", keeper.getsockname()[1])
        assert h323.ask_gatekeeper(target, wait=2) == said
        thread.join(6)
    assert asked == ["gatekeeperRequest"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("203.0.113.7", ("", "203.0.113.7", 0)),
        ("h323:4711@codec.example:1725", ("4711", "codec.example", 1725)),
        ("[2001:db8::7]", ("", "2001:db8::7", 0)),
        ("h323:4711@[2a00:1450::7]:1725", ("4711", "2a00:1450::7", 1725)),
    ],
)
def test_addresses_are_read_as_alias_host_and_port(text, place):
    read_as = h323.read_address(text)
    assert (read_as.alias, read_as.host, read_as.port) == place
    if "." not in read_as.host or read_as.host[0].isdigit():
        assert str(read_host(read_as.host)[1]) == read_as.host


@pytest.mark.parametrize(
    ("text", "code"), [("", "no_address"), ("a b", "bad_address"), ("x@y/z", "bad_address")]
)
def test_what_cant_be_read_is_never_connected_to(text, code):
    with pytest.raises(NotReached) as trouble:
        h323.read_address(text)
    assert trouble.value.code == code
    assert code in ANSWERS

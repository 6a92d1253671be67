"""The emulated line does what it says: how much passes, how late, and how much is lost."""

import socket
import time
from contextlib import contextmanager

import pytest

from tests.line.emulator import Emulator, Line, Way


@pytest.fixture
def emulator():
    with Emulator() as running:
        yield running


@contextmanager
def party():
    with socket.socket(type=socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        ours.settimeout(0.5)
        yield ours


def received(ours, seconds):
    """Return the packets that come within so many seconds."""
    until, packets = time.monotonic() + seconds, []
    while (left := until - time.monotonic()) > 0:
        ours.settimeout(left)
        try:
            packets.append(ours.recv(2000))
        except TimeoutError:
            break
    return packets


def test_both_sides_are_answered_from_what_stands_for_the_other(emulator):
    with party() as here, party() as there:
        to_there = emulator.stand_in(*there.getsockname())
        here.sendto(b"hello", ("127.0.0.1", to_there))
        said, source = there.recvfrom(100)
        assert (said, source[1]) == (b"hello", emulator.stand_in(*here.getsockname()))
        there.sendto(b"and you", source)
        said, source = here.recvfrom(100)
        assert (said, source[1]) == (b"and you", to_there)


def test_a_rate_lets_so_much_through_and_throws_the_rest_away(emulator):
    line = Line(up=Way(kbits=200))
    with party() as here, party() as there:
        emulator.own(line, *here.getsockname())
        to_there = ("127.0.0.1", emulator.stand_in(*there.getsockname()))
        # 400 kbit/s for a second.
        for _ in range(50):
            here.sendto(bytes(972), to_there)
            time.sleep(0.02)
        packets = received(there, 0.7)
    assert 22 <= len(packets) <= 35
    assert line.up.dropped == 50 - len(packets)


def test_a_delay_is_kept_in_each_direction(emulator):
    line = Line(up=Way(delay_ms=60), down=Way(delay_ms=90))
    with party() as here, party() as there:
        emulator.own(line, *here.getsockname())
        begun = time.monotonic()
        here.sendto(b"up", ("127.0.0.1", emulator.stand_in(*there.getsockname())))
        _, source = there.recvfrom(100)
        up = time.monotonic() - begun
        there.sendto(b"down", source)
        here.recvfrom(100)
        down = time.monotonic() - begun - up
    assert 0.059 < up < 0.15
    assert 0.089 < down < 0.18


def test_loss_is_what_was_asked_for_within_a_point_or_two(emulator):
    line = Line(up=Way(loss=0.05, jitter_ms=5))
    with party() as here, party() as there:
        emulator.own(line, *here.getsockname())
        to_there = ("127.0.0.1", emulator.stand_in(*there.getsockname()))
        packets = []
        for number in range(2000):
            here.sendto(number.to_bytes(2, "big"), to_there)
            if number % 100 == 99:
                packets += received(there, 0.03)
    assert 0.03 < 1 - len(packets) / 2000 < 0.07
    assert packets == sorted(packets)


def test_a_server_is_reached_through_a_door_by_several_clients(emulator):
    line = Line(up=Way(delay_ms=20))
    with party() as server, party() as one, party() as two:
        door = ("127.0.0.1", emulator.door(server.getsockname(), line))
        for client, text in ((one, b"one"), (two, b"two")):
            client.sendto(text, door)
            said, source = server.recvfrom(100)
            server.sendto(said.upper(), source)
            assert client.recv(100) == text.upper()
    assert line.up.passed == line.down.passed == 2


def test_a_stream_shares_the_line_with_packets_and_loses_nothing(emulator):
    line = Line(up=Way(kbits=400, loss=0.1))
    with socket.create_server(("127.0.0.1", 0)) as server:
        door = ("127.0.0.1", emulator.stream_door(server.getsockname(), line))
        with socket.create_connection(door) as client:
            there, _ = server.accept()
            sent = bytes(range(256)) * 100
            begun = time.monotonic()
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            there.settimeout(5)
            came = b"".join(iter(lambda: there.recv(4096), b""))
            there.close()
    assert came == sent
    assert 0.4 < time.monotonic() - begun < 1.5

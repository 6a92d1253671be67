"""One track of Opus or VP8 as a WebM file: Matroska's elements, no re-encoding."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path

from konsilium.adapters.tracks.mjr import CLOCKS, BadTrack, Head, Packet, packets, read_head

# A block's time is 16 bits of milliseconds from its cluster's.
CLUSTER_MS = 5000
OPUS_DELAY_NS, OPUS_ROLL_NS = 6_500_000, 80_000_000
_UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


@dataclass(frozen=True)
class Frame:
    """A sound's or picture's bytes, when it begins in milliseconds, and whether it stands by itself."""

    at: int
    content: bytes
    is_key: bool = True


@dataclass(frozen=True)
class Playable:
    """A recording that browsers play: what it says of itself, how long it is, and its bytes, to be read once."""

    head: Head
    lasts: timedelta
    chunks: Iterator[bytes]


def playable(path: Path) -> Playable:
    """Return the recording as WebM. Raises BadTrack for a file that holds nothing to be played."""
    head = read_head(path)
    # Read once for how long it is, without which players show no end and can't jump.
    times = [frame.at for frame in frames(head, packets(path))]
    if not times:
        raise BadTrack
    lasts = max(times) - times[0]
    return Playable(head, timedelta(milliseconds=lasts), _chunks(head, path, lasts))


def _chunks(head: Head, path: Path, lasts: int) -> Iterator[bytes]:
    found = frames(head, packets(path))
    first = next(found)
    yield _beginning(head, first, lasts)
    yield from _clusters(chain([first], found), first.at)


def frames(head: Head, found: Iterable[Packet]) -> Iterator[Frame]:
    """Yield what the packets hold, whole frames only; a picture begins with one that stands by itself."""
    return _pictures(found) if head.kind == "video" else _sounds(found)


def _sounds(found: Iterable[Packet]) -> Iterator[Frame]:
    for packet in found:
        yield Frame(packet.time * 1000 // CLOCKS["opus"], packet.payload)


def _pictures(found: Iterable[Packet]) -> Iterator[Frame]:
    parts: list[bytes] = []
    number, began = -1, False
    for packet in found:
        start, is_first = _descriptor(packet.payload)
        if is_first:
            parts = []
        elif not parts or packet.number != number + 1:
            # A lost packet spoils its frame.
            parts = []
            continue
        parts.append(packet.payload[start:])
        number = packet.number
        if packet.is_marked:
            content, parts = b"".join(parts), []
            is_key = bool(content) and not content[0] & 1
            began = began or is_key
            if began and content:
                yield Frame(packet.time * 1000 // CLOCKS["vp8"], content, is_key)


def _descriptor(payload: bytes) -> tuple[int, bool]:
    """Return where VP8's bytes begin after the payload's descriptor (RFC 7741), and whether a frame begins there."""
    first, at = payload[0], 1
    if first & 0x80 and len(payload) > 1:
        more = payload[1]
        at = 2
        if more & 0x80:
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        at += bool(more & 0x40) + bool(more & 0x30)
    return at, bool(first & 0x10) and not first & 0x07


def _clusters(found: Iterator[Frame], zero: int) -> Iterator[bytes]:
    blocks: list[bytes] = []
    begins = -1
    for frame in found:
        at = max(frame.at - zero, 0)
        if begins < 0 or not 0 <= at - begins < CLUSTER_MS:
            if blocks:
                yield _cluster(begins, blocks)
            begins, blocks = at, []
        flags = 0x80 if frame.is_key else 0
        blocks.append(_element(0xA3, b"\x81" + struct.pack("!hB", at - begins, flags) + frame.content))
    if blocks:
        yield _cluster(begins, blocks)


def _cluster(begins: int, blocks: list[bytes]) -> bytes:
    return _element(0x1F43B675, _number(0xE7, begins) + b"".join(blocks))


def _beginning(head: Head, first: Frame, lasts: int) -> bytes:
    ebml = _element(
        0x1A45DFA3,
        _number(0x4286, 1)
        + _number(0x42F7, 1)
        + _number(0x42F2, 4)
        + _number(0x42F3, 8)
        + _element(0x4282, b"webm")
        + _number(0x4287, 4)
        + _number(0x4285, 2),
    )
    name = _element(0x4D80, b"Konsilium") + _element(0x5741, b"Konsilium")
    length = _element(0x4489, struct.pack("!d", float(max(lasts, 1))))
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000) + name + length)
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x9C, 0)
    track += _video(first) if head.kind == "video" else _audio()
    return ebml + _id(0x18538067) + _UNKNOWN + info + _element(0x1654AE6B, _element(0xAE, track))


def _video(first: Frame) -> bytes:
    # A VP8 key frame's size stands behind its tag and start code, 14 bits each.
    wide, high = struct.unpack_from("<HH", first.content.ljust(10, b"\0"), 6)
    size = _number(0xB0, (wide & 0x3FFF) or 640) + _number(0xBA, (high & 0x3FFF) or 360)
    return _number(0x83, 1) + _element(0x86, b"V_VP8") + _element(0xE0, size)


def _audio() -> bytes:
    opus = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 48000, 0, 0)
    shape = _element(0xB5, struct.pack("!d", 48000.0)) + _number(0x9F, 2)
    return (
        _number(0x83, 2)
        + _element(0x86, b"A_OPUS")
        + _element(0x63A2, opus)
        + _number(0x56AA, OPUS_DELAY_NS)
        + _number(0x56BB, OPUS_ROLL_NS)
        + _element(0xE1, shape)
    )


def _element(code: int, content: bytes) -> bytes:
    return _id(code) + (len(content) | 1 << 56).to_bytes(8) + content


def _number(code: int, value: int) -> bytes:
    return _element(code, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def _id(code: int) -> bytes:
    return code.to_bytes((code.bit_length() + 7) // 8)

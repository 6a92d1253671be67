"""Recordings as Janus writes them, made by hand."""

import json
import struct

BEGAN = 1_795_425_600_000_000


def rtp(number, time, payload, *, marked=False, extension=b"", padding=0):
    first = 0x80 | (0x10 if extension else 0) | (0x20 if padding else 0)
    head = struct.pack("!BBHII", first, (0x80 if marked else 0) | 96, number % 65536, time % 2**32, 7)
    if extension:
        head += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    return head + payload + tail


def mjr(path, codec, packets, **said):
    head = {"t": "a" if codec == "opus" else "v", "c": codec, "s": BEGAN, "u": BEGAN, **said}
    text = json.dumps(head).encode()
    content = b"MJR00002" + struct.pack("!H", len(text)) + text
    for place, packet in enumerate(packets):
        content += b"MEET" + struct.pack("!IH", place * 20, len(packet)) + packet
    path.write_bytes(content)
    return path


def sound(path, seconds=2, first=65_500):
    """A track of so many seconds, whose numbers run over."""
    packets = [
        rtp(first + i, 4_294_960_000 + i * 960, b"\xfc" + bytes([i % 256]) * 20) for i in range(seconds * 50)
    ]
    return mjr(path, "opus", packets)


def vp8(content, *, first=True):
    """A payload: a descriptor with a picture's number of two bytes, then the bytes."""
    return bytes([0x80 | (0x10 if first else 0), 0x80, 0x81, 0x02]) + content


def key_frame(wide=320, high=180, more=b""):
    return b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", wide, high) + more

"""A picture's size as the beginning of a whole picture names it: VP8 (RFC 7741) and H.264 (RFC 6184)."""

START, VP8_HEAD = b"\x9d\x01\x2a", 10
SPS, STAP_A = 7, 24
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128})
LARGEST = 8192


def size_in(codec: str, payload: bytes) -> tuple[int, int] | None:
    """Return width and height where this piece names them."""
    reader = {"vp8": _vp8, "h264": _h264}.get(codec)
    try:
        found = reader(payload) if reader else None
    except (IndexError, ValueError):
        return None
    return found if found and all(0 < side <= LARGEST for side in found) else None


def _vp8(payload: bytes) -> tuple[int, int] | None:
    if not payload[0] & 0x10 or payload[0] & 7:  # not the beginning of a picture
        return None
    begin = 1
    if payload[0] & 0x80:
        more, begin = payload[1], 2
        if more & 0x80:
            begin += 2 if payload[begin] & 0x80 else 1
        begin += bool(more & 0x40) + bool(more & 0x30)
    head = payload[begin : begin + VP8_HEAD]
    if len(head) < VP8_HEAD or head[0] & 1 or head[3:6] != START:
        return None
    return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF


def _h264(payload: bytes) -> tuple[int, int] | None:
    kind = payload[0] & 31
    if kind == SPS:
        return _sps(payload)
    place = 1
    while kind == STAP_A and place + 2 < len(payload):
        length = int.from_bytes(payload[place : place + 2], "big")
        piece = payload[place + 2 : place + 2 + length]
        if piece and piece[0] & 31 == SPS:
            return _sps(piece)
        place += 2 + length
    return None


class _Bits:
    """Reads numbers of single bits, and of Exp-Golomb's code."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def bit(self) -> int:
        found = self.content[self.place >> 3] >> (7 - (self.place & 7)) & 1
        self.place += 1
        return found

    def bits(self, count: int) -> int:
        found = 0
        for _ in range(count):
            found = found << 1 | self.bit()
        return found

    def number(self) -> int:
        zeros = 0
        while not self.bit():
            zeros += 1
        if zeros > 31:  # noqa: PLR2004  no such number in any header
            raise ValueError
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        found = self.number()
        return (found + 1) // 2 if found & 1 else -(found // 2)


def _sps(piece: bytes) -> tuple[int, int]:
    """Read a sequence parameter set (ITU-T H.264, 7.3.2.1.1) up to its size."""
    bits = _Bits(piece[1:].replace(b"\0\0\3", b"\0\0"))
    profile = bits.bits(8)
    bits.bits(16)
    bits.number()
    chroma = _chroma(bits) if profile in _HIGH else 1
    bits.number()
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.bit()
        bits.signed(), bits.signed()
        for _ in range(min(bits.number(), 255)):
            bits.signed()
    bits.number()
    bits.bit()
    width, height = (bits.number() + 1) * 16, (bits.number() + 1) * 16
    by_frames = bits.bit()
    height *= 2 - by_frames
    if not by_frames:
        bits.bit()
    bits.bit()
    if bits.bit():
        left, right, top, bottom = (bits.number() for _ in range(4))
        across, down = (1 if chroma in {0, 3} else 2), (2 if chroma == 1 else 1) * (2 - by_frames)
        width, height = width - (left + right) * across, height - (top + bottom) * down
    return width, height


def _chroma(bits: _Bits) -> int:
    found = bits.number()
    if found == 3:  # noqa: PLR2004  three planes
        bits.bit()
    bits.number(), bits.number()
    bits.bit()
    if bits.bit():
        raise ValueError  # scaling lists: no codec of a meeting room sends them
    return found

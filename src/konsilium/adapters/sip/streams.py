"""What passes in a stream of media, counted from its packets (RTP and RTCP, RFC 3550); nothing of it is decoded."""

import struct
import time
from dataclasses import dataclass, field

from konsilium.adapters.sip.sizes import size_in

VERSION, RTCP_TYPES = 2, range(192, 224)
HEAD, BLOCK = 12, 24
SR, RR, FEEDBACK = 200, 201, 206
EPOCH = 2208988800  # NTP counts from 1900


def is_rtcp(packet: bytes) -> bool:
    """Say whether a packet is a report and not media (RFC 5761)."""
    return len(packet) > 1 and packet[1] in RTCP_TYPES


def ntp_now() -> int:
    """Return this moment in the 64 bits of NTP."""
    return int((time.time() + EPOCH) * 2**32)


@dataclass
class Heard:
    """One direction of a stream: packets lost by their numbers, jitter, pictures."""

    rate: int = 8000
    codec: str = ""
    ssrc: int = 0
    packets: int = 0
    octets: int = 0
    pictures: int = 0
    jitter: float = 0
    first_at: float = 0
    last_at: float = 0
    size: tuple[int, int] = (0, 0)
    base: int = 0
    highest: int = 0
    _transit: float | None = field(default=None, repr=False)
    _stamp: int = field(default=-1, repr=False)

    def take(self, packet: bytes, now: float) -> bool:
        """Count one packet of media; False where it is none."""
        if len(packet) < HEAD or packet[0] >> 6 != VERSION:
            return False
        number, stamp, ssrc = struct.unpack_from("!HII", packet, 2)
        if not self.packets or ssrc != self.ssrc:
            self._begin(ssrc, number, now)
        self.highest += _ahead(number, self.highest & 0xFFFF)
        self.packets += 1
        self.octets += len(packet)
        self.last_at = now
        self._take_stamp(stamp, now)
        if self.rate == 90000:  # noqa: PLR2004  the clock of pictures
            self.size = size_in(self.codec, _payload(packet)) or self.size
        return True

    def _begin(self, ssrc: int, number: int, now: float) -> None:
        self.ssrc, self.base, self.highest = ssrc, number, number
        self.packets, self.octets, self.pictures, self.jitter = 0, 0, 0, 0.0
        self.first_at, self._transit, self._stamp = now, None, -1

    def _take_stamp(self, stamp: int, now: float) -> None:
        if stamp == self._stamp:
            return  # further packets of one picture leave at once
        self.pictures += 1
        transit = now * self.rate - stamp
        if self._transit is not None:
            moved = abs(transit - self._transit)
            # The stamp's wrap isn't a day's delay.
            self.jitter += (moved - self.jitter) / 16 if moved < self.rate * 10 else 0
        self._transit, self._stamp = transit, stamp

    @property
    def gaps(self) -> int:
        """Return how many packets didn't come."""
        return max(self.highest - self.base + 1 - self.packets, 0) if self.packets else 0

    @property
    def lost(self) -> float | None:
        """Return the part that was lost, in per cent; None without packets."""
        return round(self.gaps * 100 / (self.highest - self.base + 1), 1) if self.packets else None

    @property
    def jitter_ms(self) -> float:
        """Return the jitter in milliseconds."""
        return round(self.jitter * 1000 / self.rate, 1)

    def a_second(self, what: float) -> float:
        """Return how much of something passed in a second."""
        seconds = self.last_at - self.first_at
        return round(what / seconds, 1) if seconds > 0 else 0.0


def _ahead(number: int, highest: int) -> int:
    """Return how far a number of 16 bits is ahead of the highest; 0 for one that is late."""
    ahead = (number - highest) & 0xFFFF
    return ahead if ahead < 0x8000 else 0  # noqa: PLR2004  half of the round


def _payload(packet: bytes) -> bytes:
    begin = HEAD + 4 * (packet[0] & 15)
    if packet[0] & 16 and len(packet) >= begin + 4:
        begin += 4 + 4 * struct.unpack_from("!H", packet, begin + 2)[0]
    return packet[begin:]


@dataclass
class Told:
    """What the other side reports of a stream that goes to it: the newest report counts."""

    rate: int = 8000
    reports: int = 0
    blocks: int = 0
    ssrc: int = 0
    lost_packets: int = 0
    highest: int = 0
    jitter: int = 0
    round_trip: float | None = None
    wants_picture: bool = False
    # Their newest report's moment by their clock, and when it came by ours, for their own count of the round trip.
    newest: int = 0
    newest_at: int = 0

    def take(self, packet: bytes, ntp: int) -> None:
        """Read a compound of reports."""
        while len(packet) >= 8 and packet[0] >> 6 == VERSION:  # noqa: PLR2004  the head and who speaks
            length = 4 * (struct.unpack_from("!H", packet, 2)[0] + 1)
            kind, count = packet[1], packet[0] & 31
            if kind in {SR, RR}:
                self.reports += 1
                begin = 28 if kind == SR else 8
                if kind == SR and len(packet) >= begin:
                    self.newest, self.newest_at = struct.unpack_from("!I", packet, 10)[0], ntp
                for place in range(begin, min(begin + BLOCK * count, len(packet) - BLOCK + 1), BLOCK):
                    self._block(packet, place, ntp)
            self.wants_picture |= kind == FEEDBACK
            packet = packet[length:]

    def _block(self, packet: bytes, place: int, ntp: int) -> None:
        ssrc, lost, highest, jitter, last, since = struct.unpack_from("!IIIIII", packet, place)
        lost &= 0xFFFFFF
        self.blocks += 1
        self.ssrc, self.highest, self.jitter = ssrc, highest, jitter
        self.lost_packets = lost - (1 << 24) if lost & (1 << 23) else lost
        if last:
            took = ((ntp >> 16) - last - since) & 0xFFFFFFFF
            # More than a minute is a clock that isn't ours.
            self.round_trip = round(took * 1000 / 65536, 1) if took < 60 << 16 else self.round_trip

    def lost(self, base: int, before: int = 0) -> float | None:
        """Return the part lost of what was sent from this number on, in per cent; None where nothing was reported.

        `before` packets of these numbers were lost before they were sent on.
        """
        expected = ((self.highest & 0xFFFF) - (base & 0xFFFF) & 0xFFFF) + 1 - before
        if not self.blocks:
            return None
        return round(min(max(self.lost_packets - before, 0) * 100 / max(expected, 1), 100), 1)

    @property
    def jitter_ms(self) -> float:
        """Return the jitter in milliseconds."""
        return round(self.jitter * 1000 / self.rate, 1)


def report(own: int, sent: Heard, heard: Heard, told: Told) -> bytes:
    """Return a sender's report with what was heard of the other side, and a name that says nothing."""
    ntp, stamp = ntp_now(), max(sent._stamp, 0)  # noqa: SLF001
    head = struct.pack(
        "!BBHIQIII", 0x81, SR, 12, own, ntp, stamp, sent.packets & 0xFFFFFFFF, sent.octets & 0xFFFFFFFF
    )
    expected = heard.highest - heard.base + 1
    lost = (heard.gaps * 255 // max(expected, 1)) << 24 | heard.gaps & 0x7FFFFF
    since = (ntp - told.newest_at) >> 16 & 0xFFFFFFFF if told.newest else 0
    block = struct.pack(
        "!IIIIII", heard.ssrc, lost, heard.highest & 0xFFFFFFFF, int(heard.jitter), told.newest, since
    )
    return head + block + struct.pack("!BBHIBB4sH", 0x81, 202, 3, own, 1, 4, b"echo", 0)


def new_picture(own: int, theirs: int) -> bytes:
    """Return the request for a whole new picture (PLI, RFC 4585)."""
    return struct.pack("!BBHII", 0x81, FEEDBACK, 2, own, theirs)


def mos(loss: float, delay_ms: float, *, bearing: float = 25.1) -> float:
    """Estimate how people would rate the sound, from 1 to 4.5: the E-model in short.

    ITU-T G.107 for the rating and its turn into MOS; the delay's part after Cole and Rosenbluth (2001); the loss's part
    with no impairment of the codec's own and the robustness of G.711 with concealment (G.113, appendix I: 25.1).
    """
    delayed = 0.024 * delay_ms + (0.11 * (delay_ms - 177.3) if delay_ms > 177.3 else 0)  # noqa: PLR2004
    rating = 93.2 - delayed - 95 * loss / (loss + bearing)
    if rating <= 0:
        return 1.0
    return round(1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6, 2)

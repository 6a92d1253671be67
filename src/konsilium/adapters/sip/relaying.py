"""Hands a call's media on between the program that makes them, on loopback, and the equipment, and counts both ways.

Packets go to addresses that were judged, and only from there are they taken.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from konsilium.adapters.sip.descriptions import Media
from konsilium.adapters.sip.ports import Place, Port, pair
from konsilium.adapters.sip.streams import Heard, Told, is_rtcp, ntp_now

LOOPBACK = "127.0.0.1"
# Most that is handed on in a second: ten times what a picture of ours needs.
MOST_A_SECOND = 4000


@dataclass
class Relay:
    """One medium of a call: sound or picture."""

    kind: str
    near: tuple[str, int]
    judged: frozenset[str] = frozenset()
    far: tuple[str, int] | None = None
    out: Heard = field(default_factory=Heard)
    into: Heard = field(default_factory=Heard)
    told: Told = field(default_factory=Told)
    seconds: tuple[int, int] = (0, 0)
    _inner: tuple[Port, Port] | None = None
    _outer: tuple[Port, Port] | None = None

    async def open(self, host: str, place: Place) -> None:
        """Take ports on both sides. Raises OSError."""
        self._inner = await pair(LOOPBACK, place, self._from_near, self._report_from_near)
        self._outer = await pair(host, place, self._from_far, self._from_far)

    def begin(self, offered: Media, answer: Media, judged: frozenset[str]) -> None:
        """Let media pass, to where the answer wants them if that was judged; else to where they come from."""
        self.judged = judged
        self.far = (answer.host, answer.port) if answer.is_on and answer.host in judged else None
        self.near = (LOOPBACK, offered.port)
        number = answer.numbers[0] if answer.numbers else 0
        for one in (self.out, self.into):
            one.rate, one.codec = answer.rate(number), answer.codec()
        self.told.rate = self.out.rate

    def _from_near(self, packet: bytes, whence: tuple[str, int]) -> None:
        if self.judged and self.out.take(packet, _now()) and self._outer:
            self._outer[0].send(packet, self.far)

    def _report_from_near(self, packet: bytes, whence: tuple[str, int]) -> None:
        if self.judged and self._outer and self.far:
            self._outer[1].send(packet, (self.far[0], self.far[1] + 1))

    def _from_far(self, packet: bytes, whence: tuple[str, int]) -> None:
        if whence[0] not in self.judged or self._is_flood() or self._inner is None:
            return
        if is_rtcp(packet):
            self.told.take(packet, ntp_now())
            self._inner[1].send(packet, (self.near[0], self.near[1] + 1))
        elif self.into.take(packet, _now()):
            # Behind address translation the port in its description isn't the one in front.
            self.far = whence
            self._inner[0].send(packet, self.near)

    def _is_flood(self) -> bool:
        second = int(_now())
        self.seconds = (second, self.seconds[1] + 1 if self.seconds[0] == second else 1)
        return self.seconds[1] > MOST_A_SECOND

    @property
    def before(self) -> int:
        """Nothing is lost on loopback."""
        return 0

    @property
    def inner_port(self) -> int:
        """Return the port that the program sends to."""
        return self._inner[0].number if self._inner else 0

    @property
    def outer_port(self) -> int:
        """Return the port that the equipment sends to."""
        return self._outer[0].number if self._outer else 0

    def close(self) -> None:
        """Give the ports back."""
        for port in (*(self._inner or ()), *(self._outer or ())):
            port.close()


async def relays(offer: Sequence[Media], host: str, place: Place) -> list[Relay]:
    """Open a relay for each medium of an offer. Raises OSError."""
    made: list[Relay] = []
    try:
        for media in offer:
            made.append(Relay(media.kind, (LOOPBACK, media.port)))
            await made[-1].open(host, place)
    except OSError:
        for one in made:
            one.close()
        raise
    return made


def _now() -> float:
    return asyncio.get_running_loop().time()

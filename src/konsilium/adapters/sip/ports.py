"""Ports for media: pairs of an even one for sound or picture and the next one for its reports."""

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

FIRST, LAST = 42000, 42199
Take = Callable[[bytes, tuple[str, int]], None]


@dataclass
class Port(asyncio.DatagramProtocol):
    """A socket that hands on what arrives, and sends."""

    take: Take
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self.transport = transport  # type: ignore[assignment]  # a datagram endpoint's

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Hand on."""
        self.take(data, addr[:2])

    def error_received(self, exc: Exception) -> None:
        """A closed port at the other side shows in the counts."""

    def send(self, data: bytes, to: tuple[str, int] | None) -> None:
        """Send where somewhere is known."""
        if to is not None and self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, to)

    @property
    def number(self) -> int:
        """Return its port."""
        return int(self.transport.get_extra_info("sockname")[1]) if self.transport else 0

    def close(self) -> None:
        """Give it back."""
        if self.transport is not None:
            self.transport.abort()


@dataclass(frozen=True)
class Place:
    """Where our media live: the address that others are told ("" for the one they are reached from), and the ports."""

    address: str = ""
    first: int = FIRST
    last: int = LAST


async def pair(host: str, place: Place, media: Take, reports: Take) -> tuple[Port, Port]:
    """Open a pair at an address of ours. Raises OSError when none is free."""
    numbers = list(range(place.first + place.first % 2, place.last, 2))
    random.shuffle(numbers)
    for number, is_last in zip(
        numbers, itertools.chain(itertools.repeat(False, len(numbers) - 1), [True]), strict=True
    ):
        opened: list[Port] = []
        try:
            for port, take in ((number, media), (number + 1, reports)):
                opened.append(await _open(host, port, take))
        except OSError:
            for one in opened:
                one.close()
            if is_last:
                raise
        else:
            return opened[0], opened[1]
    raise OSError("no ports")


async def _open(host: str, number: int, take: Take) -> Port:
    loop = asyncio.get_running_loop()
    _, made = await loop.create_datagram_endpoint(lambda: Port(take), local_addr=(host, number))
    return made

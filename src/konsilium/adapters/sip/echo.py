"""The echo line: equipment behind a firewall calls it, sees and hears itself, and what passed is counted.

A packet is sent to nobody but whoever sent one just before, one for one: the line strengthens nothing. It knows the
numbers of open tests alone, and tells a guesser slowly.
"""

import asyncio
import logging
import re
import secrets
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from konsilium.adapters.sip.descriptions import Media, mirrored, read_description
from konsilium.adapters.sip.listening import Call, Listener, listen
from konsilium.adapters.sip.messages import KNOWN_CODECS
from konsilium.adapters.sip.ports import Place, Port, pair
from konsilium.adapters.sip.streams import Heard, Told, is_rtcp, new_picture, ntp_now, report
from konsilium.adapters.sip.weighing import weighed
from konsilium.workflow.probing import Found, NotReached

log = logging.getLogger(__name__)

LONGEST_CALL, REPORT_EVERY, QUIET = 180.0, 2.5, 20.0
MOST_A_SECOND = 3000
# Numbers of eight digits at five questions a second: a guesser needs months for one.
ASK_EVERY = 0.2
_NUMBER = re.compile(r"[0-9]{6,12}")
_CODECS = KNOWN_CODECS - {"telephone-event"}
_CODES = {
    "call_good": "echo_good",
    "call_limited": "echo_limited",
    "no_media_in": "echo_no_media",
    "no_media": "echo_no_media",
}


@dataclass
class Reflection:
    """One medium of a call, sent back as it came, under a name of our own."""

    kind: str
    from_hosts: frozenset[str]
    own: int = field(default_factory=lambda: secrets.randbits(32))
    out: Heard = field(default_factory=Heard)
    into: Heard = field(default_factory=Heard)
    told: Told = field(default_factory=Told)
    near: tuple[str, int] | None = None
    near_reports: tuple[str, int] | None = None
    ports: tuple[Port, Port] | None = None
    _second: tuple[int, int] = (0, 0)

    async def open(self, host: str, place: Place, media: Media) -> None:
        """Take ports. Raises OSError."""
        number = next(one for one in media.numbers if media.codecs.get(one, ("",))[0] in _CODECS)
        for one in (self.out, self.into):
            one.rate, one.codec = media.rate(number), media.codecs[number][0]
        self.told.rate = self.out.rate
        self.ports = await pair(host, place, self._media, self._report)

    @property
    def before(self) -> int:
        """What was lost on the way here is missing on the way back too."""
        return self.into.gaps

    def _media(self, packet: bytes, whence: tuple[str, int]) -> None:
        if is_rtcp(packet):
            self._report(packet, whence)
            return
        now = asyncio.get_running_loop().time()
        if whence[0] not in self.from_hosts or self._is_flood(int(now)) or not self.into.take(packet, now):
            return
        self.near = whence
        back = packet[:8] + struct.pack("!I", self.own) + packet[12:]
        self.out.take(back, now)
        if self.ports:
            self.ports[0].send(back, whence)

    def _report(self, packet: bytes, whence: tuple[str, int]) -> None:
        if whence[0] in self.from_hosts:
            self.near_reports = whence
            self.told.take(packet, ntp_now())

    def _is_flood(self, second: int) -> bool:
        self._second = (second, self._second[1] + 1 if self._second[0] == second else 1)
        return self._second[1] > MOST_A_SECOND

    def say(self) -> None:
        """Send a report, and hand a wish for a whole picture back to where the picture comes from."""
        to = self.near_reports or (self.near and (self.near[0], self.near[1] + 1))
        if not self.ports or not to or not self.into.packets:
            return
        self.ports[1].send(report(self.own, self.out, self.into, self.told), to)
        if self.told.wants_picture:
            self.told.wants_picture = False
            self.ports[1].send(new_picture(self.own, self.into.ssrc), to)

    def close(self) -> None:
        """Give the ports back."""
        for port in self.ports or ():
            port.close()


@dataclass(frozen=True)
class Desk:
    """Whom the line asks: `known` returns what a number stands for, or None; `landed` gets what a call told."""

    known: Callable[[str], Any]
    landed: Callable[[Any, Found], None]


class EchoLine:
    """A line in a thread of its own. Raises OSError from `start` where its port can't be had."""

    def __init__(self, host: str, port: int, desk: Desk, place: Place | None = None) -> None:
        self.host, self.port, self.desk, self.place = host, port, desk, place or Place()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="echo", daemon=True)
        self._listener: Listener | None = None
        self._in_call: set[str] = set()
        self._turn = asyncio.Lock()

    def start(self) -> None:
        """Open the port and take calls."""
        self._thread.start()
        opening = listen(self.host, self.port, self._come, self.place.address)
        self._listener = asyncio.run_coroutine_threadsafe(opening, self._loop).result(5)
        self.port = self._listener.port

    def stop(self) -> None:
        """End all calls without a result."""
        if self._listener is not None:
            self._loop.call_soon_threadsafe(self._listener.close)
        self._loop.call_soon_threadsafe(lambda: self._loop.call_later(0.1, self._loop.stop))
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()

    async def _come(self, call: Call) -> None:
        listener = self._listener
        number = call.asked.called
        if listener is None:
            return
        if number in self._in_call:
            listener.answer(call, "486 Busy Here")
            return
        key = await self._known(number)
        if key is None:
            listener.answer(call, "404 Not Found")
            return
        self._in_call.add(number)
        try:
            found = await self._echoed(listener, call)
        except NotReached as trouble:
            listener.answer(call, "488 Not Acceptable Here")
            found = Found(trouble.code)
        except OSError:
            listener.answer(call, "503 Service Unavailable")
            log.warning("the echo line has no free port for media")
            return
        finally:
            self._in_call.discard(number)
        if found is not None:
            await asyncio.to_thread(self.desk.landed, key, found)

    async def _known(self, number: str) -> Any:
        if not _NUMBER.fullmatch(number):
            return None
        async with self._turn:
            await asyncio.sleep(ASK_EVERY)
            return await asyncio.to_thread(self.desk.known, number)

    async def _echoed(self, listener: Listener, call: Call) -> Found | None:
        """Let a call see and hear itself to its end. Raises NotReached, or OSError without ports."""
        offer = _first_of_each([_usable(media) for media in read_description(call.asked.body)])
        if not any(media.is_on for media in offer):
            raise NotReached("no_common_codec")
        lines: list[Reflection] = []
        try:
            for media in offer:
                lines.append(Reflection(media.kind, frozenset({call.whence[0], media.host})))
                if media.is_on:
                    await lines[-1].open(self.host, self.place, media)
            ports = [line.ports[0].number if line.ports else 0 for line in lines]
            told = self.place.address or listener.host
            if not await listener.accept(call, mirrored(offer, told, ports, _CODECS)):
                return None
            seconds = await self._stand(call, lines)
            await listener.end(call)
            return _found(lines, offer, seconds)
        finally:
            for line in lines:
                line.close()

    async def _stand(self, call: Call, lines: Sequence[Reflection]) -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while loop.time() - begun < LONGEST_CALL:
            with suppress(TimeoutError):
                await asyncio.wait_for(call.over.wait(), REPORT_EVERY)
                break
            for line in lines:
                line.say()
            newest = max([begun, *(line.into.last_at for line in lines)])
            if loop.time() - newest > QUIET:
                break
        return round(loop.time() - begun, 1)


def _usable(media: Media) -> Media:
    """Switch off what can't be sent back: unknown codecs, keys."""
    known = any(media.codecs.get(one, ("",))[0] in _CODECS for one in media.numbers)
    return media if media.is_on and known and media.kind in {"audio", "video"} else replace(media, port=0)


def _first_of_each(offer: Sequence[Media]) -> list[Media]:
    """Switch off a second line of a kind: a room codec's slides would stand for its camera."""
    found: list[Media] = []
    for media in offer:
        is_second = any(one.kind == media.kind and one.is_on for one in found)
        found.append(replace(media, port=0) if is_second else media)
    return found


def _found(lines: Sequence[Reflection], offer: Sequence[Media], seconds: float) -> Found:
    found = weighed(lines, offer, {"seconds": seconds}, None, is_cut=False)
    return replace(found, answer=_CODES.get(found.answer, found.answer))

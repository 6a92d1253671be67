"""A small SIP server over UDP for calls that come to us: one dialogue a call, and nothing else (RFC 3261).

It answers where the question came from and believes no address that a message names.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from konsilium.adapters.sip.messages import Asked, NotSip, Request, read_asked, read_response, replied

AGAIN = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0)
MOST_CALLS = 32
_SEEN = {"OPTIONS": "200 OK", "INFO": "200 OK", "UPDATE": "200 OK", "PRACK": "200 OK"}


@dataclass
class Call:
    """A call that came: who asked from where, and how it stands."""

    asked: Asked
    whence: tuple[str, int]
    tag: str = field(default_factory=lambda: secrets.token_hex(6))
    last: bytes = b""
    is_acknowledged: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def key(self) -> str:
        """Return what marks the dialogue."""
        return self.asked.first("call-id")


@dataclass
class Listener(asyncio.DatagramProtocol):
    """Takes calls: `come` gets each new one, in a task of its own, and answers or refuses it."""

    come: Callable[[Call], Awaitable[None]]
    host: str = ""
    calls: dict[str, Call] = field(default_factory=dict)
    transport: asyncio.DatagramTransport | None = None
    port: int = 0
    _tasks: set[asyncio.Future[None]] = field(default_factory=set, repr=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self.transport = transport  # type: ignore[assignment]  # a datagram endpoint's
        name = transport.get_extra_info("sockname")
        self.host, self.port = self.host or name[0], name[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take one message; what is none is dropped without a word."""
        try:
            asked = read_asked(data)
        except (NotSip, ValueError):
            self._answered(data)
            return
        self._take(asked, addr[:2])

    def error_received(self, exc: Exception) -> None:
        """A caller that went shows by its silence."""

    def _answered(self, data: bytes) -> None:
        """Take the answer to our BYE."""
        with suppress(NotSip):
            response = read_response(data)
            call = self.calls.get(response.first("call-id"))
            if call is not None and response.first("cseq").endswith("BYE"):
                call.over.set()

    def _take(self, asked: Asked, whence: tuple[str, int]) -> None:
        call = self.calls.get(asked.first("call-id"))
        if asked.method == "INVITE":
            self._invited(asked, whence, call)
        elif asked.method == "ACK":
            if call is not None:
                call.is_acknowledged = True
        elif call is None:
            self._send(
                replied(asked, _SEEN["OPTIONS"] if asked.method == "OPTIONS" else "481 No Such Call"), whence
            )
        elif asked.method in {"BYE", "CANCEL"}:
            self._send(replied(asked, "200 OK", tag=call.tag), whence)
            if asked.method == "CANCEL" and not call.is_acknowledged:
                self.answer(call, "487 Request Terminated")
            call.over.set()
        else:
            self._send(replied(asked, _SEEN.get(asked.method, "501 Not Implemented"), tag=call.tag), whence)

    def _invited(self, asked: Asked, whence: tuple[str, int], call: Call | None) -> None:
        if call is not None:
            # Sent again, or asked anew in the dialogue: what was answered stands.
            again = asked.first("cseq") == call.asked.first("cseq")
            self._send(
                call.last if again else replied(asked, "488 Not Acceptable Here", tag=call.tag), whence
            )
            return
        if len(self.calls) >= MOST_CALLS:
            self._send(replied(asked, "486 Busy Here"), whence)
            return
        call = Call(asked, whence)
        self.calls[call.key] = call
        self.answer(call, "100 Trying")
        task = asyncio.ensure_future(self._come(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _come(self, call: Call) -> None:
        try:
            await self.come(call)
        finally:
            # Late repetitions find the answer for a while.
            asyncio.get_running_loop().call_later(8, self.calls.pop, call.key, None)

    def answer(self, call: Call, status: str, description: str = "") -> None:
        """Answer a call, once; `accept` for one that is to stand."""
        contact = [f"Contact: <sip:{self._place}>"] if description else []
        tag = "" if status.startswith("100") else call.tag
        call.last = replied(
            call.asked,
            status,
            tag=tag,
            extra=[*contact, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS"],
            body=description,
        )
        self._send(call.last, call.whence)

    async def accept(self, call: Call, description: str) -> bool:
        """Answer with our media until that is acknowledged; False when it never is."""
        self.answer(call, "200 OK", description)
        for pause in AGAIN:
            if await _within(call, pause):
                return call.is_acknowledged
            self._send(call.last, call.whence)
        return call.is_acknowledged

    async def end(self, call: Call) -> None:
        """Say goodbye, unless the other side did."""
        if call.over.is_set() or not call.is_acknowledged:
            return
        asked = call.asked
        uri = (
            asked.first("contact").partition("<")[2].partition(">")[0]
            or asked.first("contact")
            or "sip:caller"
        )
        routes = (
            {"Route": ", ".join(asked.headers["record-route"])} if "record-route" in asked.headers else {}
        )
        goodbye = Request(
            "BYE", uri, asked.first("from"), f"sip:{self._place}", call.key, call.tag, extra=routes
        )
        for pause in AGAIN[:3]:
            self._send(goodbye.written("udp", self._place), call.whence)
            with suppress(TimeoutError):
                await asyncio.wait_for(call.over.wait(), pause)
                return

    @property
    def _place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def _send(self, content: bytes, to: tuple[str, int]) -> None:
        if self.transport is not None and content:
            self.transport.sendto(content, to)

    def close(self) -> None:
        """Take no more."""
        for task in self._tasks:
            task.cancel()
        if self.transport is not None:
            self.transport.abort()


async def _within(call: Call, seconds: float) -> bool:
    """Wait until a call is acknowledged or over."""
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        if call.is_acknowledged or call.over.is_set():
            return True
        await asyncio.sleep(0.02)
    return False


async def listen(host: str, port: int, come: Callable[[Call], Awaitable[None]], told: str = "") -> Listener:
    """Open a server; `told` is the address that others are told. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, made = await loop.create_datagram_endpoint(lambda: Listener(come, told), local_addr=(host, port))
    return made

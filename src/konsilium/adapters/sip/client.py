"""Asks a judged address one SIP question over UDP, TCP or TLS, and says what came back in closed codes.

At most 3 s to connect and 5 s in all. Whatever an answer names (a redirect, another contact, a route) is read, never
followed: the only address that packets go to is the one that was judged.
"""

import asyncio
import errno
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from konsilium.adapters.reach import Target
from konsilium.adapters.sip.messages import (
    LARGEST_HEAD,
    NotSip,
    Request,
    Response,
    body_length,
    is_status,
    read_response,
    said_length,
)
from konsilium.workflow.probing import NotReached

CONNECT_SECONDS, ALL_SECONDS = 3.0, 5.0
# RFC 3261, 17.1.2: a request over UDP is sent again after T1, then twice as long each time, T2 at most.
T1, T2 = 0.5, 4.0
FINAL = 200
_NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL}
# OpenSSL's numbers of what is wrong with a certificate.
_CERTIFICATE = {
    10: "expired",
    62: "other_name",
    64: "other_name",
    **dict.fromkeys((18, 19, 20, 21), "unknown_issuer"),
}
_OLD = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "WRONG_SSL_VERSION")


class Line(Protocol):
    """An open line to one address."""

    place: str
    tls: str
    got_junk: bool

    async def ask(self, request: Request) -> Response:
        """Send a request and return its final answer. Raises NotReached."""

    async def send(self, content: bytes) -> None:
        """Send bytes once. Raises NotReached."""

    async def receive(self) -> bytes:
        """Return the next whole message, an answer or a request of the other side. Raises NotReached."""


@dataclass
class _Datagrams(asyncio.DatagramProtocol):
    """What comes back over UDP; the socket is connected, so from the judged address alone."""

    came: asyncio.Queue[bytes | OSError] = field(default_factory=lambda: asyncio.Queue(64))

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.came.full():
            self.came.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if not self.came.full() and isinstance(exc, OSError):
            self.came.put_nowait(exc)


@dataclass
class UdpLine:
    """A connected UDP socket."""

    transport: asyncio.DatagramTransport
    protocol: _Datagrams
    place: str
    tls: str = ""
    got_junk: bool = False

    async def ask(self, request: Request) -> Response:
        """Send, and send again until an answer is final. Raises NotReached."""
        content = request.written("udp", self.place)
        pause = T1
        while True:
            self.transport.sendto(content)
            until = monotonic() + pause
            while (left := until - monotonic()) > 0:
                answer = await self._next(request, left)
                if answer is not None and answer.code >= FINAL:
                    return answer
                if answer is not None:
                    pause = T2 / 2
            pause = min(pause * 2, T2)

    async def send(self, content: bytes) -> None:
        """Send once."""
        self.transport.sendto(content)

    async def receive(self) -> bytes:
        """Return the next datagram. Raises NotReached."""
        came = await self.protocol.came.get()
        if isinstance(came, bytes):
            return came
        raise NotReached(_said(came))

    async def _next(self, request: Request, seconds: float) -> Response | None:
        try:
            came = await asyncio.wait_for(self.protocol.came.get(), seconds)
        except TimeoutError:
            return None
        if not isinstance(came, bytes):
            raise NotReached(_said(came))
        try:
            answer = read_response(came)
        except NotSip:
            self.got_junk = True
            return None
        return answer if answer.answers(request) else None


@dataclass
class StreamLine:
    """A TCP or TLS connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    transport: str
    place: str
    tls: str = ""
    got_junk: bool = False

    async def ask(self, request: Request) -> Response:
        """Send once and read until the answer is final. Raises NotReached."""
        try:
            self.writer.write(request.written(self.transport, self.place))
            await self.writer.drain()
            while True:
                answer = await self._read()
                if answer.answers(request) and answer.code >= FINAL:
                    return answer
        except (NotSip, asyncio.LimitOverrunError, asyncio.IncompleteReadError, OSError) as error:
            raise NotReached("not_sip") from error

    async def send(self, content: bytes) -> None:
        """Send once. Raises NotReached."""
        try:
            self.writer.write(content)
            await self.writer.drain()
        except OSError as error:
            raise NotReached("call_failed") from error

    async def receive(self) -> bytes:
        """Read the next message. Raises NotReached."""
        head = b""
        try:
            while not head.strip():
                head = await self.reader.readuntil(b"\r\n")
            head += await self.reader.readuntil(b"\r\n\r\n")
            return head + await self.reader.readexactly(said_length(head))
        except (NotSip, asyncio.LimitOverrunError, asyncio.IncompleteReadError, OSError) as error:
            raise NotReached("not_sip") from error

    async def _read(self) -> Response:
        head = b""
        while not head.strip():  # empty lines keep a connection alive
            head = await self.reader.readuntil(b"\r\n")
        # The first line is a SIP answer's, or nobody reads on.
        if not is_status(head):
            raise NotSip
        head += await self.reader.readuntil(b"\r\n\r\n")
        body = await self.reader.readexactly(body_length(read_response(head).headers))
        return read_response(head + body)


@asynccontextmanager
async def opened(target: Target, transport: str, trust: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    """Open a line to the judged number around the body. Raises NotReached.

    TLS 1.2 at least, and the certificate must be valid for the typed name; `trust` is who may vouch for it.
    """
    if transport == "udp":
        async with _udp(target) as line:
            yield line
        return
    reader, writer = await _connected(target, _trust(trust) if transport == "tls" else None)
    secured = writer.get_extra_info("ssl_object")
    place = _place(writer.get_extra_info("sockname"))
    try:
        yield StreamLine(reader, writer, transport, place, secured.version() if secured else "")
    finally:
        writer.transport.abort()


@asynccontextmanager
async def _udp(target: Target) -> AsyncIterator[UdpLine]:
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.create_datagram_endpoint(
            _Datagrams, remote_addr=(target.number, target.port)
        )
    except OSError as error:
        raise NotReached(_said(error)) from error
    try:
        yield UdpLine(transport, protocol, _place(transport.get_extra_info("sockname")))
    finally:
        transport.abort()


async def _connected(
    target: Target, trust: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = target.host if trust else None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(
                target.number,
                target.port,
                ssl=trust,
                server_hostname=name,
                limit=LARGEST_HEAD,
                flags=socket.AI_NUMERICHOST,
            )
    except TimeoutError as error:
        raise NotReached("silent") from error
    except ssl.SSLCertVerificationError as error:
        raise NotReached(_CERTIFICATE.get(error.verify_code, "bad_certificate")) from error
    except ssl.SSLError as error:
        raise NotReached("old_tls" if error.reason in _OLD else "no_tls") from error
    except ConnectionRefusedError as error:
        raise NotReached("refused") from error
    except OSError as error:
        # Cut off in the middle of the greeting: whoever listens there speaks no TLS.
        raise NotReached(
            "no_tls" if trust and isinstance(error, ConnectionError) else _said(error)
        ) from error


def _trust(given: ssl.SSLContext | None) -> ssl.SSLContext:
    context = given or ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _said(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "no_way" if error.errno in _NO_WAY else "silent"


def _place(name: tuple[str, int]) -> str:
    number, port = name[:2]
    return f"[{number}]:{port}" if ipaddress.ip_address(number).version == 6 else f"{number}:{port}"  # noqa: PLR2004


@dataclass(frozen=True)
class Heard:
    """An answer and how long it took: to open the line, and from the question to the answer, in milliseconds."""

    response: Response
    connect_ms: float
    answer_ms: float
    tls: str = ""


def heard(
    target: Target,
    transport: str,
    talk: Callable[[Line], Awaitable[Response]],
    trust: ssl.SSLContext | None = None,
) -> Heard:
    """Open a line, let `talk` ask over it, and return the answer with its times. 5 s in all. Raises NotReached."""
    return asyncio.run(_heard(target, transport, talk, trust))


async def _heard(
    target: Target,
    transport: str,
    talk: Callable[[Line], Awaitable[Response]],
    trust: ssl.SSLContext | None,
) -> Heard:
    begun, line = monotonic(), None
    try:
        async with asyncio.timeout(ALL_SECONDS), opened(target, transport, trust) as line:
            there = monotonic()
            response = await talk(line)
            return Heard(response, _ms(there - begun), _ms(monotonic() - there), line.tls)
    except TimeoutError as error:
        raise NotReached("not_sip" if line is not None and line.got_junk else "silent") from error


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)

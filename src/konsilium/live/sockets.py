"""A socket as the house opens one: from our own pages only, with a ticket used once, of small messages at a sane rate.

The first message brings the ticket; before it nothing is said. What goes out waits in a short queue: a page that doesn't
read is closed rather than waited for.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections
from django.http.request import split_domain_port, validate_host

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Result = TypeVar("Result")

HELLO_SECONDS = 5.0
LONGEST_MESSAGE = 64 * 1024
# Messages that wait for a slow page, and for how long one of them may be on its way.
MOST_WAITING = 256
SEND_SECONDS = 20.0
# Buckets of messages and characters that fill again each second: a moved pointer is fifteen messages a second, what
# pages say to find a way to each other comes in long pieces at once.
BURST, EACH_SECOND = 80, 40
BURST_TEXT, TEXT_EACH_SECOND = 1024 * 1024, 64 * 1024
# Sockets of a process that haven't shown their ticket yet: more at once are nobody's pages.
MOST_UNKNOWN = 200

# Why a socket is closed, in the numbers that are left to us.
BAD_MESSAGE, NO_TICKET, NOT_ALLOWED, TOO_SLOW, REPLACED = 4400, 4401, 4403, 4408, 4409
OVER, TOO_MUCH = 4410, 4429
# And in those that everybody knows: come again.
RESTART = 1012

_unknown: set["Socket"] = set()
_threads = ThreadPoolExecutor(4, thread_name_prefix="sockets")
# What mustn't wait behind an engine that doesn't answer: hearing, and asking who may stay.
_quick = ThreadPoolExecutor(2, thread_name_prefix="hearing")


async def in_thread(do: Callable[[], Result], *, is_quick: bool = False) -> Result:
    """Run blocking work in a thread, whose database connection is looked after as a request's is."""

    def run() -> Result:
        close_old_connections()
        try:
            return do()
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_quick if is_quick else _threads, run)


class Closed(Exception):
    """The socket has to be closed, with this number."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """One page's socket: whole JSON objects in, whole JSON objects out."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._messages, self._text, self._filled_at = float(BURST), float(BURST_TEXT), time.monotonic()
        self._ended = asyncio.Event()
        self.code = 0

    async def hello(self) -> dict[str, Any]:
        """Return the first message, which has to come soon and be a hello with a ticket. Raises Closed."""
        if len(_unknown) >= MOST_UNKNOWN:
            raise Closed(RESTART)
        _unknown.add(self)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                message = await self.read()
        except TimeoutError:
            raise Closed(NO_TICKET) from None
        finally:
            _unknown.discard(self)
        if message is None or message["t"] != "hello" or not isinstance(message.get("ticket"), str):
            raise Closed(NO_TICKET)
        return message

    async def read(self) -> dict[str, Any] | None:
        """Return the next message; None when the page is gone. Raises Closed at what is no message of ours."""
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            return None
        text = event.get("text")
        if text is None or len(text) > LONGEST_MESSAGE or len(text.encode()) > LONGEST_MESSAGE:
            raise Closed(BAD_MESSAGE)
        self._spend(len(text))
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise Closed(BAD_MESSAGE) from None
        if not isinstance(message, dict) or not isinstance(message.get("t"), str) or "\\u0000" in text:
            raise Closed(BAD_MESSAGE)
        return message

    def _spend(self, length: int) -> None:
        now = time.monotonic()
        passed, self._filled_at = now - self._filled_at, now
        self._messages = min(BURST, self._messages + passed * EACH_SECOND) - 1
        self._text = min(BURST_TEXT, self._text + passed * TEXT_EACH_SECOND) - length
        if self._messages < 0 or self._text < 0:
            raise Closed(TOO_MUCH)

    def say(self, message: dict[str, Any]) -> None:
        """Put a message into the queue; a page that hasn't read the last few hundred is closed."""
        with suppress(asyncio.QueueFull):
            self._waiting.put_nowait(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
            return
        self.end(TOO_SLOW)

    def end(self, code: int) -> None:
        """Close the socket soon, after what waits has been said; the first reason stands."""
        self.code = self.code or code
        self._ended.set()

    async def pump(self) -> None:
        """Send what waits until the socket is to be closed, then close it."""
        ended = asyncio.create_task(self._ended.wait())
        try:
            while not self._ended.is_set():
                one = asyncio.create_task(self._waiting.get())
                await asyncio.wait({one, ended}, return_when=asyncio.FIRST_COMPLETED)
                if one.done():
                    await self._put(one.result())
                else:
                    one.cancel()
            while not self._waiting.empty() and self.code != TOO_SLOW:
                await self._put(self._waiting.get_nowait())
            await self._send({"type": "websocket.close", "code": self.code or 1000})
        except (TimeoutError, OSError, RuntimeError):
            # The page is gone, or doesn't take anything any more.
            self._ended.set()
        finally:
            ended.cancel()

    async def _put(self, text: str) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._send({"type": "websocket.send", "text": text})


def is_ours(headers: dict[str, str]) -> bool:
    """Say whether a page of ours asks: the origin's host is the one asked, and one that we answer for."""
    origin, host = urlsplit(headers.get("origin", "")), headers.get("host", "")
    if f"{origin.scheme}://{origin.netloc}" in settings.CSRF_TRUSTED_ORIGINS:
        return True
    named = split_domain_port(host)[0]
    return (
        origin.scheme in ("http", "https")
        and origin.netloc == host
        and validate_host(named, settings.ALLOWED_HOSTS)
    )


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Open a socket below /live/, hand it to its part, and close it whatever happens there."""
    from konsilium.live import rooms, watching  # noqa: PLC0415  they use this module

    parts = {"room": rooms.serve, "test": watching.serve}
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    await receive()
    found = _subject(scope["path"])
    if found is None or found[0] not in parts or not is_ours(headers):
        # Refused before it is accepted: the page hears 403.
        await send({"type": "websocket.close", "code": NOT_ALLOWED})
        return
    await send({"type": "websocket.accept"})
    socket = Socket(receive, send)
    pump = asyncio.create_task(socket.pump())
    try:
        await parts[found[0]](socket, found[1])
    except Closed as closed:
        socket.end(closed.code)
    except Exception:
        log.exception("a socket failed")
        socket.end(1011)
    finally:
        socket.end(1000)
        with suppress(asyncio.CancelledError):
            await pump


def _subject(path: str) -> tuple[str, UUID] | None:
    parts = path.strip("/").split("/")
    try:
        live, kind, pk = parts
        return (kind, UUID(pk)) if live == "live" else None
    except ValueError:
        return None

"""Which sockets of this process sit in which room, and what the database says that they are to hear.

One connection of a process listens; whatever a process tells goes through the database to all of them, itself included,
so that everybody hears things in one order. When the connection breaks, every socket is closed: the pages come back by
themselves, and nothing that was said meanwhile is missed in silence.
"""

import asyncio
import json
import logging
from collections import defaultdict
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import psycopg
from django.db import connection

from konsilium.actions import telling
from konsilium.live.sockets import RESTART, Closed, in_thread

log = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0
READY_SECONDS = 5.0
# What Django alone understands of a connection's parameters.
OURS = ("cursor_factory", "context", "server_side_binding", "prepare_threshold")
# A line to the database that broke in silence is noticed within half a minute.
ALIVE: dict[str, Any] = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class Hearer(Protocol):
    """Something with a socket that hears what is told in its room."""

    key: UUID

    def hear(self, message: dict[str, Any]) -> None:
        """Take a message."""

    def end(self, code: int) -> None:
        """Close the socket."""


class Hub:
    """The rooms of this process."""

    def __init__(self) -> None:
        self.rooms: defaultdict[UUID, set[Hearer]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def join(self, subject: UUID, hearer: Hearer) -> None:
        """Let somebody hear from now on; the first one of this process starts the listening. Raises Closed without it."""
        if self._listening is None or self._listening.done():
            self._ready.clear()
            self._listening = asyncio.create_task(self._listen())
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            raise Closed(RESTART) from None
        self.rooms[subject].add(hearer)

    def leave(self, subject: UUID, hearer: Hearer) -> None:
        """Let somebody hear no more."""
        self.rooms[subject].discard(hearer)
        if not self.rooms[subject]:
            del self.rooms[subject]

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except Exception as trouble:  # noqa: BLE001  whatever it was: nobody may go on without hearing
                log.warning("the database's notifications broke off: %s", type(trouble).__name__)
            self._ready.clear()
            for hearers in list(self.rooms.values()):
                for hearer in list(hearers):
                    hearer.end(RESTART)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen_once(self) -> None:
        parameters = {
            name: value for name, value in connection.get_connection_params().items() if name not in OURS
        }
        async with await psycopg.AsyncConnection.connect(**ALIVE, **parameters, autocommit=True) as listener:
            await listener.execute(f"LISTEN {telling.CHANNEL}")
            self._ready.set()
            async for notice in listener.notifies():
                await self._hand_out(json.loads(notice.payload))

    async def _hand_out(self, notice: dict[str, Any]) -> None:
        subject = UUID(notice.get("room") or notice["test"])
        hearers = self.rooms.get(subject)
        if not hearers:
            return
        message = notice.get("message", {"t": "changed"})
        if notice.get("row"):
            message = await in_thread(partial(telling.told, subject, UUID(notice["row"])), is_quick=True)
        for hearer in list(hearers) if message else ():
            if notice.get("to") in (None, str(hearer.key)) and notice.get("but") != str(hearer.key):
                hearer.hear(message)


hub = Hub()

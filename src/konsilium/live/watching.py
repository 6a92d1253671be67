"""The socket of an equipment test's page: it hears when the protocol changed, and who else has it open."""

import asyncio
import logging
import uuid
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone

from konsilium.actions import rooming
from konsilium.live.entry import actor_of_hash
from konsilium.live.hub import hub
from konsilium.live.sockets import BAD_MESSAGE, NO_TICKET, NOT_ALLOWED, RESTART, Closed, Socket, in_thread
from konsilium.models import SocketTicket

log = logging.getLogger(__name__)
ACTION = "equipment.read"
LOOK_SECONDS = 2.0


class Watcher:
    """One page that looks at a test."""

    def __init__(self, socket: Socket) -> None:
        self.socket, self.key = socket, uuid.uuid4()

    def hear(self, message: dict[str, Any]) -> None:
        """Pass it on."""
        self.socket.say(message)

    def end(self, code: int) -> None:
        """Close the page's socket."""
        self.socket.end(code)


async def serve(socket: Socket, test_id: UUID) -> None:
    """Let a page in by its ticket, and pass on what happens, until it goes or has lost the right."""
    hello = await socket.hello()
    ticket = await in_thread(
        partial(rooming.take_ticket, hello["ticket"], rooming.TEST, test_id, at=timezone.now())
    )
    if ticket is None or not await in_thread(partial(_may, ticket)):
        raise Closed(NO_TICKET)
    watcher = Watcher(socket)
    watch = asyncio.create_task(_watch(watcher, ticket))
    try:
        await hub.join(test_id, watcher)
        socket.say({"t": "welcome"})
        while not socket.code:
            message = await socket.read()
            if message is None:
                return
            if message["t"] != "ping":
                raise Closed(BAD_MESSAGE)
            socket.say({"t": "pong"})
    finally:
        watch.cancel()
        hub.leave(test_id, watcher)


def _may(ticket: SocketTicket) -> bool:
    actor = actor_of_hash(ticket.key_hash, ACTION)
    return actor is not None and rooming.may_watch(ticket.subject_id, actor=actor)


async def _watch(watcher: Watcher, ticket: SocketTicket) -> None:
    """Ask every two seconds whether this person may still look; a question without an answer ends it too."""
    code = 0
    while not code:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            code = 0 if await in_thread(partial(_may, ticket), is_quick=True) else NOT_ALLOWED
        except Exception:
            log.exception("nobody could say who may look at a test")
            code = RESTART
    watcher.end(code)

"""What a room's socket does with recording and with grants: answers, beginnings and ends, and newer grants.

Everybody hears the new state after each change. A page whose grant is for another room than the state names asks for a
new one, and its media moves there.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from django.utils import timezone

from konsilium.actions import engines, recording
from konsilium.actions.telling import tell
from konsilium.adapters.video import EngineTrouble
from konsilium.live.sockets import Socket, in_thread
from konsilium.models import Attendance


class Sitting(Protocol):
    """A page in the room, as far as recording knows it."""

    socket: Socket
    session_id: UUID
    attendance: Attendance


def settle(session_id: UUID) -> dict[str, Any]:
    """Bring the room in line after somebody came or left, and tell everybody when that changed it. Raises EngineTrouble."""
    now = timezone.now()
    before = engines.room_of(session_id, at=now).name
    told = recording.settle(session_id, at=now)
    if told["asked_by"] or told["room"] != before:
        tell(session_id, {"t": "recording", **told})
    return told


def settle_after_leaving(session_id: UUID) -> None:
    """Do the same when nobody is there to be told that the engine is away."""
    if recording.is_of_concern(session_id):
        with suppress(EngineTrouble):
            settle(session_id)


async def consent(guest: Sitting, message: dict[str, Any]) -> None:
    """Keep somebody's answer; with the last yes a recording begins, with a no it ends."""
    given = message.get("given") is True
    await _change(guest, partial(recording.answer, is_given=given))


async def record(guest: Sitting, message: dict[str, Any]) -> None:
    """Ask for a recording, or end it."""
    await _change(guest, recording.ask if message.get("on") is True else recording.end)


async def _change(guest: Sitting, verb: Callable[..., dict[str, Any]]) -> None:
    def change() -> None:
        told = verb(guest.session_id, guest.attendance, at=timezone.now())
        tell(guest.session_id, {"t": "recording", **told})

    await in_thread(change)


async def grant(guest: Sitting, message: dict[str, Any]) -> None:
    """Give a page a newer grant: tokens and relays end after minutes, and rooms move."""
    given = await in_thread(partial(engines.grant, guest.session_id, guest.attendance, at=timezone.now()))
    guest.socket.say({"t": "grant", "grant": given})

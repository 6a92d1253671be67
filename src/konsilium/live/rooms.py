"""The room's socket: who is there, how pages find a way to each other, what is said and shown beside the video.

A message does something only after its kind was found in VERBS, its seat is still this socket's, and the person may do
it. Who may be here at all is asked anew every two seconds, so that whoever lost the right is out within five.
"""

import asyncio
import base64
import binascii
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext

from konsilium.actions import engines, rooming
from konsilium.actions._step import NotThere
from konsilium.actions.rooming import Entrant
from konsilium.actions.telling import tell
from konsilium.adapters.video import EngineTrouble
from konsilium.live import taping
from konsilium.live.entry import actor_of_hash
from konsilium.live.hub import hub
from konsilium.live.sockets import (
    BAD_MESSAGE,
    NO_TICKET,
    NOT_ALLOWED,
    OVER,
    REPLACED,
    RESTART,
    Closed,
    Socket,
    in_thread,
)
from konsilium.models import Attendance, SocketTicket
from konsilium.models.access import as_room
from konsilium.workflow.machine import NotNow, Refused

log = logging.getLogger(__name__)
ACTION = "room.enter"
LOOK_SECONDS = 2.0
QUALITY_SECONDS = 8
STILL_SECONDS = 2.5
LONGEST_STILL = 40 * 1024
LONGEST_LOOK = 16 * 1024
_SEAT = re.compile(r"[A-Za-z0-9_-]{8,40}$")


# Why somebody has to go, and the number that closes their socket.
CODES = {
    "revoked": NOT_ALLOWED,
    "removed": NOT_ALLOWED,
    "elsewhere": REPLACED,
    "over": OVER,
    "restart": RESTART,
}


class Guest:
    """One page in the room."""

    def __init__(
        self, socket: Socket, ticket: SocketTicket, entrant: Entrant, attendance: Attendance
    ) -> None:
        self.socket, self.ticket, self.entrant, self.attendance = socket, ticket, entrant, attendance
        self.key: UUID = attendance.pk
        self.session_id: UUID = attendance.session_id
        self._quality_at = self._still_at = time.monotonic()
        # They said goodbye: nobody has to wait whether they come back.
        self.has_left = False
        # What is heard before the welcome was said.
        self._early: list[dict[str, Any]] | None = []

    def welcome(self, message: dict[str, Any]) -> None:
        """Say who is there and what was said, then what happened since that was read."""
        self.socket.say(message)
        early, self._early = self._early or [], None
        for one in early:
            self.hear(one)

    def hear(self, message: dict[str, Any]) -> None:
        """Pass a message on to the page; one that was put out, or sits here with a newer socket, is closed after it."""
        if message["t"] == "taken":
            if message["fence"] > self.attendance.fence:
                self.bid_farewell("elsewhere")
        elif self._early is not None:
            self._early.append(message)
        else:
            self.socket.say(message)
        if message["t"] == "removed":
            self.socket.end(NOT_ALLOWED)

    def bid_farewell(self, why: str) -> None:
        """Say why the socket is closed, and close it; one that closes already has heard it."""
        if not self.socket.code:
            self.socket.say({"t": "removed", "by": ""} if why == "removed" else {"t": "closed", "why": why})
            self.socket.end(CODES[why])

    def end(self, code: int) -> None:
        """Close the page's socket."""
        self.socket.end(code)

    def tell(self, message: dict[str, Any], *, to: UUID | None = None) -> None:
        """Tell everybody else, or one of them."""
        tell(self.session_id, message, to=to, but=None if to else self.key)

    async def seated(self, do: Callable[[], Any]) -> None:
        """Do something in one transaction of the room, if the seat is still this socket's. Raises NotThere."""

        def run() -> None:
            with as_room(self.session_id):
                rooming.check_seated(self.attendance)
                do()

        await in_thread(run)

    def is_early(self, what: str, seconds: float) -> bool:
        """Say whether the last one of this kind was less than so many seconds ago."""
        now = time.monotonic()
        if now - getattr(self, what) < seconds:
            return True
        setattr(self, what, now)
        return False


def person_of(row: Attendance) -> dict[str, Any]:
    """Return what everybody may know of somebody in the room."""
    shown = {name: row.state.get(name, False) for name in ("audio", "video", "screen", "hand")}
    return {
        "id": str(row.pk),
        "name": row.name,
        "organization": row.organization_name,
        "side": row.side,
        "role": row.role,
        "guest": row.guest_id is not None,
        "mode": row.state.get("mode", "full"),
        **shown,
    }


def line_of(line: Any) -> dict[str, Any]:
    """Return a line of the chat."""
    return {
        "id": str(line.pk),
        "at": line.at.isoformat(),
        "from": str(line.author_id),
        "name": line.author_name,
        "organization": line.organization_name,
        "text": line.text,
    }


async def serve(socket: Socket, session_id: UUID) -> None:
    """Let a page in by its ticket, welcome it, and do what it says until it goes or has to go."""
    guest, back = await _let_in(socket, session_id)
    try:
        await hub.join(session_id, guest)
        _watch_over(session_id)
        guest.welcome(await in_thread(partial(_welcome, guest)))
        await in_thread(
            partial(guest.tell, {"t": "joined", "person": person_of(guest.attendance), "again": back})
        )
        await _talk(guest)
    finally:
        hub.leave(session_id, guest)
        await in_thread(partial(_gone, guest))


async def _let_in(socket: Socket, session_id: UUID) -> tuple[Guest, bool]:
    hello = await socket.hello()
    word, seat = hello["ticket"], hello.get("seat")
    if not isinstance(seat, str) or not _SEAT.match(seat):
        raise Closed(BAD_MESSAGE)
    try:
        return await in_thread(partial(_sit, socket, session_id, word, seat))
    except NotThere:
        raise Closed(NO_TICKET) from None
    except Refused as refusal:
        socket.say({"t": "refused", "text": gettext(refusal.message)})
        raise Closed(NOT_ALLOWED) from None


def _sit(socket: Socket, session_id: UUID, word: str, seat: str) -> tuple[Guest, bool]:
    now = timezone.now()
    ticket = rooming.take_ticket(word, rooming.ROOM, session_id, at=now)
    if ticket is None:
        raise NotThere
    entrant = _entrant(ticket)
    attendance, back = rooming.sit(session_id, entrant, seat, at=now)
    return Guest(socket, ticket, entrant, attendance), back


def _entrant(ticket: SocketTicket) -> Entrant:
    """Ask once more who this is, and whether they may be here now. Raises NotThere or NotNow."""
    now = timezone.now()
    if ticket.guest_id is not None:
        return rooming.enter_as_guest(ticket.subject_id, cookie_hash=ticket.key_hash, at=now)
    actor = actor_of_hash(ticket.key_hash, ACTION)
    if actor is None:
        raise NotThere
    return rooming.enter(ticket.subject_id, actor=actor, at=now)


def _welcome(guest: Guest) -> dict[str, Any]:
    now, session_id = timezone.now(), guest.session_id
    tape: dict[str, Any] = {}
    try:
        # First: a newcomer is let into no room that is being recorded before they said yes.
        tape = taping.settle(session_id)
        grant, trouble = engines.grant(session_id, guest.attendance, at=now), ""
    except EngineTrouble as away:
        grant, trouble = None, gettext(away.message)
    here = rooming.present(session_id, at=now)
    out = rooming.put_out_before(session_id) if guest.entrant.moderates else []
    return {
        "t": "welcome",
        "me": str(guest.key),
        "moderates": guest.entrant.moderates,
        "people": [person_of(row) for row in here if row.pk != guest.key],
        "out": [person_of(row) for row in out],
        "session": rooming.about(session_id),
        "grant": grant,
        "trouble": trouble,
        "chat": [line_of(line) for line in rooming.lines(session_id)],
        "look": rooming.shared_look(session_id),
        "recording": tape,
        "now": now.isoformat(),
    }


def _gone(guest: Guest) -> None:
    """Note that a page left, unless it sits there again with a newer socket, and tell the others."""
    now = timezone.now()
    if rooming.leave(guest.session_id, guest.key, fence=guest.attendance.fence, at=now):
        guest.tell({"t": "left", "id": str(guest.key), "why": "left" if guest.has_left else "gone"})
        taping.settle_after_leaving(guest.session_id)


_watches: dict[UUID, asyncio.Task[None]] = {}


def _watch_over(session_id: UUID) -> None:
    """See to it that this process asks after its people in this room."""
    if session_id not in _watches:
        _watches[session_id] = asyncio.create_task(_watch(session_id))


async def _watch(session_id: UUID) -> None:
    """Ask every two seconds, of all of a room at once, who may still be here. When nobody can say, all have to go."""
    try:
        while session_id in hub.rooms:
            await asyncio.sleep(LOOK_SECONDS)
            guests = [one for one in hub.rooms.get(session_id, ()) if isinstance(one, Guest)]
            try:
                leaving = await in_thread(partial(_standing, session_id, guests), is_quick=True)
            except Exception:
                log.exception("nobody could say who may stay in a room")
                leaving = dict.fromkeys(guests, "restart")
            for guest, why in leaving.items():
                guest.bid_farewell(why)
    finally:
        del _watches[session_id]


def _standing(session_id: UUID, guests: Sequence[Guest]) -> dict[Guest, str]:
    """Return who has to go, and why."""
    leaving = {guest: why for guest in guests if (why := _trouble(guest))}
    staying = [guest for guest in guests if guest not in leaving]
    fences = {guest.key: guest.attendance.fence for guest in staying}
    own, put_out = rooming.seen(session_id, fences, at=timezone.now())
    for guest in staying:
        if guest.key not in own:
            leaving[guest] = "removed" if guest.key in put_out else "elsewhere"
    return leaving


def _trouble(guest: Guest) -> str:
    try:
        guest.entrant = _entrant(guest.ticket)
    except NotNow:
        return "over"
    except (NotThere, Refused):
        return "revoked"
    return ""


async def _talk(guest: Guest) -> None:
    while not guest.socket.code:
        message = await guest.socket.read()
        if message is None or guest.socket.code:
            return
        if message["t"] == "bye":
            guest.has_left = True
            return
        verb = VERBS.get(message["t"])
        if verb is None:
            raise Closed(BAD_MESSAGE)
        try:
            await verb(guest, message)
        except Refused as refusal:
            guest.socket.say({"t": "refused", "text": gettext(refusal.message)})
        except EngineTrouble as away:
            guest.socket.say({"t": "refused", "text": gettext(away.message)})
        except NotThere:
            guest.socket.say({"t": "refused", "text": ""})


async def _ping(guest: Guest, message: dict[str, Any]) -> None:
    guest.socket.say({"t": "pong"})


async def _state(guest: Guest, message: dict[str, Any]) -> None:
    def show() -> None:
        row = rooming.show_state(guest.session_id, guest.key, message)
        guest.tell({"t": "person", "person": person_of(row)})

    await guest.seated(show)


async def _signal(guest: Guest, message: dict[str, Any]) -> None:
    body = message.get("body")
    if not isinstance(body, dict):
        raise Closed(BAD_MESSAGE)
    said = {"t": "signal", "from": str(guest.key), "body": body}
    await guest.seated(partial(guest.tell, said, to=_id(message.get("to"))))


async def _chat(guest: Guest, message: dict[str, Any]) -> None:
    text = str(message.get("text", ""))

    def write() -> None:
        line = rooming.say(guest.session_id, guest.attendance, text, at=timezone.now())
        tell(guest.session_id, {"t": "chat", **line_of(line)})

    await guest.seated(write)


async def _look(guest: Guest, message: dict[str, Any]) -> None:
    """Show everybody the same; a pointer that only moves is passed on and not kept."""
    body = message.get("body")
    if not isinstance(body, dict) or len(str(body)) > LONGEST_LOOK:
        raise Closed(BAD_MESSAGE)

    def show() -> None:
        if set(body) != {"pointer"}:
            rooming.look(guest.session_id, body)
        guest.tell({"t": "look", "from": str(guest.key), "body": body})

    await guest.seated(show)


async def _still(guest: Guest, message: dict[str, Any]) -> None:
    """Pass a still picture on, which is kept by nobody; one that comes too soon is dropped."""
    text = message.get("jpeg")
    if not isinstance(text, str) or len(text) > LONGEST_STILL * 4 // 3 + 4:
        raise Closed(BAD_MESSAGE)
    try:
        is_picture = base64.b64decode(text, validate=True)[:3] == b"\xff\xd8\xff"
    except binascii.Error:
        is_picture = False
    if not is_picture:
        raise Closed(BAD_MESSAGE)
    if not guest.is_early("_still_at", STILL_SECONDS):
        await guest.seated(partial(guest.tell, {"t": "still", "from": str(guest.key), "jpeg": text}))


async def _quality(guest: Guest, message: dict[str, Any]) -> None:
    if guest.is_early("_quality_at", QUALITY_SECONDS):
        return
    note = partial(rooming.note_quality, guest.session_id, guest.key, message, seconds=10)
    await guest.seated(note)


async def _mute(guest: Guest, message: dict[str, Any]) -> None:
    """Ask a page to be silent, and its engine to see to it."""
    rooming.check_may_mute(guest.attendance)
    who = _id(message.get("who"))
    await guest.seated(partial(tell, guest.session_id, {"t": "muted", "by": guest.entrant.name}, to=who))
    await in_thread(partial(engines.mute, guest.session_id, who, at=timezone.now()))


async def _remove(guest: Guest, message: dict[str, Any]) -> None:
    """Put somebody out: their page, their seat, everybody else's memory of them, then their media."""
    who, now = _id(message.get("who")), timezone.now()
    seats: list[Attendance] = []

    def remove() -> None:
        seats.extend(rooming.put_out(guest.session_id, who, by=guest.attendance, at=now))
        for seat in seats:
            tell(guest.session_id, {"t": "removed", "by": guest.entrant.name}, to=seat.pk)
            tell(guest.session_id, {"t": "left", "id": str(seat.pk), "why": "removed"}, but=seat.pk)

    await guest.seated(remove)
    for seat in seats:
        with suppress(EngineTrouble):
            await in_thread(partial(engines.remove, guest.session_id, seat.pk, at=now))


async def _admit(guest: Guest, message: dict[str, Any]) -> None:
    """Let somebody who was put out come again; they hear of it by whoever asked for it."""
    who = _id(message.get("who"))
    again = partial(rooming.let_in_again, guest.session_id, who, by=guest.attendance, at=timezone.now())
    await guest.seated(again)


def _id(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Closed(BAD_MESSAGE) from None


VERBS: dict[str, Callable[[Guest, dict[str, Any]], Awaitable[None]]] = {
    "ping": _ping,
    "state": _state,
    "signal": _signal,
    "chat": _chat,
    "look": _look,
    "still": _still,
    "quality": _quality,
    "mute": _mute,
    "remove": _remove,
    "admit": _admit,
    "consent": taping.consent,
    "record": taping.record,
    "grant": taping.grant,
}

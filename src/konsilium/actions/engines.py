"""Which engine a session's room uses, what lets people into it, and when it ends.

Our row of the room is the truth. An engine is asked outside of any transaction, after the row was read, and whatever
it forgot is made again: opening, closing and putting out may be repeated at will.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from konsilium.actions._step import NotThere
from konsilium.adapters.turn import ice_servers
from konsilium.adapters.video import (
    BadChoice,
    Driver,
    EngineAway,
    EngineTrouble,
    Health,
    Party,
    Place,
    Way,
    connect,
)
from konsilium.adapters.video.external import ExternalEngine
from konsilium.models import Attendance, Room, Session
from konsilium.models.access import as_room, as_worker
from konsilium.workflow.machine import NotNow, NotYours
from konsilium.workflow.roles import CENTRE_ROLES, Actor
from konsilium.workflow.rooms import STAYS_OPEN
from konsilium.workflow.session import OPEN_SESSION, SessionState
from konsilium.workflow.words import N_, Side

EXTERNAL, MESH = "external", "mesh"
# Room's own columns that a person may enter for an outside service.
OUTSIDE = ("link", "dial", "pin", "instructions")


@lru_cache(maxsize=8)
def driver(engine: str = "") -> Driver:
    """Return the driver of an engine, or of the one that new rooms get. Raises BadChoice for one we have no settings for."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"rooms of video engines", hashlib.sha256)
    return connect(engine or settings.VIDEO.engine, settings.VIDEO, key=key, servers=_servers)


def _servers(name: str, at: datetime) -> list[dict[str, Any]]:
    return ice_servers(settings.TURN, name, at)


def room_of(session_id: UUID, *, at: datetime) -> Room:
    """Return the session's room, and make its row when the first one comes."""
    with as_room(session_id):
        defaults = {"engine": settings.VIDEO.engine, "name": secrets.token_hex(12), "opened_at": at}
        return Room.objects.get_or_create(session_id=session_id, defaults=defaults)[0]


def place_of(room: Room) -> Place:
    """Return what the engine needs of a room."""
    return Place(room.name, room.link, room.dial, room.pin, room.instructions, room.is_recorded)


def party_of(attendance: Attendance) -> Party:
    """Return whom the engine is to let in; the consulting side may mute and remove."""
    return Party(
        attendance.pk,
        attendance.name,
        attendance.side,
        attendance.role,
        moderates=attendance.side == Side.CONSULTING and attendance.guest_id is None,
    )


def grant(session_id: UUID, attendance: Attendance, *, at: datetime) -> dict[str, Any]:
    """Return what lets this presence into the session's engine, for ten minutes.

    Makes the room's row, then the engine's room when that isn't there. Called outside any transaction. While the
    engine is away and nobody is in the room yet, the session goes on in the built-in one; else raises EngineAway.
    """
    room = room_of(session_id, at=at)
    if room.closed_at is not None:
        raise NotThere
    try:
        driver(room.engine).open_room(place_of(room))
    except EngineAway:
        room = _fall_back(room)
    return driver(room.engine).join_grant(place_of(room), party_of(attendance), at=at).as_json()


def _fall_back(room: Room) -> Room:
    """Take the built-in engine for a room in which nobody has been with another one yet, else raise EngineAway."""
    with as_room(room.session_id):
        others = Attendance.objects.filter(session_id=room.session_id, left_at=None).count()
        if others > 1 or room.is_recorded:
            raise EngineAway
        room.engine = MESH
        room.save(update_fields=["engine"])
    return room


def mute(session_id: UUID, attendance_id: UUID, *, at: datetime) -> None:
    """Switch this presence's sound off in the engine, where it can. Raises EngineAway."""
    room = room_of(session_id, at=at)
    if can(room.engine, "mutes"):
        driver(room.engine).mute(place_of(room), attendance_id)


def remove(session_id: UUID, attendance_id: UUID, *, at: datetime) -> None:
    """Put this presence out of the engine, where it can. Raises EngineAway."""
    room = room_of(session_id, at=at)
    if can(room.engine, "removes"):
        driver(room.engine).remove(place_of(room), attendance_id)


def meet_outside(session: Session, given: dict[str, str], *, actor: Actor, at: datetime) -> Room:
    """Hold a session in an outside service: its link, number, PIN and how to join, as far as they are given.

    Raises NotYours for anybody but the consulting side, and NotNow once somebody is in the room or it is over.
    """
    if not session.roles_of(actor) & set(CENTRE_ROLES):
        raise NotYours(N_("This step belongs to another role."))
    with transaction.atomic():
        room = Room.objects.select_for_update().filter(session=session).first()
        if session.state not in OPEN_SESSION or (room is not None and room.closed_at is not None):
            raise NotNow(N_("This step is not possible in the present state."))
        if Attendance.objects.filter(session=session, left_at=None, marked_by="").exists():
            raise NotNow(
                N_("Somebody is in the room. Everybody has to leave it before it changes its place.")
            )
        row = room or Room(session=session, name=secrets.token_hex(12), opened_at=at)
        row.engine = EXTERNAL
        for name in OUTSIDE:
            setattr(row, name, given.get(name, "").strip())
        row.save()
    return row


def meet_inside(session: Session, *, actor: Actor, at: datetime) -> None:
    """Take back `meet_outside`: the session is held in this deployment's own room. Raises as that does."""
    room = meet_outside(session, {}, actor=actor, at=at)
    room.engine = MESH if settings.VIDEO.engine == EXTERNAL else settings.VIDEO.engine
    room.save(update_fields=["engine"])


def ways_of(room: Room | None) -> tuple[Way, ...]:
    """Return what each kind of endpoint dials to be in a room; nothing where the room is our own page."""
    if room is None or room.engine != EXTERNAL:
        return ()
    return ExternalEngine(settings.VIDEO.external).ways(place_of(room))


def close_room(session_id: UUID, *, at: datetime) -> bool:
    """End a session's room: in the engine first, then in our row. Says whether it was open."""
    with as_room(session_id):
        room = Room.objects.filter(session_id=session_id, closed_at=None).first()
    if room is None:
        return False
    driver(room.engine).close_room(place_of(room))
    with as_room(session_id):
        return bool(Room.objects.filter(pk=room.pk, closed_at=None).update(closed_at=at))


def close_done(*, at: datetime) -> int:
    """End the rooms of sessions that are over; one whose engine is away waits for the next round. Returns how many."""
    with as_worker():
        over = [session.pk for session in _with_open_rooms() if is_over(session, at)]
    return sum(_closed(session_id, at) for session_id in over)


def _with_open_rooms() -> QuerySet[Session]:
    rooms = Room.objects.filter(closed_at=None).values("session_id")
    names = ("id", "state", "starts_at", "minutes", "ended_at")
    return Session.objects.filter(pk__in=rooms).only(*names).order_by("id")


def is_over(session: Session, at: datetime) -> bool:
    """Say whether a session's room has no use any more: it ended, fell through, or its time is long past."""
    if session.state == SessionState.HELD:
        return session.ended_at is None or at >= session.ended_at
    if session.state not in OPEN_SESSION:
        return True
    last = session.starts_at and session.starts_at + timedelta(minutes=session.minutes) + STAYS_OPEN
    return last is not None and at >= last and session.state != SessionState.IN_PROGRESS


def _closed(session_id: UUID, at: datetime) -> bool:
    try:
        return close_room(session_id, at=at)
    except (EngineTrouble, BadChoice):
        return False


def health() -> dict[str, Health]:
    """Return how the engine of new rooms is, and that of any room that is open now. For the operator and coordinator."""
    with as_worker():
        used = set(Room.objects.filter(closed_at=None).values_list("engine", flat=True))
    return {engine: _health(engine) for engine in sorted(used | {settings.VIDEO.engine})}


def _health(engine: str) -> Health:
    try:
        return driver(engine).health()
    except BadChoice as trouble:
        return Health(is_up=False, trouble=str(trouble))


def put_out_strangers(*, at: datetime) -> int:
    """Compare every open room with its engine: make what it forgot again, put out whom our rows don't have.

    Returns how many were put out. A person who was removed or lost access keeps no seat in the engine by holding on to
    an old connection.
    """
    with as_worker():
        rooms = list(Room.objects.filter(closed_at=None).order_by("id").values_list("session_id", "engine"))
    return sum(_put_out(session_id, at) for session_id, engine in rooms if can(engine, "lists"))


def can(engine: str, what: str) -> bool:
    """Say whether an engine has this capability, by its name in `Capabilities`; one we have no settings for has none."""
    try:
        return bool(getattr(driver(engine).capabilities(), what))
    except BadChoice:
        return False


def _put_out(session_id: UUID, at: datetime) -> int:
    room = room_of(session_id, at=at)
    engine, place = driver(room.engine), place_of(room)
    try:
        engine.open_room(place)
        # The engine first: whoever comes in between has a row by the time we look.
        present = engine.participants(place)
        strangers = {UUID(one.id) for one in present} - _with_seats(session_id)
        for party in strangers:
            engine.remove(place, party)
    except EngineTrouble:
        return 0
    return len(strangers)


def _with_seats(session_id: UUID) -> set[UUID]:
    with as_room(session_id):
        here = Attendance.objects.filter(session_id=session_id, left_at=None, removed_at=None)
        return set(here.values_list("pk", flat=True))

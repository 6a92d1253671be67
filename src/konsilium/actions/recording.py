"""Recording a session: asked for by the consulting side, and running only while everybody present says yes.

Nothing is recorded by default. Somebody asks; each one present answers; with the last yes everybody moves into a room
that is recorded from its first packet, and with a no, a newcomer who hasn't answered, or an end, back into one that
isn't. Every answer is kept, every beginning and end is an event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from konsilium.actions._record import record
from konsilium.actions.engines import can, driver, place_of, room_of
from konsilium.models import Attendance, Consultation, RecordingConsent, Room, Session
from konsilium.models.access import as_room, as_worker
from konsilium.workflow.machine import NotNow, NotYours
from konsilium.workflow.roles import SYSTEM, Actor, Role
from konsilium.workflow.words import N_, Side

# A page that wasn't heard of for so long isn't there any more.
SEEN_WITHIN = timedelta(seconds=20)
# Answers that come while a room moves are looked at again; people don't change their mind this often.
MOST_MOVES = 4

# Why a room can't be recorded, by the codes that its page has words for.
OFF, NOT_HERE = "off", "here"
WHY_NOT = {
    OFF: N_("Recording is switched off in this deployment."),
    NOT_HERE: N_(
        "In the built-in room nothing passes a server, so it can't be recorded. A media server can."
    ),
}


@dataclass(frozen=True)
class Consents:
    """What a room's people said: who asks, who hasn't answered yet, and who said no. Presences by their ids."""

    asked_by: str
    missing: tuple[UUID, ...]
    refused: tuple[UUID, ...]

    @property
    def is_wanted(self) -> bool:
        """Say whether it is asked for and everybody said yes."""
        return bool(self.asked_by) and not self.missing and not self.refused


def state(session_id: UUID, *, at: datetime) -> dict[str, Any]:
    """Return what every page shows of recording: whether it is possible, asked for, and running, and who is waited for.

    `room` is the name of the engine's room; a page whose grant is for another one asks for a new grant.
    """
    room = room_of(session_id, at=at)
    why = _impossible(room)
    with as_room(session_id):
        consents = _consents(room, at)
    return {
        "possible": not why,
        "why": why,
        "on": room.is_recorded,
        "asked_by": consents.asked_by,
        "missing": [str(pk) for pk in consents.missing],
        "refused": [str(pk) for pk in consents.refused],
        "room": room.name,
    }


def ask(session_id: UUID, attendance: Attendance, *, at: datetime) -> dict[str, Any]:
    """Ask everybody for their consent, with the asker's own as given; begin when nobody else is to be asked.

    Raises NotYours for anybody but the consulting side, NotNow where the room can't be recorded, and EngineAway.
    Returns the new `state`.
    """
    _check_asks(attendance)
    room = room_of(session_id, at=at)
    why = _impossible(room)
    if why:
        raise NotNow(WHY_NOT[why])
    with as_room(session_id):
        Room.objects.filter(pk=room.pk).update(recording_asked_by=attendance.name)
        _answer(session_id, attendance, is_given=True, at=at)
    return settle(session_id, at=at, actor=actor_of(attendance))


def end(session_id: UUID, attendance: Attendance, *, at: datetime) -> dict[str, Any]:
    """End the recording, or the asking for it. Raises NotYours, and EngineAway. Returns the new `state`."""
    _check_asks(attendance)
    with as_room(session_id):
        Room.objects.filter(session_id=session_id).update(recording_asked_by="")
    return settle(session_id, at=at, actor=actor_of(attendance))


def answer(session_id: UUID, attendance: Attendance, *, is_given: bool, at: datetime) -> dict[str, Any]:
    """Keep what somebody present said; their no ends a recording at once. Raises EngineAway. Returns the new `state`."""
    with as_room(session_id):
        _answer(session_id, attendance, is_given=is_given, at=at)
    return settle(session_id, at=at, actor=actor_of(attendance))


def is_of_concern(session_id: UUID) -> bool:
    """Say whether the session's room is recorded, or somebody asks that it be (one query)."""
    with as_room(session_id):
        rooms = Room.objects.filter(session_id=session_id, closed_at=None)
        return rooms.filter(Q(is_recorded=True) | ~Q(recording_asked_by="")).exists()


def settle(session_id: UUID, *, at: datetime, actor: Actor = SYSTEM) -> dict[str, Any]:
    """Bring the room in line with what everybody present said: after an answer, and after anybody came or left.

    Asks the engine outside of any transaction. Raises EngineAway when it can't begin. A recording that can't be ended
    is an error that may not pass: it is raised too. Returns the new `state`.
    """
    for _ in range(MOST_MOVES):
        with as_room(session_id):
            room = Room.objects.filter(session_id=session_id, closed_at=None).first()
            wanted = room is not None and _consents(room, at).is_wanted and not _impossible(room)
        if room is None or room.is_recorded == wanted:
            break
        _move(room, wanted=wanted, at=at, actor=actor)
    return state(session_id, at=at)


def _move(room: Room, *, wanted: bool, at: datetime, actor: Actor) -> None:
    """Make the other room, then write its name; whoever did the same meanwhile made the same one."""
    engine, place = driver(room.engine), place_of(room)
    other = engine.start_recording(place) if wanted else engine.stop_recording(place)
    with as_room(room.session_id):
        rows = Room.objects.filter(pk=room.pk, name=room.name)
        if rows.update(name=other.name, is_recorded=other.is_recorded):
            _remember(room.session_id, "recording_began" if wanted else "recording_ended", actor, at)


def _remember(session_id: UUID, kind: str, actor: Actor, at: datetime) -> None:
    record(consultation_of(session_id), kind, actor=actor, at=at, subject=("session", session_id))


def consultation_of(session_id: UUID) -> Consultation:
    """Return the bare row of the request that a session belongs to, for remembering something of it."""
    with as_worker():
        owner = Session.objects.values_list("consultation_id", flat=True).get(pk=session_id)
        return Consultation.objects.only("id", "version").get(pk=owner)


def actor_of(attendance: Attendance) -> Actor:
    """Return somebody in the room as the record names them; a guest has no account and no role of ours."""
    nobody = SYSTEM.person_id
    role = Role(attendance.role) if attendance.role in set(Role) else Role.SYSTEM
    return Actor(
        attendance.person_id or nobody,
        nobody,
        nobody,
        role,
        attendance.name,
        attendance.organization_name,
        "UTC",
    )


def _check_asks(attendance: Attendance) -> None:
    if attendance.guest_id is not None or attendance.side != Side.CONSULTING:
        raise NotYours(N_("Only the consulting side may do this."))


def _impossible(room: Room) -> str:
    """Return why this room can't be recorded, by its code, or nothing."""
    if not settings.RECORDING:
        return OFF
    if not can(room.engine, "records"):
        return NOT_HERE
    return ""


def _answer(session_id: UUID, attendance: Attendance, *, is_given: bool, at: datetime) -> None:
    RecordingConsent.objects.update_or_create(
        session_id=session_id,
        attendance_id=attendance.pk,
        defaults={"name": attendance.name, "at": at, "is_given": is_given},
    )


def _consents(room: Room, at: datetime) -> Consents:
    """Return what those present said. Whom people marked as present by hand can't answer, and so nothing is recorded."""
    here = Attendance.objects.filter(session_id=room.session_id, left_at=None, removed_at=None)
    here = here.filter(Q(seen_at__gt=at - SEEN_WITHIN) | ~Q(marked_by="")).order_by("joined_at", "id")
    said: Mapping[UUID, bool] = dict(
        RecordingConsent.objects.filter(session_id=room.session_id).values_list("attendance_id", "is_given")
    )
    people = list(here.values_list("pk", flat=True))
    return Consents(
        room.recording_asked_by,
        tuple(pk for pk in people if pk not in said),
        tuple(pk for pk in people if said.get(pk) is False),
    )

"""The session's room: who may come in, who is there, what they say, and what stays of it.

A socket acts here for a person whom the door has let in.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from konsilium.actions._record import Note, record
from konsilium.actions._step import NotThere
from konsilium.actions.recording import actor_of, consultation_of
from konsilium.actions.telling import tell
from konsilium.models import (
    Attendance,
    EquipmentTest,
    Room,
    RoomLine,
    Session,
    SessionGuest,
    SocketTicket,
)
from konsilium.models.access import acting, as_guest, as_live, as_room, as_worker
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.roles import CENTRE_ROLES, Actor, Role
from konsilium.workflow.rooms import OPENS_EARLY, STAYS_OPEN, TICKET_VALID
from konsilium.workflow.session import SessionState
from konsilium.workflow.words import N_, Side

ROOM, TEST = "room", "test"
LONGEST_CHAT = 4000
# Nobody was heard of for so long: the page is gone without a word.
AWAY_AFTER = timedelta(seconds=20)
NEWEST_LINES = 100
# More seats than this at once are no session.
MOST_SEATS, MOST_SEATS_OF_ONE = 40, 6

MEETING = (SessionState.CONFIRMED, SessionState.IN_PROGRESS)


@dataclass(frozen=True)
class Entrant:
    """Somebody at the room's door, who was let in."""

    person_id: UUID | None
    guest_id: UUID | None
    name: str
    organization: str
    side: str
    role: str

    @property
    def moderates(self) -> bool:
        """The consulting side's own people may mute and put out."""
        return self.guest_id is None and self.side == Side.CONSULTING


def secret_hash(secret: str) -> str:
    """Return what is kept of a random secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def ticket(
    subject: str, subject_id: UUID, *, key_hash: str, guest_id: UUID | None = None, at: datetime
) -> str:
    """Return a word that opens one socket once within half a minute; whoever asks was let in before."""
    word = secrets.token_urlsafe(32)
    with as_live():
        SocketTicket(
            ticket_hash=secret_hash(word),
            subject=subject,
            subject_id=subject_id,
            key_hash=key_hash,
            guest_id=guest_id,
            expires_at=at + TICKET_VALID,
        ).save(force_insert=True)
    return word


def take_ticket(word: str, subject: str, subject_id: UUID, *, at: datetime) -> SocketTicket | None:
    """Use a ticket up, and return it when it was for this and still good."""
    with as_live():
        rows = SocketTicket.objects.filter(ticket_hash=secret_hash(word))
        row = rows.first()
        # Of two that come with the same word, one deletes it.
        if row is None or not rows.delete()[0]:
            return None
    fits = row.subject == subject and row.subject_id == subject_id and row.expires_at > at
    return row if fits else None


def enter(session_id: UUID, *, actor: Actor, at: datetime) -> Entrant:
    """Let a person of the request into its session's room. Raises NotThere, or NotNow outside the session's time."""
    with acting(actor):
        session = _sessions().visible_to(actor).filter(pk=session_id).first()
        hats = session.consultation.roles_of(actor) if session else frozenset()
    if session is None or not hats:
        raise NotThere
    _check_time(session, at)
    centre = hats & {*CENTRE_ROLES, Role.COUNCIL_MEMBER}
    side = Side.CONSULTING if centre else Side.REQUESTING
    return Entrant(actor.person_id, None, actor.name, actor.organization_name, side, actor.role)


def enter_as_guest(session_id: UUID, *, cookie_hash: str, at: datetime) -> Entrant:
    """Let a guest in whose invitation lasts. Raises NotThere, or NotNow outside the session's time."""
    if not cookie_hash:
        raise NotThere
    with as_guest(cookie_hash):
        rows = SessionGuest.objects.filter(cookie_hash=cookie_hash, session_id=session_id, revoked_at=None)
        guest = rows.filter(valid_from__lte=at, valid_until__gt=at).first()
        session = Session.objects.timetable().filter(pk=session_id).defer(*_UNSEEN).first()
    if guest is None or session is None:
        raise NotThere
    _check_time(session, at)
    return Entrant(None, guest.pk, guest.name, guest.organization_name, guest.side, guest.kind)


# What the timetable's columns leave out.
_UNSEEN = ("patient_present", "reason", "requesting_pin", "consulting_pin")


def _sessions() -> Any:
    return Session.objects.select_related("consultation")


def _check_time(session: Session, at: datetime) -> None:
    """Raise NotNow unless the session is agreed or running, and it is about its time."""
    if session.state not in MEETING or session.starts_at is None:
        raise NotNow(N_("The session is not open: its time is not agreed, or it is over."))
    if at < session.starts_at - OPENS_EARLY:
        raise NotNow(N_("The room opens half an hour before the session."))
    last = session.starts_at + timedelta(minutes=session.minutes) + STAYS_OPEN
    if at >= last and session.state != SessionState.IN_PROGRESS:
        raise NotNow(N_("The session's time is over."))


def sit(session_id: UUID, entrant: Entrant, seat: str, *, at: datetime) -> tuple[Attendance, bool]:
    """Give somebody a seat, or their own one back when the page's key is the same; says whether they are back.

    A newer socket of a seat ends the older one. A room that was closed after an earlier time opens again.
    Raises NotYours for somebody else's seat, or for one who was put out; NotNow when the room is full.
    """
    with as_room(session_id):
        _refuse_removed(session_id, entrant)
        Room.objects.filter(session_id=session_id).exclude(closed_at=None).update(closed_at=None)
        rows = Attendance.objects.select_for_update().filter(session_id=session_id, seat=seat)
        row = rows.first()
        if row is None:
            _refuse_crowds(session_id, entrant, at)
            return _first_sitting(session_id, entrant, seat, at), False
        if (row.person_id, row.guest_id) != (entrant.person_id, entrant.guest_id):
            raise NotYours(N_("This place in the room is somebody else's."))
        _sit_again(row, at)
        return row, True


def _refuse_removed(session_id: UUID, entrant: Entrant) -> None:
    if _out(session_id).filter(person_id=entrant.person_id, guest_id=entrant.guest_id).exists():
        raise NotYours(N_("You were put out of this session. Ask the consultant to let you in again."))


def _refuse_crowds(session_id: UUID, entrant: Entrant, at: datetime) -> None:
    open_seats = _here(session_id).filter(seen_at__gt=at - AWAY_AFTER)
    own = open_seats.filter(person_id=entrant.person_id, guest_id=entrant.guest_id)
    if open_seats.count() >= MOST_SEATS or own.count() >= MOST_SEATS_OF_ONE:
        raise NotNow(N_("The room is full. Close other pages of it, or ask somebody to leave."))


def _first_sitting(session_id: UUID, entrant: Entrant, seat: str, at: datetime) -> Attendance:
    row = Attendance(
        session_id=session_id,
        seat=seat,
        person_id=entrant.person_id,
        guest_id=entrant.guest_id,
        name=entrant.name,
        organization_name=entrant.organization,
        side=entrant.side,
        role=entrant.role,
        joined_at=at,
        seen_at=at,
        state={"audio": False, "video": False, "screen": False, "hand": False, "mode": "full"},
    )
    row.save(force_insert=True)
    return row


def _sit_again(row: Attendance, at: datetime) -> None:
    """Go on in the same row: the time away and the break are kept."""
    away = at - (row.left_at or row.seen_at)
    row.fence += 1
    row.interruptions += 1
    row.seconds_away += max(0, round(away.total_seconds()))
    row.seen_at, row.left_at = at, None
    row.save(update_fields=["fence", "interruptions", "seconds_away", "seen_at", "left_at"])
    # The older socket, in whichever process: this fence isn't its own.
    tell(row.session_id, {"t": "taken", "fence": row.fence}, to=row.pk)


def present(session_id: UUID, *, at: datetime) -> list[Attendance]:
    """Return who is in the room now."""
    with as_room(session_id):
        return list(_here(session_id).filter(seen_at__gt=at - AWAY_AFTER).order_by("joined_at", "id"))


def _here(session_id: UUID) -> QuerySet[Attendance]:
    return Attendance.objects.filter(session_id=session_id, left_at=None, removed_at=None, marked_by="")


def check_seated(attendance: Attendance) -> None:
    """Raise NotThere unless this seat is still this socket's. Called within the room's context."""
    rows = Attendance.objects.filter(pk=attendance.pk, fence=attendance.fence, removed_at=None)
    if not rows.exists():
        raise NotThere


def seen(
    session_id: UUID, fences: Mapping[UUID, int], *, at: datetime
) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """Note that these seats' sockets are open; return the seats that are still theirs, and those put out (two queries).

    Whom time took for gone, because a moment was long, is there again; whoever left stays gone.
    """
    with as_room(session_id):
        rows = Attendance.objects.filter(session_id=session_id, pk__in=fences)
        stand = list(rows.values_list("pk", "fence", "removed_at"))
        own = frozenset(pk for pk, fence, removed_at in stand if removed_at is None and fences[pk] == fence)
        # `sweep` writes the moment they were seen last as their end, `leave` a later one.
        rows.filter(Q(left_at=None) | Q(left_at=F("seen_at")), pk__in=own).update(seen_at=at, left_at=None)
    return own, frozenset(pk for pk, _, removed_at in stand if removed_at is not None)


def leave(session_id: UUID, attendance_id: UUID, *, fence: int, at: datetime) -> bool:
    """Note that somebody left, unless a newer socket holds the seat. Says whether they did."""
    with as_room(session_id):
        rows = _here(session_id).filter(pk=attendance_id, fence=fence)
        return bool(rows.update(left_at=at))


def about(session_id: UUID) -> dict[str, Any]:
    """Return when the session is agreed for, and for how long."""
    with as_room(session_id):
        row = Session.objects.only("starts_at", "minutes").get(pk=session_id)
    return {"starts_at": row.starts_at and row.starts_at.isoformat(), "minutes": row.minutes}


def show_state(session_id: UUID, attendance_id: UUID, said: Mapping[str, Any]) -> Attendance:
    """Note what others see of somebody: sound, picture, screen, hand, mode; other words are passed over."""
    with as_room(session_id):
        row = Attendance.objects.select_for_update().get(pk=attendance_id, session_id=session_id)
        for name in ("audio", "video", "screen", "hand"):
            if isinstance(said.get(name), bool):
                row.state[name] = said[name]
        if said.get("mode") in ("full", "audio"):
            row.state["mode"] = said["mode"]
        row.save(update_fields=["state"])
    return row


def say(session_id: UUID, attendance: Attendance, text: str, *, at: datetime) -> RoomLine:
    """Write a line of the chat; it stays in the case. Raises Refused when it is empty or too long."""
    text = text.strip()
    if not text or len(text) > LONGEST_CHAT:
        raise Refused(N_("Write something, in 4000 characters at most."))
    with as_room(session_id):
        line = RoomLine(
            session_id=session_id,
            at=at,
            author_id=attendance.person_id or attendance.guest_id or attendance.pk,
            author_name=attendance.name,
            organization_name=attendance.organization_name,
            text=text,
        )
        line.save(force_insert=True)
    return line


def lines(session_id: UUID) -> list[RoomLine]:
    """Return the newest lines of the chat, the oldest of them first."""
    with as_room(session_id):
        rows = RoomLine.objects.filter(session_id=session_id).order_by("-at", "-id")
        return list(rows[:NEWEST_LINES])[::-1]


def look(session_id: UUID, body: Mapping[str, Any]) -> None:
    """Keep what everybody looks at, for whoever comes later."""
    with as_room(session_id):
        Room.objects.filter(session_id=session_id).update(shared=dict(body))


def shared_look(session_id: UUID) -> dict[str, Any]:
    """Return what everybody looks at; empty when nothing is shown."""
    with as_room(session_id):
        return Room.objects.filter(session_id=session_id).values_list("shared", flat=True).first() or {}


# What a page measures of its line, and the most that is believed.
MEASURES = {"loss": 100, "jitter": 60_000, "rtt": 60_000, "up": 1_000_000, "down": 1_000_000}


def note_quality(session_id: UUID, attendance_id: UUID, said: Mapping[str, Any], *, seconds: int) -> None:
    """Add a page's measurement to its seat's summary: worst and mean of each number, seconds in each mode."""
    with as_room(session_id):
        row = Attendance.objects.select_for_update().get(pk=attendance_id, session_id=session_id)
        row.quality = summed(row.quality, said, seconds)
        row.save(update_fields=["quality"])


def summed(quality: dict[str, Any], said: Mapping[str, Any], seconds: int) -> dict[str, Any]:
    """Return a summary with one more measurement; what is no sensible number is passed over."""
    quality = {**quality, "samples": quality.get("samples", 0) + 1}
    for name, most in MEASURES.items():
        value = said.get(name)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= most:
            continue
        count = quality.get(f"{name}_samples", 0) + 1
        mean = quality.get(f"{name}_mean", 0) + (value - quality.get(f"{name}_mean", 0)) / count
        worse = min if name in ("up", "down") else max
        worst = worse(value, quality.get(f"{name}_worst", value))
        quality |= {f"{name}_samples": count, f"{name}_mean": round(mean, 2), f"{name}_worst": worst}
    if said.get("mode") in ("full", "audio"):
        spent = f"{said['mode']}_seconds"
        quality[spent] = quality.get(spent, 0) + seconds
    return quality


def put_out(session_id: UUID, attendance_id: UUID, *, by: Attendance, at: datetime) -> list[Attendance]:
    """Put somebody out, whichever pages they have open, until they are let in again, and remember it.

    Returns their seats. Raises NotYours for anybody but the consulting side, NotThere for nobody.
    """
    with as_room(session_id):
        _check_moderates(by)
        row = _here(session_id).filter(pk=attendance_id).first()
        if row is None:
            raise NotThere
        same = _here(session_id).filter(person_id=row.person_id, guest_id=row.guest_id)
        seats = list(same.select_for_update().order_by("id"))
        same.update(removed_at=at, left_at=at)
        _remember("room_put_out", row, by, at)
    return seats


def let_in_again(session_id: UUID, attendance_id: UUID, *, by: Attendance, at: datetime) -> None:
    """Let somebody who was put out come again, in whichever page, and remember it. Raises as `put_out` does."""
    with as_room(session_id):
        _check_moderates(by)
        row = _out(session_id).filter(pk=attendance_id).first()
        if row is None:
            raise NotThere
        same = _out(session_id).filter(person_id=row.person_id, guest_id=row.guest_id)
        same.update(removed_at=None)
        _remember("room_let_in", row, by, at)


def put_out_before(session_id: UUID) -> list[Attendance]:
    """Return who was put out and not let in again, each once."""
    with as_room(session_id):
        rows = _out(session_id).order_by("-removed_at", "-id")
        return list({(row.person_id, row.guest_id): row for row in rows}.values())[::-1]


def _out(session_id: UUID) -> QuerySet[Attendance]:
    return Attendance.objects.filter(session_id=session_id).exclude(removed_at=None)


def _remember(kind: str, row: Attendance, by: Attendance, at: datetime) -> None:
    consultation = consultation_of(row.session_id)
    subject = ("attendance", row.pk)
    record(consultation, kind, actor=actor_of(by), at=at, subject=subject, note=Note(text=row.name))


def check_may_mute(by: Attendance) -> None:
    """Raise NotYours for anybody but the consulting side."""
    _check_moderates(by)


def _check_moderates(by: Attendance) -> None:
    if by.guest_id is not None or by.side != Side.CONSULTING:
        raise NotYours(N_("Only the consulting side may do this."))


def may_watch(test_id: UUID, *, actor: Actor) -> bool:
    """Say whether somebody sees this equipment test."""
    with acting(actor):
        return EquipmentTest.objects.filter(pk=test_id).exists()


def sweep(*, at: datetime) -> int:
    """Note that whoever wasn't heard of for long has left, and tell the others. Returns how many."""
    with as_worker():
        rows = Attendance.objects.filter(left_at=None, marked_by="", seen_at__lt=at - AWAY_AFTER)
        gone = list(rows.order_by("id").only("id", "session_id", "seen_at"))
    return sum(_note_gone(row) for row in gone)


def _note_gone(row: Attendance) -> bool:
    """Write the moment they were last seen as the end of their presence, unless they were seen meanwhile."""
    with as_room(row.session_id):
        rows = Attendance.objects.filter(pk=row.pk, left_at=None, seen_at=row.seen_at)
        is_gone = bool(rows.update(left_at=row.seen_at))
        if is_gone:
            tell(row.session_id, {"t": "left", "id": str(row.pk), "why": "lost"})
    return is_gone

"""Agreeing on a session, holding it, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from psycopg.types.range import TimestamptzRange

from konsilium.actions._record import Note, mark_read, record
from konsilium.actions._step import lock, save_way, session_step, step
from konsilium.models import Consultation, EquipmentTest, Session, SessionOption
from konsilium.workflow.consultation import Facts, State
from konsilium.workflow.machine import Missing, NotNow, NotYours
from konsilium.workflow.reasons import reason_is_stated
from konsilium.workflow.roles import CENTRE_ROLES, Actor
from konsilium.workflow.session import (
    CANCEL_REASONS,
    FREE,
    OPEN_SESSION,
    TIMES,
    SessionFacts,
    SessionState,
)
from konsilium.workflow.words import N_, Side

MOST_TIMES = 5
# A session may be said to have begun this long before its time: people come early.
EARLY = timedelta(minutes=15)


@dataclass(frozen=True)
class Connection:
    """How a side connects, and whom to ring when it doesn't."""

    kind: str = "room"
    dial: str = ""
    pin: str = ""
    phone: str = ""
    technician: str = ""


def propose(
    consultation: Consultation,
    times: Sequence[datetime],
    *,
    minutes: int = 30,
    connection_given: Connection = Connection(),
    note: str = "",
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> Session:
    """Open a session of a request that needs video, with one to five times to choose from.

    Raises NotThere, Stale, NotNow (another one is open, or no video is awaited), NotYours or Missing.
    """
    with transaction.atomic():
        row = lock(consultation, actor=actor, version=version)
        _may_propose(row, actor)
        _check_times(times, at)
        session = _new_session(row, minutes, note, at)
        _connect(session, Side.CONSULTING, connection_given, actor)
        session.save(force_insert=True)
        _offer(session, Side.CONSULTING, times, 1)
        row.has_session = True
        save_way(row, at=at)
        subject = ("session", session.pk)
        record(row, "session_propose", actor=actor, at=at, subject=subject, states=("", session.state))
        mark_read(row, actor=actor, at=at)
    return session


def _may_propose(row: Consultation, actor: Actor) -> None:
    if not row.roles_of(actor) & set(CENTRE_ROLES):
        raise NotYours(N_("This step belongs to another role."))
    if row.state != State.SESSION:
        raise NotNow(N_("This step is not possible in the present state."))
    if Session.objects.filter(consultation=row).open().exists():
        raise NotNow(N_("There is an open session: hold or cancel it first."))


def _new_session(row: Consultation, minutes: int, note: str, at: datetime) -> Session:
    if row.centre_id is None or row.consultant_id is None:
        raise NotNow(N_("This step is not possible in the present state."))
    return Session(
        consultation=row,
        consultation_number=row.number,
        requesting_organization_id=row.requesting_organization_id,
        requesting_name=row.requesting_name,
        requesting_time_zone=row.requesting_time_zone,
        centre_id=row.centre_id,
        centre_name=row.centre_name,
        centre_time_zone=row.centre_time_zone,
        consultant_id=row.consultant_id,
        consultant_name=row.consultant_name,
        minutes=minutes,
        note=note,
        created_at=at,
    )


def propose_again(
    session: Session,
    times: Sequence[datetime],
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Put other times of the consulting side on the table; a confirmed time is given up by it."""
    move = "reschedule" if session.state == SessionState.CONFIRMED else "propose"
    _offer_times(session, move, Side.CONSULTING, times, actor=actor, at=at, version=version)


def counter(
    session: Session,
    times: Sequence[datetime],
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Put the requesting side's own times on the table; a confirmed time is given up by it."""
    _offer_times(session, "counter", Side.REQUESTING, times, actor=actor, at=at, version=version)


def _offer_times(
    session: Session,
    move: str,
    side: Side,
    times: Sequence[datetime],
    *,
    actor: Actor,
    at: datetime,
    version: int | None,
) -> None:
    given = SessionFacts(times_given=_times_are_good(times, at))
    with session_step(session, move, actor=actor, at=at, version=version, facts=lambda row: given) as row:
        _give_time_up(row)
        last = SessionOption.objects.filter(session=row).values_list("offer", flat=True).last() or 0
        _offer(row, side, times, last + 1)


def confirm(
    session: Session,
    option_id: UUID,
    *,
    connection_given: Connection | None = None,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Confirm one of the consulting side's times for the requesting side, with its own connection.

    Raises Missing(FREE) when the consultant was taken meanwhile; then nothing has changed.
    """
    _settle(session, "confirm", option_id, connection_given, actor=actor, at=at, version=version)


def accept(
    session: Session,
    option_id: UUID,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Accept one of the requesting side's times for the consulting side. Raises as `confirm` does."""
    _settle(session, "accept", option_id, None, actor=actor, at=at, version=version)


def _settle(
    session: Session,
    move: str,
    option_id: UUID,
    connection_given: Connection | None,
    *,
    actor: Actor,
    at: datetime,
    version: int | None,
) -> None:
    option = _on_the_table(session).filter(pk=option_id, starts_at__gt=at).first()
    given = SessionFacts(time_chosen=option is not None, slot_free=True)
    try:
        with session_step(session, move, actor=actor, at=at, version=version, facts=lambda row: given) as row:
            assert option is not None  # noqa: S101  the table has just said so
            _take_turns(row.consultant_id)
            row.starts_at = option.starts_at
            row.during = TimestamptzRange(option.starts_at, option.starts_at + timedelta(minutes=row.minutes))
            if connection_given is not None:
                _connect(row, Side.REQUESTING, connection_given, actor)
            SessionOption.objects.filter(pk=option.pk).update(is_chosen=True)
            if row.consultation.clock:
                row.consultation.set_clock(row.consultation.clock.follow_session(option.starts_at))
    except IntegrityError as error:
        if "no_double_booking" in str(error):
            raise Missing(FREE) from None
        raise


def _take_turns(consultant_id: UUID) -> None:
    """Let one confirmation of a consultant pass at a time: without it overlapping ones end in deadlocks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(consultant_id)])


def start(session: Session, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Say that a confirmed session has begun."""
    with session_step(session, "start", actor=actor, at=at, version=version) as row:
        row.began_at = at


def hold(
    session: Session,
    *,
    ended_at: datetime,
    patient_present: bool | None = None,
    note: str = "",
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Say that the session took place; the request goes on to its conclusion in the same transaction."""
    with transaction.atomic():
        facts = lambda row: SessionFacts(began=_began(row, at))  # noqa: E731
        with session_step(session, "hold", actor=actor, at=at, version=version, facts=facts) as row:
            row.began_at = row.began_at or row.starts_at
            row.ended_at = max(ended_at, row.began_at) if row.began_at else ended_at
            row.patient_present, row.note = patient_present, note or row.note
            if row.consultation.clock:
                row.consultation.set_clock(row.consultation.clock.after_session(row.ended_at))
        given = Facts(session_was_held=True, no_open_session=True)
        with step(row.consultation, "session_held", actor=actor, at=at, facts=lambda locked: given):
            pass


def miss(
    session: Session, side: str, *, text: str = "", actor: Actor, at: datetime, version: int | None = None
) -> None:
    """Say which side didn't come; another session may be proposed, or the conclusion written without."""
    facts = lambda row: SessionFacts(began=_began(row, at), side_named=side in set(Side))  # noqa: E731
    with session_step(
        session, "miss", actor=actor, at=at, version=version, facts=facts, note=Note(text=text)
    ) as row:
        row.missing_side, row.reason_text, row.ended_at = side, text, at
        _give_time_up(row, keep_time=True)


def fail(session: Session, text: str, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Say that the session failed for technical reasons, and which."""
    facts = SessionFacts(reason_stated=bool(text.strip()))
    with session_step(
        session, "fail", actor=actor, at=at, version=version, facts=lambda row: facts, note=Note(text=text)
    ) as row:
        row.reason_text, row.ended_at = text, at
        _give_time_up(row, keep_time=True)


def cancel(
    session: Session,
    reason: str,
    text: str = "",
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Cancel a session that has not begun."""
    facts = SessionFacts(reason_stated=reason_is_stated(reason, text, CANCEL_REASONS))
    with session_step(
        session,
        "cancel",
        actor=actor,
        at=at,
        version=version,
        facts=lambda row: facts,
        note=Note(reason, text.strip()),
    ) as row:
        row.reason, row.reason_text = reason, text.strip()
        _give_time_up(row)


def cancel_open(consultation: Consultation, *, reason: str, actor: Actor, at: datetime) -> None:
    """Cancel the request's open session, if it has one: the request itself has ended."""
    session = Session.objects.filter(consultation=consultation, state__in=OPEN_SESSION).first()
    if session is not None:
        cancel(session, reason, actor=actor, at=at)


def options_on_the_table(session: Session) -> list[SessionOption]:
    """Return the newest offer's times, in order."""
    return list(_on_the_table(session))


def tested(actor: Actor, kind: str) -> str:
    """Say what the newest test of the actor's organisation's endpoint of this kind was, for the timetable."""
    tests = EquipmentTest.objects.filter(endpoint__kind=kind, endpoint__organization_id=actor.organization_id)
    newest = tests.order_by("-at").values_list("verdict", "at").first()
    return f"{newest[0]} {newest[1]:%Y-%m-%d}" if newest else ""


def _on_the_table(session: Session) -> QuerySet[SessionOption]:
    newest = SessionOption.objects.filter(session=session).order_by("-offer").values("offer")[:1]
    return SessionOption.objects.filter(session=session, offer=newest)


def _began(row: Session, at: datetime) -> bool:
    return row.starts_at is not None and at >= row.starts_at - EARLY


def _give_time_up(row: Session, *, keep_time: bool = False) -> None:
    """Free the consultant's time and let the request's clock run to its own due time again."""
    row.during = None
    if not keep_time:
        row.starts_at = None
        SessionOption.objects.filter(session=row, is_chosen=True).update(is_chosen=False)
    if row.consultation.clock:
        row.consultation.set_clock(row.consultation.clock.leave_session())


def _connect(row: Session, side: Side, given: Connection, actor: Actor) -> None:
    for name in ("dial", "pin", "phone", "technician"):
        setattr(row, f"{side}_{name}", getattr(given, name))
    setattr(row, f"{side}_connection", given.kind)
    setattr(row, f"{side}_test", tested(actor, given.kind))


def _offer(row: Session, side: Side, times: Sequence[datetime], number: int) -> None:
    SessionOption.objects.bulk_create(
        SessionOption(session=row, side=side, starts_at=moment, offer=number) for moment in sorted(set(times))
    )


def _check_times(times: Sequence[datetime], at: datetime) -> None:
    if not _times_are_good(times, at):
        raise Missing(TIMES)


def _times_are_good(times: Sequence[datetime], at: datetime) -> bool:
    return 0 < len(times) <= MOST_TIMES and all(moment > at for moment in times)

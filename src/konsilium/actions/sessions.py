"""Agreeing on a session, holding it, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from psycopg.types.range import TimestamptzRange

from konsilium.actions._record import Note, mark_read, record
from konsilium.actions._step import lock, save_way, session_step, step
from konsilium.models import Consultation, EquipmentTest, Session, SessionOption
from konsilium.workflow.consultation import Facts, State
from konsilium.workflow.machine import Missing, NotNow, NotYours, Refused
from konsilium.workflow.reasons import reason_is_stated
from konsilium.workflow.roles import CENTRE_ROLES, Actor
from konsilium.workflow.session import (
    BUSY,
    CANCEL_REASONS,
    FREE,
    OPEN_SESSION,
    TIMES,
    SessionFacts,
    SessionState,
)
from konsilium.workflow.words import CONNECTIONS, N_, Side

MOST_TIMES = 5
SHORTEST, LONGEST = 5, 240
# Nobody agrees on a time further ahead; a mistyped year is found by it.
AHEAD = timedelta(days=366)
# A session may be said to have begun this long before its time: people come early.
EARLY = timedelta(minutes=15)


class Unfit(Refused):
    """What was given about a session can't be so; the words say what would be right."""


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
    """Open a session of a request that needs video, with one to five times at which the consultant is free.

    Raises NotThere, Stale, NotNow (another one is open, or no video is awaited), NotYours, Missing or Unfit.
    """
    with transaction.atomic():
        row = lock(consultation, actor=actor, version=version)
        _may_propose(row, actor)
        session = _new_session(row, minutes, note, at)
        _check_offer(session, times, at)
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
        note=note.strip(),
        created_at=at,
    )


def propose_again(
    session: Session,
    times: Sequence[datetime],
    *,
    minutes: int | None = None,
    connection_given: Connection | None = None,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Put other times of the consulting side on the table; a confirmed time is given up by it.

    Raises what `session_step` raises, Missing(FREE) when a time is taken, and Unfit.
    """
    move = again_move(session)

    def change(row: Session) -> None:
        row.minutes = row.minutes if minutes is None else minutes
        if connection_given is not None:
            _connect(row, Side.CONSULTING, connection_given, actor)

    _offer_times(session, move, Side.CONSULTING, times, change, actor=actor, at=at, version=version)


def again_move(session: Session) -> str:
    """Return which move other times of the consulting side are: a confirmed session is rescheduled."""
    return "reschedule" if session.state == SessionState.CONFIRMED else "propose"


def counter(
    session: Session,
    times: Sequence[datetime],
    *,
    connection_given: Connection | None = None,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Put the requesting side's own times on the table, with its connection; a confirmed time is given up by it.

    Raises what `session_step` raises, and Unfit.
    """

    def change(row: Session) -> None:
        if connection_given is not None:
            _connect(row, Side.REQUESTING, connection_given, actor)

    _offer_times(session, "counter", Side.REQUESTING, times, change, actor=actor, at=at, version=version)


def _offer_times(
    session: Session,
    move: str,
    side: Side,
    times: Sequence[datetime],
    change: Callable[[Session], None],
    *,
    actor: Actor,
    at: datetime,
    version: int | None,
) -> None:
    given = SessionFacts(times_given=_lie_ahead(times, at))
    with session_step(session, move, actor=actor, at=at, version=version, facts=lambda row: given) as row:
        change(row)
        _check_offer(row, times, at)
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
    def facts(row: Session) -> SessionFacts:
        # The database alone knows whether the time is free; it answers below.
        return SessionFacts(time_chosen=_ahead_on_the_table(row, option_id, at).exists(), slot_free=True)

    try:
        with session_step(session, move, actor=actor, at=at, version=version, facts=facts) as row:
            _take_turns(row.consultant_id)
            _take_time(row, _ahead_on_the_table(row, option_id, at).get())
            if connection_given is not None:
                _connect(row, Side.REQUESTING, connection_given, actor)
    except IntegrityError as error:
        if "no_double_booking" in str(error):
            raise Missing(FREE) from None
        raise


def _take_turns(consultant_id: UUID) -> None:
    """Let one transaction at a time take a consultant's time: without it overlapping ones end in deadlocks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(consultant_id)])


def _take_time(row: Session, option: SessionOption) -> None:
    row.starts_at = option.starts_at
    row.during = _span(option.starts_at, row.minutes)
    SessionOption.objects.filter(pk=option.pk).update(is_chosen=True)
    if row.consultation.clock:
        row.consultation.set_clock(row.consultation.clock.follow_session(option.starts_at))


def start(session: Session, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Say that a confirmed session has begun, a quarter of an hour before its time at the earliest."""
    facts = lambda row: SessionFacts(began=_began(row, at))  # noqa: E731
    with session_step(session, "start", actor=actor, at=at, version=version, facts=facts) as row:
        _take_turns(row.consultant_id)
        row.began_at = at


def hold(
    session: Session,
    *,
    ended_at: datetime,
    began_at: datetime | None = None,
    patient_present: bool | None = None,
    note: str = "",
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Say that the session took place, from when to when; the request goes on to its conclusion in the same transaction.

    Without `began_at` it began when it was started, or at its time. Raises what `session_step` raises, and Unfit.
    """
    with transaction.atomic():
        facts = lambda row: SessionFacts(began=_began(row, at))  # noqa: E731
        with session_step(session, "hold", actor=actor, at=at, version=version, facts=facts) as row:
            _take_turns(row.consultant_id)
            row.began_at = began_at or row.began_at or min(row.starts_at or ended_at, ended_at)
            row.ended_at = ended_at
            if not row.began_at <= ended_at <= at:
                raise Unfit(N_("A session ends after it has begun, and not in the future."))
            row.patient_present, row.note = patient_present, note.strip() or row.note
            if row.consultation.clock:
                row.consultation.set_clock(row.consultation.clock.after_session(ended_at))
        given = Facts(session_was_held=True, no_open_session=True)
        with step(row.consultation, "session_held", actor=actor, at=at, facts=lambda locked: given):
            pass


def miss(
    session: Session, side: str, *, text: str = "", actor: Actor, at: datetime, version: int | None = None
) -> None:
    """Say which side didn't come; another session may be proposed, or the conclusion written without."""

    def facts(row: Session) -> SessionFacts:
        came = row.starts_at is not None and at >= row.starts_at
        return SessionFacts(began=came, side_named=side in set(Side))

    with session_step(
        session, "miss", actor=actor, at=at, version=version, facts=facts, note=Note(text=text.strip())
    ) as row:
        row.missing_side, row.reason_text, row.ended_at = side, text.strip(), at
        _give_time_up(row, keep_time=True)


def fail(session: Session, text: str, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Say that the session failed for technical reasons, and which."""
    facts = SessionFacts(reason_stated=bool(text.strip()))
    note = Note(text=text.strip())
    with session_step(
        session, "fail", actor=actor, at=at, version=version, facts=lambda row: facts, note=note
    ) as row:
        row.reason_text, row.ended_at = text.strip(), at
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


def taken(consultant_id: UUID, *, since: datetime, until: datetime) -> QuerySet[Session]:
    """Return the sessions that take this consultant's time between two moments, as far as the reader may see them."""
    rows = Session.objects.filter(consultant_id=consultant_id, state__in=BUSY)
    return rows.filter(during__overlap=TimestamptzRange(since, until)).order_by("starts_at", "id")


def tested(actor: Actor, kind: str) -> str:
    """Say what the newest test of the actor's organisation's endpoint of this kind was: its verdict's code and date."""
    tests = EquipmentTest.objects.filter(endpoint__kind=kind, endpoint__organization_id=actor.organization_id)
    newest = tests.order_by("-at").values_list("verdict", "at").first()
    return f"{newest[0]} {newest[1]:%Y-%m-%d}" if newest else ""


def _on_the_table(session: Session) -> QuerySet[SessionOption]:
    newest = SessionOption.objects.filter(session=session).order_by("-offer").values("offer")[:1]
    return SessionOption.objects.filter(session=session, offer=newest)


def _ahead_on_the_table(row: Session, option_id: UUID, at: datetime) -> QuerySet[SessionOption]:
    return _on_the_table(row).filter(pk=option_id, starts_at__gt=at)


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
    if given.kind not in CONNECTIONS:
        raise Unfit(N_("Choose how your side connects."))
    for name in ("dial", "pin", "phone", "technician"):
        setattr(row, f"{side}_{name}", getattr(given, name).strip())
    setattr(row, f"{side}_connection", given.kind)
    setattr(row, f"{side}_test", tested(actor, given.kind))


def _offer(row: Session, side: Side, times: Sequence[datetime], number: int) -> None:
    SessionOption.objects.bulk_create(
        SessionOption(session=row, side=side, starts_at=moment, offer=number) for moment in sorted(set(times))
    )


def _lie_ahead(times: Sequence[datetime], at: datetime) -> bool:
    return bool(times) and all(moment > at for moment in times)


def _check_offer(row: Session, times: Sequence[datetime], at: datetime) -> None:
    if not _lie_ahead(times, at):
        raise Missing(TIMES)
    if len(times) > MOST_TIMES:
        raise Unfit(N_("Offer five times at most."))
    if any(moment > at + AHEAD for moment in times):
        raise Unfit(N_("Choose times within a year from now."))
    if not SHORTEST <= row.minutes <= LONGEST:
        raise Unfit(N_("A session takes from 5 minutes to 4 hours."))
    if _is_taken(row, times):
        raise Missing(FREE)


def _is_taken(row: Session, times: Sequence[datetime]) -> bool:
    """Say whether a session that the actor may see takes one of the times; at confirming, the database decides."""
    busy = Q()
    for moment in times:
        busy |= Q(during__overlap=_span(moment, row.minutes))
    rows = Session.objects.filter(busy, consultant_id=row.consultant_id, state__in=BUSY)
    return rows.exclude(pk=row.pk).exists()


def _span(begins: datetime, minutes: int) -> TimestamptzRange:
    return TimestamptzRange(begins, begins + timedelta(minutes=minutes))

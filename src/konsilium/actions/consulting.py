"""The consultant's decisions: is video needed, is more needed, is it theirs at all."""

from datetime import datetime

from konsilium.actions._record import Note
from konsilium.actions._step import step
from konsilium.actions.conversation import put_question
from konsilium.models import Consultation, Event, Message, Session
from konsilium.workflow.consultation import Facts
from konsilium.workflow.reasons import reason_is_stated
from konsilium.workflow.roles import Actor
from konsilium.workflow.session import FELL_THROUGH, OPEN_SESSION, SessionState


def need_video(consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Decide that a video session is needed; its times are proposed next."""
    with step(consultation, "need_video", actor=actor, at=at, version=version):
        pass


def no_video(consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Decide to answer without video: on to the conclusion."""
    with step(consultation, "no_video", actor=actor, at=at, version=version):
        pass


def reconsider(consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None) -> None:
    """Take the decision about video back. An open session must be cancelled first."""
    with step(consultation, "reconsider", actor=actor, at=at, version=version, facts=session_facts):
        pass


def give_up_video(
    consultation: Consultation, *, actor: Actor, at: datetime, version: int | None = None
) -> None:
    """Go on to the conclusion after a session that failed, was missed or cancelled."""
    with step(consultation, "give_up_video", actor=actor, at=at, version=version, facts=session_facts):
        pass


def ask_back(
    consultation: Consultation, text: str, *, actor: Actor, at: datetime, version: int | None = None
) -> Message:
    """Ask the requester for more; the clock stands still, unless it is an emergency."""
    given = Facts(text_given=bool(text.strip()))
    with step(consultation, "ask", actor=actor, at=at, version=version, facts=lambda row: given) as row:
        return put_question(row, text, actor=actor, at=at)


def hand_back(
    consultation: Consultation,
    reason: str,
    text: str = "",
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> None:
    """Give the request back to the own dispatcher with a reason that the requesting side never sees."""
    given = Facts(reason_stated=reason_is_stated(reason, text))
    note = Note(reason, text.strip(), Event.CENTRE)
    with step(
        consultation, "hand_back", actor=actor, at=at, version=version, facts=lambda row: given, note=note
    ) as row:
        row.consultant, row.consultant_name = None, ""


def session_facts(row: Consultation) -> Facts:
    """Return what the request's sessions say for the rules."""
    states = set(Session.objects.filter(consultation=row).values_list("state", flat=True))
    return Facts(
        no_open_session=not states & OPEN_SESSION,
        session_was_held=SessionState.HELD in states,
        session_fell_through=bool(states & FELL_THROUGH),
    )

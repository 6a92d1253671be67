"""The video session's machine. A request may have several; at most one of them is open."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from konsilium.workflow.machine import Machine, Need, Transition
from konsilium.workflow.reasons import OTHER
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_


class SessionState(StrEnum):
    """Where a session stands."""

    PROPOSED = "proposed"
    COUNTER_PROPOSED = "counter_proposed"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    HELD = "held"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    FAILED = "failed"


SESSION_STATE_LABELS = {
    SessionState.PROPOSED: N_("Times proposed"),
    SessionState.COUNTER_PROPOSED: N_("Other times proposed"),
    SessionState.CONFIRMED: N_("Time confirmed"),
    SessionState.IN_PROGRESS: N_("In progress"),
    SessionState.HELD: N_("Held"),
    SessionState.CANCELLED: N_("Cancelled"),
    SessionState.NO_SHOW: N_("One side didn't come"),
    SessionState.FAILED: N_("Failed for technical reasons"),
}

OPEN_SESSION = frozenset(
    {
        SessionState.PROPOSED,
        SessionState.COUNTER_PROPOSED,
        SessionState.CONFIRMED,
        SessionState.IN_PROGRESS,
    }
)

# These take the consultant's time: the database lets no two of them overlap.
BUSY = frozenset({SessionState.CONFIRMED, SessionState.IN_PROGRESS, SessionState.HELD})

FELL_THROUGH = frozenset({SessionState.CANCELLED, SessionState.NO_SHOW, SessionState.FAILED})

SESSION_MOVE_LABELS = {
    "propose": N_("Propose times"),
    "counter": N_("Propose other times"),
    "confirm": N_("Confirm a time"),
    "accept": N_("Accept a time of the requesting side"),
    "reschedule": N_("Propose new times"),
    "start": N_("Start the session"),
    "hold": N_("The session was held"),
    "miss": N_("A side didn't come"),
    "fail": N_("The session failed"),
    "cancel": N_("Cancel the session"),
}

CANCEL_REASONS = {
    "not_needed": N_("No longer needed"),
    "participant_unavailable": N_("A participant can't come"),
    "equipment": N_("Equipment is not ready"),
    "request_withdrawn": N_("The request was withdrawn"),
    OTHER: N_("Other reason"),
}


@dataclass(frozen=True)
class SessionFacts:
    """What the needs of a session's moves look at."""

    times_given: bool = False
    time_chosen: bool = False
    slot_free: bool = False
    connection_given: bool = False
    began: bool = False
    side_named: bool = False
    reason_stated: bool = False


TIMES = Need("times_given", N_("Give at least one time in the future."))
CHOSEN = Need("time_chosen", N_("Choose one of the proposed times that is still ahead."))
FREE = Need("slot_free", N_("The consultant is already taken at this time. Choose another."))
BEGAN = Need("began", N_("The session's time has not come yet."))
SIDE = Need("side_named", N_("Say which side didn't come."))
REASON = Need("reason_stated", N_("State the reason; 'other' needs a text."))


def _rows() -> Iterator[Transition]:
    s, r = SessionState, Role
    for role in (r.CONSULTANT, r.DISPATCHER):
        yield Transition("propose", s.PROPOSED, s.PROPOSED, role, (TIMES,))
        yield Transition("propose", s.COUNTER_PROPOSED, s.PROPOSED, role, (TIMES,))
        # The requesting side offered these times itself, which is its confirmation.
        yield Transition("accept", s.COUNTER_PROPOSED, s.CONFIRMED, role, (CHOSEN, FREE))
        yield Transition("reschedule", s.CONFIRMED, s.PROPOSED, role, (TIMES,))
        for state in (s.PROPOSED, s.COUNTER_PROPOSED, s.CONFIRMED):
            yield Transition("cancel", state, s.CANCELLED, role, (REASON,))

    yield Transition("counter", s.PROPOSED, s.COUNTER_PROPOSED, r.REQUESTER, (TIMES,))
    yield Transition("counter", s.COUNTER_PROPOSED, s.COUNTER_PROPOSED, r.REQUESTER, (TIMES,))
    yield Transition("counter", s.CONFIRMED, s.COUNTER_PROPOSED, r.REQUESTER, (TIMES,))
    yield Transition("confirm", s.PROPOSED, s.CONFIRMED, r.REQUESTER, (CHOSEN, FREE))
    for state in (s.PROPOSED, s.COUNTER_PROPOSED, s.CONFIRMED):
        yield Transition("cancel", state, s.CANCELLED, r.REQUESTER, (REASON,))

    yield Transition("start", s.CONFIRMED, s.IN_PROGRESS, r.CONSULTANT, (BEGAN,))
    for state in (s.CONFIRMED, s.IN_PROGRESS):
        yield Transition("hold", state, s.HELD, r.CONSULTANT, (BEGAN,))
        yield Transition("miss", state, s.NO_SHOW, r.CONSULTANT, (BEGAN, SIDE))
        yield Transition("fail", state, s.FAILED, r.CONSULTANT, (REASON,))


SESSION_MACHINE = Machine(SessionState, _rows(), initial=SessionState.PROPOSED, labels=SESSION_MOVE_LABELS)

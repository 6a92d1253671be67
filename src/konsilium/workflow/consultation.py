"""The request's own machine: its states, its moves, and whose turn it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from konsilium.workflow.machine import Machine, Need, Transition
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_


class State(StrEnum):
    """Where a request stands. 'Overdue' and 'video failed' are never states."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CLARIFICATION = "clarification"
    ASSIGNED = "assigned"
    SESSION = "session"
    CONCLUSION = "conclusion"
    COMPLETED = "completed"
    CLOSED = "closed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


STATE_LABELS = {
    State.DRAFT: N_("Draft"),
    State.SUBMITTED: N_("Received by the centre"),
    State.CLARIFICATION: N_("More information asked"),
    State.ASSIGNED: N_("With the consultant"),
    State.SESSION: N_("Video consultation"),
    State.CONCLUSION: N_("Conclusion in preparation"),
    State.COMPLETED: N_("Conclusion placed"),
    State.CLOSED: N_("Closed"),
    State.REJECTED: N_("Rejected by the centre"),
    State.WITHDRAWN: N_("Withdrawn"),
}

FINAL = frozenset({State.CLOSED, State.REJECTED, State.WITHDRAWN})
OPEN = frozenset(set(State) - FINAL - {State.DRAFT})

MOVE_LABELS = {
    "submit": N_("Send to the centre"),
    "assign": N_("Assign a consultant"),
    "ask": N_("Ask for more information"),
    "reject": N_("Reject"),
    "pass_on": N_("Pass to another centre"),
    "answer": N_("Answer and send back"),
    "withdraw": N_("Withdraw"),
    "reassign": N_("Assign another consultant"),
    "hand_back": N_("Hand back to the dispatcher"),
    "need_video": N_("Video is needed"),
    "no_video": N_("No video: to the conclusion"),
    "reconsider": N_("Reconsider the need for video"),
    "session_held": N_("Session held: to the conclusion"),
    "give_up_video": N_("Go on without video"),
    "place": N_("Place the conclusion"),
    "correct": N_("Place a corrected conclusion"),
    "acknowledge": N_("Confirm that it was read"),
    "close": N_("Close with the outcome"),
    "expire": N_("Close without an outcome"),
}


@dataclass(frozen=True)
class Facts:
    """What the needs of the moves look at; models fill it, an absent fact is false."""

    sendable: bool = False
    route_open: bool = False
    consultant_named: bool = False
    other_centre_named: bool = False
    text_given: bool = False
    reason_stated: bool = False
    asked_by_dispatcher: bool = False
    asked_by_consultant: bool = False
    answer_term_passed: bool = False
    no_open_session: bool = False
    session_was_held: bool = False
    session_fell_through: bool = False
    conclusion_ready: bool = False
    correction_explained: bool = False
    no_open_council: bool = False
    council_signed: bool = False
    no_council_signed: bool = False
    outcome_given: bool = False
    not_yet_acknowledged: bool = False
    outcome_term_passed: bool = False


SENDABLE = Need("sendable", N_("The request is not complete yet."))
ROUTE = Need("route_open", N_("This centre doesn't take requests of this profile from your organisation."))
CONSULTANT = Need("consultant_named", N_("Choose a consultant of your centre."))
OTHER_CENTRE = Need("other_centre_named", N_("Choose another centre that takes this profile."))
TEXT = Need("text_given", N_("Write what is needed, in words."))
REASON = Need("reason_stated", N_("State the reason; 'other' needs a text."))
ASKED_BY_DISPATCHER = Need("asked_by_dispatcher", N_("The question came from the consultant."))
ASKED_BY_CONSULTANT = Need("asked_by_consultant", N_("The question came from the dispatcher."))
ANSWER_TERM = Need("answer_term_passed", N_("The term for the answer has not passed yet."))
NO_SESSION = Need("no_open_session", N_("There is an open session: hold or cancel it first."))
HELD = Need("session_was_held", N_("No session has been held yet."))
FELL_THROUGH = Need(
    "session_fell_through",
    N_("Only a session that failed, was missed or cancelled allows going on without video."),
)
READY = Need(
    "conclusion_ready",
    N_("The conclusion is not ready: every question answered and the scan of the signed paper attached."),
)
NO_COUNCIL = Need("no_open_council", N_("A council sits: its secretary places the signed protocol."))
COUNCIL_SIGNED = Need("council_signed", N_("Somebody of the council has not signed the protocol yet."))
ONE_AUTHOR = Need(
    "no_council_signed",
    N_("A council has signed this request's protocol: only a council changes it. Call the council again."),
)
EXPLAINED = Need("correction_explained", N_("Say what the correction changes and why."))
OUTCOME = Need("outcome_given", N_("Report what became of the patient."))
UNREAD = Need("not_yet_acknowledged", N_("It is confirmed already."))
OUTCOME_TERM = Need("outcome_term_passed", N_("The term for the outcome has not passed yet."))


def _rows() -> Iterator[Transition]:
    s, r = State, Role
    yield Transition("submit", s.DRAFT, s.SUBMITTED, r.REQUESTER, (SENDABLE, ROUTE))

    yield Transition("assign", s.SUBMITTED, s.ASSIGNED, r.DISPATCHER, (CONSULTANT,))
    yield Transition("ask", s.SUBMITTED, s.CLARIFICATION, r.DISPATCHER, (TEXT,))
    yield Transition("pass_on", s.SUBMITTED, s.SUBMITTED, r.DISPATCHER, (OTHER_CENTRE,))
    yield Transition("reject", s.SUBMITTED, s.REJECTED, r.DISPATCHER, (REASON,))

    # The answer leads back to where the question came from.
    yield Transition("answer", s.CLARIFICATION, s.SUBMITTED, r.REQUESTER, (TEXT, ASKED_BY_DISPATCHER))
    yield Transition("answer", s.CLARIFICATION, s.ASSIGNED, r.REQUESTER, (TEXT, ASKED_BY_CONSULTANT))
    yield Transition("reject", s.CLARIFICATION, s.REJECTED, r.DISPATCHER, (REASON, ANSWER_TERM))

    yield Transition("no_video", s.ASSIGNED, s.CONCLUSION, r.CONSULTANT)
    yield Transition("need_video", s.ASSIGNED, s.SESSION, r.CONSULTANT)
    yield Transition("ask", s.ASSIGNED, s.CLARIFICATION, r.CONSULTANT, (TEXT,))
    yield Transition("hand_back", s.ASSIGNED, s.SUBMITTED, r.CONSULTANT, (REASON,))
    yield Transition("reassign", s.ASSIGNED, s.ASSIGNED, r.DISPATCHER, (CONSULTANT,))

    yield Transition("session_held", s.SESSION, s.CONCLUSION, r.CONSULTANT, (HELD, NO_SESSION))
    yield Transition("give_up_video", s.SESSION, s.CONCLUSION, r.CONSULTANT, (FELL_THROUGH, NO_SESSION))
    # Ours: the need for video can be thought over again, and an ill consultant replaced, at any stage.
    yield Transition("reconsider", s.SESSION, s.ASSIGNED, r.CONSULTANT, (NO_SESSION,))
    yield Transition("reassign", s.SESSION, s.SESSION, r.DISPATCHER, (CONSULTANT, NO_SESSION))
    yield Transition("reconsider", s.CONCLUSION, s.ASSIGNED, r.CONSULTANT)
    yield Transition("reassign", s.CONCLUSION, s.CONCLUSION, r.DISPATCHER, (CONSULTANT,))

    yield Transition("place", s.CONCLUSION, s.COMPLETED, r.CONSULTANT, (NO_COUNCIL, ONE_AUTHOR, READY))
    yield Transition("place", s.CONCLUSION, s.COMPLETED, r.SECRETARY, (COUNCIL_SIGNED, READY))
    # What several doctors have signed, one of them doesn't change alone: the council is called again.
    yield Transition(
        "correct", s.COMPLETED, s.COMPLETED, r.CONSULTANT, (NO_COUNCIL, ONE_AUTHOR, READY, EXPLAINED)
    )
    yield Transition("correct", s.COMPLETED, s.COMPLETED, r.SECRETARY, (COUNCIL_SIGNED, READY, EXPLAINED))
    yield Transition("acknowledge", s.COMPLETED, s.COMPLETED, r.REQUESTER, (UNREAD,))
    yield Transition("close", s.COMPLETED, s.CLOSED, r.REQUESTER, (OUTCOME,))
    yield Transition("expire", s.COMPLETED, s.CLOSED, r.SYSTEM, (OUTCOME_TERM,))

    for state in (s.SUBMITTED, s.CLARIFICATION, s.ASSIGNED, s.SESSION, s.CONCLUSION):
        yield Transition("withdraw", state, s.WITHDRAWN, r.REQUESTER, (REASON,))


MACHINE = Machine(State, _rows(), initial=State.DRAFT, labels=MOVE_LABELS)


class Turn(StrEnum):
    """Who has to do something now."""

    REQUESTER = "requester"
    DISPATCHER = "dispatcher"
    CONSULTANT = "consultant"
    BOTH = "both"
    NOBODY = "nobody"


TURN_LABELS = {
    Turn.REQUESTER: N_("The requesting doctor's turn"),
    Turn.DISPATCHER: N_("The dispatcher's turn"),
    Turn.CONSULTANT: N_("The consultant's turn"),
    Turn.BOTH: N_("Both sides wait for the session"),
    Turn.NOBODY: N_("Nothing left to do"),
}

_TURN_BY_STATE = {
    State.DRAFT: Turn.REQUESTER,
    State.SUBMITTED: Turn.DISPATCHER,
    State.CLARIFICATION: Turn.REQUESTER,
    State.ASSIGNED: Turn.CONSULTANT,
    State.SESSION: Turn.CONSULTANT,
    State.CONCLUSION: Turn.CONSULTANT,
    State.COMPLETED: Turn.REQUESTER,
}

# While a session is open, it says whose turn it is.
_TURN_BY_SESSION = {
    "proposed": Turn.REQUESTER,
    "counter_proposed": Turn.CONSULTANT,
    "confirmed": Turn.BOTH,
    "in_progress": Turn.BOTH,
}


def turn_of(state: str, open_session_state: str | None = None) -> Turn:
    """Return whose turn it is in this state, with the open session's state where there is one."""
    if state == State.SESSION and open_session_state:
        return _TURN_BY_SESSION.get(open_session_state, Turn.CONSULTANT)
    return _TURN_BY_STATE.get(State(state), Turn.NOBODY)

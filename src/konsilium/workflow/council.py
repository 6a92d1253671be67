"""The council's machine: called, opinions sealed and opened together, discussed, decided, its protocol signed by each.

Source: order 203n and the process page, section "Conclusion" (council protocol). What is ours is said so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from konsilium.workflow.machine import Machine, Need, Transition
from konsilium.workflow.reasons import OTHER
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_


class CouncilState(StrEnum):
    """Where a council stands."""

    GATHERING = "gathering"
    DISCUSSION = "discussion"
    DECIDED = "decided"
    SIGNING = "signing"
    SIGNED = "signed"
    CANCELLED = "cancelled"


COUNCIL_STATE_LABELS = {
    CouncilState.GATHERING: N_("Members write their opinions, sealed"),
    CouncilState.DISCUSSION: N_("Opinions are open, discussion"),
    CouncilState.DECIDED: N_("Decided, the protocol is drafted"),
    CouncilState.SIGNING: N_("The protocol is being signed"),
    CouncilState.SIGNED: N_("The protocol is signed by everybody"),
    CouncilState.CANCELLED: N_("Cancelled"),
}

OPEN_COUNCIL = frozenset(set(CouncilState) - {CouncilState.SIGNED, CouncilState.CANCELLED})

COUNCIL_MOVE_LABELS = {
    "open": N_("Open the opinions together"),
    "decide": N_("Write down the decision"),
    "rediscuss": N_("Go back to the discussion"),
    "submit": N_("Give the protocol to be signed"),
    "sign": N_("Sign the protocol"),
    "sign_last": N_("Sign the protocol as its chair"),
    "refuse": N_("Refuse to sign"),
    "cancel": N_("Cancel the council"),
}


class SeatKind(StrEnum):
    """What somebody is in a council."""

    CHAIR = "chair"
    SECRETARY = "secretary"
    MEMBER = "member"


SEAT_LABELS = {
    SeatKind.CHAIR: N_("Chair"),
    SeatKind.SECRETARY: N_("Secretary"),
    SeatKind.MEMBER: N_("Member"),
}

SEAT_STATE_LABELS = {
    "invited": N_("Invited"),
    "accepted": N_("Takes part"),
    "declined": N_("Declined"),
    "replaced": N_("Replaced by a substitute"),
}

FORM_LABELS = {"in_person": N_("In person"), "remote": N_("Remotely")}

CANCEL_COUNCIL_REASONS = {
    "not_needed": N_("No longer needed"),
    "no_quorum": N_("Too few members can take part"),
    "request_withdrawn": N_("The request was withdrawn"),
    "request_closed": N_("The request was closed"),
    OTHER: N_("Other reason"),
}

# Not for people to choose: the request's own end ends its council.
BY_ITSELF = frozenset({"request_withdrawn", "request_closed"})

# A council is a meeting of several doctors (art. 48 of 323-FZ); three is ours, a setting of each call.
FEWEST = 2
QUORUM = 3
# Ours: for how long the members can still read what they signed.
READABLE_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class CouncilFacts:
    """What the needs of a council's moves look at."""

    quorum_present: bool = False
    opinions_sealed: bool = False
    decision_written: bool = False
    protocol_ready: bool = False
    others_signed: bool = False
    not_yet_signed: bool = False
    reason_stated: bool = False


PRESENT = Need("quorum_present", N_("Too few members have accepted: the quorum is not reached."))
SEALED = Need("opinions_sealed", N_("Somebody who takes part has not sealed their opinion yet."))
DECISION = Need("decision_written", N_("Write the decision."))
PROTOCOL = Need("protocol_ready", N_("The protocol is not ready: finish its text and its print form."))
OTHERS = Need("others_signed", N_("The chair signs last: somebody has not signed yet."))
UNSIGNED = Need("not_yet_signed", N_("You have signed already."))
REASON = Need("reason_stated", N_("State the reason; 'other' needs a text."))


def _rows() -> Iterator[Transition]:
    s, r = CouncilState, Role
    for role in (r.CHAIR, r.SECRETARY):
        yield Transition("open", s.GATHERING, s.DISCUSSION, role, (PRESENT, SEALED))
        yield Transition("decide", s.DISCUSSION, s.DECIDED, role, (PRESENT, DECISION))
        yield Transition("rediscuss", s.DECIDED, s.DISCUSSION, role)
    yield Transition("submit", s.DECIDED, s.SIGNING, r.SECRETARY, (PROTOCOL,))
    for role in (r.COUNCIL_MEMBER, r.SECRETARY):
        yield Transition("sign", s.SIGNING, s.SIGNING, role, (UNSIGNED,))
    yield Transition("sign_last", s.SIGNING, s.SIGNED, r.CHAIR, (OTHERS, UNSIGNED))
    for role in (r.COUNCIL_MEMBER, r.SECRETARY, r.CHAIR):
        # The signatures given so far are void: the next protocol is another paper.
        yield Transition("refuse", s.SIGNING, s.DECIDED, role, (REASON,))
    for role in (r.CONSULTANT, r.DISPATCHER, r.CHAIR):
        for state in (s.GATHERING, s.DISCUSSION, s.DECIDED):
            yield Transition("cancel", state, s.CANCELLED, role, (REASON,))
    # The request has ended: whatever the council was at, it is over.
    for state in (s.GATHERING, s.DISCUSSION, s.DECIDED, s.SIGNING):
        yield Transition("cancel", state, s.CANCELLED, r.SYSTEM, (REASON,))


COUNCIL_MACHINE = Machine(CouncilState, _rows(), initial=CouncilState.GATHERING, labels=COUNCIL_MOVE_LABELS)

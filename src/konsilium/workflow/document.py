"""The document's machine: bytes are kept from the first moment, and shown only when nothing speaks against it."""

from dataclasses import dataclass
from enum import StrEnum

from konsilium.workflow.machine import Machine, Need, Transition
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_

MAX_BYTES = 100 * 1024 * 1024


class DocumentState(StrEnum):
    """Where a document stands."""

    QUARANTINED = "quarantined"
    AVAILABLE = "available"
    REFUSED = "refused"
    REMOVED = "removed"
    SUPERSEDED = "superseded"


DOCUMENT_STATE_LABELS = {
    DocumentState.QUARANTINED: N_("Being checked"),
    DocumentState.AVAILABLE: N_("Available"),
    DocumentState.REFUSED: N_("Refused by the check"),
    DocumentState.REMOVED: N_("Removed"),
    DocumentState.SUPERSEDED: N_("Superseded by a newer version"),
}


@dataclass(frozen=True)
class DocumentFacts:
    """What the needs of a document's moves look at."""

    not_sent_yet: bool = False


NOT_SENT = Need("not_sent_yet", N_("The document was sent already and stays in the record."))

_S = DocumentState
DOCUMENT_MACHINE = Machine(
    DocumentState,
    (
        Transition("release", _S.QUARANTINED, _S.AVAILABLE, Role.SYSTEM),
        Transition("refuse", _S.QUARANTINED, _S.REFUSED, Role.SYSTEM),
        *(
            Transition("remove", state, _S.REMOVED, role, (NOT_SENT,))
            for state in (_S.QUARANTINED, _S.AVAILABLE, _S.REFUSED)
            for role in (Role.REQUESTER, Role.CONSULTANT)
        ),
        Transition("supersede", _S.AVAILABLE, _S.SUPERSEDED, Role.CONSULTANT),
    ),
    initial=_S.QUARANTINED,
    labels={
        "release": N_("Release"),
        "refuse": N_("Refuse"),
        "remove": N_("Remove"),
        "supersede": N_("Supersede"),
    },
)

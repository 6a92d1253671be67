"""What the QR on a scan of signed paper says, compared with the edition that the scan is laid to.

The code on a print form names the form and the hash of its words. A scan whose code is of other words shows another
edition: it can't stand for this one. Where no code is read a person compares by eye and says so.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from konsilium.actions.papers import words_of
from konsilium.actions.printing import SHORT, digest_of
from konsilium.models import Conclusion, Document
from konsilium.workflow.words import N_

OURS = re.compile(rf"/papers/[0-9a-f-]{{36}}/#([0-9a-f]{{{SHORT}}})$")
# Where a document's facts keep the codes, and who has compared it by eye.
CODES, COMPARED_BY = "paper_codes", "compared_by"


class Match(StrEnum):
    """What a scan's code says of the edition."""

    SAME = "same"
    OTHER = "other"
    UNREADABLE = "unreadable"
    BY_EYE = "by eye"
    WAITING = "waiting"


MATCH_LABELS = {
    Match.SAME: N_("The code on the paper is this edition's."),
    Match.OTHER: N_(
        "The code on the paper is another edition's. Print this one, have it signed and scan that."
    ),
    Match.UNREADABLE: N_("No code was read. Compare the paper with this edition by eye."),
    Match.BY_EYE: N_("No code was read; compared by eye."),
}
SAID = frozenset(MATCH_LABELS) - {Match.WAITING}


def codes_in(texts: Iterable[str]) -> list[str]:
    """Return the codes of content among what QR codes say; what is no print form's is left out."""
    return sorted({found[1] for text in texts if (found := OURS.search(text))})


def present_code(draft: Conclusion) -> str:
    """Return the code that a form of the conclusion as it stands now carries."""
    kind = "protocol" if draft.council_id else "conclusion"
    return digest_of(words_of(kind, draft))[:SHORT]


def match_of(codes: list[str], draft: Conclusion) -> Match:
    """Compare codes with the conclusion as it stands now; one foreign page makes the paper another edition's."""
    if not codes:
        return Match.UNREADABLE
    return Match.SAME if codes == [present_code(draft)] else Match.OTHER


def match_of_scan(scan: Document, draft: Conclusion) -> Match:
    """Say what is known of a scan; WAITING until the inspector has read it."""
    codes = scan.facts.get(CODES)
    if codes is None:
        return Match.WAITING
    match = match_of(codes, draft)
    return Match.BY_EYE if match is Match.UNREADABLE and scan.facts.get(COMPARED_BY) else match


def is_other(scans: Iterable[Document], draft: Conclusion) -> bool:
    """Say whether a scan's code is of another edition."""
    return any(match_of_scan(scan, draft) is Match.OTHER for scan in scans if scan.facts.get(CODES))

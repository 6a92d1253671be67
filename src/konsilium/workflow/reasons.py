"""Why a request is rejected or handed back (our list; a centre's own reasons may be added as data later)."""

from konsilium.workflow.words import N_

OTHER = "other"

REASONS = {
    "wrong_profile": N_("Wrong profile"),
    "wrong_route": N_("Wrong level or route"),
    "documents_missing": N_("Documents are missing"),
    "documents_unreadable": N_("Documents are unreadable"),
    "examination_incomplete": N_("Examination is incomplete"),
    "no_consent": N_("No consent"),
    "duplicate": N_("Duplicate"),
    "identity_mismatch": N_("Patient identity mismatch"),
    "admission_needed": N_("In-person admission is needed at once"),
    "question_not_stated": N_("The question is not stated"),
    "no_specialist": N_("No specialist"),
    OTHER: N_("Other reason"),
}


def reason_is_stated(code: str, text: str) -> bool:
    """Say whether the reason is one of the list and, for 'other', has a text."""
    return code in REASONS and (code != OTHER or bool(text.strip()))

"""Why a request is rejected, handed back or withdrawn (our lists; a centre's own may be added as data later)."""

from collections.abc import Mapping

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


WITHDRAWAL_REASONS = {
    "not_needed": N_("The consultation is no longer needed"),
    "patient_left": N_("The patient was transferred or left"),
    "patient_refused": N_("The patient refused the consultation"),
    "patient_died": N_("The patient died"),
    "duplicate": N_("Duplicate"),
    "by_mistake": N_("Sent by mistake"),
    OTHER: N_("Other reason"),
}


def reason_is_stated(code: str, text: str, reasons: Mapping[str, str] = REASONS) -> bool:
    """Say whether the reason is one of the list and, for 'other', has a text."""
    return code in reasons and (code != OTHER or bool(text.strip()))

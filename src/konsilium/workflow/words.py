"""The words people see for the rules' codes, as English message ids; the catalogue holds the Russian ones."""

from enum import StrEnum


def N_(text: str) -> str:  # noqa: N802  the usual name of this mark
    """Mark a text for the catalogue and return it unchanged; a page translates it."""
    return text


class Urgency(StrEnum):
    """Form of care. Outside systems number it differently, so an outside code never gets in here."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    PLANNED = "planned"


class Side(StrEnum):
    """The two sides of a consultation."""

    REQUESTING = "requesting"
    CONSULTING = "consulting"


URGENCIES = {
    Urgency.EMERGENCY: N_("Emergency"),
    Urgency.URGENT: N_("Urgent"),
    Urgency.PLANNED: N_("Planned"),
}

SIDES = {Side.REQUESTING: N_("Requesting side"), Side.CONSULTING: N_("Consulting side")}

KINDS = {"consultation": N_("Consultation"), "council": N_("Council")}
MODES = {"deferred": N_("Deferred"), "real_time": N_("Real time, by video")}
OCCURRENCES = {"first": N_("First"), "repeat": N_("Repeat")}
SEXES = {"male": N_("Male"), "female": N_("Female")}
CERTAINTIES = {
    "preliminary": N_("Preliminary diagnosis"),
    "clinical": N_("Clinical diagnosis"),
    "final": N_("Final diagnosis"),
}

GOALS = {
    "diagnosis": N_("Diagnosis"),
    "tactics": N_("Treatment tactics and methods of diagnosis"),
    "referral": N_("Agreeing a referral"),
    "transfer": N_("Agreeing a transfer"),
    "study": N_("Interpreting a study"),
    "expert": N_("Expert opinion on a study"),
    "review": N_("Case review"),
    "observation": N_("Remote observation"),
    "other": N_("Other goal"),
}

CONSENTS = {
    "written": N_("Written consent, scan attached"),
    "electronic": N_("Electronic consent"),
    "exception": N_("Without consent: exception of article 20 of 323-FZ"),
}

OUTCOMES = {
    "treated_here": N_("Treated on the spot by the recommendations"),
    "improved": N_("Improved"),
    "unchanged": N_("Unchanged"),
    "worse": N_("Worse"),
    "transferred": N_("Transferred or sent to the centre"),
    "died": N_("Died"),
    "refused": N_("Patient refused the recommendations"),
    "none": N_("No outcome reported"),
}

DOCUMENT_KINDS = {
    "extract": N_("Extract from the case history or outpatient card"),
    "consent": N_("Consent"),
    "cbct": N_("CBCT"),
    "panoramic": N_("Panoramic X-ray"),
    "ct": N_("CT in DICOM"),
    "xray": N_("X-ray"),
    "face_photo": N_("Face photographs"),
    "intraoral_photo": N_("Intra-oral photographs"),
    "intraoral_scan": N_("Intra-oral scan (STL or PLY)"),
    "cephalogram": N_("Cephalogram"),
    "histology": N_("Histology"),
    "laboratory": N_("Laboratory tests"),
    "identity": N_("Identity document"),
    "other": N_("Other document"),
}

# Only the centre's people place these, and a requester sees them once the conclusion is placed.
CONCLUSION_SCAN = "conclusion_scan"
CONCLUSION_SCAN_LABEL = N_("Scan of the signed conclusion (paper original)")

# A slice with its marks, taken in the viewer.
KEY_IMAGE = "key_image"
KEY_IMAGE_LABEL = N_("Key image")

CONNECTIONS = {
    "room": N_("Built-in browser room"),
    "sip": N_("SIP codec"),
    "h323": N_("H.323 codec"),
    "vinteo": N_("Vinteo Desktop"),
    "jabber": N_("Jabber Video"),
    "link": N_("Link to an outside conference"),
}

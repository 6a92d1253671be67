"""Signatures: whose they are, in which order they come, and what a check of one may say.

Source: dictionary 1.2.643.5.1.13.13.99.2.368 (roles of a signature).
"""

from enum import StrEnum

from konsilium.workflow.words import N_


class SignatureRole(StrEnum):
    """In which role somebody signs."""

    AUTHOR = "AUTHOR"
    ORGANIZATION = "ORGANIZATION"
    CHAIRMAN = "CHAIRMAN"
    SECRETARY = "SECRETARY"
    COMMISSIONER = "COMMISSIONER"


SIGNATURE_ROLE_LABELS = {
    SignatureRole.AUTHOR: N_("Author"),
    SignatureRole.ORGANIZATION: N_("Medical organisation"),
    SignatureRole.CHAIRMAN: N_("Chair of the council"),
    SignatureRole.SECRETARY: N_("Secretary of the council"),
    SignatureRole.COMMISSIONER: N_("Member of the council"),
}

# Nobody signs before these have: the doctor, then the organisation; the council's members, then its chair.
AFTER: dict[SignatureRole, frozenset[SignatureRole]] = {
    SignatureRole.ORGANIZATION: frozenset({SignatureRole.AUTHOR, SignatureRole.CHAIRMAN}),
}


class Verdict(StrEnum):
    """What is known of a signature. Only VALID is ever shown as good."""

    WAITING = "waiting"
    UNCHECKED = "unchecked"
    VALID = "valid"
    CHANGED = "changed"
    OTHER_DOCUMENT = "other_document"
    PARTIAL = "partial"
    UNKNOWN_ISSUER = "unknown_issuer"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NO_REVOCATION_LIST = "no_revocation_list"
    WRONG_PERSON = "wrong_person"
    UNREADABLE = "unreadable"


VERDICT_LABELS = {
    Verdict.WAITING: N_("Being checked"),
    Verdict.UNCHECKED: N_("Not checked: no verifier is configured here"),
    Verdict.VALID: N_("The signature is valid"),
    Verdict.CHANGED: N_("The document was changed after it was signed"),
    Verdict.OTHER_DOCUMENT: N_("The signature belongs to another document or edition"),
    Verdict.PARTIAL: N_("The signature doesn't cover the whole document"),
    Verdict.UNKNOWN_ISSUER: N_("The certificate comes from an unknown issuer"),
    Verdict.EXPIRED: N_("The certificate was not valid at the time of signing"),
    Verdict.REVOKED: N_("The certificate was revoked"),
    Verdict.NO_REVOCATION_LIST: N_("It can't be said whether the certificate was revoked"),
    Verdict.WRONG_PERSON: N_("The certificate names somebody else"),
    Verdict.UNREADABLE: N_("This is no signature that can be read"),
}

# With these a paper counts as signed: one that was checked and is good, and, where nothing checks, one that is there.
COUNTING = frozenset({Verdict.VALID, Verdict.UNCHECKED})

FORMAT_LABELS = {"cms": N_("Detached, CMS"), "pades": N_("Inside the PDF, PAdES")}

PRINT_KIND_LABELS = {
    "conclusion": N_("Conclusion"),
    "protocol": N_("Protocol of a council"),
    "consent": N_("Consent form"),
    "cover": N_("Cover of the extract"),
    "session": N_("Protocol of a session"),
}
PRINT_STATE_LABELS = {"waiting": N_("Being prepared"), "ready": N_("Ready to print"), "failed": N_("Failed")}

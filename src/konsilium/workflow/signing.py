"""Signatures: whose they are, in which order they come, and what a check of one may say.

Source: dictionary 1.2.643.5.1.13.13.99.2.368 (roles of a signature).
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
    WEAK = "weak"
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
    Verdict.WEAK: N_("The signature is made with an algorithm that is no longer safe"),
    Verdict.UNREADABLE: N_("This is no signature that can be read"),
}

# With these a paper counts as signed: one that was checked and is good, and, where nothing checks, one that is there.
COUNTING = frozenset({Verdict.VALID, Verdict.UNCHECKED})

# Whose signature the organisation's own waits for.
LAST_OF_AUTHORS = {"conclusion": SignatureRole.AUTHOR, "protocol": SignatureRole.CHAIRMAN}


@dataclass(frozen=True)
class Signer:
    """Who says that they signed: a person, and the organisation for which they did, if it is its signature."""

    name: str
    snils: str = ""
    ogrn: str = ""


def is_named(certificate: Mapping[str, str], signer: Signer) -> bool:
    """Say whether a certificate names the signer: by the SNILS, else by the name; for an organisation also by its OGRN.

    One that names no person is an organisation's seal, good for its own signature only.
    """
    if signer.ogrn and certificate.get("ogrn", signer.ogrn) != signer.ogrn:
        return False
    if certificate.get("snils") and signer.snils:
        return _digits(certificate["snils"]) == _digits(signer.snils)
    personal = " ".join(filter(None, (certificate.get("family"), certificate.get("given"))))
    if not personal and certificate.get("ogrn"):
        return bool(signer.ogrn)
    return _is_same_name(personal or certificate.get("name", ""), signer.name)


def _is_same_name(one: str, other: str) -> bool:
    """Compare family and given names, and patronymics where both have one."""
    first, second = (text.casefold().replace("ё", "е").split() for text in (one, other))
    both = min(len(first), len(second))
    return both > 1 and first[:both] == second[:both]


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


FORMAT_LABELS = {"cms": N_("Detached, CMS"), "pades": N_("Inside the PDF, PAdES")}

PRINT_KIND_LABELS = {
    "conclusion": N_("Conclusion"),
    "protocol": N_("Protocol of a council"),
    "consent": N_("Consent form"),
    "cover": N_("Cover of the extract"),
    "session": N_("Protocol of a session"),
}
PRINT_STATE_LABELS = {"waiting": N_("Being prepared"), "ready": N_("Ready to print"), "failed": N_("Failed")}

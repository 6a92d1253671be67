"""What a request still lacks before it may be sent: the fields of the process page, section 5, and the profile's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from konsilium.workflow.words import DOCUMENT_KINDS, N_, Urgency

QUESTION_LENGTH = 20
LEGAL_AGE = 15


@dataclass(frozen=True)
class Template:
    """What a profile asks beside what everybody asks.

    `documents`: groups, of each of which at least one kind must be there. `welcome`: shown, never demanded.
    `fields`: names of clinical fields that must be filled.
    """

    documents: tuple[tuple[str, ...], ...] = ()
    welcome: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lack:
    """One thing that is missing: the form's field or section it belongs to, and words for it.

    `kinds` names the document kinds any of which would do; the page joins their labels.
    """

    field: str
    label: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """What completeness looks at: the form's values by name, its questions, and the kinds of its documents."""

    values: Mapping[str, Any]
    questions: tuple[str, ...] = ()
    documents: frozenset[str] = field(default_factory=frozenset)
    today: date | None = None


ALWAYS = {
    "urgency": N_("Urgency"),
    "kind": N_("Consultation or council"),
    "mode": N_("Deferred or real time"),
    "occurrence": N_("First or repeat"),
    "goal": N_("Goal"),
    "profile": N_("Profile"),
    "named_centre": N_("Consulting centre"),
    "requester_name": N_("Doctor's name"),
    "requester_snils": N_("Doctor's SNILS"),
    "requester_department": N_("Department"),
    "requester_position": N_("Position"),
    "requester_specialty": N_("Specialty"),
    "requester_phone": N_("Phone"),
    "requester_email": N_("E-mail"),
    "diagnosis_code": N_("Main diagnosis, ICD-10 code"),
    "diagnosis_text": N_("Main diagnosis in words"),
    "diagnosis_certainty": N_("Certainty of the diagnosis"),
    "anamnesis": N_("Anamnesis"),
    "consent_kind": N_("Kind of consent"),
    "consent_date": N_("Date of consent"),
    "consent_by": N_("Who obtained the consent"),
}

QUICK_CARE = {"place_of_care": N_("Place of care"), "severity": N_("Severity of the condition")}

PATIENT = {
    "patient_family": N_("Patient's family name"),
    "patient_given": N_("Patient's given name"),
    "patient_sex": N_("Patient's sex"),
    "patient_birth_date": N_("Patient's birth date"),
}

IDENTIFIERS = ("patient_snils", "patient_enp", "patient_document")

BY_TEMPLATE = {
    "complaints": N_("Complaints"),
    "objective_state": N_("Objective state"),
    "treatment": N_("Treatment given"),
}


def lacks(draft: Draft, template: Template) -> tuple[Lack, ...]:
    """Return everything that is missing, in the form's order; an empty answer means it can be sent."""
    return tuple(_lacks(draft, template))


def sendable(draft: Draft, template: Template) -> bool:
    """Say whether the request may be sent: complete, or an emergency with a stated reason.

    Even an emergency needs what the centre can't do without: where to send it and what is asked.
    """
    missing = lacks(draft, template)
    if not missing:
        return True
    if draft.values.get("urgency") != Urgency.EMERGENCY or not _filled(draft, "incomplete_reason"):
        return False
    return not {lack.field for lack in missing} & {"urgency", "profile", "named_centre", "questions"}


def _lacks(draft: Draft, template: Template) -> Iterator[Lack]:
    yield from _empty(draft, ALWAYS)
    if draft.values.get("urgency") in (Urgency.EMERGENCY, Urgency.URGENT):
        yield from _empty(draft, QUICK_CARE)
    if not any(len(question.strip()) >= QUESTION_LENGTH for question in draft.questions):
        yield Lack("questions", N_("A question to the consultant of at least 20 characters"))
    yield from _patient(draft)
    yield from _empty(draft, {name: BY_TEMPLATE[name] for name in template.fields})
    yield from _documents(draft, template)


def _patient(draft: Draft) -> Iterator[Lack]:
    if draft.values.get("patient_unknown"):
        yield from _unknown_patient(draft)
        return
    yield from _empty(draft, PATIENT)
    if not any(_filled(draft, name) for name in IDENTIFIERS):
        yield Lack("patient_snils", N_("One of SNILS, insurance policy or identity document"))
    if _is_child(draft) and not _filled(draft, "representative"):
        yield Lack("representative", N_("Legal representative of a patient under 15"))


def _unknown_patient(draft: Draft) -> Iterator[Lack]:
    if draft.values.get("urgency") != Urgency.EMERGENCY:
        yield Lack("patient_unknown", N_("Only an emergency may have an unknown patient"))
    if not _filled(draft, "patient_unknown_reason"):
        yield Lack("patient_unknown_reason", N_("Why the patient is unknown"))


def _documents(draft: Draft, template: Template) -> Iterator[Lack]:
    required = [("extract",), *template.documents]
    if draft.values.get("consent_kind") == "written":
        required.insert(0, ("consent",))
    for kinds in required:
        if not draft.documents & set(kinds):
            yield Lack("documents", DOCUMENT_KINDS[kinds[0]], kinds)


def _is_child(draft: Draft) -> bool:
    born = draft.values.get("patient_birth_date")
    if not born or not draft.today:
        return False
    had_birthday = (draft.today.month, draft.today.day) >= (born.month, born.day)
    return bool(draft.today.year - born.year - (not had_birthday) < LEGAL_AGE)


def _empty(draft: Draft, fields: Mapping[str, str]) -> Iterator[Lack]:
    return (Lack(name, label) for name, label in fields.items() if not _filled(draft, name))


def _filled(draft: Draft, name: str) -> bool:
    value = draft.values.get(name)
    return value is not None and str(value).strip() != ""

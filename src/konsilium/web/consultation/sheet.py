"""A request's contents as facts: label and words, section by section. What is empty is left out."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.utils.translation import get_language, gettext

from konsilium.models import Consultation, DictionaryEntry
from konsilium.web.clockface import day
from konsilium.workflow.completeness import ALWAYS, BY_TEMPLATE, QUICK_CARE
from konsilium.workflow.identifiers import format_enp, format_snils
from konsilium.workflow.words import CERTAINTIES, CONSENTS, GOALS, KINDS, MODES, N_, OCCURRENCES, SEXES


class Section(NamedTuple):
    """A part of the sheet; `prose` says that its words are long."""

    title: str
    facts: list[tuple[str, str]]
    prose: bool = False


def sheet(row: Consultation) -> list[Section]:
    """Return what the request says, in the order in which a consultant reads it (one query)."""
    sections = (
        Section(gettext("Illness"), _kept(_illness(row)), prose=True),
        Section(gettext("Request"), _kept(_request(row))),
        Section(gettext("Patient"), _kept(_patient(row))),
        Section(gettext("Consent"), _kept(_consent(row))),
        Section(gettext("Requesting doctor"), _kept(_requester(row))),
    )
    return [section for section in sections if section.facts]


def _kept(facts: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(gettext(label), value) for label, value in facts if value]


def _illness(row: Consultation) -> Iterator[tuple[str, str]]:
    certainty = _word(CERTAINTIES, row.diagnosis_certainty)
    diagnosis = " ".join(part for part in (row.diagnosis_code, row.diagnosis_text) if part)
    yield N_("Main diagnosis"), f"{diagnosis} ({certainty})" if certainty and diagnosis else diagnosis
    yield BY_TEMPLATE["complaints"], row.complaints
    yield ALWAYS["anamnesis"], row.anamnesis
    yield BY_TEMPLATE["objective_state"], row.objective_state
    yield BY_TEMPLATE["treatment"], row.treatment


def _request(row: Consultation) -> Iterator[tuple[str, str]]:
    yield ALWAYS["profile"], profile_name(row)
    yield ALWAYS["goal"], _word(GOALS, row.goal)
    yield N_("Kind of consultation"), _word(KINDS, row.kind)
    yield N_("How it is held"), _word(MODES, row.mode)
    yield ALWAYS["occurrence"], _word(OCCURRENCES, row.occurrence)
    names = _dictionary_names(row)
    yield QUICK_CARE["place_of_care"], names.get(("places_of_care", row.place_of_care), row.place_of_care)
    yield QUICK_CARE["severity"], names.get(("severity", row.severity), row.severity)


def _patient(row: Consultation) -> Iterator[tuple[str, str]]:
    if row.patient_unknown:
        yield N_("Unknown patient"), row.patient_unknown_reason or "—"
    yield N_("Full name"), row.patient_name
    yield N_("Sex"), _word(SEXES, row.patient_sex)
    yield N_("Birth date"), day(row.patient_birth_date)
    yield N_("SNILS"), format_snils(row.patient_snils) if row.patient_snils else ""
    yield N_("Insurance policy"), format_enp(row.patient_enp) if row.patient_enp else ""
    yield N_("Identity document"), row.patient_document
    yield N_("Legal representative"), row.representative


def _consent(row: Consultation) -> Iterator[tuple[str, str]]:
    yield ALWAYS["consent_kind"], _word(CONSENTS, row.consent_kind)
    yield ALWAYS["consent_date"], day(row.consent_date)
    yield ALWAYS["consent_by"], row.consent_by


def _requester(row: Consultation) -> Iterator[tuple[str, str]]:
    yield ALWAYS["requester_name"], row.requester_name
    yield ALWAYS["requester_department"], row.requester_department
    yield ALWAYS["requester_position"], row.requester_position
    yield ALWAYS["requester_specialty"], row.requester_specialty
    yield ALWAYS["requester_phone"], row.requester_phone
    yield ALWAYS["requester_email"], row.requester_email


def profile_name(row: Consultation) -> str:
    """Return the profile's name in the reader's language."""
    if row.profile is None:
        return ""
    return row.profile.name if get_language() == "ru" else row.profile.name_en or row.profile.name


def _word(labels: Mapping[Any, str], code: str) -> str:
    return gettext(labels[code]) if code in labels else code


def _dictionary_names(row: Consultation) -> dict[tuple[str, str], str]:
    """Return the names of the codes that stand in dictionaries: place of care and severity."""
    found = DictionaryEntry.objects.filter(
        dictionary__name__in=("places_of_care", "severity"), code__in=(row.place_of_care, row.severity)
    )
    rows = found.values_list("dictionary__name", "code", "name", "name_en")
    russian = get_language() == "ru"
    return {(kind, code): name if russian or not english else english for kind, code, name, english in rows}

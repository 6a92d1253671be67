"""Whether the pictures are of the request's patient, as the form, the send page and the request page say it."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext

from konsilium.models import Consultation, Series, Study
from konsilium.web.clockface import day
from konsilium.workflow.identity import PART_LABELS, Likeness, Person, Tags, Verdict, compare
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import SEXES

_SEXES = {"M": "male", "F": "female"}


class Mismatch(NamedTuple):
    """A study of another patient: which parts differ, what the tags say, and what the request says."""

    study: str
    parts: str
    in_tags: str
    in_request: str


def verdict_of(study: Study, row: Consultation) -> Verdict:
    """Compare a study's tags with the request."""
    tags = Tags(study.patient_name, study.patient_birth_date, study.patient_sex)
    person = Person(
        "" if row.patient_unknown else row.patient_family,
        row.patient_given,
        row.patient_patronymic,
        row.patient_birth_date,
        row.patient_sex,
    )
    return compare(tags, person)


def mismatch(study: Study, row: Consultation) -> Mismatch | None:
    """Return what differs between a study's tags and the request, or nothing when nothing speaks against it."""
    verdict = verdict_of(study, row)
    if verdict.answer is not Likeness.DIFFERS:
        return None
    parts = ", ".join(gettext(PART_LABELS[name]) for name in verdict.differs)
    return Mismatch(study_name(study), parts, _tags(study), _request(row))


def mismatches(row: Consultation, *, actor: Actor) -> list[Mismatch]:
    """Return the studies of the request that would be sent and whose tags name another patient (two queries)."""
    sent = Series.objects.visible_to(actor).filter(consultation=row, is_included=True)
    studies = Study.objects.filter(consultation=row, pk__in=set(sent.values_list("study_id", flat=True)))
    return [found for study in studies if (found := mismatch(study, row))]


def study_name(study: Study, otherwise: str = "") -> str:
    """Name a study as a doctor would: what it is (its own word, or `otherwise`) and when it was made."""
    parts = (study.description or otherwise or gettext("Study"), day(study.study_date))
    return ", ".join(part for part in parts if part)


def _tags(study: Study) -> str:
    name = " ".join(study.patient_name.split("=")[0].replace("^", " ").split())
    return _joined((name, day(study.patient_birth_date), _sex(_SEXES.get(study.patient_sex, ""))))


def _request(row: Consultation) -> str:
    return _joined((row.patient_name, day(row.patient_birth_date), _sex(row.patient_sex)))


def _sex(code: str) -> str:
    return gettext(SEXES[code]).lower() if code in SEXES else ""


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(part for part in parts if part)

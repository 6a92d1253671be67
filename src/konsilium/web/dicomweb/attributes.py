"""Attributes of studies, series and instances as DICOM JSON (PS3.18, annex F), and matching them to a query."""

import re
from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from konsilium.models import Instance, Series, Study

Attributes = dict[str, dict[str, Any]]


class Tag(NamedTuple):
    """A tag by its keyword: its number as eight digits, and its value representation."""

    number: str
    vr: str


TAGS = {
    "StudyDate": Tag("00080020", "DA"),
    "StudyTime": Tag("00080030", "TM"),
    "AccessionNumber": Tag("00080050", "SH"),
    "InstanceAvailability": Tag("00080056", "CS"),
    "Modality": Tag("00080060", "CS"),
    "ModalitiesInStudy": Tag("00080061", "CS"),
    "InstitutionName": Tag("00080080", "LO"),
    "ReferringPhysicianName": Tag("00080090", "PN"),
    "SOPClassUID": Tag("00080016", "UI"),
    "SOPInstanceUID": Tag("00080018", "UI"),
    "StudyDescription": Tag("00081030", "LO"),
    "SeriesDescription": Tag("0008103E", "LO"),
    "RetrieveURL": Tag("00081190", "UR"),
    "AvailableTransferSyntaxUID": Tag("00083002", "UI"),
    "PatientName": Tag("00100010", "PN"),
    "PatientID": Tag("00100020", "LO"),
    "PatientBirthDate": Tag("00100030", "DA"),
    "PatientSex": Tag("00100040", "CS"),
    "BodyPartExamined": Tag("00180015", "CS"),
    "StudyInstanceUID": Tag("0020000D", "UI"),
    "SeriesInstanceUID": Tag("0020000E", "UI"),
    "StudyID": Tag("00200010", "SH"),
    "SeriesNumber": Tag("00200011", "IS"),
    "InstanceNumber": Tag("00200013", "IS"),
    "NumberOfStudyRelatedSeries": Tag("00201206", "IS"),
    "NumberOfStudyRelatedInstances": Tag("00201208", "IS"),
    "NumberOfSeriesRelatedInstances": Tag("00201209", "IS"),
    "NumberOfFrames": Tag("00280008", "IS"),
    "Rows": Tag("00280010", "US"),
    "Columns": Tag("00280011", "US"),
}
KEYWORDS = {tag.number: keyword for keyword, tag in TAGS.items()}
# A part of a person's name in each of its scripts.
SCRIPTS = ("Alphabetic", "Ideographic", "Phonetic")
_DATES = re.compile(r"(\d{8})?-(\d{8})?$")


def study_attributes(study: Study, rows: list[Series], url: str) -> Attributes:
    """Describe a study with those of its series that the asker sees."""
    return _written(
        StudyDate=study.study_date,
        StudyTime=None,
        AccessionNumber=None,
        InstanceAvailability="ONLINE",
        ModalitiesInStudy=sorted({row.modality for row in rows if row.modality}),
        InstitutionName=study.institution,
        ReferringPhysicianName=None,
        StudyDescription=study.description,
        RetrieveURL=url,
        PatientName=study.patient_name,
        PatientID=study.patient_identifier,
        PatientBirthDate=study.patient_birth_date,
        PatientSex=study.patient_sex,
        StudyInstanceUID=study.study_uid,
        StudyID=None,
        NumberOfStudyRelatedSeries=len(rows),
        NumberOfStudyRelatedInstances=sum(row.count for row in rows),
    )


def series_attributes(row: Series, url: str) -> Attributes:
    """Describe a series."""
    return _written(
        Modality=row.modality,
        SeriesDescription=row.description,
        RetrieveURL=url,
        BodyPartExamined=row.body_part,
        StudyInstanceUID=row.study.study_uid,
        SeriesInstanceUID=row.series_uid,
        SeriesNumber=row.number,
        NumberOfSeriesRelatedInstances=row.count,
    )


def instance_attributes(row: Instance, url: str) -> Attributes:
    """Describe an instance; its syntaxes are the one it came in and the one its frames are sent in."""
    syntaxes = dict.fromkeys(filter(None, (row.transfer_syntax, row.series.pack_syntax)))
    return _written(
        SOPClassUID=row.sop_class,
        SOPInstanceUID=row.sop_uid,
        InstanceAvailability="ONLINE",
        RetrieveURL=url,
        AvailableTransferSyntaxUID=list(syntaxes),
        StudyInstanceUID=row.series.study.study_uid,
        SeriesInstanceUID=row.series.series_uid,
        InstanceNumber=row.number,
        NumberOfFrames=row.frames,
        Rows=row.series.rows or None,
        Columns=row.series.columns or None,
    )


def _written(**values: Any) -> Attributes:
    return dict(
        sorted((TAGS[name].number, _attribute(TAGS[name].vr, given)) for name, given in values.items())
    )


def _attribute(vr: str, given: Any) -> dict[str, Any]:
    values = given if isinstance(given, list) else [given]
    said = [_value(vr, value) for value in values if value not in (None, "")]
    return {"vr": vr, "Value": said} if said else {"vr": vr}


def _value(vr: str, value: Any) -> Any:
    if vr == "PN":
        return {script: part for script, part in zip(SCRIPTS, value.split("="), strict=False) if part}
    return value.strftime("%Y%m%d") if isinstance(value, date) else value


def unknown(names: Iterable[str]) -> list[str]:
    """Return which names of a query are no attribute that can be asked for here."""
    return [name for name in names if _number(name) not in KEYWORDS]


def _number(name: str) -> str:
    return TAGS[name].number if name in TAGS else name.upper()


def matches(attributes: Attributes, query: dict[str, str]) -> bool:
    """Say whether the attributes are what the query asks: by keyword or number, with *, ?, lists and ranges of dates."""
    return all(_matches(attributes.get(_number(name)), text) for name, text in query.items() if text)


def _matches(attribute: dict[str, Any] | None, text: str) -> bool:
    """An attribute of another level (a study's, asked of a series) narrows nothing."""
    if attribute is None:
        return True
    values = [_text(value) for value in attribute.get("Value", [])]
    if attribute["vr"] == "UI":
        return bool(set(values) & set(re.split(r"[,\\]", text)))
    if attribute["vr"] == "DA" and (dates := _DATES.match(text)):
        return any((dates[1] or "") <= value <= (dates[2] or "99999999") for value in values)
    return any(fnmatchcase(value.casefold(), _pattern(text)) for value in values)


def _text(value: Any) -> str:
    return "=".join(value.values()) if isinstance(value, dict) else str(value)


def _pattern(text: str) -> str:
    """Only * and ? mean something in DICOM."""
    return text.casefold().replace("[", "[[]")

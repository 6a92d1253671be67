"""What a source holds: its instances by series, told from their headers, and what was left out and why."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset
from pydicom.uid import UID, generate_uid

from konsilium.adapters.imaging.archive import Found, Skipped, look_into
from konsilium.adapters.imaging.bytes import part
from konsilium.adapters.imaging.texts import mend, text_of
from konsilium.adapters.sandbox_child import progress

# Pictures on which a machine or a person often writes the patient's name.
_OFTEN_WRITTEN_ON = ("PX", "SC", "OT", "US", "XC", "ES", "DX", "CR", "IO", "RF", "XA", "GM")
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_SHOW_PROGRESS_EVERY = 20
_WIDEST, _MOST_FRAMES = 65_535, 100_000
# What a column for whole numbers holds.
_LARGEST = 2**31 - 1


def index_study(scratch: Path, *, sources: list[dict[str, str]]) -> dict[str, Any]:
    """Read the headers of the sources, each {"path", "name", "id"}: a DICOM file, or a ZIP of them.

    Returns {"series": […], "left_out": [{"name", "reason", "source"}]}. Reasons: not_dicom, dicomdir, no_pixels,
    damaged, duplicate, encrypted, too_large. A series has study_uid, study_description,
    study_date and the patient's {name, birth_date, sex, id} as its first instance says (dates as YYYYMMDD),
    series_uid, number, modality, description, body_part, rows, columns, burned_in_risk, and instances in the order
    they were found: sop_uid, sop_class, number, transfer_syntax, frames, source, and where its bytes are: `path` in
    scratch when it was unpacked (else ""), offset and length in bytes.
    """
    series: dict[tuple[str, str], dict[str, Any]] = {}
    left_out: list[dict[str, str]] = []
    seen: set[str] = set()
    for number, (source, found) in enumerate(_all(sources, scratch)):
        if number % _SHOW_PROGRESS_EVERY == 0:
            progress(number / (number + 200))
        reason = found.reason if isinstance(found, Skipped) else _take(found, source, series, seen)
        if reason:
            left_out.append({"name": found.name, "reason": reason, "source": source})
            _forget(found, scratch)
    return {"series": list(series.values()), "left_out": left_out}


def _all(sources: list[dict[str, str]], scratch: Path) -> Iterator[tuple[str, Found | Skipped]]:
    numbers = count(1)
    for source in sources:
        for found in look_into(Path(source["path"]), source["name"], scratch, numbers):
            yield source["id"], found


def _forget(found: Found | Skipped, scratch: Path) -> None:
    if isinstance(found, Found) and found.unpacked:
        (scratch / found.unpacked).unlink()


def _take(found: Found, source: str, series: dict[tuple[str, str], dict[str, Any]], seen: set[str]) -> str:
    """Add a file to its series. Returns the reason when it isn't taken."""
    try:
        header = read_header(found.path, found.offset, found.length)
        if "Rows" not in header or "Columns" not in header:
            return "no_pixels" if header.get("SOPClassUID") else "damaged"
        if not _is_sound(header):
            return "damaged"
        instance = _instance(header, found, source)
        key = (_uid(header, "StudyInstanceUID", source), _uid(header, "SeriesInstanceUID", source))
        facts = _series(header, key)
    except Exception:  # noqa: BLE001  a value is decoded when it is asked for; whatever a damaged one raises, the rest goes on
        return "damaged"
    if instance["sop_uid"] in seen:
        return "duplicate"
    seen.add(instance["sop_uid"])
    series.setdefault(key, facts)["instances"].append(instance)
    return ""


def _is_sound(header: Dataset) -> bool:
    """Say whether size and frames are numbers that a picture can have: each frame takes room before it is decoded."""
    sides = [whole(header.get(name)) for name in ("Rows", "Columns")]
    frames = whole(header.get("NumberOfFrames")) if header.get("NumberOfFrames") else 1
    return all(side and 0 < side <= _WIDEST for side in sides) and 0 < (frames or 0) <= _MOST_FRAMES


def read_header(path: str | Path, offset: int, length: int | None) -> Dataset:
    """Read a file's header without its pixels, its texts decoded. Raises whatever a damaged one makes pydicom raise."""
    with part(path, offset, length) as file:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        mend(header)
        return header


def _uid(header: Dataset, name: str, source: str) -> str:
    """Return an identifier; where it is missing, one made from the source, so that it is the same next time."""
    text = text_of(header.get(name))
    return text if UID(text).is_valid and text else str(generate_uid(entropy_srcs=[source, name]))


def _instance(header: Dataset, found: Found, source: str) -> dict[str, Any]:
    meta = header.file_meta
    sop = text_of(header.get("SOPInstanceUID") or meta.get("MediaStorageSOPInstanceUID"))
    return {
        "sop_uid": sop if UID(sop).is_valid and sop else str(generate_uid(entropy_srcs=[source, found.name])),
        "sop_class": text_of(header.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")),
        "number": whole(header.get("InstanceNumber")),
        "transfer_syntax": text_of(meta.get("TransferSyntaxUID")),
        "frames": whole(header.get("NumberOfFrames")) or 1,
        "source": source,
        "path": found.unpacked,
        "offset": found.offset,
        "length": found.length,
    }


def _series(header: Dataset, key: tuple[str, str]) -> dict[str, Any]:
    return {
        "study_uid": key[0],
        "series_uid": key[1],
        "study_description": text_of(header.get("StudyDescription")),
        "study_date": text_of(header.get("StudyDate")),
        "institution": text_of(header.get("InstitutionName")),
        "patient": {
            "name": text_of(header.get("PatientName")),
            "birth_date": text_of(header.get("PatientBirthDate")),
            "sex": text_of(header.get("PatientSex")),
            "id": text_of(header.get("PatientID")),
        },
        "number": whole(header.get("SeriesNumber")),
        "modality": text_of(header.get("Modality")),
        "description": text_of(header.get("SeriesDescription")),
        "body_part": text_of(header.get("BodyPartExamined")),
        "rows": whole(header.get("Rows")) or 0,
        "columns": whole(header.get("Columns")) or 0,
        "burned_in_risk": _burned_in_risk(header),
        "instances": [],
    }


def _burned_in_risk(header: Dataset) -> bool:
    """Say whether names may be written on the picture: what the header admits, or what its kind makes likely."""
    said = text_of(header.get("BurnedInAnnotation")).upper()
    if said in ("YES", "NO"):
        return said == "YES"
    capture = text_of(header.get("SOPClassUID")).startswith(_SECONDARY_CAPTURE)
    return capture or text_of(header.get("Modality")).upper() in _OFTEN_WRITTEN_ON


def whole(value: Any) -> int | None:
    """Return a header's number as a whole one; what is none, or larger than 32 bits hold, is not there."""
    try:
        number = int(str(value).strip())
    except ValueError:
        return None
    return number if abs(number) <= _LARGEST else None

"""Copies without the patient: tags by the basic profile of PS3.15 annex E, identifiers new, dates moved, names blacked out.

A de-identified head volume still is personal data: a face can be rendered from it. The pages say so.
"""

import hashlib
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from konsilium.adapters.imaging.bytes import part
from konsilium.adapters.imaging.pixels import describe, read
from konsilium.adapters.imaging.texts import mend
from konsilium.adapters.sandbox_child import progress

# Kept empty, since a reader expects them; everything that names a person, a place or a device goes.
EMPTIED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
)
# What describes the picture itself; every other tag of these groups goes.
KEPT_GROUPS = (0x0002, 0x0018, 0x0020, 0x0028, 0x7FE0, 0x5200)
KEPT = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "SeriesDate", "AcquisitionDate",
    "ContentDate", "StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "Modality", "ConversionType",
    "Manufacturer", "ManufacturerModelName", "PatientPosition", "AnatomicRegionSequence", "BodyPartExamined",
)  # fmt: skip
REMOVED = (
    "DeviceSerialNumber", "ProtocolName", "OperatorsName", "PerformedProcedureStepDescription", "ImageComments",
    "FrameComments", "RequestAttributesSequence", "StudyComments", "DetectorID", "PlateID", "CassetteID", "GantryID",
    "DeviceDescription", "ContrastBolusAgent", "AcquisitionProtocolDescription", "AcquisitionComments", "PerformedStationName",
    "ContributingEquipmentSequence", "ContributionDescription", "GatewayID", "GeneratorID", "SecondaryCaptureDeviceID",
    "RequestedSeriesDescription", "ModifyingDeviceID", "ModifiedImageDescription", "ImagePresentationComments",
)  # fmt: skip
# Free words, in which anything can stand; these alone speak of the picture.
WORDS = ("LO", "LT", "SH", "ST", "UC", "UT", "AE", "UN")
KEPT_WORDS = (
    "Manufacturer", "ManufacturerModelName", "ConvolutionKernel", "FilterType", "RescaleType", "SequenceName",
    "PositionReferenceIndicator", "StackID", "CodeValue", "CodingSchemeDesignator", "CodeMeaning", "ModalityLUTType",
)  # fmt: skip
# Within a sequence: what a place, a code or a reference to another picture is made of.
KEPT_WITHIN = (
    "CodeValue", "CodingSchemeDesignator", "CodeMeaning", "ReferencedSOPClassUID", "ReferencedSOPInstanceUID",
    "ReferencedFrameNumber", "FrameType",
)  # fmt: skip
# These stay what they are: they name no object.
COMMON_UIDS = ("SOPClassUID", "TransferSyntaxUID", "MediaStorageSOPClassUID", "ImplementationClassUID")
OVERLAYS = range(0x6000, 0x6100)
DATES = ("DA", "DT")
FARTHEST_DAYS = 3650


def deidentify(scratch: Path, *, instances: list[dict[str, Any]]) -> dict[str, Any]:
    """Write a copy of each instance {"path", "offset", "length", …} without the patient; returns {"files": [names]}.

    Identifiers are replaced alike throughout, and all dates are moved by the same number of days, drawn anew each
    time: nobody can compute either from the original. Private tags, overlays and the preamble go.
    """
    salt = generate_uid()
    names = []
    for number, instance in enumerate(instances):
        with part(instance["path"], instance["offset"], instance["length"]) as file:
            header = pydicom.dcmread(file)
        mend(header)
        _strip(header, salt)
        name = f"{number + 1:05}.dcm"
        _save(header, scratch / name)
        names.append(name)
        progress((number + 1) / len(instances))
    return {"files": names}


def _strip(header: Dataset, salt: str) -> None:
    header.remove_private_tags()
    _thin(header, _tags(KEPT))
    for name in EMPTIED:
        setattr(header, name, "")
    days = timedelta(days=int(hashlib.sha256(salt.encode()).hexdigest(), 16) % FARTHEST_DAYS + 1)
    header.walk(lambda within, element: _rewrite(element, salt, days))
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.PatientIdentityRemoved, header.DeidentificationMethod = "YES", "Konsilium, PS3.15 basic profile"
    header.LongitudinalTemporalInformationModified = "MODIFIED"


def _tags(names: tuple[str, ...]) -> set[int | None]:
    return {pydicom.datadict.tag_for_keyword(name) for name in names}


def _thin(header: Dataset, kept: set[int | None]) -> None:
    """Delete what doesn't describe the picture, down through all sequences: an institution hides in theirs as well."""
    gone, words = _tags(REMOVED), _tags(KEPT_WORDS)
    for element in list(header):
        tag = element.tag
        is_word = element.VR in WORDS and tag not in words
        if tag in gone or is_word or (tag.group not in KEPT_GROUPS and tag not in kept):
            del header[tag]
        elif element.VR == "SQ":
            for item in element.value:
                _thin(item, _tags(KEPT_WITHIN))


def _rewrite(element: Any, salt: str, days: timedelta) -> None:
    if element.VR == "UI" and element.keyword not in COMMON_UIDS and element.value:
        values = (
            element.value
            if isinstance(element.value, (list, pydicom.multival.MultiValue))
            else [element.value]
        )
        new = [generate_uid(entropy_srcs=[salt, str(value)]) for value in values]
        element.value = new if len(new) > 1 else new[0]
    elif element.VR in DATES and element.value:
        element.value = _moved(str(element.value), days)
    elif element.VR == "PN":
        element.value = ""


def _moved(text: str, days: timedelta) -> str:
    try:
        return (datetime.strptime(text[:8], "%Y%m%d") - days).strftime("%Y%m%d") + text[8:]  # noqa: DTZ007
    except ValueError:
        return ""


def black_out(scratch: Path, *, instance: dict[str, Any], boxes: list[list[int]]) -> dict[str, Any]:
    """Write a copy of an instance {"path", "offset", "length", …} with boxes [left, top, width, height] in pixels black.

    Every frame is decoded and stored plain, and icon and overlays go, so that nothing of what was there is left. The copy keeps the instance's
    identifier, since it takes its place. Returns {"file", "transfer_syntax"}.
    """
    with part(instance["path"], instance["offset"], instance["length"]) as file:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        total = int(header.get("NumberOfFrames") or 1)
        stored = io.BytesIO()
        for number in range(total):
            pixels = _blackened(read(file, header, number), header, boxes)
            stored.write(np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).tobytes())
            progress((number + 1) / total)
    describe(header, pixels)
    _forget_other_pictures(header)
    header.BurnedInAnnotation = "NO"
    data = stored.getvalue()
    header.add_new("PixelData", "OW" if header.BitsAllocated > 8 else "OB", data + b"\x00" * (len(data) % 2))  # noqa: PLR2004
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    name = f"{hashlib.sha256(str(header.get('SOPInstanceUID')).encode()).hexdigest()[:32]}.dcm"
    _save(header, scratch / name)
    return {"file": name, "transfer_syntax": str(ExplicitVRLittleEndian)}


def _forget_other_pictures(header: Dataset) -> None:
    """Delete what shows the picture a second time, or a name above it: the icon, overlays; and the old frames' places."""
    again = _tags(("IconImageSequence", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"))
    for tag in [tag for tag in header.keys() if tag in again or tag.group in OVERLAYS]:  # noqa: SIM118  a dataset iterates over elements
        del header[tag]


def _blackened(pixels: Any, header: Dataset, boxes: list[list[int]]) -> Any:
    """Return a copy with the boxes in the value that is shown black."""
    result = pixels.copy()
    black = (
        int(pixels.max()) if header.get("PhotometricInterpretation") == "MONOCHROME1" else int(pixels.min())
    )
    for left, top, width, height in boxes:
        result[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = (
            0 if pixels.ndim > 2 else black  # noqa: PLR2004
        )
    return result


def _save(header: Dataset, path: Path) -> None:
    """Write with a preamble of zeros, whatever stood there, in the byte order that the file's syntax now names."""
    meta, header = header.file_meta, Dataset(header)
    header.file_meta = meta
    header.preamble = b"\x00" * 128
    header.save_as(path, enforce_file_format=True)

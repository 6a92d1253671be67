"""DICOM made by the tests, put into the store, and the rows that the inspector would write for it."""

import io
import json
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from konsilium.actions.documents import store
from konsilium.models import Document, Instance, Series, Study
from konsilium.models._base import uuid7
from konsilium.models.access import acting, as_inspector
from tests.cast import NOW

PREAMBLE = b"MZ a program in front of a picture".ljust(128, b"!")
HTJ2K = "1.2.840.10008.1.2.4.201"
SIZE = 16
NAME = "Зайцева^Ольга^Петровна"
PREVIEW = b"RIFF....WEBP"


@dataclass
class Made:
    """A series as it stands: its rows, its objects, and what each frame's bytes are."""

    study: Study
    series: Series
    objects: list[Dataset]
    files: list[bytes]
    frames: list[bytes]
    instances: list[Instance] = field(default_factory=list)

    def path(self, name="", row=None):
        """The address of the series in DICOMweb, or of something in it."""
        root = f"/dicomweb/{self.study.consultation_id}/studies/{self.study.study_uid}"
        return f"{root}/series/{self.series.series_uid}{name}"

    def frame(self, number=0, numbers="1"):
        return self.path(f"/instances/{self.instances[number].sop_uid}/frames/{numbers}")


def dataset(number, study_uid, series_uid, *, modality="CT", frames=1, name=NAME):
    """An object whose voxels are all different from every other object's."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=PREAMBLE)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = study_uid, series_uid
    data.PatientName, data.PatientID, data.PatientSex = name, "77-1", "F"
    data.PatientBirthDate, data.StudyDate, data.Modality = "19810504", "20261120", modality
    data.SeriesNumber, data.InstanceNumber = 2, number
    data.Rows = data.Columns = SIZE
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelSpacing, data.ImagePositionPatient = [0.4, 0.4], [0, 0, number * 0.6]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    if frames > 1:
        data.NumberOfFrames = frames
    values = np.arange(frames * SIZE * SIZE, dtype="<i2") + number * 1000
    data.PixelData = values.tobytes()
    return data


def whole(data):
    """The object as a file."""
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def keep(content):
    """Put bytes into the store, and return their address."""
    return store().receive([content], len(content)).sha256


def metadata_of(data):
    """The object as DICOM JSON without its pixels."""
    said = data.to_json_dict()
    said.pop("7FE00010")
    return said


def document_of(row, author, content, name="study.dcm"):
    """A document of the request that nobody has to look at any more."""
    document = Document(
        consultation=row,
        state="available",
        kind="ct",
        file_name=name,
        media_type="application/dicom",
        size=len(content),
        sha256=keep(content),
        added_at=NOW,
        author_id=author.person_id,
        author_name=author.name,
        author_role=author.role,
    )
    with acting(author):
        document.save(force_insert=True)
    return document


def put_series(
    row,
    author,
    *,
    count=3,
    frames=1,
    study_uid="",
    syntax="",
    packed=None,
    name=NAME,
    preview=PREVIEW,
    **values,
):
    """Put a series into the request, as read out of one document; `packed` makes each frame's bytes in the pack."""
    study_uid, series_uid = study_uid or generate_uid(), generate_uid()
    numbers = range(1, count + 1)
    objects = [dataset(number, study_uid, series_uid, frames=frames, name=name) for number in numbers]
    files = [whole(data) for data in objects]
    document = document_of(row, author, b"".join(files))
    raw = [_frames(data, frames) for data in objects]
    sent = [[packed(frame) if packed else frame for frame in own] for own in raw]
    every = [frame for own in sent for frame in own]
    with as_inspector(row.pk):
        study = _study(row, study_uid)
        given = {
            "number": 2,
            "modality": "CT",
            "description": "Кость",
            "rows": SIZE,
            "columns": SIZE,
            "count": count,
            "state": Series.READY,
            "pack_syntax": syntax or str(ExplicitVRLittleEndian),
            "pack_sha256": keep(b"".join(every)),
            "metadata_sha256": keep(json.dumps([metadata_of(data) for data in objects]).encode()),
            "previews": {
                "thumbnail": {"sha256": keep(preview), "size": len(preview), "media_type": "image/webp"}
            },
        }
        series = Series(consultation=row, study=study, series_uid=series_uid, **{**given, **values})
        series.save(force_insert=True)
        instances = _instances(row, series, document, (objects, files, sent))
        Instance.objects.bulk_create(instances)
    return Made(study, series, objects, files, every, instances)


def _study(row, study_uid):
    """The study's row; the inspector may write whose it is, and not read it."""
    known = Study.objects.filter(consultation_id=row.pk, study_uid=study_uid).order_by("id")
    key = known.values_list("pk", flat=True).first()
    study = Study(
        id=key or uuid7(),
        consultation=row,
        study_uid=study_uid,
        description="КТ лицевого скелета",
        study_date=date(2026, 11, 20),
        patient_name=NAME,
        patient_birth_date=date(1981, 5, 4),
        patient_sex="F",
        patient_identifier="77-1",
        created_at=NOW,
    )
    if key is None:
        study.save(force_insert=True)
    return study


def _frames(data, count):
    length = len(data.PixelData) // count
    return [data.PixelData[at : at + length] for at in range(0, len(data.PixelData), length)]


def _instances(row, series, document, made):
    instances, file_at, pack_at = [], 0, 0
    for position, (data, content, frames) in enumerate(zip(*made, strict=True)):
        ranges = []
        for frame in frames:
            ranges.append([pack_at, len(frame)])
            pack_at += len(frame)
        instances.append(
            Instance(
                consultation=row,
                series=series,
                document=document,
                sop_uid=data.SOPInstanceUID,
                sop_class=data.SOPClassUID,
                transfer_syntax=data.file_meta.TransferSyntaxUID,
                number=data.InstanceNumber,
                position=position,
                frames=len(frames),
                file_sha256=document.sha256,
                file_offset=file_at,
                file_length=len(content),
                ranges=ranges,
            )
        )
        file_at += len(content)
    return instances


def change_series(made, **values):
    """Write columns of the series as the inspector does."""
    with as_inspector(made.study.consultation_id):
        Series.objects.filter(pk=made.series.pk).update(**values)

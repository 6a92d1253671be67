"""X-rays and scans that are drawings: a panoramic picture and a cone-beam series as DICOM, and a jaw as STL.

Each has something on one side only, for a mirrored picture is the mistake that hurts: a cyst in the left
lower jaw, and in the series also a steel ball in front of it. Left is the patient's left: +x in DICOM's and
in our millimetres, the right side of a panoramic picture.
"""

import hashlib
import io
import struct
import zipfile

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from konsilium.demo.subject import Clinical, Patient

Floats = NDArray[np.float32]
Words = NDArray[np.uint16]

_DIGITAL_XRAY = "1.2.840.10008.5.1.4.1.1.1.1"
_SIDE = 256
_PIXEL_MM = 0.5
_SLICE_MM = 2.0
_INTERCEPT = -1000
# In millimetres of the series: where the findings are, to the patient's left of the middle plane.
BALL_MM = (30.0, -34.0)
CYST_MM = (24.0, -20.0)


def panoramic_dicom(patient: Patient, clinical: Clinical, seed: int = 0) -> bytes:
    """Return a panoramic X-ray as one DICOM file (digital X-ray, one frame, 12 bits)."""
    picture = _panorama(np.random.default_rng(seed))
    scope = _scope("panoramic", patient, seed)
    dataset = _about(patient, clinical, scope, _DIGITAL_XRAY, "PX")
    dataset.SeriesDescription = "Ортопантомограмма"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.BodyPartExamined = "JAW"
    dataset.ImageLaterality = "B"
    dataset.PatientOrientation = ["L", "F"]
    dataset.PixelSpacing = dataset.ImagerPixelSpacing = [0.1, 0.1]
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.WindowCenter, dataset.WindowWidth = 2000, 3600
    _set_pixels(dataset, picture, bits=12)
    return _written(dataset, number=1)


def cbct_zip(patient: Patient, clinical: Clinical, seed: int = 0, slices: int = 24) -> bytes:
    """Return a cone-beam series as a ZIP of DICOM files named as on a disc, from the chin upwards."""
    scope = _scope("cbct", patient, seed)
    volume = _volume(slices, np.random.default_rng(seed))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, plane in enumerate(volume, start=1):
            entry = zipfile.ZipInfo(f"DICOM/IM{number:06}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _slice(patient, clinical, scope, plane, number))
    return buffer.getvalue()


def _slice(patient: Patient, clinical: Clinical, scope: str, plane: Words, number: int) -> bytes:
    dataset = _about(patient, clinical, scope, CTImageStorage, "CT")
    dataset.SeriesDescription = "КЛКТ челюстей"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.BodyPartExamined = "JAW"
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = _uid(scope, "frame")
    dataset.PositionReferenceIndicator = ""
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    corner = -_PIXEL_MM * (_SIDE - 1) / 2
    height = _SLICE_MM * (number - 1)
    dataset.ImagePositionPatient = [corner, corner, height]
    dataset.SliceLocation = height
    dataset.PixelSpacing = [_PIXEL_MM, _PIXEL_MM]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = _SLICE_MM
    dataset.KVP = 90
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = _INTERCEPT, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 700, 3200
    _set_pixels(dataset, plane, bits=16)
    return _written(dataset, number)


def _about(patient: Patient, clinical: Clinical, scope: str, sop_class: str, modality: str) -> Dataset:
    """Return the patient, the study and the series; equal for every file of one series."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.Modality = sop_class, modality
    dataset.PatientName, dataset.PatientID = patient.dicom_name, patient.card_number
    dataset.PatientBirthDate = f"{patient.birth_date:%Y%m%d}"
    dataset.PatientSex = "M" if patient.sex == "male" else "F"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid(scope, "study"), _uid(scope, "series")
    dataset.StudyID, dataset.SeriesNumber, dataset.AccessionNumber = "1", 1, ""
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = f"{clinical.on:%Y%m%d}"
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = "093000"
    dataset.ReferringPhysicianName = clinical.doctor.replace(" ", "^", 1)
    dataset.InstitutionName = clinical.organization[:64]
    dataset.Manufacturer, dataset.ManufacturerModelName = "Konsilium", "Demonstration drawing"
    dataset.BurnedInAnnotation = "NO"
    dataset.Laterality = ""
    return dataset


def _set_pixels(dataset: Dataset, pixels: Words, bits: int) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.astype("<u2").tobytes()


def _written(dataset: Dataset, number: int) -> bytes:
    dataset.InstanceNumber = number
    dataset.SOPInstanceUID = _uid(dataset.SeriesInstanceUID, str(number))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _scope(kind: str, patient: Patient, seed: int) -> str:
    return f"{kind}|{patient.card_number}|{patient.dicom_name}|{patient.birth_date}|{seed}"


def _uid(*parts: str) -> str:
    """Return a UID under 2.25, which is free for everybody's 128 bits; the same for the same parts."""
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _volume(slices: int, chance: np.random.Generator) -> Words:
    """Return the series in stored values: air, a head, a jaw with teeth, a spine, and the findings."""
    line = (np.arange(_SIDE, dtype=np.float32) - (_SIDE - 1) / 2) * _PIXEL_MM
    x, y = line[None, :], line[:, None]
    planes = [_plane(x, y, place / max(1, slices - 1)) for place in range(slices)]
    hounsfield = np.stack(planes) + chance.normal(0, 45, (slices, _SIDE, _SIDE)).astype(np.float32)
    return np.clip(hounsfield - _INTERCEPT, 0, 4095).astype(np.uint16)


def _plane(x: Floats, y: Floats, up: float) -> Floats:
    """Return one plane in Hounsfield units; `up` goes from 0 at the chin to 1 at the upper teeth."""
    plane = np.where(_oval(x, y, (0, 4), (58, 56)) < 1, 40.0, -1000.0).astype(np.float32)
    plane[_oval(x, y, (0, 40), (11, 10)) < 1] = 700
    plane[_oval(x, y, (0, 47), (5, 4)) < 1] = 30
    # The jaw is a horseshoe open to the back (+y): the rim of an oval, where it lies in front.
    reach = 24 + 10 * min(up * 2, 1)
    rim = np.abs(_oval(x, y, (0, 12), (36, 52)) ** 0.5 - 1)
    bone = (rim < 0.17) & (y < reach - 8)
    plane[bone] = 1300
    plane[bone & (rim < 0.10)] = 500
    if 0.3 < up < 0.95:
        _put_teeth(plane, x, y, crown=0.5 < up < 0.75)
    if up < 0.45:
        cyst = _oval(x, y, CYST_MM, (8 * (1 - up), 10 * (1 - up)))
        plane[cyst < 1.25] = 1100
        plane[cyst < 1] = 20
    if 0.4 < up < 0.6:
        plane[_oval(x, y, BALL_MM, (2.5, 2.5)) < 1] = 3000
    return plane


def _put_teeth(plane: Floats, x: Floats, y: Floats, *, crown: bool) -> None:
    size = 3.6 if crown else 2.6
    for turn in np.linspace(-1.25, 1.25, 14):
        centre = (36 * np.sin(turn), 12 - 52 * np.cos(turn))
        tooth = _oval(x, y, centre, (size, size))
        plane[tooth < 1] = 2200 if crown else 1800
        plane[tooth < 0.08] = 300


def _oval(x: Floats, y: Floats, centre: tuple[float, float], radii: tuple[float, float]) -> Floats:
    return ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2


def _panorama(chance: np.random.Generator) -> Words:
    """Draw the two jaws unrolled: arches, teeth with roots, condyles, sinuses, and the cyst at the right."""
    width, height = 1400, 700
    canvas = Image.new("L", (width, height), 52)
    draw = ImageDraw.Draw(canvas)
    draw.ellipse((-260, -140, 1660, 900), fill=74)
    draw.rectangle((650, 0, 750, height), fill=92)
    across = np.linspace(130, 1270, 120)
    lower = 610 - 190 * ((across - 700) / 570) ** 2
    body = [
        (130, 150),
        *zip(across.tolist(), lower.tolist(), strict=True),
        (1270, 150),
        (1180, 140),
        (1130, 330),
    ]
    body += [(x, 430 - 90 * ((x - 700) / 570) ** 2) for x in np.linspace(1120, 280, 80).tolist()]
    draw.polygon([*body, (270, 330), (220, 140)], fill=134)
    for side in (-1, 1):
        draw.ellipse((700 + side * 525 - 52, 88, 700 + side * 525 + 52, 190), fill=146)
        draw.ellipse((700 + side * 235 - 130, 110, 700 + side * 235 + 130, 245), fill=44)
    draw.ellipse((640, 90, 760, 240), fill=50)
    draw.arc((300, 110, 1100, 330), 20, 160, 150, 10)
    for place in range(-7, 8):
        if place:
            _draw_tooth_pair(draw, place)
    # The cyst, and the thinned rim of bone around it.
    draw.ellipse((985, 425, 1135, 535), fill=168)
    draw.ellipse((991, 431, 1129, 529), fill=58)
    soft = np.asarray(canvas.filter(ImageFilter.GaussianBlur(3.2)), np.float32) * 16
    soft += chance.normal(0, 55, soft.shape).astype(np.float32)
    return np.clip(soft, 0, 4095).astype(np.uint16)


def _draw_tooth_pair(draw: ImageDraw.ImageDraw, place: int) -> None:
    """Draw an upper and a lower tooth at a place counted from the middle; the bite line smiles."""
    middle = 700 + (abs(place) * 58 - 28) * (1 if place > 0 else -1)
    bite = 372 - 1.35 * place * place
    half = 25 if abs(place) < 4 else 28
    for crown, root in ((bite - 62, bite - 158), (bite + 6, bite + 160)):
        top = min(crown + 28, root)
        draw.polygon(
            [(middle - half + 4, crown + 28), (middle + half - 4, crown + 28), (middle, root)], fill=196
        )
        draw.rounded_rectangle((middle - half, crown, middle + half, crown + 56), 12, fill=228)
        draw.line([(middle, max(top + 34, crown + 10)), (middle, crown + 30)], 150, 5)


def jaw_stl(seed: int = 0, *, along: int = 220, around: int = 36) -> bytes:
    """Return a lower jaw's arch as a closed surface in binary STL, in mm; a tooth is missing at the left."""
    points = _jaw_points(np.random.default_rng(seed), along, around)
    here, next_along = points[:-1], points[1:]
    turned, next_turned = np.roll(here, -1, axis=1), np.roll(next_along, -1, axis=1)
    sides = [
        np.stack([here, next_along, turned], axis=2),
        np.stack([turned, next_along, next_turned], axis=2),
    ]
    faces = np.concatenate(
        [*(side.reshape(-1, 3, 3) for side in sides), _cap(points[0])[:, ::-1], _cap(points[-1])]
    )
    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    record = np.zeros(
        len(faces), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    )
    record["normal"], record["corners"] = normals, faces
    return b"Konsilium demonstration jaw".ljust(80) + struct.pack("<I", len(faces)) + record.tobytes()


def _jaw_points(chance: np.random.Generator, along: int, around: int) -> Floats:
    """Return rings of points around a horseshoe; teeth are waves on top, and one wave is missing."""
    turn = np.linspace(-1.45, 1.45, along)[:, None]
    ring = np.linspace(0, 2 * np.pi, around, endpoint=False)[None, :]
    wave = np.abs(np.sin(turn * 7 * np.pi / 1.45 / 2)) ** 0.4
    wave[(turn > 0.72) & (turn < 0.92)] = 0
    top = np.clip(np.sin(ring), 0, None)
    tall = 7 * np.sin(ring) + 8 * wave * top**0.5 + chance.normal(0, 0.05, (along, around))
    thick = (4.5 - 1.2 * top) * np.cos(ring)
    x = (25 + thick) * np.sin(turn)
    y = 20 - (38 + thick) * np.cos(turn)
    return np.stack(np.broadcast_arrays(x, y, tall), axis=2).astype(np.float32)


def _cap(ring: Floats) -> Floats:
    """Close an end with a fan of triangles around its middle."""
    middle = np.broadcast_to(ring.mean(axis=0), ring.shape)
    return np.stack([middle, np.roll(ring, -1, axis=0), ring], axis=1)

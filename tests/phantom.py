"""A made-up patient in DICOM: asymmetric, so that a mirrored picture is seen to be mirrored."""

import io
import zipfile

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

SIZE, SLICES, STEP, SPACING = 96, 24, 0.8, 0.5
AIR, TISSUE, BONE, MARKER = -1000, 40, 1200, 3000
# Where the marker lies, as (slice, row, column): on the patient's right, in front, towards the feet.
MARKER_AT = (6, 20, 24)
SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "JPEG lossless": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "HTJ2K": HTJ2KLossless,
    "RLE": RLELossless,
}


def volume(slices=SLICES, size=SIZE, seed=1):
    """Hounsfield units as [slice, row, column]; column 0 is the patient's right side, row 0 the front, slice 0 the feet."""
    noise = np.random.default_rng(seed).integers(-20, 20, (slices, size, size))
    z, y, x = np.mgrid[0:slices, 0:size, 0:size]
    middle = size / 2
    head = ((x - middle) / (0.42 * size)) ** 2 + ((y - middle) / (0.46 * size)) ** 2 < 1
    jaw = head & (((x - middle) / (0.36 * size)) ** 2 + ((y - middle) / (0.40 * size)) ** 2 > 1)
    values = np.where(head, TISSUE, AIR) + noise * head
    values = np.where(jaw, BONE, values)
    row, column = (round(part * size / SIZE) for part in MARKER_AT[1:])
    marker = (abs(z - MARKER_AT[0]) < 2) & (abs(y - row) < 5) & (abs(x - column) < 5)
    return np.where(marker, MARKER, values).astype(np.int16)


def header(*, study=None, series=None, number=1, syntax=ExplicitVRLittleEndian, **more):
    """A CT slice's tags, without its pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, syntax
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(series), str(number)])
    given = FileDataset(None, {}, file_meta=meta, preamble=b"\x00" * 128)
    given.SOPClassUID, given.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    given.StudyInstanceUID = study or generate_uid(entropy_srcs=["study"])
    given.SeriesInstanceUID = series or generate_uid(entropy_srcs=["series"])
    given.SpecificCharacterSet = "ISO_IR 192"
    given.PatientName, given.PatientID = "Зайцева^Ольга^Петровна", "A-17"
    given.PatientBirthDate, given.PatientSex = "19810504", "F"
    given.StudyDate, given.StudyTime, given.Modality = "20261101", "101500", "CT"
    given.StudyDescription, given.SeriesDescription = "КЛКТ челюстей", "Кости"
    given.SeriesNumber, given.InstanceNumber = 2, number
    for name, value in more.items():
        setattr(given, name, value)
    return given


def slices(values=None, **more):
    """The volume's slices as datasets with plain pixels, from the feet to the head."""
    values = volume() if values is None else values
    step, spacing = more.pop("step", STEP), more.pop("spacing", SPACING)
    for number, plane in enumerate(values):
        given = header(number=number + 1, **more)
        given.ImagePositionPatient = [-20.0, -30.0, 100 + number * step]
        given.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        given.PixelSpacing, given.SliceThickness = [spacing, spacing], step
        put_pixels(given, plane)
        yield given


def put_pixels(given, plane):
    """Store a plane of Hounsfield units (from -1024 on) as 16 unsigned bits."""
    stored = (plane.astype(np.int32) + 1024).astype("<u2")
    given.Rows, given.Columns = stored.shape[-2:]
    if stored.ndim == 3:
        given.NumberOfFrames = stored.shape[0]
    given.SamplesPerPixel, given.PhotometricInterpretation = 1, "MONOCHROME2"
    given.BitsAllocated, given.BitsStored, given.HighBit, given.PixelRepresentation = 16, 16, 15, 0
    given.RescaleIntercept, given.RescaleSlope = -1024, 1
    given.PixelData = stored.tobytes()


def as_bytes(given, syntax=ExplicitVRLittleEndian):
    """A dataset as a file of this transfer syntax."""
    if syntax.is_compressed:
        given = _compressed(given, syntax)
    given.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    if syntax == ExplicitVRBigEndian:
        meta, given = given.file_meta, pydicom.Dataset(given)
        given.file_meta = meta
        given.PixelData = np.frombuffer(given.PixelData, "<u2").astype(">u2").tobytes()
    given.save_as(
        stream,
        enforce_file_format=True,
        little_endian=syntax.is_little_endian,
        implicit_vr=syntax.is_implicit_VR,
    )
    return stream.getvalue()


def _compressed(given, syntax):
    from pydicom.encaps import encapsulate

    plane = np.frombuffer(given.PixelData, "<u2").reshape(-1, given.Rows, given.Columns)
    if syntax in (JPEGLosslessSV1, HTJ2KLossless):
        import imagecodecs

        pack = imagecodecs.ljpeg_encode if syntax == JPEGLosslessSV1 else imagecodecs.htj2k_encode
        options = {} if syntax == JPEGLosslessSV1 else {"reversible": True}
        given.PixelData = encapsulate([bytes(pack(np.ascontiguousarray(one), **options)) for one in plane])
        given["PixelData"].VR, given["PixelData"].is_undefined_length = "OB", True
        return given
    given.compress(syntax, generate_instance_uid=False)
    return given


def files(values=None, syntax=ExplicitVRLittleEndian, **more):
    """The volume as (name, bytes)."""
    for number, given in enumerate(slices(values, **more)):
        yield f"IM{number:04}", as_bytes(given, syntax)


def archive(entries, compression=zipfile.ZIP_DEFLATED):
    """A ZIP of (name, bytes)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as packed:
        for name, data in entries:
            packed.writestr(name, data)
    return stream.getvalue()


def cd_export(values=None, **more):
    """What an archive's program burns: pictures in folders, a table of contents, a viewer for Windows, a readme."""
    yield "DICOMDIR", as_bytes(header(number=999))
    yield "AUTORUN.INF", b"[autorun]\r\nopen=viewer.exe\r\n"
    yield "VIEWER/viewer.exe", b"MZ" + bytes(3000)
    yield "Прочти меня.txt", "Снимки".encode("cp1251")
    for name, data in files(values, **more):
        yield f"DICOM/ST000001/SE000002/{name}", data

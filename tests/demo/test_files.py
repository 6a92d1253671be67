"""The demonstration's documents are what they seem: each is read back by another program's eyes."""

import hashlib
import io
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import UID

from konsilium.adapters import kinds
from konsilium.demo import files, radiology
from konsilium.demo.files import Clinical, Opinion, Patient

PATIENT = Patient(
    family="Соколова",
    given="Анна",
    patronymic="Петровна",
    sex="female",
    birth_date=date(1987, 4, 12),
    card_number="2026/1187",
    snils="112-233-445 95",
    policy="1234567890123452",
)
CLINICAL = Clinical(
    organization="Краевая больница <№ 2> & филиал",
    department="Отделение челюстно-лицевой хирургии",
    doctor="Морозов Илья Андреевич",
    on=date(2026, 11, 16),
    diagnosis_code="K09.0",
    diagnosis="Киста нижней челюсти слева",
    anamnesis="Больна шесть месяцев.\nТравму отрицает.",
)
OPINION = Opinion(
    number="2026-000128",
    organization="Национальный центр стоматологии и челюстно-лицевой хирургии",
    consultant="Лебедева Ольга Николаевна",
    position="врач – челюстно-лицевой хирург",
    on=date(2026, 11, 18),
    conclusion="Киста тела нижней челюсти слева.",
    recommendations="Цистэктомия в плановом порядке.",
    studied=("выписка", "КЛКТ"),
)

MAKERS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "extract.pdf": (kinds.PDF, lambda _: files.extract_pdf(PATIENT, CLINICAL)),
    "consent.pdf": (kinds.PDF, lambda seed: files.consent_scan_pdf(PATIENT, CLINICAL, seed)),
    "conclusion.pdf": (kinds.PDF, lambda seed: files.conclusion_scan_pdf(PATIENT, CLINICAL, OPINION, seed)),
    "histology.txt": (kinds.TEXT, lambda seed: files.histology_text(PATIENT, CLINICAL, seed)),
    "face.jpg": (kinds.JPEG, files.face_photo_jpeg),
    "profile.jpg": (kinds.JPEG, lambda seed: files.face_photo_jpeg(seed, "profile")),
    "teeth.jpg": (kinds.JPEG, files.intraoral_photo_jpeg),
    "panorama.dcm": (kinds.DICOM, lambda seed: files.panoramic_dicom(PATIENT, CLINICAL, seed)),
    "series.zip": (kinds.ZIP, lambda seed: files.cbct_zip(PATIENT, CLINICAL, seed)),
    "jaw.stl": (kinds.STL, files.jaw_stl),
}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return {name: make(1) for name, (_, make) in MAKERS.items()}


@pytest.fixture(scope="module")
def series(made: dict[str, bytes]) -> list[Dataset]:
    with zipfile.ZipFile(io.BytesIO(made["series.zip"])) as archive:
        return [dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]


@pytest.mark.parametrize("name", MAKERS)
def test_each_document_may_be_uploaded_here(made: dict[str, bytes], name: str) -> None:
    content = made[name]
    assert kinds.kind_of(name, content[:4096], len(content)) == MAKERS[name][0]


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_seed_makes_the_same_bytes(made: dict[str, bytes], name: str) -> None:
    assert hashlib.sha256(MAKERS[name][1](1)).digest() == hashlib.sha256(made[name]).digest()


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "extract.pdf"])
def test_another_seed_makes_other_bytes(made: dict[str, bytes], name: str) -> None:
    assert MAKERS[name][1](2) != made[name]


@pytest.mark.parametrize("name", ["face.jpg", "profile.jpg", "teeth.jpg"])
def test_a_photograph_has_a_cameras_size(made: dict[str, bytes], name: str) -> None:
    image = Image.open(io.BytesIO(made[name]))
    image.load()
    assert (image.format, image.mode, max(image.size)) == ("JPEG", "RGB", 1500)
    assert 100_000 <= len(made[name]) <= 400_000


def test_the_swollen_cheek_is_at_the_patients_left(made: dict[str, bytes]) -> None:
    """Red is stronger over blue there than in the mirrored place; the light alone falls the other way."""
    pixels = np.asarray(Image.open(io.BytesIO(made["face.jpg"])), float)
    left_cheek, right_cheek = pixels[880:980, 800:880], pixels[880:980, 320:400]
    assert redness(left_cheek) > 1.15 * redness(right_cheek)


def redness(part: np.ndarray) -> float:
    return float(part[..., 0].mean() / part[..., 2].mean())


def test_the_extract_has_real_embedded_cyrillic_text(made: dict[str, bytes]) -> None:
    pdf = made["extract.pdf"]
    assert pdf.startswith(b"%PDF-1.")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/FontFile2", pdf)) == 2
    assert b"+PTSans" in pdf


def test_a_long_history_goes_on_over_pages() -> None:
    long = Clinical(**{**vars(CLINICAL), "anamnesis": "Длинный анамнез без конца и края. " * 400})
    assert b"/Count 1" not in files.extract_pdf(PATIENT, long)


@pytest.mark.parametrize("name", ["consent.pdf", "conclusion.pdf"])
def test_a_scan_is_one_picture_of_a_page(made: dict[str, bytes], name: str) -> None:
    pdf = made[name]
    assert (pdf.count(b"/DCTDecode"), pdf.count(b"/FontFile2")) == (1, 0)
    assert b"/Width 1240" in pdf
    assert b"/Count 1" in pdf


def test_the_histology_report_names_the_patient(made: dict[str, bytes]) -> None:
    assert "Соколова Анна Петровна, 12.04.1987" in made["histology.txt"].decode()


def test_the_panorama_is_a_valid_picture_of_this_patient(made: dict[str, bytes]) -> None:
    panorama = dcmread(io.BytesIO(made["panorama.dcm"]))
    assert made["panorama.dcm"][:128] == bytes(128)
    assert (panorama.PatientName.family_name, panorama.PatientBirthDate) == ("Соколова", "19870412")
    assert (panorama.Modality, panorama.StudyDate, panorama.PatientSex) == ("PX", "20261116", "F")
    assert UID(panorama.SOPInstanceUID).is_valid
    pixels = panorama.pixel_array
    assert pixels.shape == (700, 1400)
    assert 3000 < pixels.max() < 4096


def test_the_panoramas_cyst_is_at_the_patients_left(made: dict[str, bytes]) -> None:
    pixels = dcmread(io.BytesIO(made["panorama.dcm"])).pixel_array.astype(float)
    assert pixels[460:500, 1030:1090].mean() < 0.6 * pixels[460:500, 310:370].mean()


def test_the_series_is_one_volume_of_this_patient(series: list[Dataset]) -> None:
    assert len(series) == 24
    assert len({dataset.SOPInstanceUID for dataset in series}) == 24
    shared = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientName", "PatientID")
    for tag in shared:
        assert len({str(dataset[tag].value) for dataset in series}) == 1
    for dataset in series:
        uids = dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.StudyInstanceUID
        assert all(UID(uid).is_valid and len(uid) <= 64 for uid in uids)
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert str(series[0].PatientName) == "Соколова^Анна^Петровна"


def test_the_slices_stand_evenly_and_square(series: list[Dataset]) -> None:
    heights = [dataset.ImagePositionPatient[2] for dataset in series]
    assert set(np.diff(heights)) == {2.0}
    assert {tuple(dataset.ImageOrientationPatient) for dataset in series} == {(1, 0, 0, 0, 1, 0)}
    assert {dataset.pixel_array.shape for dataset in series} == {(256, 256)}
    assert [dataset.InstanceNumber for dataset in series] == list(range(1, 25))


def test_the_steel_ball_lies_where_the_coordinates_say_left_is(series: list[Dataset]) -> None:
    dataset = series[12]
    hounsfield = dataset.pixel_array.astype(float) * dataset.RescaleSlope + dataset.RescaleIntercept
    rows, columns = np.nonzero(hounsfield > 2750)
    corner, spacing = dataset.ImagePositionPatient, dataset.PixelSpacing
    found = corner[0] + columns.mean() * spacing[1], corner[1] + rows.mean() * spacing[0]
    assert found == pytest.approx(radiology.BALL_MM, abs=0.6)
    assert found[0] > 20


def test_two_patients_never_share_a_uid() -> None:
    other = Patient(**{**vars(PATIENT), "family": "Орлова"})
    first, second = (dcmread(io.BytesIO(files.panoramic_dicom(who, CLINICAL))) for who in (PATIENT, other))
    for tag in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert first[tag].value != second[tag].value


def test_the_jaw_is_a_closed_surface_that_looks_outwards(made: dict[str, bytes]) -> None:
    content = made["jaw.stl"]
    (count,) = struct.unpack("<I", content[80:84])
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])
    corners = np.frombuffer(content[84:], record)["corners"].astype(float)
    assert len(corners) == count
    numbered = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)[1].reshape(-1, 3)
    edges = Counter((int(face[at]), int(face[at - 2])) for face in numbered for at in range(3))
    assert all(edges[second, first] == times for (first, second), times in list(edges.items()))
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert 5_000 < volume < 50_000

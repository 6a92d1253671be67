"""Copies without the patient."""

import io

import pydicom
import pytest

from konsilium.adapters.imaging.privacy import black_out, deidentify
from tests import phantom


def put(tmp_path, packed_files):
    given = []
    for number, data in enumerate(packed_files):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(data)
        given.append({"path": str(path), "offset": 0, "length": len(data)})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return given, scratch


def with_secrets(given):
    given.add_new((0x0009, 0x0010), "LO", "VENDOR")
    given.add_new((0x0009, 0x1001), "LO", "Зайцева в частном поле")
    given.InstitutionName, given.OperatorsName = "Больница", "Лось^Иван"
    given.PatientAddress, given.AccessionNumber = "Омск", "ACC-1"
    given.ReferencedStudySequence = [pydicom.Dataset()]
    given.ReferencedStudySequence[0].ReferencedSOPInstanceUID = given.StudyInstanceUID
    given.RequestAttributesSequence = [pydicom.Dataset()]
    given.RequestAttributesSequence[0].RequestedProcedureDescription = "Зайцева О. П."
    given.ContributingEquipmentSequence = [pydicom.Dataset()]
    given.ContributingEquipmentSequence[0].InstitutionName = "Больница"
    place = pydicom.Dataset()
    place.FrameComments, place.InstitutionAddress = "Зайцева лежит", "Омск"
    place.StudyID, given.StudyID = "ACC-1", "ACC-1"
    given.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    given.SharedFunctionalGroupsSequence[0].FrameContentSequence = [place]
    given.AcquisitionDeviceProcessingDescription = "по просьбе Лося"
    return given


def test_a_copy_holds_no_word_of_the_patient_and_the_same_pixels(tmp_path):
    originals = [with_secrets(given) for given in phantom.slices(phantom.volume(3))]
    given, scratch = put(tmp_path, [b"MZ" + phantom.as_bytes(one)[2:] for one in originals])
    said = deidentify(scratch, instances=given)
    copies = [(scratch / name).read_bytes() for name in said["files"]]
    for word in ("Зайцева", "A-17", "19810504", "Больница", "Лось", "Омск", "ACC-1", "VENDOR", "20261101"):
        assert not any(word.encode(coding) in copy for copy in copies for coding in ("utf-8", "cp1251")), word
    assert not any(copy.startswith(b"MZ") for copy in copies)
    read = [pydicom.dcmread(io.BytesIO(copy)) for copy in copies]
    assert [one.PixelData for one in read] == [one.PixelData for one in originals]
    assert {one.StudyInstanceUID for one in read} != {one.StudyInstanceUID for one in originals}
    assert len({one.StudyInstanceUID for one in read}) == len({one.SeriesInstanceUID for one in read}) == 1
    assert len({one.SOPInstanceUID for one in read}) == 3
    assert read[0].PatientIdentityRemoved == "YES"
    assert read[0].ImagePositionPatient == originals[0].ImagePositionPatient


def test_two_copies_share_no_identifier(tmp_path):
    given, scratch = put(tmp_path, [data for _, data in phantom.files(phantom.volume(1))])
    uids = set()
    for _ in range(2):
        (name,) = deidentify(scratch, instances=given)["files"]
        uids.add(pydicom.dcmread(scratch / name).StudyInstanceUID)
        (scratch / name).unlink()
    assert len(uids) == 2


@pytest.mark.parametrize("syntax", ["explicit", "big endian", "JPEG 2000", "RLE"])
def test_a_box_is_black_and_all_beside_it_untouched(tmp_path, syntax):
    values = phantom.volume(1)
    given, scratch = put(tmp_path, [data for _, data in phantom.files(values, phantom.SYNTAXES[syntax])])
    said = black_out(scratch, instance=given[0], boxes=[[30, 40, 20, 10], [-5, -5, 8, 8]])
    after = pydicom.dcmread(scratch / said["file"]).pixel_array.astype(int) - 1024
    expected = values[0].astype(int)
    expected[40:50, 30:50] = expected[0:3, 0:3] = values.min()
    assert (after == expected).all()


def test_nothing_shows_the_blackened_picture_a_second_time(tmp_path):
    given = next(phantom.slices(phantom.volume(1)))
    icon = pydicom.Dataset()
    icon.Rows, icon.Columns, icon.ImageComments = 2, 2, "NAME"
    given.IconImageSequence = [icon]
    given.add_new((0x6000, 0x3000), "OW", b"NAME IN OVERLAY.")
    given.ExtendedOffsetTable = given.ExtendedOffsetTableLengths = b"12345678"
    sources, scratch = put(tmp_path, [phantom.as_bytes(given)])
    after = pydicom.dcmread(scratch / black_out(scratch, instance=sources[0], boxes=[[0, 0, 5, 5]])["file"])
    assert "IconImageSequence" not in after
    assert (0x6000, 0x3000) not in after
    assert "ExtendedOffsetTable" not in after

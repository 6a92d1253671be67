"""Headers: what a source holds is told by its content, and what isn't taken is named with the reason."""

import io
import struct
import zipfile

import pytest
from pydicom.tag import Tag

from konsilium.adapters.imaging.study import index_study
from tests import phantom


def index(tmp_path, *files):
    sources = []
    for number, (name, data) in enumerate(files):
        path = tmp_path / f"source{number}"
        path.write_bytes(data)
        sources.append({"path": str(path), "name": name, "id": f"d{number}"})
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return index_study(scratch, sources=sources), scratch


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_cd_export_gives_its_pictures_and_names_the_rest(tmp_path, compression):
    said, scratch = index(tmp_path, ("disk.zip", phantom.archive(phantom.cd_export(), compression)))
    (series,) = said["series"]
    assert (len(series["instances"]), series["modality"], series["description"]) == (24, "CT", "Кости")
    assert series["patient"]["name"] == "Зайцева^Ольга^Петровна"
    assert {(row["name"], row["reason"]) for row in said["left_out"]} == {
        ("DICOMDIR", "dicomdir"),
        ("AUTORUN.INF", "not_dicom"),
        ("VIEWER/viewer.exe", "not_dicom"),
        ("Прочти меня.txt", "not_dicom"),
    }
    unpacked = len(list(scratch.iterdir()))
    assert unpacked == (0 if compression == zipfile.ZIP_STORED else 24)


def test_what_lies_stored_in_an_archive_is_found_at_its_place(tmp_path):
    files = list(phantom.files())
    packed = phantom.archive(files, zipfile.ZIP_STORED)
    said, _ = index(tmp_path, ("disk.zip", packed))
    places = {(one["offset"], one["length"]) for one in said["series"][0]["instances"]}
    assert {packed[offset : offset + length] for offset, length in places} == {data for _, data in files}


@pytest.mark.parametrize("encoding", ["cp1251", "cp866", "utf-8"])
@pytest.mark.parametrize("declared", ["", "ISO_IR 100"])
def test_a_name_in_an_undeclared_or_wrongly_declared_character_set_is_read(tmp_path, encoding, declared):
    data = phantom.as_bytes(next(phantom.slices()))
    good, bad = "Зайцева^Ольга^Петровна".encode(), "Зайцева^Ольга^Петровна".encode(encoding)
    bad += b" " * (len(good) - len(bad))
    old = data.replace(good, bad).replace(b"ISO_IR 192", declared.encode().ljust(10))
    said, _ = index(tmp_path, ("old.dcm", old))
    assert said["series"][0]["patient"]["name"].strip() == "Зайцева^Ольга^Петровна"


def test_names_of_entries_that_an_old_archiver_wrote_in_cp866_are_read(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        entry = zipfile.ZipInfo("xxxxxx.txt")
        packed.writestr(entry, b"x")
    data = stream.getvalue().replace(b"xxxxxx", "снимок".encode("cp866"))
    said, _ = index(tmp_path, ("old.zip", data))
    assert [row["name"] for row in said["left_out"]] == ["снимок.txt"]


def test_damaged_and_repeated_pictures_stop_nothing(tmp_path):
    first, second, *_ = list(phantom.files())
    broken = ("broken", first[1][:150] + b"\x10\x00\xff" * 400)
    report = phantom.header(number=77)
    bare = ("report", phantom.as_bytes(report))
    said, _ = index(tmp_path, ("a.zip", phantom.archive([first, second, ("again", first[1]), broken, bare])))
    assert len(said["series"][0]["instances"]) == 2
    assert {row["name"]: row["reason"] for row in said["left_out"]} == {
        "again": "duplicate",
        "broken": "damaged",
        "report": "no_pixels",
    }


def test_a_bomb_is_left_out_by_its_ratio_and_an_encrypted_entry_by_its_mark(tmp_path):
    zeros = phantom.as_bytes(phantom.header())[:132] + bytes(30 * 1024**2)
    said, scratch = index(tmp_path, ("bomb.zip", phantom.archive([("zeros", zeros)])))
    assert ([row["reason"] for row in said["left_out"]], list(scratch.iterdir())) == (["too_large"], [])
    locked = bytearray(phantom.archive([("locked", zeros[:900])], zipfile.ZIP_STORED))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    said, _ = index(tmp_path, ("locked.zip", bytes(locked)))
    assert [row["reason"] for row in said["left_out"]] == ["encrypted"]


def test_a_picture_without_identifiers_gets_the_same_ones_again(tmp_path):
    given = next(phantom.slices())
    del given.SeriesInstanceUID, given.StudyInstanceUID
    data = phantom.as_bytes(given)
    once, again = (index(tmp_path, ("x.dcm", data))[0]["series"][0] for _ in range(2))
    assert once["series_uid"] == again["series_uid"] != once["study_uid"]
    assert once["series_uid"].startswith("2.25.") or once["series_uid"].startswith("1.2.826")


@pytest.mark.parametrize(
    ("modality", "said", "risk"),
    [("CT", None, False), ("PX", None, True), ("PX", "NO", False), ("CT", "YES", True)],
)
def test_where_names_are_likely_on_the_picture_it_says_so(tmp_path, modality, said, risk):
    more = {"BurnedInAnnotation": said} if said else {}
    data = phantom.as_bytes(next(phantom.slices(Modality=modality, **more)))
    assert index(tmp_path, ("x.dcm", data))[0]["series"][0]["burned_in_risk"] is risk


def spliced(data, name, kind, value):
    """A file in explicit little endian with other bytes as the value of a short element."""
    tag = Tag(name)
    begin = data.index(struct.pack("<HH", tag.group, tag.element) + kind.encode())
    (length,) = struct.unpack("<H", data[begin + 6 : begin + 8])
    return data[: begin + 6] + struct.pack("<H", len(value)) + value + data[begin + 8 + length :]


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("Rows", "US", b"\x60"),
        ("Rows", "US", b"\x60\x00\x01\x00"),
        ("Columns", "US", b"\x00\x00"),
        ("NumberOfFrames", "IS", b"many"),
        ("NumberOfFrames", "IS", b"-1"),
        ("NumberOfFrames", "IS", b"2000000000"),
    ],
)
def test_one_picture_whose_size_makes_no_sense_is_left_out_and_the_others_are_taken(
    tmp_path, name, kind, value
):
    good, given = phantom.slices(phantom.volume(2))
    given.NumberOfFrames = 1
    bad = spliced(phantom.as_bytes(given), name, kind, value)
    said, _ = index(tmp_path, ("good", phantom.as_bytes(good)), ("bad", bad))
    assert [len(series["instances"]) for series in said["series"]] == [1]
    assert [(row["name"], row["reason"]) for row in said["left_out"]] == [("bad", "damaged")]


def test_a_number_too_large_for_a_column_is_no_number(tmp_path):
    data = spliced(phantom.as_bytes(next(phantom.slices())), "InstanceNumber", "IS", b"999999999999")
    said, _ = index(tmp_path, ("x.dcm", data))
    assert said["series"][0]["instances"][0]["number"] is None

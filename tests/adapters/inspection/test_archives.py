"""ZIP archives: what counts, what is left out by name, and what is refused as a whole."""

import pytest

from konsilium.adapters.inspection import archives
from konsilium.adapters.inspection.verdict import inspect
from tests.adapters.inspection import corpus as c

PROGRAM = (b"MZ\x90\x00" + bytes(124))[:128]
RUSSIAN = "СНИМОК1"

BAD = [
    ("word.zip", c.archive(("letter.txt", b"text")), "archive_no_dicom"),
    ("cut.zip", c.study()[:-30], "damaged"),
    ("closed.zip", c.encrypted(), "archive_password"),
    ("up.zip", c.study(("../../etc/cron.d/x", b"x")), "archive_paths"),
    ("deep.zip", c.study(("a/../../x", b"x")), "archive_paths"),
    ("back.zip", c.study(("..\\x", b"x")), "archive_paths"),
    ("root.zip", c.study(("/etc/passwd", b"x")), "archive_paths"),
    ("drive.zip", c.study(("C:\\x", b"x")), "archive_paths"),
    ("link.zip", c.linked(), "archive_paths"),
    ("overlap.zip", c.overlapping(30), "archive_overlap"),
    ("nothing.zip", c.told(10, "<H", 0), "damaged"),
    ("table.zip", c.told(12, "<I", 50_000_000), "archive_entries"),
    ("between.zip", c.hidden(), "archive_overlap"),
    (
        "mark.zip",
        c.study().replace(b"PK\x03\x04", b"PK\x03\x05").replace(b"PK\x03\x05", b"PK\x03\x04", 1),
        "archive_overlap",
    ),
    ("hidden.zip", c.study().replace(b"PK\x01\x02", bytes(9000) + b"PK\x01\x02", 1), "archive_overlap"),
    ("many.zip", c.archive(*((f"{n}", b"") for n in range(10_001))), "archive_entries"),
    ("bomb.zip", c.bomb(100), "archive_bomb"),
]


@pytest.fixture
def judged(tmp_path):
    def judge(name, content):
        path = tmp_path / "upload"
        path.write_bytes(content)
        return inspect(tmp_path, str(path), name)

    return judge


@pytest.mark.parametrize(("name", "content", "reason"), BAD, ids=[name for name, _, _ in BAD])
def test_an_archive_that_is_not_in_order_is_refused(judged, name, content, reason):
    said = judged(name, content)
    assert (said["verdict"], said["reason"]) == ("refused", reason)
    assert said["message"] % said["params"]


def test_only_dicom_counts_and_everything_else_is_named(judged):
    said = judged(
        "disc.zip",
        c.study(
            ("DICOM/", b""),
            ("AUTORUN.INF", b"[autorun]"),
            ("VIEWER/VIEWER.EXE", PROGRAM),
            ("inner.zip", c.study()),
            ("both.dcm", c.dicom(preamble=PROGRAM)),
        ),
    )
    assert said["verdict"] == "ok"
    assert (said["facts"]["entries"], said["facts"]["dicom"], said["facts"]["left_out_count"]) == (6, 2, 4)
    assert said["facts"]["left_out"] == [
        {"name": "AUTORUN.INF", "reason": archives.NOT_DICOM},
        {"name": "VIEWER/VIEWER.EXE", "reason": archives.NOT_DICOM},
        {"name": "inner.zip", "reason": archives.NOT_DICOM},
        {"name": "both.dcm", "reason": archives.PREAMBLE_ENTRY},
    ]


@pytest.mark.parametrize("raw", [RUSSIAN.encode("cp866"), RUSSIAN.encode()])
def test_russian_names_of_old_archivers_are_read(judged, raw):
    said = judged("disc.zip", c.named(raw))
    assert (said["verdict"], said["facts"]["dicom"]) == ("ok", 2)


@pytest.mark.parametrize("raw", [RUSSIAN.encode("cp866"), RUSSIAN.encode()])
def test_their_names_are_shown_as_they_were_meant(tmp_path, raw):
    path = tmp_path / "upload"
    path.write_bytes(c.named(raw))
    with archives.opened(path, path.stat().st_size) as archive:
        assert [entry.name for entry in archives.entries(archive, 1)] == ["IM1", RUSSIAN]


def test_a_broken_file_in_an_archive_is_named_and_the_others_count(judged):
    whole = bytearray(c.archive(("IM1", c.dicom()), ("IM2", c.dicom()), method=0))
    whole[200] ^= 0xFF
    facts = judged("disc.zip", bytes(whole))["facts"]
    assert (facts["dicom"], facts["left_out"]) == (1, [{"name": "IM1", "reason": archives.BROKEN_ENTRY}])


def test_an_entry_that_lies_about_its_size_is_not_unpacked_further(judged, tmp_path):
    assert judged("bomb.zip", c.lying(200))["reason"] == "archive_no_dicom"


def test_the_same_name_twice_is_refused(judged):
    with pytest.warns(UserWarning, match="Duplicate"):
        whole = c.archive(("IM1", c.dicom()), ("IM1", c.dicom()))
    assert judged("disc.zip", whole)["reason"] == "archive_twice"


def test_an_archive_may_not_unpack_to_more_than_the_limit(judged, monkeypatch):
    monkeypatch.setattr(archives, "_GIB", 300)
    assert judged("disc.zip", c.study())["reason"] == "archive_size"


def test_an_empty_slice_may_shrink_to_nearly_nothing(judged):
    assert judged("disc.zip", c.bomb(20))["verdict"] == "ok"

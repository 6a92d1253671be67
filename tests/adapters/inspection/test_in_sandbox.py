"""The judges where they really run: with limits, and bounded in memory and time whatever the file says."""

import time

import pytest

from konsilium.adapters import kinds
from konsilium.adapters.sandbox import MIB, Failed, Killed, Limits, run
from tests.adapters.inspection import corpus as c

# What Python and the parsers take by themselves.
IDLE = 120 * MIB
BOMBS = [
    ("bomb.zip", c.bomb(300), "archive_bomb"),
    ("lying.zip", c.lying(300), "archive_no_dicom"),
    ("overlap.zip", c.overlapping(90), "archive_overlap"),
    ("many.zip", c.archive(*((f"{n}", b"") for n in range(10_001))), "archive_entries"),
    ("sheet.xlsx", c.xlsx(("xl/worksheets/sheet1.xml", b" " * (200 * MIB))), "archive_bomb"),
    ("laughs.docx", c.docx(main=c.LAUGHS), "damaged"),
    ("bomb.png", c.png_bomb(30_000), "too_many_points"),
    ("text.png", c.png_text_bomb(300 * MIB), "damaged"),
    ("many.ply", c.ply(count=2_000_000_000), "damaged"),
]
KINDS = [
    ("a.jpg", c.jpeg()), ("a.png", c.png()), ("a.tif", c.tiff(2)), ("a.heic", c.HEIC), ("a.mp4", c.mp4()),
    ("a.pdf", c.pdf()), ("a.dcm", c.dicom()), ("a.zip", c.study()), ("a.docx", c.docx()), ("a.xlsx", c.xlsx()),
    ("a.odt", c.odt()), ("a.txt", b"text"), ("a.stl", c.stl()), ("a.ply", c.ply()),
]  # fmt: skip


@pytest.fixture
def place(tmp_path):
    """Return where a file is put outside the scratch folder, and the scratch folder."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return tmp_path / "upload", scratch


@pytest.mark.parametrize(("name", "content"), KINDS, ids=[name for name, _ in KINDS])
def test_every_kind_is_judged_and_copied_behind_the_walls(place, name, content):
    path, scratch = place
    path.write_bytes(content)
    said = run("inspect", {"path": str(path), "name": name}, scratch=scratch)
    assert said["verdict"] == "ok"
    made = run("derive", {"path": str(path), "media_type": said["media_type"]}, scratch=scratch)
    has_picture = said["media_type"] in (kinds.JPEG, kinds.PNG, kinds.TIFF, kinds.HEIC, kinds.PDF)
    assert any(copy["purpose"] == "thumbnail" for copy in made["copies"]) == has_picture


@pytest.mark.parametrize(("name", "content", "reason"), BOMBS, ids=[name for name, _, _ in BOMBS])
def test_a_bomb_is_refused_before_it_takes_memory_or_time(place, name, content, reason):
    path, scratch = place
    path.write_bytes(content)
    used, begun = [], time.monotonic()
    said = run("inspect", {"path": str(path), "name": name}, scratch=scratch, on_usage=used.append)
    assert said["reason"] == reason
    assert used[0].peak_bytes < IDLE + 2 * len(content)
    assert used[0].cpu_seconds < 5
    assert time.monotonic() - begun < 30
    assert list(scratch.iterdir()) == []


def test_the_bound_would_notice_a_picture_that_is_really_unpacked(place):
    path, scratch = place
    path.write_bytes(c.png_bomb(12_000))
    used = []
    said = run("inspect", {"path": str(path), "name": "large.png"}, scratch=scratch, on_usage=used.append)
    assert said["verdict"] == "ok"
    assert used[0].peak_bytes > IDLE


def test_a_picture_that_needs_more_than_its_memory_is_killed_and_leaves_nothing(place):
    path, scratch = place
    path.write_bytes(c.png_bomb(12_000))
    with pytest.raises(Killed, match="memory"):
        run(
            "inspect",
            {"path": str(path), "name": "large.png"},
            scratch=scratch,
            limits=Limits(memory_bytes=150 * MIB),
        )
    assert list(scratch.iterdir()) == []


def test_a_decoder_that_falls_takes_nobody_with_it(place):
    path, scratch = place
    path.write_bytes(c.CRASHING_HEIC)
    for task, more in (("inspect", {"name": "a.heic"}), ("derive", {"media_type": kinds.HEIC})):
        try:
            said = run(task, {"path": str(path), **more}, scratch=scratch)
        except Failed as failed:
            assert failed.kind == "SIGSEGV"  # noqa: PT017  a mended decoder refuses instead
        else:
            assert said.get("verdict") == "refused" or said.get("copies") == []
    assert list(scratch.iterdir()) == []


def test_the_original_cant_be_changed_by_who_reads_it(place):
    path, scratch = place
    path.write_bytes(c.jpeg(exif=c.exif()))
    path.chmod(0o440)
    run("derive", {"path": str(path), "media_type": kinds.JPEG}, scratch=scratch)
    assert path.read_bytes() == c.jpeg(exif=c.exif())

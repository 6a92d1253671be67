"""Copies for looking: upright, small, in right colours, and silent about where and by whom they were taken."""

import io

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageCms

from konsilium.adapters import kinds
from konsilium.adapters.inspection import copies
from konsilium.adapters.inspection.copies import derive
from tests.adapters.inspection import corpus as c

RED, WHITE = (255, 0, 0), (255, 255, 255)


@pytest.fixture
def derived(tmp_path):
    """Derive copies and return them by purpose as pictures, with the original checked to be untouched."""

    def made(content, media_type):
        path, scratch = tmp_path / "original", tmp_path / "scratch"
        path.write_bytes(content)
        scratch.mkdir()
        said = derive(scratch, str(path), media_type)
        assert path.read_bytes() == content
        assert {copy["file"] for copy in said["copies"]} == {entry.name for entry in scratch.iterdir()}
        return {copy["purpose"]: look(scratch, copy) for copy in said["copies"]}

    return made


def look(scratch, copy):
    picture = Image.open(io.BytesIO((scratch / copy["file"]).read_bytes()))
    assert copy["facts"] == {"width": picture.width, "height": picture.height}
    assert Image.MIME[picture.format] == copy["media_type"]
    return picture


def is_near(found, wanted):
    return all(abs(a - b) < 24 for a, b in zip(found[:3], wanted, strict=True))


def marked(width, height, mode="RGB"):
    """Return a white picture whose upper left quarter is red: turning and mirroring move it."""
    drawn = Image.new(mode, (width, height), WHITE)
    drawn.paste(RED, (0, 0, width // 2, height // 2))
    return drawn


@pytest.mark.parametrize(
    ("turn", "corner"),
    [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (4, (0, 1)), (5, (0, 0)), (6, (1, 0)), (7, (1, 1)), (8, (0, 1))],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_a_turned_picture_stands_upright(derived, turn, corner, form):
    notes = Image.Exif()
    notes[0x0112] = turn
    options = {"tiffinfo": notes} if form == "TIFF" else {"exif": notes.tobytes()}
    made = derived(c.saved(marked(120, 80), form, **options), f"image/{form.lower()}")
    for picture in made.values():
        assert (picture.width > picture.height) == (turn < 5)
        shown = picture.convert("RGB")
        x, y = (int((0.25 + 0.5 * at) * size) for at, size in zip(corner, picture.size, strict=True))
        assert is_near(shown.getpixel((x, y)), RED)
        assert is_near(shown.getpixel((picture.width - 1 - x, picture.height - 1 - y)), WHITE)
    assert set(made) == {"thumbnail", "view"}


def test_heic_of_a_telephone_becomes_an_upright_jpeg(derived):
    made = derived(c.HEIC, kinds.HEIC)
    assert made["view"].format == "JPEG"
    assert made["view"].size == (64, 96)
    # Its blue quarter was at the upper left of the lying picture.
    assert is_near(made["view"].getpixel((56, 8)), (20, 40, 200))


def test_place_camera_and_comment_of_the_original_are_in_no_copy(derived):
    original = c.jpeg(exif=c.exif(), comment=b"Ivanov")
    assert b"Maker of cameras" in original
    for picture in derived(original, kinds.JPEG).values():
        content = picture.fp.getvalue() if hasattr(picture.fp, "getvalue") else b""
        assert not picture.getexif()
        assert "comment" not in picture.info
        assert b"Maker" not in content
        assert b"Ivanov" not in content


def test_a_large_picture_fits_the_screen_and_a_small_one_is_shown_itself(derived, tmp_path):
    made = derived(c.saved(Image.new("L", (5000, 2000)), "JPEG"), kinds.JPEG)
    assert (made["view"].size, made["thumbnail"].size) == ((2560, 1024), (320, 128))
    (tmp_path / "scratch").rename(tmp_path / "first")
    assert set(derived(c.png(), kinds.PNG)) == {"thumbnail"}
    (tmp_path / "scratch").rename(tmp_path / "second")
    assert set(derived(c.jpeg(), kinds.JPEG)) == {"thumbnail"}


def test_a_strip_is_never_made_thinner_than_a_line(derived):
    made = derived(c.saved(Image.new("1", (20_000, 2)), "PNG"), kinds.PNG)
    assert (made["view"].size, made["thumbnail"].size) == ((2560, 1), (320, 1))


def test_each_page_of_a_scan_can_be_looked_at_up_to_a_number(derived, tmp_path, monkeypatch):
    assert set(derived(c.tiff(3), kinds.TIFF)) == {"thumbnail", "view", "view-2", "view-3"}
    monkeypatch.setattr(copies, "VIEWED_PAGES", 2)
    (tmp_path / "scratch").rename(tmp_path / "first")
    assert set(derived(c.tiff(3), kinds.TIFF)) == {"thumbnail", "view", "view-2"}


def test_sixteen_bits_are_spread_over_what_a_screen_shows(derived):
    deep = np.linspace(1000, 3000, 64 * 64).reshape(64, 64).astype(np.uint16)
    shown = np.asarray(derived(c.saved(Image.fromarray(deep), "TIFF"), kinds.TIFF)["view"])
    assert shown.min() < 8
    assert shown.max() > 247


def test_sixteen_bits_of_either_order_are_read(derived):
    deep = np.linspace(0, 60_000, 64 * 64).reshape(64, 64).astype(">u2")
    big_endian = Image.frombytes("I;16B", (64, 64), deep.tobytes())
    shown = np.asarray(derived(c.saved(big_endian, "TIFF"), kinds.TIFF)["view"]).astype(int)
    assert (shown[0].mean(), shown[-1].mean()) == (pytest.approx(2, abs=3), pytest.approx(253, abs=3))


def test_fractions_are_spread_too(derived):
    drawn = Image.fromarray(np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64))
    shown = np.asarray(derived(c.saved(drawn, "TIFF"), kinds.TIFF)["view"])
    assert (shown.min() < 8, shown.max() > 247) == (True, True)


def test_what_is_transparent_is_white(derived):
    drawn = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert derived(c.saved(drawn, "PNG"), kinds.PNG)["thumbnail"].convert("RGB").getpixel((9, 9)) == WHITE


def test_colours_of_another_space_become_the_screens(derived):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    strange = c.saved(marked(64, 64), "TIFF", icc_profile=profile)
    assert is_near(derived(strange, kinds.TIFF)["view"].getpixel((9, 9)), RED)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "F", "I"])
def test_pictures_of_every_make_have_a_view(derived, mode):
    drawn = marked(64, 48).convert("P" if mode == "P" else "L").convert(mode)
    assert derived(c.saved(drawn, "TIFF"), kinds.TIFF)["view"].size == (64, 48)


def test_a_pdf_has_a_picture_of_its_first_page(derived):
    def red_page(document):
        document.pages[0].Contents = document.make_stream(b"1 0 0 rg 0 0 300 400 re f")

    made = derived(c.pdf(red_page, pages=2), kinds.PDF)
    assert set(made) == {"thumbnail"}
    assert made["thumbnail"].size == (240, 320)
    assert is_near(made["thumbnail"].convert("RGB").getpixel((100, 100)), RED)


def test_a_pdf_that_cant_be_drawn_has_none(derived):
    closed = c.pdf(encryption=pikepdf.Encryption(user="secret", owner="o"))
    assert derived(closed, kinds.PDF) == {}


@pytest.mark.parametrize(
    ("content", "media_type"), [(c.stl(), kinds.STL), (c.ply(), kinds.PLY), (c.docx(), kinds.DOCX)]
)
def test_surfaces_are_measured_and_other_kinds_have_no_copies(tmp_path, content, media_type):
    (tmp_path / "original").write_bytes(content)
    said = derive(tmp_path, str(tmp_path / "original"), media_type)
    assert said["copies"] == []
    assert said["facts"].get("triangles") == (None if media_type == kinds.DOCX else 2)

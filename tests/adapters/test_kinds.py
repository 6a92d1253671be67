"""What may come in, what may not, and how hostile files are told."""

import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from konsilium.adapters import kinds
from konsilium.adapters.kinds import NotAllowed, kind_of, safe_name

ZEROS = bytes(128)
DICM = b"DICM\x02\x00\x00\x00UL\x04\x00"
EXECUTABLE = (b"MZ\x90\x00" + bytes(124))[:128]
PAGE = b"<html><script>alert(1)</script>".ljust(128, b" ")


def picture(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(buffer, form)
    return buffer.getvalue()


def archive(*entries: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in entries:
            file.writestr(name, content)
    return buffer.getvalue()


def numbered(cases):
    """Names that every worker makes alike: an archive holds the second at which it was made."""
    return [f"{number}-{case[0]}" for number, case in enumerate(cases)]


def media(*brands: bytes) -> bytes:
    box = brands[0] + bytes(4) + b"".join(brands)
    return struct.pack(">I", len(box) + 8) + b"ftyp" + box + bytes(64)


def stl(triangles: int, head: bytes = b"") -> bytes:
    return head.ljust(80, b" ") + struct.pack("<I", triangles) + bytes(50 * triangles)


OFFICE = archive(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>"))
ENCRYPTED = bytearray(archive(("IM1", b"x")))
ENCRYPTED[6] |= 1

GOOD = [
    ("Выписка.PDF", b"%PDF-1.7\n%\xe2\xe3", kinds.PDF),
    ("face.jpg", picture("JPEG"), kinds.JPEG),
    ("face.JPEG", picture("JPEG"), kinds.JPEG),
    ("tooth.png", picture("PNG"), kinds.PNG),
    ("scan.tif", picture("TIFF"), kinds.TIFF),
    ("IMG_0001.HEIC", media(b"heic", b"mif1"), kinds.HEIC),
    ("IMG_0002.heif", media(b"mif1", b"heic"), kinds.HEIC),
    ("film.mp4", media(b"isom", b"avc1", b"mp41"), kinds.MP4),
    ("slice.dcm", ZEROS + DICM, kinds.DICOM),
    ("IM000001", ZEROS + DICM, kinds.DICOM),
    ("1.2.840.113619.2.55.3", ZEROS + DICM, kinds.DICOM),
    ("two.dcm", b"II*\x00".ljust(128, b"\x01") + DICM, kinds.DICOM),
    ("letter.docx", OFFICE, kinds.DOCX),
    ("libre.docx", archive(("_rels/.rels", b""), ("word/document.xml", b"")), kinds.DOCX),
    ("table.xlsx", archive(("[Content_Types].xml", b""), ("xl/workbook.xml", b"")), kinds.XLSX),
    ("letter.odt", archive(("mimetype", kinds.ODT.encode()), ("content.xml", b"")), kinds.ODT),
    ("histology.txt", "Гистология: без особенностей\r\n".encode(), kinds.TEXT),
    ("old.txt", "Гистология: без особенностей\r\n".encode("cp1251"), kinds.TEXT),
    ("jaw.stl", stl(3), kinds.STL),
    ("solid.stl", stl(3, b"solid exported by a scanner"), kinds.STL),
    ("ascii.stl", b"solid jaw\n  facet normal 0 0 1\n   outer loop\n", kinds.STL),
    ("jaw.ply", b"ply\nformat binary_little_endian 1.0\n", kinds.PLY),
    ("series.zip", archive(("DICOM/IM000001", ZEROS + DICM)), kinds.ZIP),
    ("no-extension", b"%PDF-1.4\n", kinds.PDF),
]

BAD = [
    ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    ("drawing.png", b"<?xml version='1.0'?><svg/>"),
    ("page.html", b"<!DOCTYPE html>"),
    ("page.txt", b"\xef\xbb\xbf  \n<html>"),
    ("page16.txt", "\ufeff<html>".encode("utf-16-le")),
    ("setup.exe", EXECUTABLE),
    ("setup.pdf", EXECUTABLE),
    ("program", b"\x7fELF\x02\x01\x01"),
    ("run.txt", b"#!/bin/sh\nrm -rf /\n"),
    ("run.txt", b"@ECHO off\r\n"),
    ("run.sh", b"echo hello\n"),
    ("macro.js", b"var a = 1;\n"),
    ("macro.docm", OFFICE),
    ("photo.jpg.exe", picture("JPEG")),
    ("evil.dcm", EXECUTABLE + DICM),
    ("evil", EXECUTABLE + DICM),
    ("page.dcm", PAGE + DICM),
    ("almost.dcm", bytes(127) + b"\x01" + DICM),
    ("short.dcm", ZEROS),
    ("picture.jpg", picture("PNG")),
    ("picture.pdf", picture("JPEG")),
    ("text.pdf", b"plain text"),
    ("both.tif", b"II*\x00".ljust(128, b"\x00") + DICM),
    ("both.pdf", b"%PDF-1.4\n".ljust(128, b" ") + DICM),
    ("letter.zip", OFFICE),
    ("letter.docx", archive(("evil.exe", b""))),
    ("letter.xlsx", archive(("word/document.xml", b""))),
    ("letter.odt", archive(("mimetype", b"application/vnd.oasis.opendocument.text-template"))),
    ("program.zip", archive(("META-INF/MANIFEST.MF", b""))),
    ("secret.zip", bytes(ENCRYPTED)),
    ("empty.zip", archive()),
    ("cut.zip", b"PK\x03\x04"),
    ("movie.mov", media(b"qt  ")),
    ("movie.mp4", media(b"qt  ", b"isom")),
    ("picture.heic", media(b"avif", b"mif1")),
    ("picture.heic", media(b"isom")),
    ("binary.txt", b"text\x00\x01\x02"),
    ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("wrong.stl", stl(3)[:-1]),
    ("none.stl", stl(0)),
    ("jaw.ply", b"ply\nwhatever\n"),
    ("text-without-extension", b"just text"),
    ("empty.pdf", b""),
    ("picture.jpg\u202egpj.exe", picture("JPEG")),
]


@pytest.mark.parametrize(("name", "content", "kind"), GOOD, ids=numbered(GOOD))
def test_an_allowed_file_is_told_by_its_content(name: str, content: bytes, kind: str) -> None:
    assert kind_of(name, content[:4096], len(content)) == kind


@pytest.mark.parametrize(("name", "content"), BAD, ids=numbered(BAD))
def test_a_file_that_is_not_allowed_or_not_what_it_says_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(NotAllowed):
        kind_of(name, content[:4096], len(content))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("evil.dcm", EXECUTABLE + DICM, "The DICOM file begins with something that is not DICOM"),
        ("run.pdf", EXECUTABLE, "Programs and scripts are not accepted"),
        ("page.txt", b"<html>", "Web pages and SVG pictures are not accepted"),
        ("picture.jpg", picture("PNG"), "The content of the file does not match its name"),
        ("archive.rar", b"Rar!\x1a\x07", "Files of this kind are not accepted"),
    ],
)
def test_the_reason_says_what_is_wrong(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        kind_of(name, content, len(content))
    assert str(refused.value) == reason


def test_a_text_longer_than_its_head_may_be_cut_within_a_character() -> None:
    whole = ("я" * 5000).encode()
    assert kind_of("long.txt", b"x" + whole[:4095], len(whole) + 1) == kinds.TEXT


@given(st.text(), st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_under_any_name_are_taken_or_refused_by_name(name: str, content: bytes, size: int) -> None:
    with suppress(NotAllowed):
        assert kind_of(name, content, size) in kinds.MEDIA_TYPES


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Выписка из истории.pdf", "Выписка из истории.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\врач\\снимок.jpg", "снимок.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\x00b\x1f\x7f.pdf", "ab.pdf"),
        ("a\r\nContent-Type: text/html.pdf", "html.pdf"),
        ("two\r\nlines.pdf", "two lines.pdf"),
        ("  .hidden. ", "hidden"),
        ('a<b>"c"|d?*.txt', "a_b__c__d__.txt"),
        ("", "file"),
        ("..", "file"),
        ("/", "file"),
        ("e\u0301.pdf", "\u00e9.pdf"),
        ("\ud800.pdf", "pdf"),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_is_cut_before_its_extension() -> None:
    assert safe_name("я" * 300 + ".pdf") == "я" * 116 + ".pdf"
    assert safe_name("я" * 300 + "." + "x" * 40) == "я" * 120


@given(st.text())
def test_a_safe_name_is_short_flat_and_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert 1 <= len(safe) <= kinds.LONGEST_NAME
    assert not set(safe) & set("/\\\x00\r\n\u202e")
    assert safe_name(safe) == safe

"""Every kind is taken when it is whole and harmless, and refused with the right reason when it isn't."""

import struct

import numpy as np
import pikepdf
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from konsilium.adapters import kinds
from konsilium.adapters.inspection.reasons import REASONS
from konsilium.adapters.inspection.verdict import inspect
from tests.adapters.inspection import corpus as c

ZIP_BEHIND = c.archive(("evil.js", b"WScript.Echo(1)"))
PAGE = b"<html><script>alert(1)</script></html>"
PROGRAM = (b"MZ\x90\x00" + bytes(124))[:128]
DOTM = "https://example.org/t.dotm"

GOOD = [
    ("photo.jpg", c.jpeg(), {"width": 120, "height": 80, "pages": 1}),
    ("tiny.jpg", c.saved(c.picture(2, 3), "JPEG"), {"width": 2, "height": 3, "pages": 1}),
    ("turned.jpg", c.jpeg(exif=c.exif()), {"width": 120, "height": 80, "pages": 1}),
    ("slow.jpg", c.jpeg(progressive=True), {"width": 120, "height": 80, "pages": 1}),
    ("padded.jpg", c.jpeg() + bytes(100), {"width": 120, "height": 80, "pages": 1}),
    ("samsung.jpg", c.jpeg() + c.samsung(), {"width": 120, "height": 80, "pages": 1}),
    ("depth.jpg", c.jpeg() + c.jpeg(), {"width": 120, "height": 80, "pages": 1}),
    ("motion.jpg", c.jpeg() + c.mp4(), {"width": 120, "height": 80, "pages": 1}),
    ("motion2.jpg", c.jpeg() + c.samsung(c.mp4()), {"width": 120, "height": 80, "pages": 1}),
    ("tooth.png", c.png(), {"width": 120, "height": 80, "pages": 1}),
    ("scan.tif", c.tiff(3), {"width": 120, "height": 80, "pages": 3}),
    ("IMG_1.HEIC", c.HEIC, {"width": 64, "height": 96, "pages": 1}),
    ("film.mp4", c.mp4(), {"width": 640, "height": 480, "seconds": 12.5, "codec": "avc1"}),
    ("extract.pdf", c.pdf(pages=3), {"pages": 3, "is_signed": False}),
    ("links.pdf", c.pdf(c.harmless), {"pages": 1, "is_signed": False}),
    ("spaces.pdf", c.pdf() + b"\r\n\x00 \n", {"pages": 1, "is_signed": False}),
    (
        "readable.pdf",
        c.pdf(encryption=pikepdf.Encryption(user="", owner="o")),
        {"pages": 1, "is_signed": False},
    ),
    ("letter.docx", c.docx(), {}),
    ("linked.docx", c.docx(("word/_rels/document.xml.rels", c.relationship("hyperlink", DOTM))), {}),
    (
        "own.docx",
        c.docx(("word/_rels/s.rels", c.relationship("attachedTemplate", "file:///C:\\T\\Normal.dotm"))),
        {},
    ),
    ("numbered.docx", c.docx(body=c.field(" PAGE ", "HYPERLINK x")), {}),
    ("table.xlsx", c.xlsx(), {}),
    ("letter.odt", c.odt(), {}),
    ("libre.odt", c.odt(("Configurations2/accelerator/current.xml", "")), {}),
    ("histology.txt", "Гистология\nбез особенностей".encode(), {"encoding": "utf-8", "lines": 2}),
    ("old.txt", "Гистология".encode("cp1251"), {"encoding": "cp1251", "lines": 1}),
    ("jaw.stl", c.stl(), {"triangles": 2, "vertices": 6, "box": [[0, 0, 0], [1, 2, 3]]}),
    ("text.stl", c.stl_text(), {"triangles": 2, "vertices": 6, "box": [[0, 0, 0], [1, 2, 3]]}),
    ("jaw.ply", c.ply(), {"triangles": 2, "vertices": 4, "box": [[0, 0, 0], [1, 2, 3]]}),
    (
        "big.ply",
        c.ply("binary_big_endian", (3, 4)),
        {"triangles": 3, "vertices": 4, "box": [[0, 0, 0], [1, 2, 3]]},
    ),
    ("textured.ply", c.textured(), {"triangles": 2, "vertices": 3, "box": [[0, 0, 0], [2, 2, 0]]}),
    (
        "cloud.ply",
        c.ply_text(c.POINTS, "0 0 0", "1 2 3"),
        {"triangles": 0, "vertices": 2, "box": [[0, 0, 0], [1, 2, 3]]},
    ),
    ("text.ply", c.ply("ascii", (3, 4)), {"triangles": 3, "vertices": 4, "box": [[0, 0, 0], [1, 2, 3]]}),
]

BAD = [
    # Kinds that aren't taken, and programs under another name
    ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "kind"),
    ("page.html", PAGE, "kind"),
    ("setup.exe", PROGRAM, "kind"),
    ("setup.pdf", PROGRAM, "kind"),
    ("study.rar", b"Rar!\x1a\x07\x01\x00" + bytes(100), "kind"),
    ("gif.gif", b"GIF89a/*" + bytes(8) + b"*/=1;alert(1)", "kind"),
    ("gif.jpg", b"GIF89a/*" + bytes(8) + b"*/=1;alert(1)", "kind"),
    ("empty.jpg", b"", "kind"),
    # Two kinds in one
    ("both.pdf", c.pdf() + ZIP_BEHIND, "two_kinds"),
    ("both.jpg", c.jpeg() + ZIP_BEHIND, "two_kinds"),
    ("both.png", c.png() + ZIP_BEHIND, "two_kinds"),
    ("both.tif", c.tiff() + ZIP_BEHIND, "two_kinds"),
    ("both.heic", c.HEIC + ZIP_BEHIND, "two_kinds"),
    ("both.mp4", c.mp4(behind=ZIP_BEHIND), "two_kinds"),
    ("both.dcm", c.dicom() + ZIP_BEHIND, "two_kinds"),
    ("both.stl", c.stl()[:-2] + b"\x00\x00" + ZIP_BEHIND, "kind"),
    ("inside.jpg", c.jpeg(comment=b"%PDF-1.4 1 0 obj"), "two_kinds"),
    ("rar.jpg", c.jpeg() + b"Rar!\x1a\x07\x00" + bytes(50), "two_kinds"),
    ("seven.png", c.png() + b"7z\xbc\xaf\x27\x1c" + bytes(50), "two_kinds"),
    ("commented.pdf", c.pdf() + ZIP_BEHIND[:-2] + struct.pack("<H", 6) + b"%%EOF\n", "two_kinds"),
    ("program.dcm", c.dicom(preamble=PROGRAM), "kind"),
    ("page.dcm", c.dicom(preamble=PAGE.ljust(128)), "kind"),
    # Something behind the end
    ("behind.jpg", c.jpeg() + PAGE, "rest_behind"),
    ("behind.png", c.png() + PAGE, "rest_behind"),
    ("behind.pdf", c.pdf() + PAGE, "rest_behind"),
    ("far.pdf", c.pdf() + bytes(1000) + b"x" * 100_000, "rest_behind"),
    ("behind.heic", c.HEIC + c.box(b"evil", PAGE), "rest_behind"),
    ("behind.mp4", c.mp4(behind=c.box(b"evil", PAGE)), "rest_behind"),
    ("behind.ply", c.ply(behind=PAGE), "rest_behind"),
    ("almost.jpg", c.jpeg() + PAGE + c.SEFT, "rest_behind"),
    # Cut off or broken
    ("cut.jpg", c.jpeg()[:-2], "damaged"),
    ("cut.png", c.png()[:-20], "damaged"),
    ("changed.png", c.png().replace(b"IDAT", b"IDAT\x00", 1)[:-1], "damaged"),
    ("cut.tif", c.tiff()[:-2000], "damaged"),
    ("cut.heic", c.HEIC[:-40], "damaged"),
    ("cut.mp4", c.mp4()[:-10], "damaged"),
    ("cut.dcm", c.dicom()[:-10], "damaged"),
    ("head.dcm", c.dicom()[:140], "damaged"),
    ("long.dcm", c.dicom() + b"\x01\x02\x03", "damaged"),
    ("noise.dcm", c.dicom() + PAGE, "damaged"),
    ("deep.dcm", c.nested(40), "damaged"),
    ("open.dcm", c.nested(3)[:-8], "damaged"),
    ("item.dcm", c.dicom().replace(c.FRAGMENT, b"\xfe\xff\x01\xe0"), "damaged"),
    ("fragment.dcm", c.open_fragment(), "damaged"),
    ("formless.dcm", c.dicom_without_form(), "damaged"),
    ("short.dcm", c.dicom()[:-514], "damaged"),
    ("note.png", c.png()[:-12] + c.chunk(b"tEXt", b"Title\x00x")[:-1] + b"\x00" + c.png()[-12:], "damaged"),
    ("open.png", c.png()[:-12], "damaged"),
    ("open.pdf", c.pdf().replace(b"%%EOF", b"     "), "damaged"),
    ("deep.pdf", c.pdf(c.deep), "damaged"),
    ("noise.pdf", b"%PDF-1.7\n" + b"x" * 500 + b"%%EOF", "damaged"),
    ("none.pdf", c.pdf(pages=0), "damaged"),
    ("cut.txt", "Гистология".encode() + b"\x00", "kind"),
    ("late.txt", b"text " * 2000 + b"\x01", "damaged"),
    ("infinite.stl", c.stl(c.CORNERS + np.float32("inf")), "damaged"),
    ("place.stl", c.stl(np.where(c.CORNERS == 2, np.float32("inf"), c.CORNERS)), "damaged"),
    ("line.stl", c.stl_text().replace(b"endloop", b"alert(1)", 1), "damaged"),
    ("word.ply", c.ply_text(("wordless 1", *c.POINTS), "0 0 0", "1 2 3"), "damaged"),
    ("comments.ply", c.ply_text(("comment x" * 100,) * 100), "damaged"),
    ("none.ply", c.ply_text(("element vertex 0", *c.POINTS[1:])), "damaged"),
    ("few.ply", c.ply_text(("element odd -1", *c.POINTS), "0 0 0", "1 2 3"), "damaged"),
    ("nothing.ply", c.ply_text((*c.POINTS, "element odd 2000000000"), "0 0 0", "1 2 3"), "damaged"),
    ("wide.ply", c.ply_text(c.POINTS, "0 0 0 9", "1 2 3 4"), "damaged"),
    ("face.ply", c.ply("ascii", (3, 2)), "damaged"),
    ("faces.ply", c.ply(corners=(3, 2)), "damaged"),
    ("wide-face.ply", c.ply("ascii").replace(b"3 0 1 2", b"3 0 1 2 7"), "damaged"),
    ("thin-face.ply", c.ply("ascii").replace(b"3 0 1 2", b"3 0 1"), "damaged"),
    ("minus.ply", c.ply().replace(b"list uchar", b"list char").replace(b"\x03\x00", b"\xfd\x00"), "damaged"),
    ("cut.stl", c.stl_text(end=""), "damaged"),
    ("page.stl", c.stl_text(end=PAGE.decode()), "damaged"),
    ("cut.ply", c.ply()[:-4], "damaged"),
    ("many.ply", c.ply(count=2_000_000_000), "damaged"),
    ("many2.ply", c.ply(count=6), "damaged"),
    # What acts by itself
    ("script.pdf", c.pdf(c.action("/JavaScript", JS=pikepdf.String("app.alert(1)"))), "pdf_active"),
    ("hidden.pdf", c.pdf(c.hidden_script), "pdf_active"),
    (
        "packed.pdf",
        c.pdf(c.hidden_script, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "pdf_active",
    ),
    ("disguised.pdf", c.disguised_script(), "pdf_active"),
    ("launch.pdf", c.pdf(c.action("/Launch", F=pikepdf.String("cmd.exe"))), "pdf_active"),
    ("form.pdf", c.pdf(c.dynamic_form), "pdf_active"),
    (
        "quiet.pdf",
        c.pdf(c.hidden_script, encryption=pikepdf.Encryption(user="", owner="o")),
        "pdf_active",
    ),
    ("carrier.pdf", c.pdf(c.attachment), "pdf_attachments"),
    ("rich.pdf", c.pdf(c.rich_media), "pdf_attachments"),
    ("closed.pdf", c.pdf(encryption=pikepdf.Encryption(user="secret", owner="o")), "pdf_password"),
    ("macro.docx", c.docx(("word/vbaProject.bin", b"\xd0\xcf")), "office_macros"),
    (
        "renamed.docx",
        c.docx(types=c.TYPES.replace("document.main+xml", "document.macroEnabled.main+xml")),
        "office_macros",
    ),
    (
        "related.docx",
        c.docx(("word/_rels/s.rels", c.relationship("vbaProject", "x.bin", "Internal"))),
        "office_macros",
    ),
    ("macro.xlsx", c.xlsx(("xl/macrosheets/sheet1.xml", "<x/>")), "office_macros"),
    ("macro.odt", c.odt(("Basic/Standard/Module1.xml", "<x/>")), "office_macros"),
    ("event.odt", c.odt(body="<script:event-listener/>"), "office_macros"),
    ("link.odt", c.odt(body='<text:a xlink:href="vnd.sun.star.script:x"/>'), "office_macros"),
    ("object.docx", c.docx(("word/embeddings/oleObject1.bin", b"x")), "office_objects"),
    ("control.docx", c.docx(("word/activeX/activeX1.xml", "<x/>")), "office_objects"),
    (
        "object.xlsx",
        c.xlsx(("xl/_rels/s.rels", c.relationship("oleObject", "../x.bin", "Internal"))),
        "office_objects",
    ),
    (
        "template.docx",
        c.docx(("word/_rels/settings.xml.rels", c.relationship("attachedTemplate", DOTM))),
        "office_links",
    ),
    (
        "share.docx",
        c.docx(("word/_rels/s.rels", c.relationship("attachedTemplate", "file://server/t.dotm"))),
        "office_links",
    ),
    ("image.docx", c.docx(("word/_rels/document.xml.rels", c.relationship("image", DOTM))), "office_links"),
    ("dde.docx", c.docx(body=c.field("DDE", "AUTO c:\\\\cmd.exe")), "office_links"),
    ("simple.docx", c.docx(body='<w:fldSimple w:instr=" DDE cmd x "/>'), "office_links"),
    ("linked.xlsx", c.xlsx(("xl/externalLinks/externalLink1.xml", "<ddeLink/>")), "office_links"),
    ("chunk.docx", c.docx(body="<w:altChunk/>"), "office_objects"),
    ("image.odt", c.odt(body=f'<draw:image xlink:href="{DOTM}"/>'), "office_links"),
    ("laughs.docx", c.docx(main=c.LAUGHS), "damaged"),
    ("broken.docx", c.docx(main="<w:document>"), "damaged"),
    ("without.docx", c.archive(("[Content_Types].xml", c.TYPES)), "damaged"),
    ("closed.odt", c.odt(manifest="<manifest:encryption-data/>"), "office_password"),
    ("audio.mp4", c.mp4(handled=b"soun"), "video_none"),
    ("foreign.mp4", c.mp4().replace(b"mdat", b"evil") + c.box(b"mdat", bytes(9)), "video_foreign"),
    ("disc.dcm", c.dicom(sop_class="1.2.840.10008.1.3.10"), "dicom_index"),
    # Too much
    ("bomb.png", c.png_bomb(20_000), "too_many_points"),
    ("pages.tif", c.tiff(201), "too_many_pages"),
    ("text.png", c.png_text_bomb(100_000_000), "damaged"),
]


@pytest.fixture
def judged(tmp_path):
    def judge(name, content):
        path = tmp_path / "upload"
        path.write_bytes(content)
        return inspect(tmp_path, str(path), name)

    return judge


@pytest.mark.parametrize(("name", "content", "facts"), GOOD, ids=[name for name, _, _ in GOOD])
def test_a_whole_and_harmless_file_is_taken(judged, name, content, facts):
    said = judged(name, content)
    assert (said["verdict"], said["reason"], said["message"]) == ("ok", "", "")
    assert said["facts"] == facts
    assert said["media_type"] in kinds.MEDIA_TYPES


@pytest.mark.parametrize(("name", "content", "reason"), BAD, ids=[name for name, _, _ in BAD])
def test_another_is_refused_with_a_reason_that_helps(judged, name, content, reason):
    said = judged(name, content)
    assert (said["verdict"], said["reason"]) == ("refused", reason)
    assert said["message"] % said["params"]
    assert reason == "kind" or said["message"] == REASONS[reason]


@pytest.mark.parametrize("syntax", [*c.SYNTAXES, DeflatedExplicitVRLittleEndian])
def test_dicom_is_walked_to_its_end_in_every_form(judged, syntax):
    whole = c.dicom(syntax)
    facts = judged("IM1", whole)["facts"]
    assert (facts["modality"], facts["rows"], facts["transfer_syntax"]) == ("CT", 16, str(syntax))
    if syntax != DeflatedExplicitVRLittleEndian:
        assert judged("IM1", whole + bytes(200))["verdict"] == "ok"
        assert judged("IM1", whole[:-1])["reason"] == "damaged"


def test_a_number_that_is_none_is_left_to_those_who_look_at_the_picture(judged):
    assert judged("IM1", c.dicom().replace(b"IS\x02\x001 ", b"IS\x02\x001A"))["facts"]["frames"] == 1


def test_a_tiff_head_may_stand_before_dicom_since_some_microscopes_write_both(judged):
    assert judged("slide.dcm", c.dicom(preamble=b"II*\x00".ljust(128, b"\x01")))["verdict"] == "ok"


def test_every_file_that_is_cut_anywhere_is_refused_or_whole_never_a_crash(judged):
    for name, content, _ in GOOD:
        for part in (0.2, 0.5, 0.9, 0.99):
            said = judged(name, content[: int(len(content) * part)])
            assert said["verdict"] == "refused" or name in (
                "padded.jpg",
                "depth.jpg",
                "text.stl",
                "spaces.pdf",
                "histology.txt",
                "old.txt",
            )


@pytest.mark.parametrize(
    ("name", "content", "where", "limit", "reason"),
    [
        ("a.png", c.png(), "pictures.LARGEST_MB", 0, "too_large"),
        ("a.txt", b"text", "text.LARGEST_MB", 0, "too_large"),
        ("a.stl", c.stl(), "surfaces.LARGEST_MB", 0, "too_large"),
        ("a.pdf", c.pdf(pages=2), "pdf.PAGES", 1, "too_many_pages"),
        ("a.docx", c.docx(body=c.field("PAGE ", "PAGE ")), "office._LONGEST_FIELDS", 9, "office_links"),
    ],
)
def test_what_is_larger_than_its_limit_is_refused(judged, monkeypatch, name, content, where, limit, reason):
    assert judged(name, content)["verdict"] == "ok"
    monkeypatch.setattr(f"konsilium.adapters.inspection.{where}", limit)
    assert judged(name, content)["reason"] == reason


def test_every_reason_is_given_by_some_file():
    from tests.adapters.inspection.test_archives import BAD as ARCHIVES

    given = {reason for _, _, reason in (*BAD, *ARCHIVES)}
    by_tests_of_their_own = {"too_large", "archive_size", "archive_twice"}
    assert set(REASONS) - given == by_tests_of_their_own

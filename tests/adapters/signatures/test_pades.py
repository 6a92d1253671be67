"""A signature inside the PDF: over all of it, or not good."""

import io

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from reportlab.pdfgen.canvas import Canvas

from konsilium.adapters.signatures.pades import ROOM, Prepared, TooLong, prepare
from konsilium.workflow.signing import Verdict
from tests.adapters.signatures.test_openssl import ALGORITHMS, NOW, Desk


def form(text="Zakljuchenie"):
    made = io.BytesIO()
    canvas = Canvas(made)
    canvas.drawString(100, 700, text)
    canvas.showPage()
    canvas.save()
    return made.getvalue()


@pytest.fixture(scope="module", params=ALGORITHMS)
def signed(request, tmp_path_factory):
    """A desk with a form, and the form signed inside."""
    desk = Desk(tmp_path_factory.mktemp("desk"), request.param)
    desk.document.write_bytes(form())
    prepared = prepare(desk.document.read_bytes(), name="AUTHOR", at=NOW)
    content = desk.other(prepared.content, "content.bin")
    cms = desk.authority.sign(content).read_bytes()
    return desk, prepared.filled(cms)


def verdict(desk, data):
    return desk.verdict(desk.other(data, "signed.pdf"), kind="pades")


def test_a_form_signed_inside_is_valid_and_begins_as_the_form(signed):
    desk, data = signed
    assert data.startswith(desk.document.read_bytes())
    assert verdict(desk, data) == Verdict.VALID
    assert pikepdf.open(io.BytesIO(data)).pages[0] is not None


def test_what_is_appended_after_the_signed_range_is_told(signed):
    desk, data = signed
    assert verdict(desk, data + b"\n%%EOF\n") != Verdict.VALID
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    writer.root["/Lang"] = generic.pdf_string("ru")
    writer.update_root()
    made = io.BytesIO()
    writer.write(made)
    assert verdict(desk, made.getvalue()) == Verdict.PARTIAL


def test_an_edition_saved_over_the_signed_one_is_never_valid(signed):
    desk, data = signed
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.docinfo["/Title"] = "Another"
        made = io.BytesIO()
        pdf.save(made)
    assert verdict(desk, made.getvalue()) != Verdict.VALID


def test_a_changed_byte_is_told(signed):
    desk, data = signed
    place = data.rindex(b"/Type /Sig") if b"/Type /Sig" in data else len(data) - 40
    changed = data[: place + 1] + bytes([data[place + 1] ^ 1]) + data[place + 2 :]
    assert verdict(desk, changed) in (Verdict.CHANGED, Verdict.UNREADABLE)


def test_a_signed_form_of_something_else_is_named_as_such(signed):
    desk, data = signed
    other = desk.other(form("Drugoe"), "another.pdf")
    assert (
        desk.verdict(desk.other(data, "signed.pdf"), document=other, kind="pades") == Verdict.OTHER_DOCUMENT
    )


def test_a_pdf_without_a_signature_has_none(signed):
    desk, _ = signed
    assert verdict(desk, form()) == Verdict.UNREADABLE


def test_a_signature_too_long_for_its_place_is_refused():
    with pytest.raises(TooLong):
        Prepared(b"a<00>b", 1, 5).filled(b"\x00" * (ROOM + 1))

"""The signed paper comes back: joined to one PDF, its code the edition's, or another's, or compared by eye."""

from datetime import timedelta

import pypdfium2
import pytest

from konsilium.actions import concluding, inspecting, printing, scanning_paper
from konsilium.actions._files import store
from konsilium.actions.documents import Upload, remove
from konsilium.actions.paper_codes import Match, match_of_scan, present_code
from konsilium.actions.scanning_paper import NotCompared, OtherEdition, Photo
from konsilium.models import Conclusion, Document, Event
from konsilium.models.access import acting, as_printer
from konsilium.workflow.machine import Missing, NotYours, Refused
from tests.factories import Way
from tests.paper import as_jpeg, photographed, sheet

pytestmark = pytest.mark.django_db
OTHERS = "https://konsilium.example/papers/0b6a2d0e-3f57-4a0e-9d0b-2f6f1f0c0e11/#0123456789ab"


@pytest.fixture
def way(cast):
    """A conclusion that lacks nothing but the scan of its paper."""
    way = Way(cast).drafted()
    with acting(way.consultant):
        remove(Document.objects.get(kind="conclusion_scan"), actor=way.consultant, at=way.at)
    return way


def draft_of(way):
    return way.do(way.consultant, concluding.draft_of)


def printed(way):
    """Return what the QR of the draft's print form says."""
    with acting(way.consultant):
        form = printing.ask("conclusion", draft_of(way).pk, actor=way.consultant, at=way.at)
    return printing.address_of(form)


def photo(text, quarters=0, name="IMG_1.JPG"):
    data = as_jpeg(
        photographed(
            sheet(text), size=(1600, 2000), corners=((250, 200), (1380, 320), (1300, 1800), (170, 1710))
        )
    )
    return Photo(name, [data], len(data), quarters)


def lay(way, *photos, compared=False, actor=None):
    actor = actor or way.consultant
    draft = draft_of(way)
    with acting(actor):
        return scanning_paper.lay(draft, photos, compared=compared, actor=actor, at=way.at)


def match(way, scan):
    with acting(way.consultant):
        scan.refresh_from_db()
        return match_of_scan(scan, Conclusion.objects.get(placed_at=None))


def lacks(way):
    with acting(way.consultant):
        return " ".join(concluding.lacking(Conclusion.objects.get(placed_at=None)))


def happened(way):
    with acting(way.consultant):
        return list(Event.objects.filter(kind="scan_compared").values_list("audience", flat=True))


def test_photographs_of_this_editions_paper_become_its_scan_and_it_can_be_placed(way):
    scan = lay(way, photo(printed(way)), photo(""))
    assert (scan.kind, scan.file_name, scan.media_type) == (
        "conclusion_scan",
        scanning_paper.NAME,
        "application/pdf",
    )
    with store().open_path(scan.sha256) as path, pypdfium2.PdfDocument(path) as pdf:
        assert len(pdf) == 2
    assert match(way, scan) is Match.SAME
    assert happened(way) == []
    assert way.do(way.consultant, concluding.place).placed_at


def test_paper_of_another_edition_is_refused_and_nothing_is_laid(way):
    earlier = printed(way)
    with acting(way.consultant):
        concluding.save_draft(draft_of(way), {"text": "Иное."}, {}, actor=way.consultant, at=way.at)
    with pytest.raises(OtherEdition):
        lay(way, photo(earlier), compared=True)
    assert "scan" in lacks(way)


def test_one_foreign_sheet_among_ours_is_another_editions(way):
    with pytest.raises(OtherEdition):
        lay(way, photo(printed(way)), photo(OTHERS))


def test_paper_without_a_code_needs_a_persons_word_which_is_noted_inside_the_centre(way):
    with pytest.raises(NotCompared):
        lay(way, photo("https://example.org/else"))
    scan = lay(way, photo(""), compared=True)
    assert match(way, scan) is Match.BY_EYE
    assert happened(way) == ["centre"]
    assert way.do(way.consultant, concluding.place).placed_at


def test_a_scan_of_what_was_changed_since_no_longer_lets_the_conclusion_be_placed(way):
    scan = lay(way, photo(printed(way)))
    with acting(way.consultant):
        draft = concluding.save_draft(
            draft_of(way), {"text": "Иное."}, {}, actor=way.consultant, at=way.at + timedelta(minutes=1)
        )
    assert match(way, scan) is Match.OTHER
    assert "another" in lacks(way)
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
    with acting(way.consultant):
        remove(scan, actor=way.consultant, at=way.at)
        assert present_code(draft)
    lay(way, photo(printed(way)))
    assert way.do(way.consultant, concluding.place).placed_at


@pytest.mark.parametrize(
    "given",
    [
        [],
        [Photo("1.jpg", [b"no"], scanning_paper.LARGEST + 1)],
        [Photo("1.jpg", [b"GIF89a"], 6)],
        [Photo("x.exe", [b"MZ"], 2)],
    ],
)
def test_what_is_no_photograph_is_refused_in_words(way, given):
    with pytest.raises(Refused) as refusal:
        lay(way, *given)
    assert refusal.value.message


def test_a_thirteenth_sheet_is_refused(way):
    with pytest.raises(Refused):
        lay(way, *[Photo("1.jpg", [b""], 0)] * (scanning_paper.MOST + 1))


def test_nobody_else_lays_a_scan_to_it(way):
    with pytest.raises(NotYours):
        lay(way, photo(printed(way)), actor=way.dispatcher)


@pytest.mark.parametrize(
    ("text", "expected"), [("ours", Match.SAME), (OTHERS, Match.OTHER), ("", Match.UNREADABLE)]
)
def test_the_inspector_reads_the_code_of_a_scan_that_was_laid_as_a_file(way, settings, text, expected):
    settings.INSPECTOR = "sandbox"
    data = as_jpeg(sheet(printed(way) if text == "ours" else text))
    upload = Upload(store().receive([data], len(data)), "scan.jpg")
    with acting(way.consultant):
        scan = concluding.attach_scan(draft_of(way), upload, actor=way.consultant, at=way.at)
    assert match(way, scan) is Match.WAITING
    inspecting.run_pending(at=way.at + timedelta(hours=1))
    assert match(way, scan) is expected
    assert scan.state == "available"
    assert ("another" in lacks(way)) is (expected is Match.OTHER)


def test_a_real_forms_own_code_is_read_from_its_pages_as_the_printer_drew_them(way):
    with acting(way.consultant):
        form = printing.ask("conclusion", draft_of(way).pk, actor=way.consultant, at=way.at)
    printing.make_waiting(at=way.at)
    with as_printer(form.consultation_id):
        form.refresh_from_db()
    with store().open_path(form.sha256) as path, pypdfium2.PdfDocument(path) as pdf:
        page = pdf[0].render(scale=150 / 72).to_pil().convert("RGB")
    data = as_jpeg(photographed(page))
    scan = lay(way, Photo("a.jpg", [data], len(data)))
    assert match(way, scan) is Match.SAME

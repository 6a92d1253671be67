"""Print forms: the same words are the same form; PDF/A-2b with Cyrillic, tags, fonts, data and a QR that say what it is."""

import io
import json
import re
from datetime import timedelta

import pypdf
import pytest

from konsilium.actions import concluding, printing
from konsilium.actions._files import store
from konsilium.actions._step import NotThere
from konsilium.models import Conclusion, PrintForm, Session
from konsilium.models.access import acting, as_printer
from konsilium.workflow.machine import NotNow
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script><img src='file:///etc/passwd'> {{ number }}"


@pytest.fixture
def way(cast):
    return Way(cast)


def asked(way, kind, pk, actor=None, at=None):
    actor = actor or way.consultant
    with acting(actor):
        return printing.ask(kind, pk, actor=actor, at=at or way.at)


def made(form):
    # As often as the worker would: on a machine that is busy a child may take too long.
    for _ in range(printing.MOST_TRIES):
        printing.make_waiting(at=form.asked_at, most=10)
        with as_printer(form.consultation_id):
            form.refresh_from_db()
        if form.state == "ready":
            break
    assert form.state == "ready"
    return form


def read(form):
    return pypdf.PdfReader(io.BytesIO(b"".join(store().open_range(form.sha256))))


def text_of(pdf):
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def draft_of(way):
    return way.do(way.consultant, concluding.draft_of)


def test_the_same_words_are_the_same_form_and_others_another(way):
    way.drafted()
    draft = draft_of(way)
    first = asked(way, "conclusion", draft.pk)
    assert asked(way, "conclusion", draft.pk, at=way.at + timedelta(hours=1)).pk == first.pk
    with acting(way.consultant):
        concluding.save_draft(draft, {"text": "Иное."}, {}, actor=way.consultant, at=way.at)
    other = asked(way, "conclusion", draft.pk)
    assert other.pk != first.pk
    made(other)
    with as_printer(first.consultation_id):
        first.refresh_from_db()
    # Its words are gone: nothing else is printed under its name.
    assert first.state == "failed"


def test_a_form_that_was_saved_again_without_a_change_is_as_new_as_its_words(way):
    way.drafted()
    draft = draft_of(way)
    first = made(asked(way, "conclusion", draft.pk))
    later = way.at + timedelta(minutes=5)
    with acting(way.consultant):
        draft = concluding.save_draft(draft, {}, {}, actor=way.consultant, at=later)
        again = printing.ask("conclusion", draft.pk, actor=way.consultant, at=later)
    assert (again.pk, again.state) == (first.pk, "ready")
    assert again.asked_at >= draft.updated_at


def test_the_conclusion_as_pdf_is_read_back_by_another_reader(way):
    way.drafted()
    form = made(asked(way, "conclusion", draft_of(way).pk))
    pdf = read(form)
    words = text_of(pdf)
    for said in (
        "Заключение телемедицинской консультации",
        "Внешнее мнение.",
        "Зайцева Ольга Петровна",
        "Операция показана.",
        "1. Показана ли операция в ближайшие месяцы? Да, показана.",
        "Госпитализация в плановом порядке. (плановая)",
        "Соколов Андрей",
        "Подготовлено в системе «Консилиум».",
        f"Стр. 1 из {form.pages}",
        f"код содержания {form.content_sha256[:12]}",
    ):
        assert said in words, said
    assert len(pdf.pages) == form.pages


def test_the_file_is_an_archive_form_with_tags_fonts_and_nothing_outside(way):
    way.drafted()
    pdf = read(made(asked(way, "conclusion", draft_of(way).pk)))
    root = pdf.trailer["/Root"]
    xmp = root["/Metadata"].get_data().decode()
    assert 'pdfaid:part="2"' in xmp or "<pdfaid:part>2" in xmp
    assert "pdfaid:conformance" in xmp
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert root["/Lang"] == "ru"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]["/K"]
    assert "/OpenAction" not in root
    assert "/EmbeddedFiles" not in root.get("/Names", {})
    for page in pdf.pages:
        assert "/Annots" not in page
        fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
        assert fonts
        for font in fonts:
            assert re.match(r"/[A-Z]{6}\+PT-Sans", font["/BaseFont"]), font["/BaseFont"]
            described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert any(name in described for name in ("/FontFile2", "/FontFile3"))
            assert "/ToUnicode" in font


def test_the_words_stand_in_the_file_as_data(way):
    way.drafted()
    form = made(asked(way, "conclusion", draft_of(way).pk))
    xmp = read(form).trailer["/Root"]["/Metadata"].get_data().decode()
    told = re.search(r"<konsilium:document>(.*?)</konsilium:document>", xmp, re.DOTALL)[1]
    data = json.loads(told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert data["resourceType"] == "Composition"
    assert data["contentHash"] == form.content_sha256
    assert data["content"]["text"] == "Операция показана."
    assert xmp.count("<rdf:RDF") == 1


def test_hostile_words_are_words_and_fetch_nothing(way):
    way.drafted()
    draft = draft_of(way)
    with acting(way.consultant):
        draft = concluding.save_draft(draft, {"text": EVIL}, {}, actor=way.consultant, at=way.at)
    words = text_of(read(made(asked(way, "conclusion", draft.pk))))
    assert "<script>alert(1)</script>" in words
    assert "{{ number }}" in words
    assert "root:" not in words


def test_a_drafts_form_is_its_centres_and_a_placed_ones_is_read_by_both(cast, way):
    way.drafted()
    draft = draft_of(way)
    form = made(asked(way, "conclusion", draft.pk))
    for stranger in (way.doctor, cast.nmic_consultant, cast.chita_doctor):
        with acting(stranger):
            assert not PrintForm.objects.visible_to(stranger).filter(pk=form.pk).exists()
            assert not PrintForm.objects.filter(pk=form.pk).exists()
            with pytest.raises(NotThere):
                printing.ask("conclusion", draft.pk, actor=stranger, at=way.at)
    way.do(way.consultant, concluding.place)
    assert asked(way, "conclusion", draft.pk, actor=way.doctor).pk == form.pk
    with acting(cast.chita_doctor):
        assert not PrintForm.objects.filter(pk=form.pk).exists()


def test_a_placed_one_that_was_never_printed_is_made_for_whoever_asks(way):
    way.completed()
    with acting(way.doctor):
        placed = Conclusion.objects.get(consultation=way.row)
    form = made(asked(way, "conclusion", placed.pk, actor=way.doctor))
    assert form.placed_at == placed.placed_at
    assert asked(way, "conclusion", placed.pk).pk == form.pk


def test_the_superseded_edition_says_so(way):
    way.corrected()
    with acting(way.doctor):
        first = Conclusion.objects.get(consultation=way.row, edition=1)
    assert "Заменено." in text_of(read(made(asked(way, "conclusion", first.pk, actor=way.doctor))))


def test_consent_cover_and_session_are_printed_too(way):
    way.on_video()
    session = confirmed_session(way)
    for kind, pk, said in (
        ("consent", way.row.pk, "согласие на телемедицинскую консультацию"),
        ("cover", way.row.pk, "Вопросы консультанту"),
        ("session", session.pk, "Протокол сеанса видеосвязи"),
    ):
        form = made(asked(way, kind, pk, actor=way.doctor))
        words = text_of(read(form))
        assert said in words
        assert "Зайцева Ольга Петровна" in words or kind == "session"


def test_what_is_empty_or_unknown_is_refused(way):
    way.concluding()
    draft = draft_of(way)
    with pytest.raises(NotNow):
        asked(way, "conclusion", draft.pk)
    with pytest.raises(NotThere):
        asked(way, "nonsense", draft.pk)


def test_a_printer_reads_one_request_and_no_other(cast, way):
    way.drafted()
    other = Way(cast).drafted()
    with as_printer(way.row.pk):
        assert {row.consultation_id for row in Conclusion.objects.all()} == {way.row.pk}
        assert not Session.objects.exclude(consultation_id=way.row.pk).exists()
        assert not Conclusion.objects.filter(consultation=other.row).exists()


def test_whatever_breaks_no_word_of_the_form_is_logged(way, monkeypatch, caplog):
    way.drafted()
    form = asked(way, "conclusion", draft_of(way).pk)

    def breaks(*_args, **_named):
        raise ValueError("Операция показана.")

    monkeypatch.setattr(printing, "render_to_string", breaks)
    printing.make_waiting(at=way.at)
    assert "ValueError" in caplog.text
    assert "Операция" not in caplog.text
    with as_printer(form.consultation_id):
        form.refresh_from_db()
    assert (form.state, form.tries) == ("waiting", 1)


def test_after_three_failures_it_is_given_up_until_somebody_asks_again(way, monkeypatch):
    way.drafted()
    form = asked(way, "conclusion", draft_of(way).pk)
    monkeypatch.setattr("konsilium.adapters.typesetting.COMMAND", ("false",))
    for _ in range(printing.MOST_TRIES + 1):
        printing.make_waiting(at=way.at)
    with as_printer(form.consultation_id):
        form.refresh_from_db()
    assert (form.state, form.tries) == ("failed", printing.MOST_TRIES)
    monkeypatch.undo()
    made(asked(way, "conclusion", form.subject_id))

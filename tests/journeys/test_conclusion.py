"""A consultant answers without video: decides, asks back, hands back, writes, places and corrects, through the pages."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.actions import concluding
from konsilium.models import Conclusion, Document, Viewing
from konsilium.models.access import acting
from konsilium.workflow.words import CONCLUSION_SCAN
from tests.factories import QUESTIONS, Way
from tests.journeys.test_triage import fill, text

pytestmark = pytest.mark.django_db
SECRET = "Показана двучелюстная остеотомия."
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def way(cast):
    return Way(cast, at=timezone.now() - timedelta(hours=3))


@pytest.fixture
def consultant(way, client_as):
    return client_as(way.consultant)


@pytest.fixture
def doctor(way, client_as):
    return client_as(way.doctor)


def page_of(client, way):
    return text(client.get(f"/requests/{way.row.pk}/"))


def scan(name="Заключение.pdf", content=PDF):
    return SimpleUploadedFile(name, content, "application/pdf")


def answers(page):
    return re.findall(r'<textarea name="(answer-[^"]+)"', page)


def drafts_version(page):
    return re.search(r'name="draft_version" value="(\d+)"', page)[1]


def written(consultant, way, go="stay", **given):
    """Write the conclusion on its page, answering every question, and press a button."""
    address = f"/requests/{way.row.pk}/conclusion/"
    page = text(consultant.get(address))
    words = dict.fromkeys(answers(page), "Да, показана.")
    given = {"text": SECRET, "draft_version": drafts_version(page), "go": go, **words, **given}
    return fill(consultant, address, **given)


def press(client, way, move):
    version = re.search(r'name="version" value="(\d+)"', page_of(client, way))[1]
    return client.post(f"/requests/{way.row.pk}/{move}/", {"once_key": move, "version": version})


def test_a_request_is_answered_without_video(way, consultant, doctor):
    way.assigned()
    assert "Без видео: к заключению" in page_of(consultant, way)
    answer = press(consultant, way, "no-video")
    assert "Теперь напишите заключение." in text(consultant.get(answer.headers["Location"]))
    form = text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))
    for number, question in enumerate(QUESTIONS, 1):
        assert f"{number}. {question}</label>" in form
    assert 'value="K07.1"' in form
    studied = re.findall(r'name="studied" value="([^"]+)"', form)
    assert len(studied) == 4
    answer = written(
        consultant,
        way,
        "place",
        item=["Госпитализация в плановом порядке.", "Анализ крови.", ""],
        **{"item-urgency": ["planned", "urgent", "planned"]},
        visit_needed="on",
        next_date="2027-01-15",
        studied=studied,
        files=[scan()],
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/requests/{way.row.pk}/")
    page = page_of(doctor, way)
    for words in (
        SECRET,
        "Да, показана.",
        "Госпитализация в плановом порядке.",
        "Нужен очный приём; Когда: 15.01.2027",
        "<li>Анализ крови. <span",
        "extract.pdf <small",
        "panoramic.pdf <small",
        "Внешнее мнение",
        "Соколов Андрей, Врач, Хирургия",
        "Заключение.pdf",
    ):
        assert words in page, words
    address = re.search(r'href="(/conclusions/[^"]+)"', page)[1]
    printed = text(doctor.get(address))
    assert "Зайцева Ольга Петровна" in printed
    assert f"1. {QUESTIONS[0]}" in printed
    assert SECRET in printed
    link = re.search(r'href="(/documents/[^"]+)"', printed)[1]
    file = doctor.get(link, follow=True)
    assert b"".join(file.streaming_content) == PDF


def test_nothing_of_a_draft_stands_on_any_page_of_the_requesting_side(
    cast, way, consultant, doctor, client_as
):
    way.concluding()
    before = [page_of(doctor, way), text(doctor.get("/requests/"))]
    written(consultant, way, files=[scan("секретный скан.pdf")])
    draft = way.do(way.consultant, concluding.draft_of)
    admin, dispatcher = client_as(cast.omsk_admin), client_as(way.dispatcher)
    pages = [page_of(client, way) for client in (doctor, admin, dispatcher)]
    pages += [text(doctor.get(f"/requests/{way.row.pk}/timeline/")), text(doctor.get("/requests/"))]
    for page in pages:
        assert SECRET not in page
        assert "секретный скан" not in page
    assert 'class="unread"' not in pages[-1]
    assert re.findall("<h2[^>]*>[^<]+", pages[0]) == re.findall("<h2[^>]*>[^<]+", before[0])
    with acting(way.consultant):
        hidden = Document.objects.get(kind=CONCLUSION_SCAN, conclusion=draft)
    for client in (doctor, admin):
        assert client.get(f"/conclusions/{draft.pk}/").status_code == 404
        assert client.get(f"/documents/{hidden.pk}/").status_code == 404
        assert client.get(f"/requests/{way.row.pk}/conclusion/").status_code == 403
    # The control: the same pages show it once it is placed.
    written(consultant, way, "place")
    assert SECRET in page_of(doctor, way)
    assert doctor.get(f"/conclusions/{draft.pk}/").status_code == 200
    assert doctor.get(f"/documents/{hidden.pk}/").status_code == 302


def test_looking_at_the_form_begins_nothing(way, consultant):
    way.concluding()
    assert "Пока ничего не написано." in text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))
    with acting(way.consultant):
        assert not Conclusion.objects.exists()


def test_what_is_not_ready_is_kept_and_says_what_is_lacking(way, consultant, doctor):
    way.concluding()
    answer = written(consultant, way, "place")
    page = text(answer)
    assert answer.status_code == 422
    assert "Написанное сохранено, но: Заключение не готово" in page
    assert '<ul class="missing"><li>Скан подписанного документа</li></ul>' in page
    assert SECRET in page
    assert SECRET not in page_of(doctor, way)
    answer = written(consultant, way, "place", files=[scan()])
    assert answer.status_code == 302
    assert SECRET in page_of(doctor, way)


def test_a_file_that_is_no_paper_is_refused_and_the_words_are_kept(way, consultant):
    way.concluding()
    answer = written(consultant, way, "place", files=[scan("вирус.exe", b"MZ\x90\x00")])
    assert answer.status_code == 422
    assert "вирус.exe" in text(answer)
    assert SECRET in text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))


def test_a_wrong_code_comes_back_with_what_was_typed(way, consultant):
    way.concluding()
    answer = written(consultant, way, diagnosis_code="не код")
    assert answer.status_code == 422
    assert 'value="не код"' in text(answer)
    assert SECRET in text(answer)


def test_a_scan_is_taken_away_again_before_placing(way, consultant):
    way.concluding()
    written(consultant, way, files=[scan()])
    page = text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))
    wrong = re.search(r'name="remove_scan" value="([^"]+)"', page)[1]
    written(consultant, way, remove_scan=[wrong, "nonsense"])
    page = text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))
    assert "remove_scan" not in page
    assert "<li>Скан подписанного документа</li>" in page


def autosave(client, way, version, **given):
    return client.post(
        f"/requests/{way.row.pk}/conclusion/save/",
        {"draft_version": version, **given},
        headers={"HX-Request": "true"},
    )


def test_what_is_written_is_kept_by_itself(way, consultant):
    way.concluding()
    form = text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))
    first = answers(form)[0]
    saved = text(
        autosave(consultant, way, drafts_version(form), text=SECRET, diagnosis_code="K07.1", **{first: "Да."})
    )
    assert saved.lstrip().startswith('<div id="saved"')
    assert "<li>Ответ на каждый вопрос</li>" in saved
    again = text(autosave(consultant, way, drafts_version(saved), text=SECRET, diagnosis_code="не код"))
    assert drafts_version(again) == str(int(drafts_version(saved)) + 1)
    page = text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))
    assert SECRET in page
    assert 'value="K07.1"' in page


def test_another_windows_words_are_not_overwritten(way, consultant):
    way.concluding()
    written(consultant, way)
    old = drafts_version(text(consultant.get(f"/requests/{way.row.pk}/conclusion/")))
    autosave(consultant, way, old, text="Новее.")
    stale = autosave(consultant, way, old, text="Старее.")
    assert stale.status_code == 422
    assert "Не сохранено:" in text(stale)
    answer = written(consultant, way, draft_version=old, text="Ещё старее.")
    assert answer.status_code == 422
    assert "Ещё старее." in text(answer)
    with acting(way.consultant):
        assert Conclusion.objects.get().text == "Новее."


def test_opening_the_conclusion_is_the_receipt_that_the_consultant_sees(way, consultant, doctor):
    way.completed()
    page = page_of(consultant, way)
    assert "Направившая сторона его ещё не открывала." in page
    page_of(doctor, way)
    with acting(way.doctor):
        seen = Viewing.objects.filter(subject="conclusion").exclude(person_id=way.consultant.person_id)
        assert [one.person_name for one in seen] == ["Петров Илья"]
    page = page_of(consultant, way)
    assert "Открывали: Петров Илья, Омская ОКБ" in page
    assert "Открывали" not in page_of(doctor, way)


def test_a_correction_stands_beside_what_was_placed_first(way, consultant, doctor):
    way.completed()
    assert "Исправить заключение" in page_of(consultant, way)
    form = text(consultant.get(f"/requests/{way.row.pk}/conclusion/"))
    assert "Операция показана." in form
    assert "Исправленное заключение" in form
    answer = written(consultant, way, "place", files=[scan()])
    assert answer.status_code == 422
    assert SECRET not in page_of(doctor, way)
    assert "Продолжить исправление" in page_of(consultant, way)
    answer = written(consultant, way, "place", correction="Учтены новые снимки.")
    assert answer.status_code == 302
    page = page_of(doctor, way)
    assert SECRET in page
    assert "Учтены новые снимки." in page
    assert "Операция показана." not in page
    earlier = re.search(r'Прежние версии: <a href="([^"]+)">1 ', page)[1]
    old = text(doctor.get(earlier))
    assert "Операция показана." in old
    assert "Позже размещена исправленная версия; эта сохраняется." in old


def test_a_draft_is_thrown_away(way, consultant):
    way.concluding()
    written(consultant, way)
    answer = consultant.post(f"/requests/{way.row.pk}/conclusion/discard/", follow=True)
    assert "Черновик удалён." in text(answer)
    with acting(way.consultant):
        assert not Conclusion.objects.exists()
    assert consultant.post(f"/requests/{way.row.pk}/conclusion/discard/").status_code == 404


def test_a_form_sent_twice_places_once(way, consultant):
    way.drafted()
    address = f"/requests/{way.row.pk}/conclusion/"
    page = text(consultant.get(address))
    words = dict.fromkeys(answers(page), "Да.")
    given = {"text": SECRET, "draft_version": drafts_version(page), "go": "place", "once_key": "one", **words}
    first, second = consultant.post(address, given), consultant.post(address, given)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"] == f"/requests/{way.row.pk}/"


def test_a_conclusion_is_not_written_before_its_time(way, consultant):
    way.assigned()
    answer = consultant.get(f"/requests/{way.row.pk}/conclusion/", follow=True)
    assert "В нынешнем состоянии это действие невозможно." in text(answer)


def test_more_is_asked_and_the_answer_comes_back(way, consultant, doctor):
    way.assigned()
    answer = fill(consultant, f"/requests/{way.row.pk}/ask-back/", text="Пришлите прицельный снимок.")
    assert answer.status_code == 302
    assert "Пришлите прицельный снимок." in page_of(doctor, way)
    assert consultant.get(f"/requests/{way.row.pk}/hand-back/").status_code == 302
    answer = fill(doctor, f"/requests/{way.row.pk}/answer/", text="Снимок приложен.")
    assert answer.status_code == 302
    assert "Ваш ход" in page_of(consultant, way)


def test_a_request_handed_back_leaves_the_consultants_sight_and_tells_the_requester_nothing(
    way, consultant, doctor, client_as
):
    way.assigned()
    address = f"/requests/{way.row.pk}/hand-back/"
    given = {"reason": "other", "text": "Я в отпуске.", "once_key": "back", "version": str(way.row.version)}
    assert fill(consultant, address, reason="other").status_code == 422
    first, second = consultant.post(address, given), consultant.post(address, given)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"] == "/consulting/"
    assert consultant.get(f"/requests/{way.row.pk}/").status_code == 404
    assert "Я в отпуске." in page_of(client_as(way.dispatcher), way)
    for page in (page_of(doctor, way), text(doctor.get(f"/requests/{way.row.pk}/timeline/"))):
        assert "Я в отпуске." not in page
        assert "вернул" not in page


def test_the_form_costs_the_same_queries_with_two_and_with_many_questions_and_documents(cast, client_as):
    def queries(way):
        client = client_as(way.consultant)
        client.get(f"/requests/{way.row.pk}/conclusion/")
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/requests/{way.row.pk}/conclusion/").status_code == 200
        return len(caught)

    past = timezone.now() - timedelta(hours=3)
    few = Way(cast, at=past).drafted()
    many = Way(cast, at=past)
    many.drafted(
        questions=tuple(f"Вопрос консультанту номер {number}?" for number in range(1, 9)),
        kinds=("consent", "extract", "panoramic", "face_photo", "laboratory", "histology", "xray"),
    )
    assert queries(few) == queries(many)


def test_hostile_text_is_shown_as_text(way, consultant, doctor):
    way.concluding()
    evil = "<script>alert(1)</script>"
    written(consultant, way, "place", text=evil, item=[evil], diagnosis_text=evil, files=[scan()])
    page = page_of(doctor, way)
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3

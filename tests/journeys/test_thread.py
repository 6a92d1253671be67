"""Both sides talk inside a request, through the pages; and the requester's end of it."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from konsilium.actions import triage
from tests.actions.test_closing import completed
from tests.actions.test_triage import assigned, moved
from tests.journeys.test_triage import fill, text
from tests.requests import seen, sent

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def past():
    return timezone.now() - timedelta(hours=2)


def write(client, row, words, **given):
    page = text(client.get(f"/requests/{row.pk}/"))
    form = page.split(f'action="/requests/{row.pk}/thread/"')[1]
    key = re.search(r'name="once_key" value="([^"]+)"', form)[1]
    return client.post(f"/requests/{row.pk}/thread/", {"text": words, "once_key": key, **given})


def test_a_message_is_written_on_the_request_page_and_read_on_the_other_side(cast, client_as, past):
    row = assigned(cast, at=past)
    doctor, consultant = client_as(cast.omsk_doctor), client_as(cast.cniis_consultant)
    answer = write(doctor, row, "Пациентка готова приехать.")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"/requests/{row.pk}/#message-")
    page = text(consultant.get(f"/requests/{row.pk}/"))
    assert "Пациентка готова приехать." in page
    assert "1 новое сообщение" in page


def test_a_question_is_asked_and_replied_to_in_the_thread(cast, client_as, past):
    row = assigned(cast, at=past)
    doctor, consultant = client_as(cast.omsk_doctor), client_as(cast.cniis_consultant)
    write(consultant, row, "Есть ли металлоконструкции?", kind="question")
    page = text(doctor.get(f"/requests/{row.pk}/"))
    reply = re.search(r'href="(/requests/[^"]+/thread/\?answer=([^"#]+)#write)"', page)
    form = text(doctor.get(reply[1]))
    assert "Есть ли металлоконструкции?" in form
    answer = doctor.post(
        f"/requests/{row.pk}/thread/", {"text": "Нет.", "answers": reply[2], "once_key": "r"}
    )
    assert answer.status_code == 302
    page = text(doctor.get(f"/requests/{row.pk}/"))
    assert "<blockquote" in page
    assert "?answer=" not in page


def test_an_asked_doctor_answers_with_a_file_and_the_request_goes_back(cast, client_as, past):
    row = sent(cast, at=past)
    moved(row, cast.cniis_dispatcher, triage.ask, "Пришлите снимок.", at=past)
    doctor = client_as(cast.omsk_doctor)
    page = text(doctor.get(f"/requests/{row.pk}/"))
    assert "Ваш ход" in page
    address = re.search(rf'class="button primary" href="(/requests/{row.pk}/answer/)"', page)[1]
    assert "Пришлите снимок." in text(doctor.get(address))
    answer = fill(doctor, address, text="Снимок приложен.", files=SimpleUploadedFile("снимок.pdf", PDF))
    assert answer.status_code == 302
    assert seen(row, cast.cniis_dispatcher).state == "submitted"
    page = text(client_as(cast.cniis_dispatcher).get(f"/requests/{row.pk}/"))
    thread = page.split('id="thread"')[1]
    assert "Снимок приложен." in thread
    assert "снимок.pdf" in thread


def test_a_file_that_is_not_accepted_leaves_the_answer_unsent(cast, client_as, past):
    row = sent(cast, at=past)
    moved(row, cast.cniis_dispatcher, triage.ask, "Пришлите снимок.", at=past)
    doctor = client_as(cast.omsk_doctor)
    bad = SimpleUploadedFile("снимок.pdf", b"MZ\x90\x00 this is a program")
    answer = fill(doctor, f"/requests/{row.pk}/answer/", text="Снимок приложен.", files=bad)
    assert answer.status_code == 422
    assert "data-refusal" in text(answer)
    assert "Снимок приложен." in text(answer)
    assert seen(row, cast.omsk_doctor).state == "clarification"


def test_an_empty_message_is_refused_in_words(cast, client_as, past):
    row = sent(cast, at=past)
    answer = write(client_as(cast.omsk_doctor), row, "   ")
    assert answer.status_code == 422
    assert "Сначала напишите сообщение." in text(answer)


def test_a_finished_request_takes_no_message(cast, client_as, past):
    row = sent(cast, at=past)
    moved(row, cast.cniis_dispatcher, triage.reject, "duplicate", at=past)
    doctor = client_as(cast.omsk_doctor)
    page = text(doctor.get(f"/requests/{row.pk}/thread/"))
    assert "<textarea" not in page
    answer = doctor.post(f"/requests/{row.pk}/thread/", {"text": "Почему?", "once_key": "k"})
    assert answer.status_code == 422
    assert "Запрос завершён: переписку можно только читать." in text(answer)


def test_a_doctor_withdraws_with_a_reason(cast, client_as, past):
    row = assigned(cast, at=past)
    doctor = client_as(cast.omsk_doctor)
    answer = fill(doctor, f"/requests/{row.pk}/withdraw/", reason="patient_left", text="Выписан.")
    assert answer.status_code == 302
    page = text(client_as(cast.cniis_consultant).get(f"/requests/{row.pk}/"))
    for words in ("Отозван", "Пациент переведён или выбыл", "Выписан."):
        assert words in page, words


def test_a_doctor_confirms_the_conclusion_and_closes_with_the_outcome(cast, client_as, past):
    row = completed(cast, at=past)
    doctor = client_as(cast.omsk_doctor)
    doctor.post(f"/requests/{row.pk}/acknowledge/", {"once_key": "a"})
    assert seen(row, cast.omsk_doctor).acknowledged_at is not None
    empty = fill(doctor, f"/requests/{row.pk}/close/", text="Забыл исход.")
    assert empty.status_code == 422
    answer = fill(doctor, f"/requests/{row.pk}/close/", outcome="improved", text="Выписана домой.")
    assert answer.status_code == 302
    page = text(client_as(cast.cniis_dispatcher).get(f"/requests/{row.pk}/"))
    for words in ("Исход", "Улучшение", "Выписана домой.", "Закрыт"):
        assert words in page, words


def test_the_administrator_does_it_for_an_absent_doctor(cast, client_as, past):
    row = completed(cast, at=past)
    admin = client_as(cast.omsk_admin)
    fill(admin, f"/requests/{row.pk}/close/", outcome="unchanged")
    assert seen(row, cast.omsk_admin).state == "closed"

"""A dispatcher's morning, through the pages: name a consultant, ask, reject, pass on."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.requests import seen, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(cast):
    return sent(cast, at=timezone.now() - timedelta(hours=1))


@pytest.fixture
def dispatcher(cast, client_as):
    return client_as(cast.cniis_dispatcher)


def fill(client, address, **given):
    """Open a page, fill its form as a person does, send it."""
    page = client.get(address)
    assert page.status_code == 200, address
    hidden = dict(re.findall(r'name="(once_key|version)" value="([^"]+)"', page.content.decode()))
    return client.post(address, {**hidden, **given})


def text(answer):
    return answer.content.decode()


def test_a_request_is_found_in_the_list_opened_and_given_to_a_consultant(cast, client_as, dispatcher, row):
    listed = text(dispatcher.get("/triage/"))
    address = re.search(r'<a class="open[^"]*" href="([^"]+)"', listed)[1]
    page = text(dispatcher.get(address))
    assign = re.search(r'href="([^"]+/assign/)"', page)[1]
    form = text(dispatcher.get(assign))
    assert "Соколов Андрей · Хирургия · 0 открытых запросов" in form
    answer = fill(dispatcher, assign, consultant=str(cast.cniis_consultant.membership_id))
    assert (answer.status_code, answer.headers["Location"]) == (302, address)
    assert "Консультант назначен и получит уведомление." in text(dispatcher.get(address))
    assert text(client_as(cast.cniis_consultant).get(address)).count("Ваш ход") == 1


def test_a_form_sent_twice_does_its_move_once(cast, dispatcher, row):
    address = f"/requests/{row.pk}/ask/"
    given = {"text": "Пришлите КТ.", "once_key": "the-same", "version": "2"}
    first, second = dispatcher.post(address, given), dispatcher.post(address, given)
    assert first.status_code == second.status_code == 302
    assert first.headers["Location"] == second.headers["Location"]
    assert text(dispatcher.get(f"/requests/{row.pk}/thread/")).count("Пришлите КТ.") == 1
    other = dispatcher.post(address, {**given, "text": "Другое."})
    assert other.status_code == 422
    assert "уже отправлена с другим содержанием" in text(other)


def test_a_refused_form_comes_back_with_what_was_typed(dispatcher, row):
    answer = fill(dispatcher, f"/requests/{row.pk}/reject/", reason="other", text="")
    assert answer.status_code == 422
    assert "Укажите причину; для «другой причины» нужен текст." in text(answer)
    assert re.search(r'value="other"[^>]*checked', text(answer))
    empty = fill(dispatcher, f"/requests/{row.pk}/assign/")
    assert empty.status_code == 422


def test_the_second_dispatcher_is_told_that_the_request_has_changed(cast, client_as, dispatcher, row):
    address = f"/requests/{row.pk}/assign/"
    late = client_as(cast.cniis_dispatcher2)
    page = text(late.get(address))
    hidden = dict(re.findall(r'name="(once_key|version)" value="([^"]+)"', page))
    fill(dispatcher, address, consultant=str(cast.cniis_consultant.membership_id))
    answer = late.post(address, {**hidden, "consultant": str(cast.cniis_consultant2.membership_id)})
    assert answer.status_code == 422
    assert "Пока вы смотрели, кто-то это изменил." in text(answer)
    assert seen(row, cast.cniis_dispatcher).consultant_name == "Соколов Андрей"


def test_a_rejected_request_tells_its_doctor_why(cast, client_as, dispatcher, row):
    answer = fill(dispatcher, f"/requests/{row.pk}/reject/", reason="no_consent", text="Приложите согласие.")
    assert answer.status_code == 302
    page = text(client_as(cast.omsk_doctor).get(f"/requests/{row.pk}/"))
    for words in ("Отклонён центром", "Нет согласия", "Приложите согласие.", "Скопировать в новый черновик"):
        assert words in page, words


def test_a_passed_on_request_leaves_the_centre_and_its_form_sent_again_goes_to_the_list(
    cast, client_as, dispatcher, row
):
    address = f"/requests/{row.pk}/pass-on/"
    page = text(dispatcher.get(address))
    assert "НМИЦ нейрохирургии" in page
    given = {"centre": str(cast.house("nmic")), "text": "Не наш профиль.", "once_key": "k", "version": "2"}
    first, second = dispatcher.post(address, given), dispatcher.post(address, given)
    assert [first.headers["Location"], second.headers["Location"]] == ["/triage/", "/triage/"]
    assert dispatcher.get(f"/requests/{row.pk}/").status_code == 404
    assert row.number in text(client_as(cast.nmic_dispatcher).get("/triage/"))


def test_a_consultant_falls_ill_and_another_one_takes_over(cast, client_as, dispatcher, row):
    fill(dispatcher, f"/requests/{row.pk}/assign/", consultant=str(cast.cniis_consultant.membership_id))
    page = text(dispatcher.get(f"/requests/{row.pk}/reassign/"))
    form = page.split("<form", 2)[-1]
    assert "Ершова Инна" in form
    assert "Соколов Андрей ·" not in form
    fill(dispatcher, f"/requests/{row.pk}/reassign/", consultant=str(cast.cniis_consultant2.membership_id))
    assert client_as(cast.cniis_consultant).get(f"/requests/{row.pk}/").status_code == 404
    assert client_as(cast.cniis_consultant2).get(f"/requests/{row.pk}/").status_code == 200


def test_a_question_stops_the_clock_and_says_so(dispatcher, row):
    assert "срок стоит на паузе" in text(dispatcher.get(f"/requests/{row.pk}/ask/"))
    fill(dispatcher, f"/requests/{row.pk}/ask/", text="Пришлите КТ.")
    page = text(dispatcher.get(f"/requests/{row.pk}/"))
    assert 'class="left still"' in page
    assert re.search(r"пауза: 2[23] ч", page)

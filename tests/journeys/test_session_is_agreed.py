"""Both sides agree on a video session through the pages, hold it, or find that it fell through."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from konsilium.actions import sessions
from konsilium.models import Session
from konsilium.models.access import acting
from tests.factories import Way, confirmed_session
from tests.journeys.test_triage import fill, text

pytestmark = pytest.mark.django_db
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MOSCOW, OMSK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Omsk")


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


def typed(moment, zone):
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def read(moment, zone):
    return moment.astimezone(zone).strftime("%d.%m.%Y %H:%M")


def whole(moment):
    return moment.replace(minute=0, second=0, microsecond=0)


def press(client, page, action):
    """Press the button of a form on a page, with all that its form carries."""
    form = re.search(rf'<form method="post" action="([^"]*{action}/)".*?</form>', page, re.DOTALL)
    fields = dict(re.findall(r'name="(once_key|version|option)" value="([^"]+)"', form[0]))
    return client.post(form[1], fields)


def follow(page, label):
    return re.search(rf'href="([^"]+)">{label}</a>', page)[1].replace("&amp;", "&")


def present(way):
    with acting(way.doctor):
        return Session.objects.filter(consultation=way.row).latest("created_at")


def test_a_time_is_proposed_countered_accepted_and_the_session_held(way, consultant, doctor):
    way.on_video()
    first, other = whole(timezone.now() + DAY), whole(timezone.now() + 2 * DAY)
    address = follow(page_of(consultant, way), "Предложить время")
    answer = fill(consultant, address, time_1=typed(first, MOSCOW), minutes="30", connection="room")
    page = text(consultant.get(answer.headers["Location"]))
    assert "Время предложено." in page
    assert "Ход врача-заявителя" in page
    assert "Омская ОКБ выбирает время или предлагает другое." in page

    page = page_of(doctor, way)
    assert "Ваш ход" in page
    address = follow(page, "Предложить другое время")
    answer = fill(
        doctor,
        address,
        time_1=typed(other, OMSK),
        connection="sip",
        dial="9100@omsk.example",
        phone="+7 3812 10-20-30",
    )
    assert answer.status_code == 302

    page = page_of(consultant, way)
    assert "Ваш ход" in page
    assert f"{read(other, MOSCOW)} МСК<" in page
    assert f"{read(other, OMSK)} МСК+3<" in page
    assert "Что предлагалось раньше" in page
    assert f"{read(first, OMSK)} МСК+3<" in page
    answer = press(consultant, page, "accept")
    page = text(consultant.get(answer.headers["Location"]))
    assert "Время согласовано." in page
    assert "Обе стороны ждут сеанса" in page
    session = present(way)
    assert (session.state, session.starts_at, session.requesting_dial) == (
        "confirmed",
        other,
        "9100@omsk.example",
    )
    assert "9100@omsk.example" in page


def test_a_proposed_time_is_confirmed_with_the_own_connection(way, consultant, doctor):
    way.on_video()
    times = [whole(timezone.now() + DAY), whole(timezone.now() + 2 * DAY)]
    way.do(way.consultant, sessions.propose, times)
    page = page_of(doctor, way)
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+/confirm/[^"]+)"', page)]
    assert len(links) == 2
    form = text(doctor.get(links[1]))
    assert read(times[1], OMSK) in form
    assert read(times[1], MOSCOW) in form
    assert read(times[0], OMSK) not in form
    option = re.search(r'name="option" value="([^"]+)"', form)[1]
    answer = fill(doctor, links[1], option=option, connection="vinteo", technician="Гусев Пётр")
    assert "Оно есть в расписании обеих сторон." in text(doctor.get(answer.headers["Location"]))
    session = present(way)
    assert (session.state, session.starts_at) == ("confirmed", times[1])
    assert (session.requesting_connection, session.requesting_technician) == ("vinteo", "Гусев Пётр")


def test_a_time_taken_meanwhile_is_said_and_another_can_be_chosen(cast, way, doctor):
    way.on_video()
    times = [whole(timezone.now() + DAY), whole(timezone.now() + 2 * DAY)]
    way.do(way.consultant, sessions.propose, times)
    other = Way(cast, who="chita_doctor", at=way.at).on_video()
    rival = other.do(other.consultant, sessions.propose, [times[0]])
    with acting(other.doctor):
        option = sessions.options_on_the_table(rival)[0]
        sessions.confirm(rival, option.pk, actor=other.doctor, at=other.at)
    links = re.findall(r'href="([^"]+/confirm/[^"]+)"', page_of(doctor, way))
    given = [(link, re.search(r"option=([0-9a-f-]+)", link)[1]) for link in links]
    answer = fill(doctor, given[0][0], option=given[0][1], connection="room", phone="+7 3812 10-20-30")
    assert answer.status_code == 422
    assert "Консультант в это время уже занят" in text(answer)
    assert 'value="+7 3812 10-20-30"' in text(answer)
    assert present(way).state == "proposed"
    assert fill(doctor, given[1][0], option=given[1][1], connection="room").status_code == 302


def test_a_confirmed_session_is_started_held_and_leads_to_the_conclusion(cast, client_as):
    way = Way(cast, at=timezone.now() - 2 * DAY).on_video()
    consultant = client_as(way.consultant)
    confirmed_session(way, after=2 * DAY - 40 * MINUTE)
    page = page_of(consultant, way)
    page = text(consultant.get(press(consultant, page, "start").headers["Location"]))
    assert "Сеанс начат." in page
    assert "Отменить сеанс" not in page
    address = follow(page, "Сеанс состоялся")
    form = text(consultant.get(address))
    began = re.search(r'name="began_at" value="([^"]+)"', form)[1]
    ended = re.search(r'name="ended_at" value="([^"]+)"', form)[1]
    assert began <= ended
    late = typed(timezone.now() + DAY, MOSCOW)
    refused = fill(consultant, address, began_at=began, ended_at=late, patient_present="yes")
    assert refused.status_code == 422
    assert "Сеанс кончается позже, чем начался, и не в будущем." in text(refused)
    answer = fill(
        consultant, address, began_at=began, ended_at=ended, patient_present="yes", note="Осмотр по видео."
    )
    page = text(consultant.get(answer.headers["Location"]))
    assert "Теперь напишите заключение." in page
    assert "Подготовка заключения" in page
    assert "Осмотр по видео." in page
    assert "Пациент присутствовал" in page
    assert present(way).patient_present is True


def test_after_a_side_did_not_come_another_session_or_no_video_follows(cast, client_as):
    way = Way(cast, at=timezone.now() - 2 * DAY).on_video()
    consultant, doctor = client_as(way.consultant), client_as(way.doctor)
    session = confirmed_session(way, after=2 * DAY - 40 * MINUTE)
    address = f"/sessions/{session.pk}/missed/"
    assert fill(consultant, address).status_code == 422
    answer = fill(consultant, address, side="requesting", text="Не подключились.")
    page = text(consultant.get(answer.headers["Location"]))
    for words in ("Направляющая сторона", "Не подключились.", "Предложить время", "Продолжить без видео"):
        assert words in page, words
    assert "Не подключились." in page_of(doctor, way)
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    consultant.post(f"/requests/{way.row.pk}/without-video/", {"once_key": "k", "version": version})
    assert "Подготовка заключения" in page_of(consultant, way)


def test_a_session_is_cancelled_with_a_reason_that_both_sides_read(way, consultant, doctor):
    way.on_video()
    session = confirmed_session(way)
    address = follow(page_of(doctor, way), "Отменить сеанс")
    assert fill(doctor, address, reason="other").status_code == 422
    form = text(doctor.get(address))
    assert "Запрос отозван" not in form
    assert fill(doctor, address, reason="equipment", text="Кодек в ремонте.").status_code == 302
    for client in (consultant, doctor):
        page = page_of(client, way)
        assert "Оборудование не готово. Кодек в ремонте." in page
    assert "Предложить время" in page_of(consultant, way)
    assert session.pk == present(way).pk


def test_a_session_form_sent_twice_acts_once(way, consultant):
    way.on_video()
    address = f"/requests/{way.row.pk}/sessions/propose/"
    given = {
        "time_1": typed(timezone.now() + DAY, MOSCOW),
        "minutes": "30",
        "connection": "room",
        "once_key": "one",
        "version": str(way.row.version),
    }
    answers = [consultant.post(address, given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    with acting(way.doctor):
        assert Session.objects.filter(consultation=way.row).count() == 1


def test_a_session_that_moved_meanwhile_is_not_moved_from_an_old_page(way, consultant, doctor):
    way.on_video()
    session = way.do(way.consultant, sessions.propose, [whole(timezone.now() + DAY)])
    address = f"/sessions/{session.pk}/counter/"
    old = {"once_key": "old", "version": "1", "connection": "room"}
    fill(
        consultant,
        f"/sessions/{session.pk}/propose/",
        time_1=typed(timezone.now() + 3 * DAY, MOSCOW),
        minutes="30",
    )
    answer = doctor.post(address, {**old, "time_1": typed(timezone.now() + 4 * DAY, OMSK)})
    assert answer.status_code == 422
    assert "Пока вы смотрели, кто-то это изменил." in text(answer)
    assert present(way).state == "proposed"

"""The pages of a session: for whom they are, in whose time one types and reads, what goes into a calendar."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.actions import equipment, sessions
from konsilium.models import Session, SessionOption, Viewing
from konsilium.models.access import acting
from konsilium.web.sessions import calendar
from tests.actions.test_equipment import entered, found
from tests.factories import Way, confirmed_session
from tests.journeys.test_triage import fill, text

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MOSCOW, OMSK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Omsk")


@pytest.fixture
def way(cast):
    return Way(cast, at=timezone.now() - timedelta(hours=2)).on_video()


def tomorrow(zone, hour=10):
    return (datetime.now(zone) + DAY).replace(hour=hour, minute=0, second=0, microsecond=0)


def typed(moment):
    return moment.strftime("%Y-%m-%dT%H:%M")


def read(moment, zone):
    return moment.astimezone(zone).strftime("%d.%m.%Y %H:%M")


def proposed(way, *times):
    return way.do(way.consultant, sessions.propose, times or [tomorrow(MOSCOW)])


def stored(way):
    with acting(way.doctor):
        return Session.objects.get(consultation=way.row), list(
            SessionOption.objects.filter(session__consultation=way.row).values_list("starts_at", flat=True)
        )


def test_times_are_typed_in_ones_own_zone_and_read_in_both(way, client_as):
    consultant, doctor = client_as(way.consultant), client_as(way.doctor)
    moment = tomorrow(MOSCOW)
    form = text(consultant.get(f"/requests/{way.row.pk}/sessions/propose/"))
    assert "Вводите время в своём часовом поясе, МСК." in form
    assert "Омская ОКБ: МСК+3; когда у вас 12:00, там 15:00." in form
    answer = fill(
        consultant,
        f"/requests/{way.row.pk}/sessions/propose/",
        time_1=typed(moment),
        minutes="45",
        connection="link",
        dial="https://vks.example.org/room",
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/requests/{way.row.pk}/#sessions")
    session, times = stored(way)
    assert times == [moment]
    for client in (consultant, doctor):
        page = text(client.get(f"/requests/{way.row.pk}/"))
        assert f"{read(moment, MOSCOW)} МСК<" in page
        assert f"{read(moment, OMSK)} МСК+3<" in page
        assert '<a href="https://vks.example.org/room" rel="noreferrer">' in page
    answer = fill(
        doctor, f"/sessions/{session.pk}/counter/", time_1=typed(tomorrow(OMSK, 9)), connection="room"
    )
    assert answer.status_code == 302
    assert stored(way)[1] == [moment, tomorrow(OMSK, 9)]


def test_a_typed_date_without_the_browsers_own_field_is_understood(way, client_as):
    moment = tomorrow(MOSCOW)
    fill(
        client_as(way.consultant),
        f"/requests/{way.row.pk}/sessions/propose/",
        time_1=moment.strftime("%d.%m.%Y %H:%M"),
        minutes="30",
        connection="room",
    )
    assert stored(way)[1] == [moment]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"time_1": "2020-01-01T10:00"}, "в будущем"),
        ({"time_1": "9999-12-31T23:59"}, "в пределах года"),
        ({"time_1": "0001-01-01T00:00"}, "в будущем"),
        ({"time_1": "завтра"}, "time_1"),
        ({"time_1": ""}, "time_1"),
    ],
)
def test_impossible_times_come_back_with_words_and_what_was_typed(way, client_as, times, words):
    address = f"/requests/{way.row.pk}/sessions/propose/"
    note = {"note": "Пригласите врача.", "minutes": "30", "connection": "room"}
    answer = fill(client_as(way.consultant), address, **times, **note)
    page = text(answer)
    assert answer.status_code == 422
    assert words in page
    assert "Пригласите врача." in page
    with acting(way.doctor):
        assert not Session.objects.exists()


def test_the_consultants_own_sessions_stand_beside_the_form(cast, way, client_as):
    other = Way(cast, who="chita_doctor", at=way.at).on_video()
    session = confirmed_session(other, after=2 * DAY)
    with acting(other.doctor):
        session.refresh_from_db()
    address = f"/requests/{way.row.pk}/sessions/propose/"
    for who in (way.consultant, way.dispatcher):
        page = text(client_as(who).get(address))
        assert f"{session.starts_at.astimezone(MOSCOW):%H:%M}–" in page
        assert "Читинская ККБ" in page
    taken = typed(session.starts_at.astimezone(MOSCOW))
    answer = fill(client_as(way.consultant), address, time_1=taken, minutes="30", connection="room")
    assert answer.status_code == 422
    assert "Консультант в это время уже занят" in text(answer)


def test_the_requesting_side_sees_nothing_of_the_consultants_other_sessions(cast, way, client_as):
    other = Way(cast, who="chita_doctor", at=way.at).on_video()
    confirmed_session(other)
    session = proposed(way, tomorrow(MOSCOW) + 3 * DAY)
    page = text(client_as(way.doctor).get(f"/sessions/{session.pk}/counter/"))
    assert "Читинская ККБ" not in page
    assert other.row.number not in page


def test_the_form_begins_with_the_equipment_that_passed_its_test(cast, way, client_as):
    good = entered(cast, name="Зал", dial_string="9100@omsk.example", reserve_phone="+7 3812 10-20-30")
    entered(cast, name="Новый кодек", kind="h323", dial_string="0077")
    with acting(cast.coordinator):
        equipment.record_test(good, found(), actor=cast.coordinator, at=way.at)
    session = proposed(way)
    with acting(way.doctor):
        option = sessions.options_on_the_table(session)[0]
    address = f"/sessions/{session.pk}/confirm/?option={option.pk}"
    page = text(client_as(way.doctor).get(address))
    assert '<option value="sip" selected>' in page
    assert 'value="9100@omsk.example"' in page
    assert "Зал <small" in page
    assert 'data-fill-dial="0077"' in page
    assert "пройдено, " in page
    answer = fill(
        client_as(way.doctor),
        address,
        option=str(option.pk),
        connection="sip",
        dial="9100@omsk.example",
        phone="+7 3812 10-20-30",
    )
    assert answer.status_code == 302
    session, _ = stored(way)
    assert (session.state, session.requesting_dial) == ("confirmed", "9100@omsk.example")
    assert session.requesting_test.startswith("passed ")
    page = text(client_as(way.consultant).get(f"/requests/{way.row.pk}/"))
    assert f"{session.starts_at.astimezone(MOSCOW):%d.%m.%Y}" in page
    assert "Последняя проверка: пройдено" in page


def test_a_page_that_is_not_open_now_leads_back_and_says_so(way, client_as):
    session = proposed(way)
    consultant = client_as(way.consultant)
    for address in (f"/requests/{way.row.pk}/sessions/propose/", f"/sessions/{session.pk}/held/"):
        answer = consultant.get(address, follow=True)
        assert answer.redirect_chain == [(f"/requests/{way.row.pk}/#sessions", 302)]
        assert "В нынешнем состоянии это действие невозможно." in text(answer)
    answer = client_as(way.doctor).get(f"/sessions/{session.pk}/confirm/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/requests/{way.row.pk}/#sessions")


def test_a_page_of_another_role_is_refused_and_a_strangers_is_not_there(cast, way, client_as):
    session = proposed(way)
    pages = {
        "held": way.doctor,
        "missed": way.dispatcher,
        "failed": way.doctor,
        "propose": way.doctor,
        "counter": way.consultant,
        "confirm": way.dispatcher,
    }
    for page, wrong in pages.items():
        assert client_as(wrong).get(f"/sessions/{session.pk}/{page}/").status_code == 403, page
        for stranger in (cast.omsk_doctor2, cast.chita_admin, cast.cniis_consultant2, cast.nmic_dispatcher):
            assert client_as(stranger).get(f"/sessions/{session.pk}/{page}/").status_code == 404, page
    assert client_as(way.doctor).get(f"/requests/{way.row.pk}/sessions/propose/").status_code == 403


def test_opening_a_sessions_page_is_logged_like_the_request(way, client_as):
    session = proposed(way)
    client_as(way.doctor).get(f"/sessions/{session.pk}/counter/")
    with acting(way.doctor):
        assert Viewing.objects.filter(consultation=way.row, person_id=way.doctor.person_id).count() == 1


def lines(event):
    """The calendar file's lines, unfolded."""
    return event.decode().replace("\r\n ", "").split("\r\n")


def test_a_confirmed_session_goes_into_a_calendar_without_the_patient(way, client_as):
    session = confirmed_session(way)
    answer = client_as(way.doctor).get(f"/sessions/{session.pk}/calendar/")
    session, _ = stored(way)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{way.row.number}.ics"'
    found = lines(answer.content)
    assert found[:2] + found[-2:] == ["BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR", ""]
    assert f"DTSTART:{session.starts_at:%Y%m%dT%H%M%SZ}" in found
    assert f"DTEND:{session.starts_at + timedelta(minutes=30):%Y%m%dT%H%M%SZ}" in found
    assert f"UID:{session.pk}@konsilium" in found
    assert f"SUMMARY:Видеоконсультация\\, запрос № {way.row.number}" in found
    for secret in ("Зайцева", "Ольга", "K07", "прикус", "11223344595", "операция"):
        assert secret not in "\n".join(found)


def test_a_calendar_file_keeps_to_the_formats_lines(way):
    session = confirmed_session(way)
    session.starts_at = tomorrow(MOSCOW)
    session.requesting_name = "Больница; имени, Иванова\\Петрова\n" * 6
    event = calendar.event(session, at=way.at)
    assert max(len(line) for line in event.split(b"\r\n")) <= 75
    assert event.count(b"\n") == event.count(b"\r\n")
    [description, _alarm] = [line for line in lines(event) if line.startswith("DESCRIPTION:")]
    assert description.startswith("DESCRIPTION:Больница\\; имени\\, Иванова\\\\Петрова\\nБольница")


def test_only_a_time_that_stands_goes_into_a_calendar(cast, way, client_as):
    session = proposed(way)
    assert client_as(way.doctor).get(f"/sessions/{session.pk}/calendar/").status_code == 404
    with acting(way.doctor):
        option = sessions.options_on_the_table(session)[0]
        sessions.confirm(session, option.pk, actor=way.doctor, at=way.at)
    assert client_as(way.doctor).get(f"/sessions/{session.pk}/calendar/").status_code == 200
    assert client_as(cast.chita_doctor).get(f"/sessions/{session.pk}/calendar/").status_code == 404
    with acting(way.doctor):
        sessions.cancel(session, "not_needed", actor=way.doctor, at=way.at)
    assert client_as(way.doctor).get(f"/sessions/{session.pk}/calendar/").status_code == 404


def buttons(page):
    card = re.search(r'<section class="card"[^>]*id="sessions">.*?</section>', page, re.DOTALL)[0]
    found = re.findall(r'<(?:a|button) class="button[^"]*"[^>]*>([^<]+)<', card)
    return [one.strip() for one in found]


def test_before_its_time_a_session_is_only_moved_or_cancelled(way, client_as):
    confirmed_session(way)
    assert buttons(text(client_as(way.consultant).get(f"/requests/{way.row.pk}/"))) == [
        "Мы будем",
        "Войти в комнату",
        "Предложить новое время",
        "Отменить сеанс",
        "Гости",
        "Подключиться иначе",
        "В календарь",
    ]
    assert buttons(text(client_as(way.doctor).get(f"/requests/{way.row.pk}/"))) == [
        "Мы будем",
        "Войти в комнату",
        "Предложить другое время",
        "Отменить сеанс",
        "Гости",
        "Подключиться иначе",
        "В календарь",
    ]


def test_when_its_time_has_come_a_session_can_be_started_held_missed_or_failed(cast, client_as):
    way = Way(cast, at=timezone.now() - timedelta(days=2)).on_video()
    confirmed_session(way, after=timedelta(days=2) - timedelta(minutes=15))
    assert buttons(text(client_as(way.consultant).get(f"/requests/{way.row.pk}/"))) == [
        "Войти в комнату",
        "Начать сеанс",
        "Предложить новое время",
        "Отменить сеанс",
        "Сеанс состоялся",
        "Сторона не явилась",
        "Сеанс сорвался",
        "Гости",
        "Подключиться иначе",
        "В календарь",
    ]


def test_a_past_time_on_the_table_cannot_be_chosen_any_more(cast, client_as):
    way = Way(cast, at=timezone.now() - timedelta(days=2)).on_video()
    proposed(way, timezone.now() - DAY, tomorrow(MOSCOW))
    page = text(client_as(way.doctor).get(f"/requests/{way.row.pk}/"))
    assert page.count(">Подтвердить</a>") == 1
    assert "Прошло" in page


def test_the_page_costs_the_same_queries_however_often_the_sides_offered(way, client_as):
    session = proposed(way)
    client = client_as(way.consultant)

    def queries():
        client.get(f"/requests/{way.row.pk}/")
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/requests/{way.row.pk}/").status_code == 200
        return len(caught)

    few = queries()
    for number in range(6):
        times = [tomorrow(MOSCOW) + number * DAY + hour * timedelta(hours=1) for hour in range(5)]
        with acting(way.doctor):
            sessions.counter(session, times, actor=way.doctor, at=way.at)
        with acting(way.consultant):
            sessions.propose_again(session, times, actor=way.consultant, at=way.at)
    assert queries() == few


def test_whoever_offers_new_times_sees_which_one_is_given_up(way, client_as):
    session = confirmed_session(way)
    session, _ = stored(way)
    for who, page in ((way.consultant, "propose"), (way.doctor, "counter")):
        form = text(client_as(who).get(f"/sessions/{session.pk}/{page}/"))
        assert "Новое предложение отменяет это время." in form
        assert f"{read(session.starts_at, OMSK)} МСК+3<" in form

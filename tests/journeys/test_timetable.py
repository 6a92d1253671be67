"""The timetable shows both sides' times and connections to those who set them up, and never a patient."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from konsilium.models import Session
from konsilium.models.access import acting, door
from tests.requests import sent

pytestmark = pytest.mark.django_db


def session_of(cast, row, starts_at, **changes):
    values = {
        "consultation_id": row.pk,
        "consultation_number": row.number,
        "requesting_organization_id": row.requesting_organization_id,
        "requesting_name": "Омская ОКБ",
        "requesting_time_zone": "Asia/Omsk",
        "centre_id": cast.house("cniis"),
        "centre_name": "ЦНИИСиЧЛХ",
        "centre_time_zone": "Europe/Moscow",
        "consultant_id": cast.cniis_consultant.person_id,
        "consultant_name": cast.cniis_consultant.name,
        "created_at": starts_at,
        "note": "Зайцевой нужен наркоз",
        "requesting_connection": "sip",
        "requesting_dial": "sip:hall@omsk.example",
        "requesting_test": "passed 2026-11-20",
    }
    with acting(cast.cniis_dispatcher):
        session = Session(**values)
        session.save(force_insert=True)
        with door(row.pk):
            Session.objects.filter(pk=session.pk).update(
                starts_at=starts_at, **({"state": "confirmed"} | changes)
            )
    return session


def page(client, **query):
    answer = client.get("/timetable/", query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def tomorrow():
    return (datetime.now(UTC) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)


def test_both_sides_times_connections_and_tests_stand_side_by_side(cast, client_as, tomorrow):
    row = sent(cast)
    session_of(cast, row, tomorrow)
    for actor in (cast.coordinator, cast.omsk_technician, cast.omsk_admin, cast.cniis_dispatcher):
        text = page(client_as(actor))
        assert row.number in text
        assert "15:00" in text
        assert "12:00" in text
        assert "sip:hall@omsk.example" in text
        assert "20.11.2026" in text


def test_no_patient_and_no_words_about_one_are_shown(cast, client_as, tomorrow):
    session_of(cast, sent(cast), tomorrow)
    for actor in (cast.coordinator, cast.omsk_technician):
        text = page(client_as(actor))
        assert "Зайцев" not in text
        assert "/requests/" not in text


def test_strangers_see_nothing(cast, client_as, tomorrow):
    row = sent(cast)
    session_of(cast, row, tomorrow)
    for actor in (cast.chita_technician, cast.chita_admin, cast.nmic_dispatcher, cast.cniis_consultant2):
        assert row.number not in page(client_as(actor))
    for actor in (cast.omsk_doctor, cast.sysadmin):
        assert client_as(actor).get("/timetable/").status_code == 403


def test_past_sessions_and_searches_have_their_own_lists(cast, client_as, tomorrow):
    ahead, past = sent(cast), sent(cast)
    session_of(cast, ahead, tomorrow)
    session_of(cast, past, tomorrow - timedelta(days=5), state="held")
    desk = client_as(cast.coordinator)
    assert past.number not in page(desk)
    assert past.number in page(desk, tab="past")
    assert ahead.number in page(desk, q="омская")
    assert ahead.number not in page(desk, q="читинская")


def test_a_page_costs_the_same_queries_with_one_session_and_with_many(cast, client_as, tomorrow):
    desk = client_as(cast.coordinator)
    session_of(cast, sent(cast), tomorrow)
    with CaptureQueriesContext(connection) as one:
        page(desk)
    for hour in range(1, 9):
        session_of(cast, sent(cast), tomorrow + timedelta(hours=hour))
    with CaptureQueriesContext(connection) as many:
        page(desk)
    assert len(one) == len(many)

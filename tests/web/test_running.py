"""Sessions as the coordinator watches them, and the facts that a set-up guide fills in: never a word of a patient."""

import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.models import Attendance
from konsilium.models.access import as_room
from tests.actions.test_equipment import entered
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db


def text(answer):
    return html.unescape(answer.content.decode())


@pytest.fixture
def session(cast):
    way = Way(cast, at=timezone.now()).on_video()
    return confirmed_session(way, after=timedelta(minutes=5))


def sits(session, name="Петров Илья", seat="one", side="requesting", **more):
    now = timezone.now()
    with as_room(session.pk):
        Attendance.objects.create(
            session=session, seat=seat, name=name, organization_name="Омская ОКБ", side=side, role="requester",
            **{"joined_at": now, "seen_at": now, **more},
        )  # fmt: skip


def test_the_coordinator_sees_who_is_there_and_on_which_line_and_nothing_of_the_patient(
    cast, session, client_as
):
    sits(session, quality={"loss_mean": 6.5}, interruptions=2)
    with CaptureQueriesContext(connection) as asked:
        page = text(client_as(cast.coordinator).get("/timetable/now/"))
    for words in ("Омская ОКБ — ЦНИИСиЧЛХ", "Петров Илья", "потери 6.5 %", "Обрывы: 2", "на месте"):
        assert words in page, words
    assert '<span class="badge bad">потери' in page
    for secret in ("Зайцева", "K07.1", session.consultation_number):
        assert secret not in page
    assert not any('konsilium_consultation"' in query["sql"] for query in asked.captured_queries)


def test_whoever_left_or_was_not_heard_of_is_not_there(cast, session, client_as):
    long_ago = timezone.now() - timedelta(minutes=5)
    sits(session, joined_at=long_ago, seen_at=long_ago)
    page = text(client_as(cast.coordinator).get("/timetable/now/"))
    assert "вышел(ла)" in page
    assert ">на месте<" not in page


def test_the_page_costs_the_same_however_many_are_there(cast, session, client_as):
    client = client_as(cast.coordinator)
    client.get("/timetable/now/")
    counts = []
    for number in range(2):
        with CaptureQueriesContext(connection) as asked:
            client.get("/timetable/now/")
        counts.append(len(asked))
        for seat in range(5):
            sits(session, seat=f"{number}-{seat}")
    assert counts[0] == counts[1]


def test_a_hospital_that_takes_no_part_sees_nothing_of_it(cast, session, client_as):
    sits(session)
    for who in (cast.chita_admin, cast.nmic_consultant):
        assert "Петров Илья" not in text(client_as(who).get("/timetable/now/"))


def test_a_guide_holds_the_deployments_facts_and_says_what_is_not_configured(cast, client_as, settings):
    settings.PUBLIC_URL = "https://consult.example.org"
    client = client_as(cast.omsk_technician)
    room, codec = entered(cast, name="Кабинет", kind="room"), entered(cast, name="Зал", kind="sip")
    page = text(client.get(f"/organization/equipment/{room.pk}/guide/"))
    assert "https://consult.example.org" in page
    assert "UDP 3478" in page
    page = text(client.get(f"/organization/equipment/{codec.pk}/guide/"))
    assert "здесь не настроено: спросите координатора" in page
    assert "TLS 5061" in page

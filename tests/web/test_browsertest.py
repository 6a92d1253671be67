"""Pages of a computer's check: kept once, shown in its passport, a hint where one chooses how to connect."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from konsilium.actions import browsertest
from konsilium.models import BrowserTest
from konsilium.models.access import acting
from tests.actions.test_browsertest import FINE, kept, room
from tests.factories import Way
from tests.journeys.test_triage import text

pytestmark = pytest.mark.django_db


def send(client, said):
    return client.post("/computer/keep/", json.dumps(said), content_type="application/json")


def test_what_a_page_found_is_kept_and_shown(cast, client_as):
    client = client_as(cast.omsk_doctor)
    answer = send(client, {"measured": FINE | {"camera": "black"}, "computer": "Ноутбук"})
    shown = text(client.get(answer.json()["url"]))
    assert "Картинка чёрная" in shown
    assert "Откройте крышку" in shown
    assert "Сначала звук" in shown
    assert "Ноутбук" in text(client.get("/computer/"))


@pytest.mark.parametrize(
    "said", [{}, {"measured": "fine"}, {"measured": {"camera": "?"}}, {"measured": {}, "endpoint": "x"}, []]
)
def test_what_cannot_be_read_is_refused_in_words(cast, client_as, said):
    answer = send(client_as(cast.omsk_doctor), said)
    assert answer.status_code == 422
    assert "не читается" in answer.json()["refusal"]
    with acting(cast.coordinator):
        assert not BrowserTest.objects.exists()


def test_the_passport_shows_the_checks_of_its_computer(cast, client_as):
    own = room(cast)
    kept(cast.omsk_doctor, FINE | {"line_kbits": 150}, endpoint_id=own.pk)
    for actor in (cast.coordinator, cast.omsk_technician):
        page = text(client_as(actor).get(f"/organization/equipment/{own.pk}/"))
        assert "Проверки этого компьютера" in page
        assert cast.omsk_doctor.name in page
        assert "Сначала звук" in page


def test_whoever_chooses_how_to_connect_is_told_what_the_own_computer_is_good_for(cast, client_as):
    way = Way(cast, at=timezone.now() - timedelta(hours=2)).on_video()
    client = client_as(cast.cniis_consultant)
    address = f"/requests/{way.row.pk}/sessions/propose/"
    assert "за последние три месяца не проверялся" in text(client.get(address))
    with acting(cast.cniis_consultant):
        browsertest.keep(FINE, actor=cast.cniis_consultant, at=timezone.now())
    assert "Сеанс видеосвязи" in text(client.get(address)).partition("data-hint")[2][:300]

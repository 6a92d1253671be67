"""The socket of an equipment test's page."""

import json

import httpx
import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from konsilium.actions import people
from konsilium.models import Endpoint, EquipmentTest, Probe, TestStep
from konsilium.models.access import acting
from tests.live.pages import Page, key_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hung_up")]


@pytest.fixture
def test(cast):
    """An open test of a codec in Omsk."""
    now = timezone.now()
    with acting(cast.coordinator):
        endpoint = Endpoint.objects.create(
            organization_id=cast.house("omsk"), kind="sip", name="Зал", created_at=now
        )
        return EquipmentTest.objects.create(
            endpoint=endpoint, at=now, tester_id=cast.coordinator.person_id, tester_name="К", participants="Г"
        )


def asked(server, actor, test):
    return httpx.post(
        f"{server.address}/organization/tests/{test.pk}/ticket/",
        cookies={"konsilium": key_of(actor), "csrftoken": "a" * 32},
        headers={"X-CSRFToken": "a" * 32},
        timeout=20,
    )


def watching(server, actor, test):
    page = Page(server, test, asked(server, actor, test).json()["ticket"], kind="test")
    page.hear("welcome")
    return page


def step(test, code):
    return TestStep.objects.create(test=test, code=code, outcome="passed", at=timezone.now())


def test_both_hear_that_the_protocol_changed_whoever_changed_it_and_not_what(cast, served, test):
    coordinator, technician = (
        watching(served, who, test) for who in (cast.coordinator, cast.omsk_technician)
    )
    with acting(cast.omsk_technician):
        step(test, "reach")
    assert coordinator.hear("changed") == technician.hear("changed") == {"t": "changed"}
    now = timezone.now()
    with acting(cast.coordinator):
        Probe.objects.create(
            endpoint=test.endpoint, test=test, kind="options", state="waiting", asked_at=now, not_before=now
        )
    assert technician.hear("changed")


def test_of_another_test_nothing_is_heard(cast, served, test):
    page = watching(served, cast.coordinator, test)
    with acting(cast.coordinator):
        endpoint = Endpoint.objects.create(
            organization_id=cast.house("chita"), kind="sip", name="Зал", created_at=timezone.now()
        )
        other = EquipmentTest.objects.create(
            endpoint=endpoint, at=timezone.now(), tester_id=cast.coordinator.person_id, tester_name="К"
        )
        step(other, "reach")
    assert page.hears_nothing_of("changed")


@pytest.mark.parametrize("who", ["chita_technician", "omsk_doctor", "cniis_consultant"])
def test_whoever_has_no_part_in_the_equipment_gets_no_ticket(cast, served, test, who):
    assert asked(served, cast.actor_of(who), test).status_code in (403, 404)


def test_a_ticket_for_a_test_opens_it_once_and_no_room(cast, served, test):
    word = asked(served, cast.coordinator, test).json()["ticket"]
    assert Page(served, test, word, kind="room").closed() == 4401
    assert Page(served, test, word, kind="test").closed() == 4401


def test_whose_access_ended_hears_no_more_within_five_seconds(cast, served, test):
    page = watching(served, cast.omsk_technician, test)
    with acting(cast.omsk_admin):
        own = people.Membership.objects.get(pk=cast.omsk_technician.membership_id)
        people.end_access(own, actor=cast.omsk_admin, at=timezone.now())
    assert page.closed(seconds=5) == 4403


def test_a_page_that_only_listens_may_say_nothing_but_ping(cast, served, test):
    page = watching(served, cast.coordinator, test)
    page.say(t="ping")
    assert page.hear("pong")
    page.say(t="chat", text="?")
    with pytest.raises(ConnectionClosed) as closed:
        json.loads(page.socket.recv(timeout=5))
    assert closed.value.rcvd.code == 4400

"""Before a test of equipment runs out, coordinator and technicians are told a month and a week ahead, once each."""

from datetime import timedelta

import pytest

from konsilium.actions import equipment, retesting
from konsilium.actions.equipment import Measured
from konsilium.models import DeskEvent, Notice, Organization
from konsilium.models.access import acting, as_worker
from konsilium.notifications import deliver
from konsilium.notifications.rules import sentence
from tests.factories import NOW

pytestmark = pytest.mark.django_db
MONTH, WEEK = "retest_in_a_month", "retest_in_a_week"
ENDS = NOW.date() + timedelta(days=100)


@pytest.fixture
def endpoint(cast):
    with acting(cast.omsk_technician):
        house = Organization.objects.get(pk=cast.house("omsk"))
        values = {"kind": "sip", "name": "Кодек", "is_active": True}
        return equipment.add_endpoint(house, values, actor=cast.omsk_technician, at=NOW)


def record(cast, endpoint, *, verdict="passed", at=NOW, until=ENDS):
    found = Measured("", verdict, reason="Связь рвётся.", valid_until=until)
    with acting(cast.coordinator):
        return equipment.record_test(endpoint, found, actor=cast.coordinator, at=at)


def remind(*days, until=ENDS):
    for day in days:
        retesting.remind_due(at=NOW + (until - NOW.date()) - timedelta(days=day))


def reminders():
    with as_worker():
        rows = DeskEvent.objects.filter(kind__startswith="retest").order_by("at", "id")
        return list(rows.values_list("kind", flat=True))


def test_a_test_that_ends_is_reminded_of_a_month_and_a_week_ahead_once_each(cast, endpoint):
    record(cast, endpoint)
    remind(31)
    assert reminders() == []
    remind(30, 30, 29, 8)
    assert reminders() == [MONTH]
    remind(7, 6, 0, -1)
    assert reminders() == [MONTH, WEEK]


def test_a_new_test_is_reminded_of_anew_and_the_old_one_never_again(cast, endpoint):
    record(cast, endpoint)
    remind(30)
    later = ENDS + timedelta(days=300)
    record(cast, endpoint, at=NOW + timedelta(days=75), until=later)
    remind(7)
    assert reminders() == [MONTH]
    remind(20, until=later)
    assert reminders() == [MONTH, MONTH]


def test_nobody_is_reminded_of_what_failed_or_is_out_of_use(cast, endpoint):
    record(cast, endpoint, verdict="failed")
    remind(20)
    record(cast, endpoint, at=NOW + timedelta(days=1))
    with acting(cast.omsk_technician):
        equipment.change_endpoint(endpoint, {"is_active": False}, actor=cast.omsk_technician, at=NOW)
    remind(20)
    assert reminders() == []


def test_coordinator_and_technician_get_a_notice_that_leads_to_the_equipment(cast, endpoint):
    record(cast, endpoint)
    with as_worker():
        Notice.objects.all().delete()
    remind(7)
    deliver.tell_pending(at=NOW + timedelta(days=200))
    with as_worker():
        told = Notice.objects.filter(kind=WEEK)
        people = set(told.values_list("person_id", flat=True))
        paths = set(told.values_list("path", flat=True))
    assert {cast.coordinator.person_id, cast.omsk_technician.person_id} <= people
    assert cast.nmic_dispatcher.person_id not in people
    assert paths == {f"/organization/equipment/{endpoint.pk}/"}
    assert "%" not in sentence(WEEK, "")

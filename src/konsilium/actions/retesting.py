"""Before a test of equipment runs out: coordinator and technicians are reminded a month and a week ahead, once each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from konsilium.actions._record import record_at_desk
from konsilium.models import DeskEvent, Endpoint, EquipmentTest
from konsilium.models.access import as_worker
from konsilium.workflow.equipment import PASSING
from konsilium.workflow.roles import SYSTEM


@dataclass(frozen=True)
class Reminder:
    """A reminder: its event, and between how many days before the end of a test it is made."""

    kind: str
    ahead: int
    until: int


REMINDERS = (Reminder("retest_in_a_month", 30, 8), Reminder("retest_in_a_week", 7, 0))


def remind_due(*, at: datetime) -> int:
    """Remind of the tests that run out soon: each once, anew after a new test. Returns how many reminders were made."""
    return sum(_remind(reminder, at) for reminder in REMINDERS)


def _remind(reminder: Reminder, at: datetime) -> int:
    with as_worker(), transaction.atomic():
        return sum(_reminded(reminder, test, at) for test in _ending(reminder, at))


def _ending(reminder: Reminder, at: datetime) -> list[EquipmentTest]:
    """Find the newest tests of endpoints in use whose end is as near as the reminder says."""
    days = [at.date() + timedelta(days=ahead) for ahead in (reminder.until, reminder.ahead)]
    concluded = EquipmentTest.objects.concluded().order_by("endpoint_id", "-at", "-id")
    newest = concluded.distinct("endpoint_id").values("pk")
    used = Endpoint.objects.filter(is_active=True).values("pk")
    ending = EquipmentTest.objects.filter(pk__in=newest, endpoint__in=used, verdict__in=PASSING)
    return list(ending.filter(valid_until__range=days).order_by("valid_until", "id"))


def _reminded(reminder: Reminder, test: EquipmentTest, at: datetime) -> bool:
    """Remind of one test, unless that was done since it was concluded."""
    said = DeskEvent.objects.filter(kind=reminder.kind, subject="endpoint", subject_id=test.endpoint_id)
    if said.filter(at__gte=test.concluded_at).exists():
        return False
    house, name = Endpoint.objects.values_list("organization_id", "name").get(pk=test.endpoint_id)
    subject = ("endpoint", test.endpoint_id)
    record_at_desk(reminder.kind, at=at, actor=SYSTEM, organization_id=house, subject=subject, text=name)
    return True

"""What an organisation meets with by video, and what the tests of it recorded."""

from datetime import date

from django.db import models

from konsilium.models._base import Row, choices
from konsilium.models.organization import Organization
from konsilium.workflow.equipment import ENDPOINT_KIND_LABELS, PASSING, VERDICTS
from konsilium.workflow.roles import Actor, Role


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Which endpoints a person sees."""

    def visible_to(self, actor: Actor) -> "EndpointQuerySet":
        """A coordinator sees all, everybody else their own organisation's."""
        return self if actor.role == Role.COORDINATOR else self.filter(organization_id=actor.organization_id)


class Endpoint(Row):
    """A room codec or a software client at a place."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="endpoints")
    kind = models.CharField(max_length=12, choices=choices(ENDPOINT_KIND_LABELS))
    name = models.CharField(max_length=120)
    model = models.CharField(max_length=120, blank=True)
    address = models.CharField(max_length=200, blank=True)
    dial_string = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=200, blank=True)
    technician = models.CharField(max_length=200, blank=True)
    reserve_phone = models.CharField(max_length=40, blank=True)
    test_window = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = EndpointQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class GuideTick(Row):
    """A step of the set-up guide that somebody ticked off."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="ticks")
    step = models.CharField(max_length=40)
    at = models.DateTimeField()
    person_id = models.UUIDField()
    person_name = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "step"], name="one_tick_a_step")]


class EquipmentTestQuerySet(models.QuerySet["EquipmentTest"]):
    """Which tests count."""

    def passed_on(self, today: date) -> "EquipmentTestQuerySet":
        """Tests that were passed and are still valid."""
        return self.filter(verdict__in=PASSING, valid_until__gte=today)


class EquipmentTest(Row):
    """A test of an endpoint: kept whatever its verdict; a repeated one is a new row."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="tests")
    at = models.DateTimeField()
    tester_id = models.UUIDField()
    tester_name = models.CharField(max_length=200)
    participants = models.CharField(max_length=400)
    reachable = models.BooleanField(null=True)
    codec = models.CharField(max_length=60, blank=True)
    resolution = models.CharField(max_length=40, blank=True)
    # Numbers by the codes of workflow.equipment.MEASUREMENTS; marks by those of CHECKS.
    measurements = models.JSONField(default=dict)
    checks = models.JSONField(default=dict)
    verdict = models.CharField(max_length=12, choices=choices(VERDICTS))
    reason = models.TextField(blank=True)
    valid_until = models.DateField(null=True)

    objects = EquipmentTestQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["endpoint", "at"])]

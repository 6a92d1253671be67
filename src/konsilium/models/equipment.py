"""What an organisation meets with by video, and what the tests of it recorded."""

from datetime import date

from django.db import models

from konsilium.models._base import Row, choices
from konsilium.models.organization import Organization
from konsilium.workflow.equipment import (
    ENCRYPTION_LABELS,
    ENDPOINT_KIND_LABELS,
    OUTCOME_LABELS,
    PASSING,
    PROBE_LABELS,
    PROBE_STATE_LABELS,
    TRANSPORT_LABELS,
    VERDICTS,
)
from konsilium.workflow.line import BAND_LABELS, LINE_MODE_LABELS
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
    # How a probe reaches it. A coordinator's approval is for these, and the database takes it back when one changes.
    transport = models.CharField(max_length=4, choices=choices(TRANSPORT_LABELS), blank=True)
    encryption = models.CharField(max_length=8, choices=choices(ENCRYPTION_LABELS), blank=True)
    account = models.CharField(max_length=120, blank=True)
    registrar = models.CharField(max_length=200, blank=True)
    computer = models.CharField(max_length=120, blank=True)
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=200, blank=True)
    test_window = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = EndpointQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class EndpointSecret(Row):
    """The password of an endpoint's SIP account, sealed; nobody but the prober's process reads it back."""

    endpoint = models.OneToOneField(Endpoint, on_delete=models.CASCADE, related_name="secret")
    sealed = models.BinaryField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=200)


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

    def concluded(self) -> "EquipmentTestQuerySet":
        """Tests that have a verdict."""
        return self.filter(concluded_at__isnull=False)


class EquipmentTest(Row):
    """A test of an endpoint, open until it is concluded: kept whatever its verdict; a repeated one is a new row."""

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
    verdict = models.CharField(max_length=12, choices=choices(VERDICTS), blank=True)
    reason = models.TextField(blank=True)
    valid_until = models.DateField(null=True)
    concluded_at = models.DateTimeField(null=True)
    # What a codec dials to reach the echo line for this very test.
    echo_number = models.CharField(max_length=12, blank=True)
    # A picture that the test call received, in the store.
    picture_sha256 = models.CharField(max_length=64, blank=True)

    objects = EquipmentTestQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["endpoint", "at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=models.Q(concluded_at__isnull=True), name="one_open_test"
            ),
            models.UniqueConstraint(
                fields=["echo_number"],
                condition=models.Q(concluded_at__isnull=True) & ~models.Q(echo_number=""),
                name="one_test_an_echo_number",
            ),
        ]


class TestStep(Row):
    """What one step of a test's protocol found: numbers of a machine, or a person's mark."""

    __test__ = False
    test = models.ForeignKey(EquipmentTest, on_delete=models.CASCADE, related_name="steps")
    code = models.CharField(max_length=24)
    outcome = models.CharField(max_length=12, choices=choices(OUTCOME_LABELS))
    # Numbers by the codes of workflow.equipment.MEASUREMENTS, and what else the step tells (closed codes, no banners).
    measured = models.JSONField(default=dict)
    note = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField()
    person_id = models.UUIDField(null=True)
    # Empty where the machine measured.
    person_name = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["test", "code"], name="one_result_a_step")]


class TestParticipant(Row):
    """Who took part in a test: whoever had its page open and said so."""

    __test__ = False
    test = models.ForeignKey(EquipmentTest, on_delete=models.CASCADE, related_name="took_part")
    person_id = models.UUIDField()
    name = models.CharField(max_length=200)
    organization_name = models.CharField(max_length=120)
    role = models.CharField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["test", "person_id"], name="a_person_once_a_test")]


class Probe(Row):
    """Something the prober's process is asked to do with an approved endpoint, and what it found."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="probes")
    test = models.ForeignKey(EquipmentTest, on_delete=models.CASCADE, null=True, related_name="probes")
    # The session before which the line is looked at; no key, for the prober knows no sessions.
    session_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=12, choices=choices(PROBE_LABELS))
    state = models.CharField(max_length=8, choices=choices(PROBE_STATE_LABELS), default="waiting")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200, blank=True)
    not_before = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    # A closed code of workflow.probing, and the numbers that belong to it.
    answer = models.CharField(max_length=32, blank=True)
    measured = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["not_before"], condition=models.Q(state="waiting"), name="probe_waiting"),
            models.Index(fields=["endpoint", "asked_at"], name="probe_of_endpoint"),
        ]


class BrowserTestQuerySet(models.QuerySet["BrowserTest"]):
    """Which checks of computers a person sees."""

    def visible_to(self, actor: Actor) -> "BrowserTestQuerySet":
        """A coordinator sees all, everybody else their own organisation's."""
        return self if actor.role == Role.COORDINATOR else self.filter(organization_id=actor.organization_id)


class BrowserTest(Row):
    """What a browser found of its own camera, microphone and line, on the computer in front of a person."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="browser_tests")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, null=True, related_name="browser_tests")
    person_id = models.UUIDField()
    person_name = models.CharField(max_length=200)
    computer = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()
    measured = models.JSONField(default=dict)
    # Empty where the line wasn't measured.
    band = models.CharField(max_length=8, choices=choices(BAND_LABELS), blank=True)
    mode = models.CharField(max_length=12, choices=choices(LINE_MODE_LABELS), blank=True)

    objects = BrowserTestQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organization", "-at"], name="browser_tests_newest")]

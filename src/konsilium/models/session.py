"""Video sessions of a request: the times offered, each side's connection, what became of it. No patient stands here."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models

from konsilium.models._base import Row, VersionedRow, choices
from konsilium.models.consultation import Consultation
from konsilium.models.organization import Organization
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.session import BUSY, OPEN_SESSION, SESSION_STATE_LABELS, SessionState
from konsilium.workflow.words import CONNECTIONS, SIDES


class SessionQuerySet(models.QuerySet["Session"]):
    """Which sessions a person sees."""

    def visible_to(self, actor: Actor) -> "SessionQuerySet":
        """Those of visible requests; the timetable's people: a coordinator all, a technician own sides."""
        if actor.role == Role.COORDINATOR:
            return self
        if actor.role == Role.TECHNICIAN:
            mine = actor.organization_id
            return self.filter(models.Q(requesting_organization_id=mine) | models.Q(centre_id=mine))
        return self.filter(consultation__in=Consultation.objects.visible_to(actor))

    def open(self) -> "SessionQuerySet":
        """Those that are agreed, awaited or running."""
        return self.filter(state__in=OPEN_SESSION)

    def timetable(self) -> "SessionQuerySet":
        """Only what the timetable may show: no reason text."""
        return self.defer("note", "reason_text")


class Session(VersionedRow):
    """One video session. Times are UTC; pages show both sides' local times."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="sessions")
    consultation_number = models.CharField(max_length=20)
    requesting_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    requesting_name = models.CharField(max_length=120)
    requesting_time_zone = models.CharField(max_length=40)
    centre = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    centre_name = models.CharField(max_length=120)
    centre_time_zone = models.CharField(max_length=40)
    consultant_id = models.UUIDField()
    consultant_name = models.CharField(max_length=310)
    state = models.CharField(
        max_length=18, choices=choices(SESSION_STATE_LABELS), default=SessionState.PROPOSED
    )
    minutes = models.PositiveSmallIntegerField(default=30)
    during = DateTimeRangeField(null=True)
    starts_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    patient_present = models.BooleanField(null=True)
    missing_side = models.CharField(max_length=12, choices=choices(SIDES), blank=True)
    reason = models.CharField(max_length=24, blank=True)
    reason_text = models.TextField(blank=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField()

    # Each side's connection, and the test of its endpoint as it stood when it was named.
    requesting_connection = models.CharField(max_length=8, choices=choices(CONNECTIONS), default="room")
    requesting_dial = models.CharField(max_length=200, blank=True)
    requesting_pin = models.CharField(max_length=20, blank=True)
    requesting_phone = models.CharField(max_length=40, blank=True)
    requesting_technician = models.CharField(max_length=200, blank=True)
    requesting_test = models.CharField(max_length=120, blank=True)
    consulting_connection = models.CharField(max_length=8, choices=choices(CONNECTIONS), default="room")
    consulting_dial = models.CharField(max_length=200, blank=True)
    consulting_pin = models.CharField(max_length=20, blank=True)
    consulting_phone = models.CharField(max_length=40, blank=True)
    consulting_technician = models.CharField(max_length=200, blank=True)
    consulting_test = models.CharField(max_length=120, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["starts_at", "id"], name="timetable"),
            models.Index(fields=["consultation", "created_at"], name="sessions_of_a_request"),
        ]
        constraints = [
            ExclusionConstraint(
                name="no_double_booking",
                expressions=[("consultant_id", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=models.Q(state__in=sorted(BUSY)),
            ),
            models.UniqueConstraint(
                fields=["consultation"],
                condition=models.Q(state__in=sorted(OPEN_SESSION)),
                name="one_open_session",
            ),
        ]

    def roles_of(self, actor: Actor) -> frozenset[Role]:
        """Return the actor's hats of the request this session belongs to."""
        return self.consultation.roles_of(actor)


class SessionOption(Row):
    """A time somebody offered. The newest offer of a session is the one on the table."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="options")
    side = models.CharField(max_length=12, choices=choices(SIDES))
    starts_at = models.DateTimeField()
    offer = models.PositiveSmallIntegerField()
    is_chosen = models.BooleanField(default=False)

    class Meta:
        ordering = ["offer", "starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["session", "offer", "starts_at"], name="one_option_a_time")
        ]

"""What happened: audit, timeline and source of notifications in one. Appended, never changed."""

from django.db import models

from konsilium.models._base import Row
from konsilium.models.consultation import Consultation
from konsilium.models.organization import Organization
from konsilium.workflow.roles import Actor, Role


class Happening(Row):
    """Who, in which role, when, what."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=310, blank=True)
    actor_role = models.CharField(max_length=20, blank=True)
    actor_membership_id = models.UUIDField(null=True)
    actor_organization_id = models.UUIDField(null=True)
    actor_organization = models.CharField(max_length=120, blank=True)

    class Meta:
        abstract = True


class EventQuerySet(models.QuerySet["Event"]):
    """Which events a person sees."""

    def visible_to(self, actor: Actor) -> "EventQuerySet":
        """Those of visible requests; what stays inside a centre is for that centre's people only."""
        rows = self.filter(consultation__in=Consultation.objects.visible_to(actor))
        if actor.role not in (Role.DISPATCHER, Role.CONSULTANT):
            return rows.filter(audience=Event.BOTH)
        within = models.Q(actor_organization_id=actor.organization_id) | models.Q(actor_role=Role.SYSTEM)
        return rows.filter(models.Q(audience=Event.BOTH) | within)


class Event(Happening):
    """Something that happened to a request, its session, document, conclusion or thread."""

    BOTH, CENTRE = "both", "centre"

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="events")
    # The machine and the object that moved: "consultation", "session", "document".
    subject = models.CharField(max_length=14, default="consultation")
    subject_id = models.UUIDField(null=True)
    from_state = models.CharField(max_length=18, blank=True)
    to_state = models.CharField(max_length=18, blank=True)
    reason = models.CharField(max_length=24, blank=True)
    text = models.TextField(blank=True)
    audience = models.CharField(max_length=6, default=BOTH)
    # Who has to know: people's ids, filled by the door from the row as it stood before and after.
    version = models.PositiveIntegerField(default=0)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["consultation", "at", "id"])]


class DeskEvent(Happening):
    """Something that happened outside any request: an organisation, an account, a sign-in. No patient here."""

    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.SET_NULL, related_name="events"
    )
    subject = models.CharField(max_length=20)
    subject_id = models.UUIDField(null=True)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["organization", "at", "id"])]


class Viewing(models.Model):
    """A read of a patient's record: once per person, object and ten minutes (`bucket` is the ten minutes' number)."""

    id = models.BigAutoField(primary_key=True)
    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="viewings")
    subject = models.CharField(max_length=14)
    subject_id = models.UUIDField()
    person_id = models.UUIDField()
    person_name = models.CharField(max_length=310)
    role = models.CharField(max_length=20)
    organization = models.CharField(max_length=120)
    at = models.DateTimeField()
    bucket = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person_id", "subject_id", "bucket"], name="one_viewing_in_ten_minutes"
            )
        ]


class OnceKey(models.Model):
    """A form's key with the answer it got: the same key again gets the same answer."""

    id = models.BigAutoField(primary_key=True)
    person_id = models.UUIDField()
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    answer = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "key"], name="one_answer_a_key")]

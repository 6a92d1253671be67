"""Councils: who is called, what each wrote before seeing the others, what was decided, who signed or would not."""

from django.db import models
from django.db.models.functions import Now

from konsilium.models._base import Row, VersionedRow, choices
from konsilium.models.consultation import Consultation
from konsilium.models.organization import Organization
from konsilium.models.session import Session
from konsilium.workflow.council import (
    CANCEL_COUNCIL_REASONS,
    COUNCIL_STATE_LABELS,
    FORM_LABELS,
    OPEN_COUNCIL,
    SEAT_LABELS,
    SEAT_STATE_LABELS,
    CouncilState,
    SeatKind,
)
from konsilium.workflow.roles import Actor, Role


class CouncilQuerySet(models.QuerySet["Council"]):
    """Which councils a person sees."""

    def visible_to(self, actor: Actor) -> "CouncilQuerySet":
        """Those of visible requests."""
        return self.filter(consultation__in=Consultation.objects.visible_to(actor))

    def open(self) -> "CouncilQuerySet":
        """Those that are neither signed nor cancelled."""
        return self.filter(state__in=OPEN_COUNCIL)


class Council(VersionedRow):
    """A council over a request. At most one of a request is open."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="councils")
    state = models.CharField(
        max_length=12, choices=choices(COUNCIL_STATE_LABELS), default=CouncilState.GATHERING
    )
    # A code of dictionary 1.2.643.5.1.13.13.11.1506.
    purpose = models.CharField(max_length=12)
    form = models.CharField(max_length=10, choices=choices(FORM_LABELS), default="remote")
    reason = models.TextField()
    quorum = models.PositiveSmallIntegerField()
    session = models.ForeignKey(Session, null=True, on_delete=models.PROTECT, related_name="+")
    called_at = models.DateTimeField()
    called_by = models.UUIDField()
    called_by_name = models.CharField(max_length=310)
    opened_at = models.DateTimeField(null=True)
    decision = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=24, choices=choices(CANCEL_COUNCIL_REASONS), blank=True)
    cancel_text = models.TextField(blank=True)

    objects = CouncilQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["consultation", "called_at"], name="councils_of_a_request")]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation"],
                condition=models.Q(state__in=sorted(OPEN_COUNCIL)),
                name="one_open_council",
            )
        ]

    def roles_of(self, actor: Actor) -> frozenset[Role]:
        """Return the actor's hats: those of the request, and of their seat in this council (one query)."""
        if actor.role is not Role.COUNCIL_MEMBER:
            return self.consultation.roles_of(actor)
        seat = self.seats.sitting().filter(person_id=actor.person_id).first()
        own = {SeatKind.CHAIR: Role.CHAIR, SeatKind.SECRETARY: Role.SECRETARY}
        return frozenset({own.get(SeatKind(seat.kind), Role.COUNCIL_MEMBER)} if seat else ())


class SeatQuerySet(models.QuerySet["Seat"]):
    """Whose seats count."""

    def sitting(self) -> "SeatQuerySet":
        """Seats whose holders are asked or take part, and may still look in."""
        rows = self.filter(answer__in=("invited", "accepted"))
        return rows.filter(models.Q(access_until=None) | models.Q(access_until__gt=Now()))


class Seat(Row):
    """Somebody's place in a council. A substitute has a seat of their own."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="seats")
    council = models.ForeignKey(Council, on_delete=models.CASCADE, related_name="seats")
    kind = models.CharField(max_length=10, choices=choices(SEAT_LABELS))
    answer = models.CharField(max_length=10, choices=choices(SEAT_STATE_LABELS), default="invited")
    person_id = models.UUIDField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=310)
    position = models.CharField(max_length=200, blank=True)
    specialty = models.CharField(max_length=200, blank=True)
    organization_name = models.CharField(max_length=120)
    invited_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answer_text = models.TextField(blank=True)
    substitute_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    # Empty while the council lasts.
    access_until = models.DateTimeField(null=True)
    # That an opinion is sealed is known to all; what stands in it is not.
    opinion_sealed_at = models.DateTimeField(null=True)
    dissent = models.TextField(blank=True)
    dissent_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    refusal = models.TextField(blank=True)
    refused_at = models.DateTimeField(null=True)

    objects = SeatQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["person_id", "organization"], name="seats_of_a_person")]
        constraints = [
            models.UniqueConstraint(
                fields=["council", "person_id"],
                condition=models.Q(answer__in=("invited", "accepted")),
                name="one_seat_a_person",
            ),
            models.UniqueConstraint(
                fields=["council", "kind"],
                condition=models.Q(kind__in=("chair", "secretary"), answer__in=("invited", "accepted")),
                name="one_chair_one_secretary",
            ),
        ]


class Opinion(Row):
    """What a member thinks, written before seeing the others. The database shows it to nobody else until all are opened."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="+")
    council = models.ForeignKey(Council, on_delete=models.CASCADE, related_name="opinions")
    seat = models.OneToOneField(Seat, on_delete=models.CASCADE, related_name="opinion")
    person_id = models.UUIDField()
    text = models.TextField(blank=True)
    updated_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)


class CouncilLine(Row):
    """A line of the council's discussion, among those who sit in it."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="+")
    council = models.ForeignKey(Council, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=310)
    organization_name = models.CharField(max_length=120)
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["council", "at"], name="lines_of_council")]

"""The consultation: the one aggregate everything else belongs to, and its questions to the consultant."""

from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from konsilium.models._base import Row, VersionedRow, choices
from konsilium.models.organization import Organization, Profile
from konsilium.models.people import Person
from konsilium.workflow.clock import Clock
from konsilium.workflow.consultation import FINAL, OPEN, STATE_LABELS, TURN_LABELS, State, Turn
from konsilium.workflow.onboarding import LEVELS
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import (
    CERTAINTIES,
    CONSENTS,
    GOALS,
    KINDS,
    MODES,
    OCCURRENCES,
    OUTCOMES,
    SEXES,
    URGENCIES,
)


class ConsultationQuerySet(models.QuerySet["Consultation"]):
    """Which requests a person sees. Row level security says the same below."""

    def visible_to(self, actor: Actor) -> "ConsultationQuerySet":
        """Own ones for a doctor, the organisation's for its administrator, the centre's for its dispatcher,
        the assigned ones for a consultant, those with a seat for a council's member, the written ones for who signs
        for the centre, none for anybody else.
        """
        return self.filter(_visible(actor))

    def open(self) -> "ConsultationQuerySet":
        """Those that still go somewhere."""
        return self.exclude(state__in=FINAL)

    def overdue(self) -> "ConsultationQuerySet":
        """Those whose answer is late and whose clock runs."""
        return self.filter(due_at__lt=Now(), paused_at=None, answered_at=None)


def _visible(actor: Actor) -> models.Q:  # noqa: PLR0911  a line a role
    match actor.role:
        case Role.REQUESTER:
            return models.Q(requesting_organization_id=actor.organization_id, requester_id=actor.person_id)
        case Role.ORG_ADMIN:
            return models.Q(requesting_organization_id=actor.organization_id)
        case Role.DISPATCHER:
            return models.Q(centre_id=actor.organization_id)
        case Role.CONSULTANT:
            return models.Q(centre_id=actor.organization_id, consultant_id=actor.person_id)
        case Role.SIGNATORY:
            return models.Q(centre_id=actor.organization_id, state__in=WRITTEN)
        case Role.COUNCIL_MEMBER:
            return models.Q(pk__in=RawSQL("SELECT konsilium_my_cases()", ()))
        case _:
            return models.Q(pk__in=[])


class SearchKey(models.Func):
    """A family name as a search sees it: capitals, and Ё as Е."""

    function = "translate"
    template = "translate(upper(%(expressions)s), 'Ё', 'Е')"
    output_field = models.CharField()


# The states in which an answer is waited for; those in which a consultant has a request; those after the answer.
ANSWERING = ["submitted", "clarification", "assigned", "session", "conclusion"]
CONSULTED = ["assigned", "session", "conclusion", "clarification"]
ANSWERED = ["completed", "closed", "withdrawn", "rejected"]
# There is something to sign for the centre.
WRITTEN = [State.CONCLUSION, State.COMPLETED, State.CLOSED]


def _asking_indexes(name: str, *owner: str) -> list[models.Index]:
    """Return a requesting side's orders, newest change first: all, by state, and what is open by whose turn it is."""
    newest = ["-updated_at", "-id"]
    return [
        models.Index(fields=[*owner, *newest], name=f"{name}_by_update"),
        models.Index(fields=[*owner, "state", *newest], name=f"{name}_by_state"),
        models.Index(
            fields=[*owner, "turn", *newest],
            name=f"{name}_by_turn",
            condition=models.Q(state__in=sorted(OPEN)),
        ),
    ]


class Consultation(VersionedRow):
    """A request for a consultation, from its draft to its closing.

    Names of people and organisations stand here as they were, so that neither side reads the other's directory.
    `centre` is set when the request is sent (until then only `named_centre` is), so that no centre sees a draft.
    """

    number = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=14, choices=choices(STATE_LABELS), default=State.DRAFT)
    turn = models.CharField(max_length=10, choices=choices(TURN_LABELS), default=Turn.REQUESTER)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    # What is asked.
    urgency = models.CharField(max_length=12, choices=choices(URGENCIES), default="planned")
    kind = models.CharField(max_length=14, choices=choices(KINDS), default="consultation")
    mode = models.CharField(max_length=10, choices=choices(MODES), default="deferred")
    occurrence = models.CharField(max_length=8, choices=choices(OCCURRENCES), default="first")
    goal = models.CharField(max_length=14, choices=choices(GOALS), blank=True)
    profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT)
    place_of_care = models.CharField(max_length=40, blank=True)
    severity = models.CharField(max_length=40, blank=True)
    incomplete_reason = models.TextField(blank=True)
    named_centre = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+")

    # Who asks.
    # No index of their own: longer ones below begin with them, and the shorter would be taken and sorted.
    requesting_organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    requester = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    requesting_name = models.CharField(max_length=120)
    requesting_time_zone = models.CharField(max_length=40)
    requesting_level = models.PositiveSmallIntegerField(choices=list(LEVELS.items()), default=3)
    requester_name = models.CharField(max_length=310, blank=True)
    requester_snils = models.CharField(max_length=11, blank=True)
    requester_department = models.CharField(max_length=200, blank=True)
    requester_position = models.CharField(max_length=200, blank=True)
    requester_specialty = models.CharField(max_length=200, blank=True)
    requester_phone = models.CharField(max_length=40, blank=True)
    requester_email = models.EmailField(blank=True)

    # Who answers.
    centre = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    centre_name = models.CharField(max_length=120, blank=True)
    centre_time_zone = models.CharField(max_length=40, blank=True)
    consultant = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    consultant_name = models.CharField(max_length=310, blank=True)

    # The patient.
    patient_unknown = models.BooleanField(default=False)
    patient_unknown_reason = models.TextField(blank=True)
    patient_family = models.CharField(max_length=100, blank=True)
    patient_given = models.CharField(max_length=100, blank=True)
    patient_patronymic = models.CharField(max_length=100, blank=True)
    patient_sex = models.CharField(max_length=6, choices=choices(SEXES), blank=True)
    patient_birth_date = models.DateField(null=True)
    patient_snils = models.CharField(max_length=11, blank=True)
    patient_enp = models.CharField(max_length=16, blank=True)
    patient_document = models.CharField(max_length=200, blank=True)
    representative = models.CharField(max_length=300, blank=True)
    # What a search compares with. A column, for row level security lets an index serve no function of another one.
    patient_key = models.GeneratedField(
        expression=SearchKey("patient_family"),
        output_field=models.CharField(max_length=100, db_collation="C"),
        db_persist=True,
    )

    # The illness.
    diagnosis_code = models.CharField(max_length=10, blank=True)
    diagnosis_text = models.TextField(blank=True)
    diagnosis_certainty = models.CharField(max_length=12, choices=choices(CERTAINTIES), blank=True)
    complaints = models.TextField(blank=True)
    anamnesis = models.TextField(blank=True)
    objective_state = models.TextField(blank=True)
    treatment = models.TextField(blank=True)

    # The consent.
    consent_kind = models.CharField(max_length=10, choices=choices(CONSENTS), blank=True)
    consent_date = models.DateField(null=True)
    consent_by = models.CharField(max_length=300, blank=True)

    # The way.
    submitted_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    base_due_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    asked_from = models.CharField(max_length=14, blank=True)
    answered_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=14, choices=choices(OUTCOMES), blank=True)
    outcome_text = models.TextField(blank=True)
    end_reason = models.CharField(max_length=24, blank=True)
    end_text = models.TextField(blank=True)
    copied_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    # When anybody last wrote or moved something that the other side may see: what unread marks compare with.
    stirred_at = models.DateTimeField()
    has_session = models.BooleanField(default=False)

    objects = ConsultationQuerySet.as_manager()

    class Meta:
        # A list walks along an index, or along a few equal stretches of one (web/keyset.py). Each begins with the
        # columns of the policy that lets its readers see a row, so that no row is read to be left out.
        indexes = [
            models.Index(fields=["centre", "state", "due_at", "id"], name="centre_state_by_due"),
            models.Index(
                fields=["centre", "due_at", "id"],
                name="centre_running",
                condition=models.Q(state__in=ANSWERING, paused_at=None, answered_at=None),
            ),
            models.Index(fields=["centre", "patient_key", "id"], name="centre_by_family"),
            # A consultant's answered requests grow for ever; the ones that still wait for something stay few.
            models.Index(
                fields=["consultant", "centre", "turn", "due_at", "id"],
                name="consultant_open",
                condition=models.Q(state__in=CONSULTED),
            ),
            models.Index(
                fields=["consultant", "centre", "due_at", "id"],
                name="consultant_done",
                condition=models.Q(state__in=ANSWERED),
            ),
            *_asking_indexes("requester", "requester", "requesting_organization"),
            *_asking_indexes("asking", "requesting_organization"),
            models.Index(fields=["answered_at"], name="outcome_waits", condition=models.Q(state="completed")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def patient_name(self) -> str:
        """The patient's name as it is said, or nothing for an unknown one."""
        parts = (self.patient_family, self.patient_given, self.patient_patronymic)
        return " ".join(part for part in parts if part)

    @property
    def clock(self) -> Clock | None:
        """The answer's clock, once it was started."""
        if self.due_at is None or self.base_due_at is None:
            return None
        return Clock(self.due_at, self.base_due_at, self.paused_at)

    def set_clock(self, clock: Clock) -> None:
        """Write the clock back into its columns."""
        self.due_at, self.base_due_at, self.paused_at = clock.due_at, clock.base_due_at, clock.paused_at

    def roles_of(self, actor: Actor) -> frozenset[Role]:
        """Return the hats this actor wears for this very request; an empty set means: it isn't there."""
        if actor.role is Role.SYSTEM:
            return frozenset({Role.SYSTEM})
        if actor.organization_id == self.requesting_organization_id:
            mine = actor.role is Role.REQUESTER and actor.person_id == self.requester_id
            if mine or actor.role is Role.ORG_ADMIN:
                return frozenset({Role.REQUESTER})
        if actor.organization_id == self.centre_id:
            mine = actor.role is Role.CONSULTANT and actor.person_id == self.consultant_id
            if mine or actor.role in (Role.DISPATCHER, Role.SIGNATORY):
                return frozenset({actor.role})
        # The database shows a council member nothing but the requests in which they have a seat that lasts.
        if actor.role is Role.COUNCIL_MEMBER:
            return self._seats_of(actor.person_id)
        return frozenset()

    def _seats_of(self, person_id: UUID) -> frozenset[Role]:
        """Return the hats of a council's member: also the secretary's, who places the protocol (one query)."""
        kinds = self.seats.sitting().filter(person_id=person_id).values_list("kind", flat=True)
        own = {"secretary": Role.SECRETARY, "chair": Role.CHAIR}
        return frozenset(role for kind in kinds for role in (Role.COUNCIL_MEMBER, own.get(kind)) if role)

    def values(self) -> dict[str, Any]:
        """Return the fields by name, for the rules of completeness."""
        names = {field.attname: field.name for field in self._meta.concrete_fields}
        return {name: getattr(self, attname) for attname, name in names.items()}


class Question(Row):
    """A numbered question to the consultant; the conclusion answers each."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="questions")
    number = models.PositiveSmallIntegerField()
    text = models.TextField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "number"], name="one_question_a_number")
        ]

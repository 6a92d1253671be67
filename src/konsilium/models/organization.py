"""Organisations, what they told when they applied, and the data that says who may ask whom about what."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import models

from konsilium.models._base import Row, VersionedRow, choices
from konsilium.workflow.clock import ANSWER_TERMS
from konsilium.workflow.completeness import Template
from konsilium.workflow.equipment import CONTACT_CHANNELS
from konsilium.workflow.onboarding import LEVELS, ORGANIZATION_STATE_LABELS, OrganizationState
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import URGENCIES, Urgency


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Which organisations a person sees."""

    def visible_to(self, actor: Actor) -> "OrganizationQuerySet":
        """Coordinators and system administrators see all; everybody else their own and the active centres."""
        if actor.role in (Role.COORDINATOR, Role.SYSADMIN):
            return self
        return self.filter(
            models.Q(pk=actor.organization_id) | models.Q(pk__in=Organization.objects.centres())
        )

    def centres(self) -> "OrganizationQuerySet":
        """Active organisations that consult."""
        return self.filter(is_consulting=True, state=OrganizationState.ACTIVE)

    def centres_open_to(self, organization: "Organization", profile_id: UUID | str) -> "OrganizationQuerySet":
        """Centres that take this profile from this organisation's level, by name."""
        return self.centres_for(organization.level, profile_id)

    def centres_for(self, level: int, profile_id: UUID | str | None) -> "OrganizationQuerySet":
        """Centres that take this profile from organisations of this level, by name."""
        if profile_id is None:
            return self.none()
        routes = Route.objects.filter(profile_id=profile_id, requester_level=level, is_open=True)
        return self.centres().filter(pk__in=routes.values("centre_id")).order_by("short_name", "id")


class Organization(VersionedRow):
    """A hospital or a centre, from its application on. What only coordinators may know stands in Application."""

    state = models.CharField(
        max_length=20, choices=choices(ORGANIZATION_STATE_LABELS), default=OrganizationState.SUBMITTED
    )
    full_name = models.CharField(max_length=500)
    short_name = models.CharField(max_length=120)
    oid = models.CharField(max_length=64)
    inn = models.CharField(max_length=12)
    ogrn = models.CharField(max_length=15)
    region = models.CharField(max_length=10)
    time_zone = models.CharField(max_length=40)
    level = models.PositiveSmallIntegerField(choices=list(LEVELS.items()))
    is_consulting = models.BooleanField(default=False)
    is_coordinating = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    # How many bytes its requests may hold; empty: the rule's own figure (workflow/upload.py).
    quota_bytes = models.BigIntegerField(null=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "created_at", "id"])]
        # Whoever was declined may apply again.
        constraints = [
            models.UniqueConstraint(
                fields=["oid"],
                condition=~models.Q(state=OrganizationState.DECLINED.value),
                name="one_registration_an_oid",
            )
        ]

    def __str__(self) -> str:
        return self.short_name


class Application(Row):
    """What an organisation said when it applied, and its private link to the status page (only its hash is kept)."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE)
    number = models.CharField(max_length=20, unique=True)
    responsible_name = models.CharField(max_length=200)
    responsible_position = models.CharField(max_length=200, blank=True)
    responsible_phone = models.CharField(max_length=40)
    responsible_email = models.EmailField()
    equipment = models.TextField()
    wishes = models.TextField(blank=True)
    link_hash = models.CharField(max_length=64, unique=True)
    taken_by_name = models.CharField(max_length=200, blank=True)
    # Shown to the applicant: why it was declined or suspended.
    reason = models.TextField(blank=True)


class Contact(Row):
    """A person to ring at an organisation: responsible, technical, or another. No account is implied."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="contacts")
    is_technical = models.BooleanField(default=True)
    name = models.CharField(max_length=200)
    position = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=40)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)


class ContactLogEntry(Row):
    """A contact of the coordinating centre with an organisation: when, how, with whom, about what."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="contact_log")
    at = models.DateTimeField()
    channel = models.CharField(max_length=20, choices=choices(CONTACT_CHANNELS))
    with_whom = models.CharField(max_length=200)
    text = models.TextField()
    author_id = models.UUIDField()
    author_name = models.CharField(max_length=200)


class Profile(Row):
    """A profile of care with what its requests must hold."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    # Groups of document kinds, of each of which one must be there; kinds that are welcome; clinical fields.
    documents = models.JSONField(default=list)
    welcome = models.JSONField(default=list)
    fields = models.JSONField(default=list)
    # The conclusion's own sections: code, label, label_en, hint, is_needed.
    sections = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name

    def template(self) -> Template:
        """Return what completeness asks of this profile's requests."""
        groups = tuple(tuple(group) for group in self.documents)
        return Template(documents=groups, welcome=tuple(self.welcome), fields=tuple(self.fields))


class Route(Row):
    """Who may ask whom: a centre takes a profile from organisations of a level."""

    centre = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="routes")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE)
    requester_level = models.PositiveSmallIntegerField(choices=list(LEVELS.items()))
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["centre", "profile", "requester_level"], name="one_route_a_level")
        ]


class TermQuerySet(models.QuerySet["Term"]):
    """How long a centre has for its answer."""

    def of(self, *, centre_id: UUID, profile_id: UUID, urgency: str) -> timedelta:
        """Return the centre's term for the profile, else the centre's for all profiles, else the general one."""
        rows: Iterable[Term] = self.filter(centre_id=centre_id, urgency=urgency).filter(
            models.Q(profile_id=profile_id) | models.Q(profile_id=None)
        )
        best = sorted(rows, key=lambda term: term.profile_id is None)
        return timedelta(minutes=best[0].minutes) if best else ANSWER_TERMS[Urgency(urgency)]


class Term(Row):
    """An answer term as data: a centre's, for one profile or (null) for all of them."""

    centre = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="terms")
    profile = models.ForeignKey(Profile, null=True, on_delete=models.CASCADE)
    urgency = models.CharField(max_length=12, choices=choices(URGENCIES))
    minutes = models.PositiveIntegerField()

    objects = TermQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["centre", "profile", "urgency"], nulls_distinct=False, name="one_term_an_urgency"
            )
        ]

"""People, the memberships they act in, and how they sign in."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from konsilium.models._base import Row, choices, uuid7
from konsilium.models.organization import Organization
from konsilium.workflow.roles import ROLE_LABELS, Actor, Role


class Person(AbstractBaseUser):
    """A person. Rights come from memberships alone; there is no superuser.

    The password's hash stands in Credential, which only the sign-in's database role may read.
    """

    password = None  # type: ignore[assignment]
    last_login = None
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    login = models.CharField(max_length=64, unique=True)
    family = models.CharField(max_length=100)
    given = models.CharField(max_length=100)
    patronymic = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    snils = models.CharField(max_length=11, blank=True)
    language = models.CharField(max_length=5, default="ru")
    is_active = models.BooleanField(default=True)
    # A one-time link was followed and a password set; until then the invitation is open.
    has_entered = models.BooleanField(default=False)

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = BaseUserManager["Person"]()

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """Family name, given name and, where there is one, patronymic."""
        return " ".join(part for part in (self.family, self.given, self.patronymic) if part)

    @property
    def short_name(self) -> str:
        """Family name and initials."""
        initials = "".join(f"{part[0]}." for part in (self.given, self.patronymic) if part)
        return f"{self.family} {initials}".strip()


class Credential(models.Model):
    """A person's password, as a hash (Argon2)."""

    person = models.OneToOneField(Person, primary_key=True, on_delete=models.CASCADE)
    password = models.CharField(max_length=200)
    changed_at = models.DateTimeField()


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Which memberships a person sees."""

    def visible_to(self, actor: Actor) -> "MembershipQuerySet":
        """Own ones; an administrator's and a dispatcher's organisation; a coordinator's counterparts."""
        mine = models.Q(person_id=actor.person_id)
        if actor.role in (Role.ORG_ADMIN, Role.DISPATCHER):
            return self.filter(mine | models.Q(organization_id=actor.organization_id))
        if actor.role == Role.COORDINATOR:
            return self.filter(mine | models.Q(role__in=COUNTERPARTS))
        return self.filter(mine)

    def consultants_of(self, centre_id: UUID) -> "MembershipQuerySet":
        """Active consultants of a centre, by name."""
        rows = self.filter(
            organization_id=centre_id, role=Role.CONSULTANT, is_active=True, person__is_active=True
        )
        return rows.select_related("person").order_by("person__family", "person__given", "id")


# Whom a coordinator deals with; doctors are none of theirs.
COUNTERPARTS = (Role.ORG_ADMIN, Role.TECHNICIAN)


class Membership(Row):
    """A person in an organisation in a role: what they act in."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=choices(ROLE_LABELS))
    department = models.CharField(max_length=200, blank=True)
    position = models.CharField(max_length=200, blank=True)
    specialty = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "organization", "role"], name="one_membership_a_role")
        ]
        indexes = [models.Index(fields=["organization", "role"])]

    def actor(self) -> Actor:
        """Return who acts here; needs `person` and `organization` loaded."""
        return Actor(
            person_id=self.person_id,
            membership_id=self.pk,
            organization_id=self.organization_id,
            role=Role(self.role),
            name=self.person.full_name,
            organization_name=self.organization.short_name,
            time_zone=self.organization.time_zone,
            position=self.position,
        )


class OneTimeLink(Row):
    """An invitation or a reset: only the token's hash is kept, it works once and not for long."""

    INVITATION = "invitation"
    RESET = "reset"

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    purpose = models.CharField(max_length=12, choices=[(INVITATION, "invitation"), (RESET, "reset")])
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    issued_by_name = models.CharField(max_length=200, blank=True)

    def is_good(self, at: datetime) -> bool:
        """Say whether the link still works."""
        return self.used_at is None and at < self.expires_at


class RecoveryCode(Row):
    """One of the codes that replace a lost second factor; only its hash is kept, it works once."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)


class SignInAttemptQuerySet(models.QuerySet["SignInAttempt"]):
    """What the throttle counts."""

    def failures(self, *, since: datetime, **who: Any) -> int:
        """Count failures of an account or a network since a moment."""
        return self.filter(succeeded=False, at__gte=since, **who).count()


class SignInAttempt(Row):
    """A try to sign in. The account is a hash of what was typed: a password may be typed there by mistake."""

    account_hash = models.CharField(max_length=64)
    network = models.CharField(max_length=64)
    at = models.DateTimeField()
    succeeded = models.BooleanField()

    objects = SignInAttemptQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account_hash", "at"]), models.Index(fields=["network", "at"])]

"""An organisation's people: invited, given roles, ended. Their passwords are theirs alone."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from konsilium.actions._record import record_at_desk
from konsilium.actions.account import make_link
from konsilium.models import Membership, OneTimeLink, Organization, Person
from konsilium.models.access import signing_in
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.roles import CENTRE_ROLES, INVITES, Actor, Role
from konsilium.workflow.words import N_

_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        ["a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "-", "y", "-", "e", "yu", "ya"],
        strict=True,
    )
)


@dataclass(frozen=True)
class Invitee:
    """Who is invited, as they were named by whoever invites."""

    family: str
    given: str
    patronymic: str = ""
    email: str = ""
    phone: str = ""
    position: str = ""
    specialty: str = ""
    department: str = ""


def invite(
    invitee: Invitee, *, roles: list[Role], organization: Organization, actor: Actor, at: datetime
) -> tuple[Person, str]:
    """Make a person with memberships and a one-time link; return them and the link's token, shown this once.

    Raises NotYours when the actor may not give these roles in this organisation, Refused when a role makes no sense.
    """
    _check_roles(roles, organization, actor)
    with transaction.atomic():
        person = _new_person(invitee)
        for role in roles:
            _new_membership(person, role, invitee, organization, at)
        token = make_link(person.pk, OneTimeLink.INVITATION, at=at, issued_by=actor.name)
        _record("person_invited", person, organization, actor, at)
    return person, token


def issue_access(
    organization: Organization, invitee: Invitee, *, actor: Actor, at: datetime
) -> tuple[Person, str]:
    """Invite the responsible person of an organisation as its administrator: the coordinator's last step.

    Raises Refused before the organisation is active.
    """
    if organization.state != OrganizationState.ACTIVE:
        raise Refused(N_("Access is issued once the organisation is active."))
    return invite(invitee, roles=[Role.ORG_ADMIN], organization=organization, actor=actor, at=at)


def invite_again(membership: Membership, *, actor: Actor, at: datetime) -> str:
    """Make a new link for somebody who hasn't entered yet, or lost the way in, and return its token."""
    _check_same_house(membership, actor)
    with transaction.atomic():
        token = make_link(membership.person_id, OneTimeLink.INVITATION, at=at, issued_by=actor.name)
        _record("person_invited_again", membership.person, membership.organization, actor, at)
    return token


def end_access(membership: Membership, *, actor: Actor, at: datetime) -> None:
    """End a membership; it counts from the person's next request on. Nobody ends their own."""
    _check_same_house(membership, actor)
    if membership.pk == actor.membership_id:
        raise Refused(N_("You can't end your own access. Ask another administrator."))
    _set_active(membership, active=False, actor=actor, at=at)


def restore_access(membership: Membership, *, actor: Actor, at: datetime) -> None:
    """Give an ended membership back."""
    _check_same_house(membership, actor)
    _set_active(membership, active=True, actor=actor, at=at)


def add_role(membership: Membership, role: Role, *, actor: Actor, at: datetime) -> None:
    """Give a person of the house one more role."""
    _check_same_house(membership, actor)
    _check_roles([role], membership.organization, actor)
    about = Invitee("", "", position=membership.position, specialty=membership.specialty, department=membership.department)
    with transaction.atomic():
        rows = Membership.objects.filter(person_id=membership.person_id, organization=membership.organization, role=role)
        if not rows.update(is_active=True):
            _new_membership(membership.person, role, about, membership.organization, at)
        _record("role_given", membership.person, membership.organization, actor, at, text=role)


def login_for(invitee: Invitee) -> str:
    """Return a free login made of the family name and the initial, in Latin letters."""
    base = _latin(f"{invitee.family}.{invitee.given[:1]}")[:40] or "doctor"
    with signing_in():
        taken = set(Person.objects.filter(login__startswith=base).values_list("login", flat=True))
    numbered = (f"{base}{number}" for number in range(2, 1000))
    return base if base not in taken else next((name for name in numbered if name not in taken), secrets.token_hex(6))


def _latin(text: str) -> str:
    letters = "".join(_LATIN.get(letter, letter) for letter in text.lower())
    return re.sub(r"[^a-z0-9.]", "", letters).strip(".")


def _new_person(invitee: Invitee) -> Person:
    person = Person(
        login=login_for(invitee),
        family=invitee.family,
        given=invitee.given,
        patronymic=invitee.patronymic,
        email=invitee.email,
        phone=invitee.phone,
    )
    person.save(force_insert=True)
    return person


def _new_membership(
    person: Person, role: Role, invitee: Invitee, organization: Organization, at: datetime
) -> None:
    Membership(
        person=person,
        organization=organization,
        role=role,
        department=invitee.department,
        position=invitee.position,
        specialty=invitee.specialty,
        created_at=at,
    ).save(force_insert=True)


def _check_roles(roles: list[Role], organization: Organization, actor: Actor) -> None:
    allowed = INVITES.get(actor.role, ())
    own = actor.role is Role.COORDINATOR or organization.pk == actor.organization_id
    if not roles or not own or not set(roles) <= set(allowed):
        raise NotYours(N_("You can't give these roles."))
    if set(roles) & set(CENTRE_ROLES) and not organization.is_consulting:
        raise Refused(N_("Only a consulting centre has dispatchers and consultants."))


def _check_same_house(membership: Membership, actor: Actor) -> None:
    own = membership.organization_id == actor.organization_id and actor.role is Role.ORG_ADMIN
    coordinated = actor.role is Role.COORDINATOR and membership.role in (Role.ORG_ADMIN, Role.TECHNICIAN)
    if not own and not coordinated:
        raise NotYours(N_("This person belongs to another organisation."))


def _set_active(membership: Membership, *, active: bool, actor: Actor, at: datetime) -> None:
    with transaction.atomic():
        Membership.objects.filter(pk=membership.pk).update(is_active=active)
        kind = "access_restored" if active else "access_ended"
        _record(kind, membership.person, membership.organization, actor, at, text=membership.role)


def _record(
    kind: str, person: Person, organization: Organization, actor: Actor, at: datetime, text: str = ""
) -> None:
    subject = ("person", person.pk)
    record_at_desk(kind, at=at, actor=actor, organization_id=organization.pk, subject=subject, text=text)

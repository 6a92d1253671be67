"""An organisation's people: invited, given roles, ended. Their passwords are theirs alone."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from konsilium.actions import second_factor
from konsilium.actions._record import record_at_desk
from konsilium.actions.account import make_link
from konsilium.models import Membership, OneTimeLink, Organization, Person, WebSession
from konsilium.models.access import signing_in
from konsilium.models.people import COUNTERPARTS
from konsilium.workflow.machine import NotYours, Refused
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.roles import IN_CENTRES_ONLY, INVITES, Actor, Role
from konsilium.workflow.words import N_

_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_LATIN = "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya".split()
_LETTERS = dict(zip(_CYRILLIC, _LATIN, strict=True))
_LONGEST_LOGIN = 40


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
    """Make a new link for somebody who hasn't entered yet, or lost the way in, and return its token.

    Raises NotYours for somebody of another house, also when they work in both: one house's link would open the
    other's records.
    """
    _check_same_house(membership, actor)
    _check_only_here(membership)
    with transaction.atomic():
        token = make_link(membership.person_id, OneTimeLink.INVITATION, at=at, issued_by=actor.name)
        _record("person_invited_again", membership.person, membership.organization, actor, at)
    return token


def end_access(membership: Membership, *, actor: Actor, at: datetime) -> None:
    """End a membership and the web sessions that act in it, at once.

    Raises Refused for the own membership, so that an organisation is never left without its administrator by one.
    """
    _check_same_house(membership, actor)
    with transaction.atomic():
        _lock_administrators(membership.organization)
        if membership.pk == actor.membership_id:
            raise Refused(N_("You can't end your own access. Ask another administrator."))
        _check_still_acting(actor)
        _set_active(membership, active=False, actor=actor, at=at)
        with signing_in():
            WebSession.objects.filter(membership_id=membership.pk).delete()


def restore_access(membership: Membership, *, actor: Actor, at: datetime) -> None:
    """Give an ended membership back."""
    _check_same_house(membership, actor)
    _set_active(membership, active=True, actor=actor, at=at)


def add_role(membership: Membership, role: Role, *, actor: Actor, at: datetime) -> None:
    """Give a person of the house one more role, in the same place. Raises NotYours or Refused as `invite` does."""
    _check_same_house(membership, actor)
    organization, person = membership.organization, membership.person
    _check_roles([role], organization, actor)
    place = {name: getattr(membership, name) for name in ("department", "position", "specialty")}
    with transaction.atomic():
        rows = Membership.objects.filter(person=person, organization=organization, role=role)
        if not rows.update(is_active=True):
            _new_membership(person, role, Invitee("", "", **place), organization, at)
        _record("role_given", person, organization, actor, at, text=role)


def take_second_factor(membership: Membership, *, actor: Actor, at: datetime) -> None:
    """Take the second factor of somebody away who lost it: their password alone opens the door again.

    Raises NotYours for anybody but the house's administrator, and for somebody who works elsewhere too.
    """
    _check_same_house(membership, actor)
    _check_only_here(membership)
    if actor.role is not Role.ORG_ADMIN or membership.person_id == actor.person_id:
        raise NotYours(N_("Only another administrator of the same organisation takes a second factor away."))
    with transaction.atomic():
        with signing_in():
            second_factor.remove(membership.person, at=at)
        _record("second_factor_taken", membership.person, membership.organization, actor, at)


def login_for(invitee: Invitee) -> str:
    """Return a free login made of the family name and the initial, in Latin letters."""
    base = _latin(f"{invitee.family}.{invitee.given[:1]}")[:_LONGEST_LOGIN] or "doctor"
    with signing_in():
        _take_turns(base)
        taken = set(Person.objects.filter(login__startswith=base).values_list("login", flat=True))
    numbered = (f"{base}{number}" for number in range(2, 1000))
    free = (name for name in (base, *numbered) if name not in taken)
    return next(free, secrets.token_hex(6))


def _take_turns(login: str) -> None:
    """Let one namesake be invited at a time, in any house: the login is unique among all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [login])


def _latin(text: str) -> str:
    letters = "".join(_LETTERS.get(letter, letter) for letter in text.lower())
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
    if set(roles) & set(IN_CENTRES_ONLY) and not organization.is_consulting:
        raise Refused(N_("Only a consulting centre has dispatchers and consultants."))


def _check_same_house(membership: Membership, actor: Actor) -> None:
    own = membership.organization_id == actor.organization_id and actor.role is Role.ORG_ADMIN
    coordinated = actor.role is Role.COORDINATOR and membership.role in COUNTERPARTS
    if not own and not coordinated:
        raise NotYours(N_("This person belongs to another organisation."))


def _check_only_here(membership: Membership) -> None:
    with signing_in():
        elsewhere = Membership.objects.filter(person_id=membership.person_id, is_active=True)
        if elsewhere.exclude(organization_id=membership.organization_id).exists():
            raise NotYours(
                N_("This person works in another organisation too: they ask for a new password themself.")
            )


def _lock_administrators(organization: Organization) -> None:
    """Let one change of an organisation's access pass at a time: two administrators may end each other's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [str(organization.pk)])


def _check_still_acting(actor: Actor) -> None:
    if not Membership.objects.filter(pk=actor.membership_id, is_active=True).exists():
        raise NotYours(N_("Your own access was ended meanwhile."))


def _set_active(membership: Membership, *, active: bool, actor: Actor, at: datetime) -> None:
    with transaction.atomic():
        Membership.objects.filter(pk=membership.pk).update(is_active=active)
        kind = "access_restored" if active else "access_ended"
        _record(kind, membership.person, membership.organization, actor, at, text=membership.role)


def _record(
    kind: str, person: Person, organization: Organization, actor: Actor, at: datetime, text: str = ""
) -> None:
    # No name: a coordinator reads the organisation's story, and its doctors are none of theirs.
    subject = ("person", person.pk)
    record_at_desk(kind, at=at, actor=actor, organization_id=organization.pk, subject=subject, text=text)

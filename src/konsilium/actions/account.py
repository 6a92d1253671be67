"""Signing in, passwords, one-time links, own sessions and data: a person and their account.

What asks for passwords and sessions runs in the sign-in's own database context, which no page has.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from django_otp.plugins.otp_totp.models import TOTPDevice

from konsilium.actions._guessing import WINDOW, ask, guess, hash_of
from konsilium.actions._record import record_at_desk
from konsilium.models import Credential, Membership, OneTimeLink, Person, WebSession
from konsilium.models.access import signing_in
from konsilium.workflow.machine import Refused
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.roles import Role
from konsilium.workflow.words import N_

LIVES = {OneTimeLink.INVITATION: timedelta(hours=72), OneTimeLink.RESET: timedelta(hours=1)}
# So many letters a quarter of an hour: more would only fill somebody's mailbox.
RESETS_A_WINDOW = 3
# Checked when the login is unknown, so that the answer takes as long.
NOBODYS_HASH = make_password("nobody has this password")
NAMES = ("family", "given", "patronymic")


class WrongSignIn(Refused):
    """Login and password don't go together; which of them is wrong is not said."""

    def __init__(self) -> None:
        """One text for every cause."""
        super().__init__(N_("Login or password is wrong."))


class WrongPassword(Refused):
    """The own password, asked once more, is wrong."""

    def __init__(self) -> None:
        """Say which."""
        super().__init__(N_("The present password is wrong."))


class LinkDead(Refused):
    """A one-time link that is unknown, used or too old."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(N_("This link was used already or is too old. Ask for a new one."))


class WeakPassword(Refused):
    """A password that the rules refuse; carries their words."""

    def __init__(self, messages: list[str]) -> None:
        """Keep the validators' own, translated, words."""
        super().__init__(" ".join(messages))


@dataclass(frozen=True)
class Checked:
    """What came of a try to sign in: the person, and whether a code is still to come; or why not.

    The refusal is a value: raising it would roll back the try that the throttle has to remember.
    """

    person: Person | None = None
    needs_code: bool = False
    refusal: Refused | None = None


def check_sign_in(*, login: str, password: str, network: str, at: datetime) -> Checked:
    """Check login and password, throttled by account and by network, and remember the try.

    The answer carries the refusal, if there is one: TooManyTries or WrongSignIn. Somebody unknown costs as much work
    as somebody known.
    """
    login = login.strip().lower()
    with signing_in():
        rows = Credential.objects.select_related("person")
        credential = rows.filter(person__login=login, person__is_active=True).first()
        person = credential.person if credential else None
        kept = credential.password if credential else NOBODYS_HASH

        def fits() -> bool:
            return check_password(password, kept) and person is not None

        refusal = guess(login, fits, WrongSignIn(), network=network, at=at)
        if refusal is not None or person is None:
            return Checked(refusal=refusal)
        return Checked(person, TOTPDevice.objects.filter(user_id=person.pk, confirmed=True).exists())


def check_own_password(person: Person, password: str, *, network: str, at: datetime) -> None:
    """Let somebody show once more that it is them. Raises WrongPassword or TooManyTries."""
    with signing_in():
        credential = Credential.objects.filter(person=person).first()
        kept = credential.password if credential else NOBODYS_HASH
        refusal = guess(
            str(person.pk), lambda: check_password(password, kept), WrongPassword(), network=network, at=at
        )
    if refusal is not None:
        raise refusal


def record_of_account(person: Person, kind: str, *, at: datetime, text: str = "") -> None:
    """Remember what happened to an account: an event of the house, without a place in any request."""
    record_at_desk(kind, at=at, subject=("account", person.pk), text=text or person.full_name)


def first_membership(person_id: UUID) -> UUID | None:
    """Return the membership to act in when there is only one in an active organisation.

    Being called to a council makes nobody choose at every sign-in: their own desk leads to that role.
    """
    rows = usable_memberships(person_id)
    own = [row for row in rows if row.role != Role.COUNCIL_MEMBER] or rows
    return own[0].pk if len(own) == 1 else None


def usable_memberships(person_id: UUID) -> list[Membership]:
    """Return the memberships a person may act in now, by organisation and role."""
    with signing_in():
        rows = Membership.objects.filter(
            person_id=person_id, is_active=True, organization__state=OrganizationState.ACTIVE
        )
        rows = rows.select_related("organization", "person")
        return list(rows.order_by("organization__short_name", "role", "id"))


def resting_organizations(person_id: UUID) -> list[str]:
    """Name the organisations whose memberships rest because the organisation isn't active."""
    with signing_in():
        rows = Membership.objects.filter(person_id=person_id, is_active=True)
        rows = rows.exclude(organization__state=OrganizationState.ACTIVE)
        names = rows.order_by("organization__short_name").values_list("organization__short_name", flat=True)
        return list(names.distinct())


def make_link(person_id: UUID, purpose: str, *, at: datetime, issued_by: str = "") -> str:
    """Make a one-time link for the person and return its token; only its hash is kept.

    A new invitation ends the earlier ones.
    """
    token = secrets.token_urlsafe(32)
    if purpose == OneTimeLink.INVITATION:
        with signing_in():
            OneTimeLink.objects.filter(person_id=person_id, purpose=purpose, used_at=None).update(used_at=at)
    OneTimeLink(
        person_id=person_id,
        purpose=purpose,
        token_hash=hash_of(token),
        created_at=at,
        expires_at=at + LIVES[purpose],
        issued_by_name=issued_by[:200],
    ).save(force_insert=True)
    return token


def open_link(token: str, *, at: datetime) -> Person:
    """Return whose link this is without using it up. Raises LinkDead."""
    with signing_in():
        link = OneTimeLink.objects.select_related("person").filter(token_hash=hash_of(token)).first()
        if link is None or not link.is_good(at) or not link.person.is_active:
            raise LinkDead
        return link.person


def set_password_by_link(token: str, *, password: str, at: datetime) -> Person:
    """Use the link up, set the password, end all of the person's sessions. Raises LinkDead or WeakPassword."""
    with signing_in():
        link = OneTimeLink.objects.select_for_update(of=("self",)).filter(token_hash=hash_of(token)).first()
        if link is None or not link.is_good(at) or not link.person.is_active:
            raise LinkDead
        person = link.person
        _set_password(person, password, at)
        OneTimeLink.objects.filter(person=person, used_at=None).update(used_at=at)
        Person.objects.filter(pk=person.pk).update(has_entered=True)
        WebSession.objects.filter(person_id=person.pk).delete()
        record_of_account(person, f"password_by_{link.purpose}", at=at)
        return person


def change_password(person: Person, *, old: str, new: str, keep: str, network: str, at: datetime) -> None:
    """Set a new password and end every session but the one named by its stored key.

    Raises WrongPassword, TooManyTries or WeakPassword.
    """
    check_own_password(person, old, network=network, at=at)
    with signing_in():
        _set_password(Person.objects.get(pk=person.pk), new, at)
        WebSession.objects.filter(person_id=person.pk).exclude(session_key=keep).delete()
        OneTimeLink.objects.filter(person=person, used_at=None).update(used_at=at)
        record_of_account(person, "password_changed", at=at)


def _set_password(person: Person, password: str, at: datetime) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise WeakPassword(error.messages) from error
    values = {"password": make_password(password), "changed_at": at}
    Credential.objects.update_or_create(person=person, defaults=values)


def ask_for_reset(typed: str, *, network: str, at: datetime) -> list[tuple[Person, str]]:
    """Make a reset link for each account with the login or e-mail address that was typed; there may be none.

    The page says the same in every case, and the links leave the house by e-mail alone. Raises TooManyTries when a
    network asks again and again, whoever it asks for.
    """
    typed = typed.strip().lower()
    refusal = ask(network=network, at=at)
    if refusal is not None:
        raise refusal
    with signing_in():
        rows = Person.objects.filter(is_active=True, has_entered=True).exclude(email="")
        people = list(
            rows.filter(Q(login=typed) | Q(email__iexact=typed)).order_by("login")[:RESETS_A_WINDOW]
        )
        asking = [person for person in people if not _asked_often(person, at)]
        return [(person, make_link(person.pk, OneTimeLink.RESET, at=at)) for person in asking]


def _asked_often(person: Person, at: datetime) -> bool:
    recent = OneTimeLink.objects.filter(person=person, purpose=OneTimeLink.RESET, created_at__gt=at - WINDOW)
    return recent.count() >= RESETS_A_WINDOW


def sessions_of(person_id: UUID, *, at: datetime) -> list[WebSession]:
    """Return the person's own sessions, the last seen first."""
    with signing_in():
        rows = WebSession.objects.filter(person_id=person_id, expire_date__gt=at)
        return list(rows.order_by("-seen_at"))


def end_sessions(person_id: UUID, *, only: str = "", keep: str = "") -> int:
    """End one of the person's sessions (named by a hash of its key), or all but the one to keep."""
    with signing_in():
        rows = WebSession.objects.filter(person_id=person_id)
        chosen = [row.session_key for row in rows if not only or session_name(row.session_key) == only]
        return rows.filter(session_key__in=[key for key in chosen if key != keep]).delete()[0]


def session_name(key: str) -> str:
    """Return a name for a session that may stand on a page: never its key."""
    return hash_of(key)[:16]


def change_profile(
    person: Person, fields: list[str], membership: Membership | None, place_fields: list[str], *, at: datetime
) -> None:
    """Keep what a person changed of their own data and of their place in the organisation they act in.

    A changed name is remembered: it stands under requests and conclusions.
    """
    if fields:
        person.save(update_fields=fields)
    if set(fields) & set(NAMES):
        record_of_account(person, "name_changed", at=at)
    if membership is not None and place_fields:
        membership.save(update_fields=place_fields)


def choose_language(person: Person, language: str) -> None:
    """Keep the language a person reads in; letters use it too."""
    Person.objects.filter(pk=person.pk).update(language=language)

"""Signing in, the second factor, one-time links, own sessions: a person and their account.

Everything here runs in the sign-in's own database context, which no page has.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from konsilium.actions._record import record_at_desk
from konsilium.models import (
    Credential,
    Membership,
    OneTimeLink,
    Person,
    RecoveryCode,
    SignInAttempt,
    WebSession,
)
from konsilium.models.access import signing_in
from konsilium.workflow.machine import Refused
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.words import N_

WINDOW = timedelta(minutes=15)
FAILURES_OF_AN_ACCOUNT = 10
FAILURES_OF_A_NETWORK = 60
LIVES = {OneTimeLink.INVITATION: timedelta(hours=72), OneTimeLink.RESET: timedelta(hours=1)}
RECOVERY_CODES = 10
# Checked when the login is unknown, so that the answer takes as long.
NOBODYS_HASH = make_password("nobody has this password")


class WrongSignIn(Refused):
    """Login and password don't go together; which of them is wrong is not said."""

    def __init__(self) -> None:
        """One text for every cause."""
        super().__init__(N_("Login or password is wrong."))


class TooManyTries(Refused):
    """The throttle is closed for this account or network."""

    def __init__(self) -> None:
        """Say when to come again."""
        super().__init__(N_("Too many tries. Wait a quarter of an hour and try again."))


class WrongCode(Refused):
    """The second factor's code or recovery code doesn't fit, or was used already."""

    def __init__(self) -> None:
        """One text for every cause."""
        super().__init__(N_("The code doesn't fit or was used already."))


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

    person_id: UUID | None = None
    needs_code: bool = False
    refusal: Refused | None = None


def hash_of(text: str) -> str:
    """Return the hash under which a token, a code or a typed login is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_sign_in(*, login: str, password: str, network: str, at: datetime) -> Checked:
    """Check login and password, throttled by account and by network, and remember the try.

    The answer carries the refusal, if there is one: TooManyTries or WrongSignIn.
    """
    account = hash_of(login.strip().lower())
    with signing_in():
        if _is_throttled(account, network, at):
            return Checked(refusal=TooManyTries())
        person = Person.objects.filter(login=login.strip().lower(), is_active=True).first()
        credential = Credential.objects.filter(person=person).first() if person else None
        right = check_password(password, credential.password if credential else NOBODYS_HASH)
        good = right and credential is not None
        SignInAttempt(account_hash=account, network=network, at=at, succeeded=good).save()
        if not good or person is None:
            return Checked(refusal=WrongSignIn())
        return Checked(person.pk, has_second_factor(person.pk))


def _is_throttled(account: str, network: str, at: datetime) -> bool:
    since = at - WINDOW
    tries = SignInAttempt.objects
    return (
        tries.failures(since=since, account_hash=account) >= FAILURES_OF_AN_ACCOUNT
        or tries.failures(since=since, network=network) >= FAILURES_OF_A_NETWORK
    )


def has_second_factor(person_id: UUID) -> bool:
    """Say whether the person has a confirmed second factor."""
    with signing_in():
        return TOTPDevice.objects.filter(user_id=person_id, confirmed=True).exists()


def check_code(person_id: UUID, *, code: str, network: str, at: datetime) -> bool:
    """Check a second factor's code, or a recovery code, once. The try is remembered and throttled."""
    account = hash_of(str(person_id))
    with signing_in():
        if _is_throttled(account, network, at):
            return False
        good = _fits(person_id, "".join(code.split()), at)
        SignInAttempt(account_hash=account, network=network, at=at, succeeded=good).save()
        return good


def _fits(person_id: UUID, code: str, at: datetime) -> bool:
    device = TOTPDevice.objects.select_for_update().filter(user_id=person_id, confirmed=True).first()
    if device is not None and code.isdecimal() and device.verify_token(code):
        return True
    row = RecoveryCode.objects.select_for_update().filter(
        person_id=person_id, code_hash=hash_of(code.lower()), used_at=None
    )
    return bool(row.update(used_at=at))


def record_sign_in(person: Person, *, kind: str, at: datetime) -> None:
    """Remember that somebody signed in or out: an event of the house, without a place in any request."""
    record_at_desk(kind, at=at, subject=("account", person.pk), text=person.full_name)


def first_membership(person_id: UUID) -> UUID | None:
    """Return the membership to act in when there is only one in an active organisation."""
    rows = usable_memberships(person_id)
    return rows[0].pk if len(rows) == 1 else None


def usable_memberships(person_id: UUID) -> list[Membership]:
    """Return the memberships a person may act in now, by organisation and role."""
    with signing_in():
        rows = Membership.objects.filter(
            person_id=person_id, is_active=True, organization__state=OrganizationState.ACTIVE
        )
        return list(rows.select_related("organization", "person").order_by("organization__short_name", "role", "id"))


def suspended_memberships(person_id: UUID) -> int:
    """Count the memberships that rest because their organisation isn't active."""
    with signing_in():
        rows = Membership.objects.filter(person_id=person_id, is_active=True)
        return rows.exclude(organization__state=OrganizationState.ACTIVE).count()


def make_link(person_id: UUID, purpose: str, *, at: datetime, issued_by: str = "") -> str:
    """Make a one-time link for the person and return its token; only its hash is kept."""
    token = secrets.token_urlsafe(32)
    OneTimeLink(
        person_id=person_id,
        purpose=purpose,
        token_hash=hash_of(token),
        created_at=at,
        expires_at=at + LIVES[purpose],
        issued_by_name=issued_by,
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
        record_sign_in(person, kind=f"password_by_{link.purpose}", at=at)
        return person


def change_password(person: Person, *, old: str, new: str, keep: str, at: datetime) -> None:
    """Set a new password and end every session but the one named by its key. Raises WrongSignIn or WeakPassword."""
    with signing_in():
        credential = Credential.objects.select_for_update().filter(person=person).first()
        if credential is None or not check_password(old, credential.password):
            raise WrongSignIn
        _set_password(person, new, at)
        WebSession.objects.filter(person_id=person.pk).exclude(session_key=keep).delete()
        record_sign_in(person, kind="password_changed", at=at)


def _set_password(person: Person, password: str, at: datetime) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise WeakPassword(error.messages) from error
    values = {"password": make_password(password), "changed_at": at}
    Credential.objects.update_or_create(person=person, defaults=values)


def ask_for_reset(typed: str, *, at: datetime) -> tuple[Person, str] | None:
    """Make a reset link for the login or e-mail address that was typed; None when it is nobody's.

    The page says the same in both cases; the link leaves the house by e-mail alone.
    """
    typed = typed.strip().lower()
    with signing_in():
        rows = Person.objects.filter(is_active=True, has_entered=True).exclude(email="")
        person = rows.filter(login=typed).first() or rows.filter(email__iexact=typed).first()
        recent = person and OneTimeLink.objects.filter(person=person, created_at__gt=at - WINDOW).count()
        if person is None or (recent or 0) >= 3:  # noqa: PLR2004  three letters in a quarter of an hour are enough
            return None
        return person, make_link(person.pk, OneTimeLink.RESET, at=at)


def sessions_of(person_id: UUID, *, at: datetime) -> list[WebSession]:
    """Return the person's own sessions, the last seen first."""
    with signing_in():
        rows = WebSession.objects.filter(person_id=person_id, expire_date__gt=at)
        return list(rows.order_by("-seen_at"))


def end_sessions(person_id: UUID, *, only: str = "", keep: str = "") -> int:
    """End one of the person's sessions (named by a hash of its key), or all but the one to keep."""
    with signing_in():
        rows = WebSession.objects.filter(person_id=person_id)
        chosen = [row.session_key for row in rows if (not only or session_name(row.session_key) == only)]
        return rows.filter(session_key__in=[key for key in chosen if key != keep]).delete()[0]


def session_name(key: str) -> str:
    """Return a name for a session that may stand on a page: never its key."""
    return hash_of(key)[:16]


def begin_second_factor(person_id: UUID) -> TOTPDevice:
    """Return the person's device that is being set up: its key is shown until a code confirms it."""
    with signing_in(), transaction.atomic():
        device = TOTPDevice.objects.filter(user_id=person_id, confirmed=False).first()
        return device or TOTPDevice.objects.create(user_id=person_id, name="totp", confirmed=False)


def confirm_second_factor(person: Person, *, code: str, at: datetime) -> list[str]:
    """Confirm the device by a code and return new recovery codes, shown this once. Raises WrongCode."""
    with signing_in():
        device = TOTPDevice.objects.select_for_update().filter(user_id=person.pk, confirmed=False).first()
        if device is None or not code.strip().isdecimal() or not device.verify_token(code.strip()):
            raise WrongCode
        TOTPDevice.objects.filter(user_id=person.pk, confirmed=True).delete()
        device.confirmed = True
        device.save()
        record_sign_in(person, kind="second_factor_on", at=at)
        return _new_recovery_codes(person.pk)


def _new_recovery_codes(person_id: UUID) -> list[str]:
    codes = [secrets.token_hex(5) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(person_id=person_id).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(person_id=person_id, code_hash=hash_of(code)) for code in codes)
    return codes


def renew_recovery_codes(person: Person, *, password: str, at: datetime) -> list[str]:
    """Replace the recovery codes and return the new ones. Raises WrongSignIn."""
    with signing_in():
        _check_own_password(person, password)
        record_sign_in(person, kind="recovery_codes_renewed", at=at)
        return _new_recovery_codes(person.pk)


def end_second_factor(person: Person, *, password: str, code: str, at: datetime) -> None:
    """Take the second factor away, given password and code. Raises WrongSignIn or WrongCode."""
    with signing_in():
        _check_own_password(person, password)
        if not _fits(person.pk, "".join(code.split()), at):
            raise WrongCode
        TOTPDevice.objects.filter(user_id=person.pk).delete()
        RecoveryCode.objects.filter(person=person).delete()
        record_sign_in(person, kind="second_factor_off", at=at)


def _check_own_password(person: Person, password: str) -> None:
    credential = Credential.objects.filter(person=person).first()
    if credential is None or not check_password(password, credential.password):
        raise WrongSignIn


def recovery_codes_left(person_id: UUID) -> int:
    """Count the recovery codes that still work."""
    with signing_in():
        return RecoveryCode.objects.filter(person_id=person_id, used_at=None).count()



def change_profile(
    person: Person, fields: list[str], membership: Membership | None, place_fields: list[str]
) -> None:
    """Keep what a person changed of their own data and of their place in the organisation they act in."""
    if fields:
        person.save(update_fields=fields)
    if membership is not None and place_fields:
        membership.save(update_fields=place_fields)


def choose_language(person: Person, language: str) -> None:
    """Keep the language a person reads in; letters use it too."""
    Person.objects.filter(pk=person.pk).update(language=language)

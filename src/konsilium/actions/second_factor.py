"""The second factor: a code from an application, or one of ten recovery codes; each counts once.

Everything here runs in the sign-in's own database context, which no page has.
"""

import base64
import secrets
from datetime import datetime
from uuid import UUID

from django.db.models import F
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from konsilium.actions._guessing import guess, hash_of
from konsilium.actions.account import check_own_password, record_of_account
from konsilium.models import Person, RecoveryCode
from konsilium.models.access import signing_in
from konsilium.workflow.machine import NotNow, Refused
from konsilium.workflow.words import N_

RECOVERY_CODES = 10
# Ten bytes of chance: sixteen letters in four groups.
_CODE_BYTES, _GROUP = 10, 4


class WrongCode(Refused):
    """The code doesn't fit or was used already."""

    def __init__(self) -> None:
        """One text for every cause."""
        super().__init__(N_("The code doesn't fit or was used already."))


def check_code(person_id: UUID | str, *, code: str, network: str, at: datetime) -> Refused | None:
    """Check a code of the application, or a recovery code, and use it up. Returns why not: WrongCode or TooManyTries.

    The answer is a value because raising it might roll back the try that the throttle has to remember.
    """
    return guess(str(person_id), lambda: _use(person_id, code, at), WrongCode(), network=network, at=at)


def _use(person_id: UUID | str, code: str, at: datetime) -> bool:
    bare = _bare(code)
    device = TOTPDevice.objects.select_for_update().filter(user_id=person_id, confirmed=True).first()
    if device is not None and _fits(device, bare, at):
        return True
    rows = RecoveryCode.objects.filter(person_id=person_id, code_hash=hash_of(bare), used_at=None)
    return bool(rows.update(used_at=at))


def _bare(code: str) -> str:
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _fits(device: TOTPDevice, code: str, at: datetime) -> bool:
    """Compare with the codes around this moment that are newer than the last one used, and use it up."""
    if not code.isdecimal() or len(code) != device.digits:
        return False
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits)
    clock.time = at.timestamp()
    if not clock.verify(int(code), device.tolerance, device.last_t + 1):
        return False
    device.last_t = clock.t()
    device.save(update_fields=["last_t"])
    return True


def is_on(person_id: UUID) -> bool:
    """Say whether the person has a confirmed second factor."""
    with signing_in():
        return bool(TOTPDevice.objects.filter(user_id=person_id, confirmed=True).exists())


def begin(person_id: UUID) -> TOTPDevice:
    """Return the device that is being set up: its key is shown until a code confirms it.

    Raises NotNow while one is on: an open browser must not be enough to replace it.
    """
    with signing_in():
        if is_on(person_id):
            raise NotNow(N_("The second factor is on already. Turn it off first."))
        device = TOTPDevice.objects.filter(user_id=person_id, confirmed=False).first()
        return device or TOTPDevice.objects.create(user_id=person_id, name="totp", confirmed=False)


def confirm(person: Person, *, password: str, code: str, network: str, at: datetime) -> list[str]:
    """Turn the begun device on by password and code; return the recovery codes, shown this once.

    Raises WrongSignIn, WrongCode, TooManyTries or NotNow.
    """
    check_own_password(person, password, network=network, at=at)
    device = begin(person.pk)
    with signing_in():
        device = TOTPDevice.objects.select_for_update().get(pk=device.pk)
        if not _fits(device, _bare(code), at):
            raise WrongCode
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        record_of_account(person, "second_factor_on", at=at)
        return _new_recovery_codes(person.pk)


def renew_recovery_codes(person: Person, *, password: str, network: str, at: datetime) -> list[str]:
    """Replace the recovery codes and return the new ones. Raises WrongSignIn or TooManyTries."""
    check_own_password(person, password, network=network, at=at)
    with signing_in():
        record_of_account(person, "recovery_codes_renewed", at=at)
        return _new_recovery_codes(person.pk)


def _new_recovery_codes(person_id: UUID) -> list[str]:
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(person_id=person_id).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(person_id=person_id, code_hash=hash_of(_bare(code))) for code in codes
    )
    return codes


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def recovery_codes_left(person_id: UUID) -> int:
    """Count the recovery codes that still work."""
    with signing_in():
        return RecoveryCode.objects.filter(person_id=person_id, used_at=None).count()


def end(person: Person, *, password: str, code: str, network: str, at: datetime) -> None:
    """Take the second factor away, given password and code. Raises WrongSignIn, WrongCode or TooManyTries."""
    check_own_password(person, password, network=network, at=at)
    refusal = check_code(person.pk, code=code, network=network, at=at)
    if refusal is not None:
        raise refusal
    with signing_in():
        remove(person, at=at)


def remove(person: Person, *, at: datetime) -> None:
    """Take a person's second factor and recovery codes away; the caller has made sure that it may."""
    TOTPDevice.objects.filter(user_id=person.pk).delete()
    RecoveryCode.objects.filter(person=person).delete()
    record_of_account(person, "second_factor_off", at=at)


def people_with_one(people: list[UUID]) -> set[UUID]:
    """Return which of these people have a second factor."""
    with signing_in():
        rows = TOTPDevice.objects.filter(user_id__in=people, confirmed=True)
        return set(rows.annotate(person=F("user_id")).values_list("person", flat=True))

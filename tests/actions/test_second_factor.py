"""A code beside the password: from an application or a list, each fitting once."""

from datetime import timedelta

import pytest
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from konsilium.actions import account, second_factor
from konsilium.actions._guessing import FAILURES_OF_AN_ACCOUNT, TooManyTries
from konsilium.models import DeskEvent, Person, RecoveryCode
from konsilium.models.access import signing_in
from konsilium.workflow.machine import NotNow
from tests.cast import NOW, PASSWORD

pytestmark = pytest.mark.django_db

HERE = "192.0.2.0/24"
STEP = timedelta(seconds=30)
LATER = NOW + timedelta(minutes=5)


def person(cast, who="omsk_doctor"):
    with signing_in():
        return Person.objects.get(pk=cast.actor_of(who).person_id)


def code_at(at, owner):
    """The code that the application of this person shows at this moment."""
    with signing_in():
        device = TOTPDevice.objects.get(user_id=owner.pk)
    clock = TOTP(device.bin_key, device.step, device.t0, device.digits)
    clock.time = at.timestamp()
    return f"{clock.token():06d}"


def turn_on(owner, at=NOW):
    second_factor.begin(owner.pk)
    return second_factor.confirm(owner, password=PASSWORD, code=code_at(at, owner), network=HERE, at=at)


def check(owner, code, at=LATER):
    return second_factor.check_code(owner.pk, code=code, network=HERE, at=at)


def test_it_is_on_once_a_code_and_the_password_confirm_it(cast):
    owner = person(cast)
    device = second_factor.begin(owner.pk)
    assert second_factor.begin(owner.pk).pk == device.pk
    assert not second_factor.is_on(owner.pk)
    codes = turn_on(owner)
    assert second_factor.is_on(owner.pk)
    assert len(set(codes)) == second_factor.recovery_codes_left(owner.pk) == 10
    assert not second_factor.is_on(cast.chita_doctor.person_id)


def test_a_wrong_code_or_password_turns_nothing_on(cast):
    owner = person(cast)
    second_factor.begin(owner.pk)
    wrong = code_at(NOW + timedelta(days=1), owner)
    with pytest.raises(second_factor.WrongCode):
        second_factor.confirm(owner, password=PASSWORD, code=wrong, network=HERE, at=NOW)
    with pytest.raises(account.WrongPassword):
        second_factor.confirm(owner, password="не тот", code=code_at(NOW, owner), network=HERE, at=NOW)
    assert not second_factor.is_on(owner.pk)


def test_an_open_browser_does_not_replace_one_that_is_on(cast):
    owner = person(cast)
    turn_on(owner)
    with pytest.raises(NotNow):
        second_factor.begin(owner.pk)


@pytest.mark.parametrize("drift", [-STEP, timedelta(), STEP])
def test_a_clock_may_be_half_a_minute_off(cast, drift):
    owner = person(cast)
    turn_on(owner)
    assert check(owner, code_at(LATER + drift, owner)) is None


@pytest.mark.parametrize("drift", [-3 * STEP, 3 * STEP])
def test_a_code_of_another_time_does_not_fit(cast, drift):
    owner = person(cast)
    turn_on(owner)
    assert isinstance(check(owner, code_at(LATER + drift, owner)), second_factor.WrongCode)


def test_a_code_fits_once_and_so_does_the_one_that_turned_it_on(cast):
    owner = person(cast)
    turn_on(owner)
    assert isinstance(check(owner, code_at(NOW, owner), at=NOW), second_factor.WrongCode)
    code = code_at(LATER, owner)
    assert check(owner, f" {code[:3]} {code[3:]} ") is None
    assert isinstance(check(owner, code), second_factor.WrongCode)
    assert isinstance(check(owner, code_at(LATER - STEP, owner)), second_factor.WrongCode)
    assert check(owner, code_at(LATER + STEP, owner), at=LATER + STEP) is None


def test_a_recovery_code_fits_once_however_it_is_typed(cast):
    owner = person(cast)
    codes = turn_on(owner)
    assert check(owner, codes[0].upper().replace("-", " ")) is None
    assert isinstance(check(owner, codes[0]), second_factor.WrongCode)
    assert second_factor.recovery_codes_left(owner.pk) == 9
    with signing_in():
        assert codes[1] not in set(RecoveryCode.objects.values_list("code_hash", flat=True))


def test_nobodys_code_opens_for_somebody_else(cast):
    owner, other = person(cast), person(cast, "chita_doctor")
    codes = turn_on(owner)
    turn_on(other)
    assert isinstance(check(other, codes[0]), second_factor.WrongCode)
    assert isinstance(check(other, code_at(LATER, owner)), second_factor.WrongCode)


def test_codes_are_not_to_be_guessed(cast):
    owner = person(cast)
    turn_on(owner)
    for _ in range(FAILURES_OF_AN_ACCOUNT):
        assert isinstance(check(owner, "000000"), second_factor.WrongCode)
    assert isinstance(check(owner, code_at(LATER, owner)), TooManyTries)
    with pytest.raises(TooManyTries):
        second_factor.end(owner, password=PASSWORD, code=code_at(LATER, owner), network=HERE, at=LATER)
    assert check(owner, code_at(NOW + timedelta(minutes=30), owner), at=NOW + timedelta(minutes=30)) is None


def test_turning_it_off_takes_password_and_code(cast):
    owner = person(cast)
    codes = turn_on(owner)
    with pytest.raises(account.WrongPassword):
        second_factor.end(owner, password="не тот", code=codes[0], network=HERE, at=LATER)
    with pytest.raises(second_factor.WrongCode):
        second_factor.end(owner, password=PASSWORD, code="000000", network=HERE, at=LATER)
    assert second_factor.is_on(owner.pk)
    second_factor.end(owner, password=PASSWORD, code=codes[0], network=HERE, at=LATER)
    assert not second_factor.is_on(owner.pk)
    assert second_factor.recovery_codes_left(owner.pk) == 0


def test_new_recovery_codes_replace_the_old_ones(cast):
    owner = person(cast)
    old = turn_on(owner)
    with pytest.raises(account.WrongPassword):
        second_factor.renew_recovery_codes(owner, password="не тот", network=HERE, at=LATER)
    new = second_factor.renew_recovery_codes(owner, password=PASSWORD, network=HERE, at=LATER)
    assert isinstance(check(owner, old[0]), second_factor.WrongCode)
    assert check(owner, new[0]) is None


def test_every_change_of_it_is_remembered(cast):
    owner = person(cast)
    codes = turn_on(owner)
    second_factor.renew_recovery_codes(owner, password=PASSWORD, network=HERE, at=LATER)
    second_factor.end(owner, password=PASSWORD, code=code_at(LATER, owner), network=HERE, at=LATER)
    with signing_in():
        kinds = list(DeskEvent.objects.filter(subject_id=owner.pk).values_list("kind", flat=True))
    assert len(codes) == 10
    assert kinds == ["second_factor_on", "recovery_codes_renewed", "second_factor_off"]


def test_it_is_asked_for_at_sign_in(cast):
    turn_on(person(cast))
    checked = account.check_sign_in(login="omsk_doctor", password=PASSWORD, network=HERE, at=LATER)
    assert (checked.person.login, checked.needs_code) == ("omsk_doctor", True)

"""Check digits and canonical forms."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from konsilium.workflow import identifiers
from konsilium.workflow.identifiers import BadIdentifier

SNILS_BODY = st.integers(min_value=1_001_999, max_value=999_999_999).map(lambda number: f"{number:09}")


def snils_of(body: str) -> str:
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(body, start=1)) % 101
    return f"{body}{0 if total == 100 else total:02}"


def luhn_of(body: str) -> str:
    doubled = [int(d) * 2 if place % 2 == 0 else int(d) for place, d in enumerate(reversed(body))]
    return body + str(-sum(sum(divmod(value, 10)) for value in doubled) % 10)


def replaced(digits: str, place: int, step: int) -> str:
    return digits[:place] + str((int(digits[place]) + step) % 10) + digits[place + 1 :]


@pytest.mark.parametrize(
    "typed", ["112-233-445 95", "11223344595", " 112 233\u00a0445\u202f95 ", "112\u2013233\u2013445 95"]
)
def test_a_snils_is_read_however_it_is_separated(typed: str) -> None:
    assert identifiers.normalize_snils(typed) == "11223344595"


def test_a_snils_is_shown_as_on_the_card() -> None:
    assert identifiers.format_snils("11223344595") == "112-233-445 95"


@pytest.mark.parametrize(
    "typed",
    [
        "112-233-445 96",
        "112-233-445",
        "",
        "000-000-000 00",
        "abc-def-ghi jk",
        "１１２２３３４４５９５",
        "1122334459५",
        "112.233.445.95",
    ],
)
def test_a_wrong_snils_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_snils(typed)


def test_the_last_snils_without_check_digits_passes_and_the_next_is_checked() -> None:
    assert identifiers.normalize_snils("001-001-998 99") == "00100199899"
    with pytest.raises(BadIdentifier):
        identifiers.normalize_snils("001-001-999 99")


def test_a_refusal_does_not_repeat_what_was_typed() -> None:
    with pytest.raises(BadIdentifier, match=r"^The check digits of the SNILS do not match$"):
        identifiers.normalize_snils("112-233-445 96")


@given(SNILS_BODY)
def test_every_rightly_made_snils_passes_and_survives_being_shown(body: str) -> None:
    digits = snils_of(body)
    assert identifiers.normalize_snils(identifiers.format_snils(digits)) == digits


@given(SNILS_BODY, st.integers(0, 10), st.integers(1, 9))
def test_one_changed_digit_of_a_snils_is_found(body: str, place: int, step: int) -> None:
    wrong = replaced(snils_of(body), place, step)
    # Two things the rule itself can't see: numbers too old to be checked, and sums 100 and 0, written alike.
    assume(int(wrong[:9]) > 1_001_998 and wrong[9:] != "00")
    with pytest.raises(BadIdentifier):
        identifiers.normalize_snils(wrong)


@pytest.mark.parametrize("typed", ["7700000000000016", "1234567890123452", "1234 5678 9012 3452"])
def test_a_policy_number_with_a_right_check_digit_passes(typed: str) -> None:
    assert identifiers.normalize_enp(typed) == typed.replace(" ", "")


@given(st.integers(1, 10**15 - 1).map(lambda number: f"{number:015}"), st.integers(0, 15), st.integers(1, 9))
def test_one_changed_digit_of_a_policy_number_is_found(body: str, place: int, step: int) -> None:
    right = luhn_of(body)
    assert identifiers.normalize_enp(identifiers.format_enp(right)) == right
    with pytest.raises(BadIdentifier):
        identifiers.normalize_enp(replaced(right, place, step))


@pytest.mark.parametrize(
    "typed", ["1234567890123453", "123456789012345", "0000000000000000", "12345678901234527"]
)
def test_a_wrong_policy_number_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_enp(typed)


@pytest.mark.parametrize("typed", ["7707083893", "500100732259", "77 0708 3893"])
def test_a_right_inn_passes(typed: str) -> None:
    assert identifiers.normalize_inn(typed) == typed.replace(" ", "")


@pytest.mark.parametrize(
    "typed", ["7707083894", "500100732258", "500100732269", "77070838931", "0000000000", "7707O83893"]
)
def test_a_wrong_inn_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_inn(typed)


@pytest.mark.parametrize("typed", ["1027700132195", "304500116000157"])
def test_a_right_ogrn_passes(typed: str) -> None:
    assert identifiers.normalize_ogrn(typed) == typed


@pytest.mark.parametrize(
    "typed", ["1027700132196", "304500116000158", "2027700132195", "10277001321950", "404500116000157"]
)
def test_a_wrong_ogrn_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_ogrn(typed)


@pytest.mark.parametrize("typed", ["1.2.643.5.1.13.13.12.2.77.7812", " 1.2.643.5.1.13.13.12.4.1.123456 "])
def test_an_organisation_oid_of_the_register_passes(typed: str) -> None:
    assert identifiers.normalize_organization_oid(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    [
        "1.2.643.5.1.13.13.12.5.77.7812",
        "1.2.643.5.1.13.13.12.2.777.7812",
        "1.2.643.5.1.13.13.12.2.77.1234567",
        "1.2.643.5.1.13.13.12.2.77.07812",
        "1.2.643.5.1.13.13.11.2.77.7812",
        "1.2.643.5.1.13.13.12.2.77.7812.0.1",
        "1.2.643.5.1.13.13.12.2.77.7812\n1",
        "",
    ],
)
def test_another_oid_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_organization_oid(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("K07.1", "K07.1"),
        ("к07.1", "K07.1"),
        ("К07,1", "K07.1"),
        ("C00", "C00"),
        ("S02.60", "S02.60"),
        ("M51.1+", "M51.1"),
    ],
)
def test_a_diagnosis_code_is_read_as_doctors_type_it(typed: str, code: str) -> None:
    assert identifiers.normalize_icd10(typed) == code


@pytest.mark.parametrize("typed", ["K7.1", "K07.", "K07.123", "07.1", "Ж07.1", "K00-K14", ""])
def test_a_text_that_is_no_diagnosis_code_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_icd10(typed)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Ivanova@Hospital.Example ", "ivanova@hospital.example"),
        ("врач@почта.рф".replace("врач", "doctor"), "doctor@xn--80a1acny.xn--p1ai"),
        ("a.b+c@x-y.example", "a.b+c@x-y.example"),
    ],
)
def test_an_email_address_has_one_form(typed: str, address: str) -> None:
    assert identifiers.normalize_email(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "a@b",
        "@b.example",
        "a@",
        "a b@c.example",
        "a..b@c.example",
        ".a@c.example",
        "a@b@c.example",
        "врач@c.example",
        "a@c.example\nBcc: x@y.example",
        "a@-c.example",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        f"{'a' * 65}@c.example",
        "a@c..example",
    ],
)
def test_a_text_that_is_no_email_address_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_email(typed)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("8 (495) 123-45-67", "+74951234567"),
        ("+7 495 123 45 67", "+74951234567"),
        ("74951234567", "+74951234567"),
        ("(4212) 12-34-56", "+74212123456"),
        ("8 495 123-45-67 доб. 204", "+74951234567;ext=204"),
        ("+74951234567 #12", "+74951234567;ext=12"),
        ("+49 30 1234567", "+49301234567"),
    ],
)
def test_a_phone_number_has_one_form(typed: str, number: str) -> None:
    assert identifiers.normalize_phone(typed) == number


@pytest.mark.parametrize(
    "typed",
    ["", "123-45-67", "+7 495 123", "+7 495 123-45-678", "телефон", "+0 123456789", "+12345678901234567"],
)
def test_a_text_that_is_no_phone_number_is_refused(typed: str) -> None:
    with pytest.raises(BadIdentifier):
        identifiers.normalize_phone(typed)


@pytest.mark.parametrize("canonical", ["+74951234567", "+74951234567;ext=204", "+49301234567"])
def test_a_phone_number_survives_being_shown(canonical: str) -> None:
    assert identifiers.normalize_phone(identifiers.format_phone(canonical)) == canonical


def test_a_phone_number_is_shown_in_groups() -> None:
    assert identifiers.format_phone("+74951234567;ext=204") == "+7 495 123-45-67 #204"


@given(st.text())
def test_any_text_is_either_taken_or_refused_by_name(text: str) -> None:
    for normalize in (
        identifiers.normalize_snils,
        identifiers.normalize_enp,
        identifiers.normalize_inn,
        identifiers.normalize_ogrn,
        identifiers.normalize_organization_oid,
        identifiers.normalize_icd10,
        identifiers.normalize_email,
        identifiers.normalize_phone,
    ):
        try:
            once = normalize(text)
        except BadIdentifier:
            continue
        assert normalize(once) == once

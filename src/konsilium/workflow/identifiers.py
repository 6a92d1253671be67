"""Numbers and addresses people type: their canonical form, and whether their check digits agree.

Every `normalize_*` takes what was typed, drops the separators people use, and returns the form that is
stored and compared. It raises `BadIdentifier` with a message id that may be shown, translated, beside the
field. What was typed is never part of the message: it may be a patient's number, and messages end up in logs.
"""

import re

from konsilium.workflow.words import N_


class BadIdentifier(ValueError):
    """What was typed can't be such an identifier; its text is a message id that may be shown."""


# People paste numbers from documents, where no-break spaces and typographic dashes stand between the groups.
_SEPARATORS = dict.fromkeys(map(ord, " \t\u00a0\u2007\u2009\u202f-\u2010\u2011\u2012\u2013\u2014\u2212"))
_LAST_UNCHECKED_SNILS = 1001998
_SNILS_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, 1)
_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12_FIRST = (7, *_INN_10)
_INN_WEIGHTS = {10: (_INN_10,), 12: (_INN_12_FIRST, (3, *_INN_12_FIRST))}
# By length: the digits it may begin with, and the modulus of its check digit.
_OGRN_RULES = {13: ("15", 11), 15: ("3", 13)}
_ORGANIZATION_OID = re.compile(r"1\.2\.643\.5\.1\.13\.13\.12\.[1-4]\.(0|[1-9][0-9]?)\.(0|[1-9][0-9]{0,5})")
_ICD10 = re.compile(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?")
# The Russian keyboard's letters that look like the Latin ones of the classification.
_LOOK_ALIKES = str.maketrans("АВСЕНКМОРТХ", "ABCEHKMOPTX")
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LONGEST_LOCAL_PART = 64
_LONGEST_ADDRESS = 254
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_EXTENSION = re.compile(r"(?:;ext=|,?\s*(?:доб\.?|вн\.?|ext\.?)\s*|#\s*)([0-9]{1,8})\s*$", re.IGNORECASE)
_PHONE_MARKS = re.compile(r"[().\s/-]")


def _digits(text: str, message: str, *lengths: int) -> str:
    """Drop separators and return the digits; refuse anything else, another length, and a row of zeros."""
    bare = text.translate(_SEPARATORS)
    if len(bare) not in lengths or not (bare.isascii() and bare.isdigit()) or not bare.strip("0"):
        raise BadIdentifier(message)
    return bare


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def normalize_snils(text: str) -> str:
    """Return the 11 digits of a SNILS.

    Numbers up to 001-001-998 are older than the check digits and pass without them. Otherwise the weighted
    sum mod 101, with 100 read as 0, must equal the last two digits.
    """
    digits = _digits(text, N_("A SNILS has 11 digits"), 11)
    if int(digits[:9]) > _LAST_UNCHECKED_SNILS:
        expected = _weighted(digits, _SNILS_WEIGHTS) % 101 % 100
        if expected != int(digits[9:]):
            raise BadIdentifier(N_("The check digits of the SNILS do not match"))
    return digits


def format_snils(digits: str) -> str:
    """Return a canonical SNILS the way it stands on the card: 112-233-445 95."""
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:9]} {digits[9:]}"


def normalize_enp(text: str) -> str:
    """Return the 16 digits of an insurance policy number, checked by Luhn's rule."""
    digits = _digits(text, N_("An insurance policy number has 16 digits"), 16)
    if _luhn(digits) != 0:
        raise BadIdentifier(N_("The check digit of the insurance policy number does not match"))
    return digits


def format_enp(digits: str) -> str:
    """Return a canonical policy number in groups of four."""
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def _luhn(digits: str) -> int:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(sum(divmod(value, 10)) for value in doubled) % 10


def normalize_inn(text: str) -> str:
    """Return the 10 digits (organisation) or 12 digits (person) of an INN with agreeing check digits."""
    digits = _digits(text, N_("An INN has 10 or 12 digits"), *_INN_WEIGHTS)
    for weights in _INN_WEIGHTS[len(digits)]:
        if _weighted(digits, weights) % 11 % 10 != int(digits[len(weights)]):
            raise BadIdentifier(N_("The check digits of the INN do not match"))
    return digits


def normalize_ogrn(text: str) -> str:
    """Return the 13 digits of an OGRN (organisation) or the 15 of an OGRNIP (sole proprietor), checked."""
    digits = _digits(text, N_("An OGRN has 13 digits, an OGRNIP has 15"), *_OGRN_RULES)
    first, modulus = _OGRN_RULES[len(digits)]
    if digits[0] not in first:
        raise BadIdentifier(N_("An OGRN begins with 1 or 5, an OGRNIP with 3"))
    if int(digits[:-1]) % modulus % 10 != int(digits[-1]):
        raise BadIdentifier(N_("The check digit of the OGRN does not match"))
    return digits


def normalize_organization_oid(text: str) -> str:
    """Return the OID of an organisation in the federal register: ….12.{1-4}.{region}.{number}."""
    oid = text.strip().removeprefix("urn:oid:")
    if not _ORGANIZATION_OID.fullmatch(oid):
        raise BadIdentifier(N_("An organisation's OID looks like 1.2.643.5.1.13.13.12.2.77.7812"))
    return oid


def normalize_icd10(text: str) -> str:
    """Return a code of ICD-10 such as K07.1: Latin capital letter, two digits, at most two after a point.

    Cyrillic look-alikes, a comma for the point and the marks + * † after the code are what people really
    type. Only the shape is checked; whether the code exists is the dictionary's to say.
    """
    code = text.strip().rstrip("+*†").upper().translate(_LOOK_ALIKES).replace(",", ".")
    if not _ICD10.fullmatch(code):
        raise BadIdentifier(N_("An ICD-10 code looks like K07.1"))
    return code


def normalize_email(text: str) -> str:
    """Return an e-mail address in lower case, its domain in ASCII (IDNA): equal ones compare equal."""
    local, at, domain = text.strip().lower().rpartition("@")
    domain = _ascii_domain(domain)
    fits = len(local) <= _LONGEST_LOCAL_PART and len(local) + 1 + len(domain) <= _LONGEST_ADDRESS
    if not (at and fits and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise BadIdentifier(N_("An e-mail address looks like name@hospital.example"))
    return f"{local}@{domain}"


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""


def normalize_phone(text: str) -> str:
    """Return a phone number as +79161234567, with ';ext=12' after it when there is an extension.

    A number without a country is Russian: 8 or 7 before ten digits, or the ten digits alone.
    """
    found = _EXTENSION.search(text)
    number = text[: found.start()] if found else text
    bare = _PHONE_MARKS.sub("", number.translate(_SEPARATORS))
    international = _with_country(bare)
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}", international):
        raise BadIdentifier(N_("A phone number looks like +7 495 123-45-67"))
    return f"{international};ext={found[1]}" if found else international


def _with_country(bare: str) -> str:
    if re.fullmatch(r"(\+7|7|8)[0-9]{10}", bare):
        return f"+7{bare[-10:]}"
    if re.fullmatch(r"[0-9]{10}", bare):
        return f"+7{bare}"
    return "" if bare.startswith("+7") else bare


def format_phone(canonical: str) -> str:
    """Return a canonical phone number for people: +7 495 123-45-67 #12; foreign ones stay ungrouped."""
    number, _, extension = canonical.partition(";ext=")
    if number.startswith("+7"):
        number = f"+7 {number[2:5]} {number[5:8]}-{number[8:10]}-{number[10:]}"
    return f"{number} #{extension}" if extension else number

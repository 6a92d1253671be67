"""Is a picture of the patient the request is about? What the tags say is compared with what the doctor wrote.

Devices write names in any order, in Cyrillic or in one of many transliterations, with initials, without patronymics,
with a placeholder for a birth date. So there are three answers, and "differs" is said only where nothing else explains
it: a false alarm a day and nobody would read the true one.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import chain

from konsilium.workflow.words import N_


class Likeness(StrEnum):
    """The answers."""

    SAME = "same"
    DIFFERS = "differs"
    UNCLEAR = "unclear"


LIKENESS_LABELS = {
    Likeness.SAME: N_("The patient in the pictures is the patient of the request"),
    Likeness.DIFFERS: N_("The patient in the pictures is another one than in the request"),
    Likeness.UNCLEAR: N_("Whether the pictures are of this patient can't be told from their tags"),
}
PART_LABELS = {"name": N_("name"), "birth_date": N_("birth date"), "sex": N_("sex")}


@dataclass(frozen=True)
class Person:
    """A patient as the request names them: parts of the name in Cyrillic, sex `male` or `female`."""

    family: str
    given: str
    patronymic: str = ""
    birth_date: date | None = None
    sex: str = ""


@dataclass(frozen=True)
class Tags:
    """A patient as DICOM tags name them: a name with `^` between its parts and `=` between its scripts, sex M or F."""

    name: str
    birth_date: date | None = None
    sex: str = ""


@dataclass(frozen=True)
class Verdict:
    """The answer, the parts that differ and those that can't be told; `anonymous` when the tags were emptied."""

    answer: Likeness
    differs: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    anonymous: bool = False


def compare(tags: Tags, person: Person) -> Verdict:
    """Say whether tags and request mean the same patient. One part that differs is enough for "differs".

    "Same" needs the name, and where it is told only in part, the birth date too.
    """
    if is_anonymous(tags.name):
        return Verdict(Likeness.UNCLEAR, unclear=tuple(PART_LABELS), anonymous=True)
    parts = {
        "name": same_name(tags.name, person),
        "birth_date": _same_day(tags.birth_date, person.birth_date),
        "sex": _same_sex(tags.sex, person.sex),
    }
    differs = tuple(name for name, answer in parts.items() if answer is Likeness.DIFFERS)
    unclear = tuple(name for name, answer in parts.items() if answer is Likeness.UNCLEAR)
    if differs:
        return Verdict(Likeness.DIFFERS, differs, unclear)
    return Verdict(Likeness.UNCLEAR if "name" in unclear else Likeness.SAME, (), unclear)


_NOBODY = re.compile(
    r"anon|de-?ident|unknown|no.?name|not.?given|removed|hidden|phantom|аноним|обезлич|неизвест|фантом|скрыт|^(x+|test|тест)$",
    re.IGNORECASE,
)


def is_anonymous(name: str) -> bool:
    """Say whether a name in the tags names nobody: empty, a number, or a word like "anonymous"."""
    words = [word for word in re.split(r"[\s^=,.]+", name) if re.search(r"[^\W\d_]", word)]
    return not words or any(_NOBODY.search(word) for word in words)


def same_name(name: str, person: Person) -> Likeness:
    """Compare a name of the tags with the request's: the best answer of all its scripts and readings."""
    if not person.family:
        return Likeness.UNCLEAR
    answers = {_same_words(_words(reading), person) for reading in _readings(name)}
    # Letters that were written in another character set than the tags say: nothing can be told from them.
    garbled = bool(re.search(r"[?\ufffd\u0080-\u009f]", name)) or _is_mojibake(name)
    for answer in (Likeness.SAME, Likeness.UNCLEAR):
        if answer in answers:
            return answer
    return Likeness.UNCLEAR if garbled else Likeness.DIFFERS


def _readings(name: str) -> Iterator[str]:
    for group in name.split("="):
        yield group
        if _is_mojibake(group):
            for coding in ("cp1251", "iso8859_5", "koi8_r"):
                yield group.encode("latin-1", "ignore").decode(coding, "ignore")


def _is_mojibake(name: str) -> bool:
    """Say whether most letters stand in the upper half of Latin-1, where Cyrillic read wrongly ends up."""
    letters = [letter for letter in name if letter.isalpha()]
    return bool(letters) and sum("\u00a0" <= letter <= "\u00ff" for letter in letters) * 2 > len(letters)


def _same_words(words: list[str], person: Person) -> Likeness:
    """Look for each part of the person's name among the words, in any order; each word is used once."""
    given = [folded(part) for part in (person.given, person.patronymic) if part]
    family, rest = _take(words, folded(person.family), initials=False)
    if family is not Likeness.SAME:
        return family
    # A family name alone is many people's.
    answers = [Likeness.UNCLEAR] if given and not rest else []
    for part in given:
        if not rest:
            break
        answer, rest = _take(rest, part, initials=True)
        answers.append(answer)
    return next((one for one in (Likeness.DIFFERS, Likeness.UNCLEAR) if one in answers), Likeness.SAME)


def _take(words: list[str], part: str, *, initials: bool) -> tuple[Likeness, list[str]]:
    """Find the word that says this part of a name; return how well, and the words that are left."""
    matches = (
        (Likeness.SAME, [word for word in words if word == part]),
        (Likeness.SAME, [word for word in words if initials and len(word) == 1 and part.startswith(word)]),
        (Likeness.UNCLEAR, [word for word in words if _is_near(word, part)]),
    )
    for answer, found in matches:
        if found:
            left = list(words)
            left.remove(found[0])
            return answer, left
    return Likeness.DIFFERS, words


def _is_near(one: str, other: str) -> bool:
    """Say whether one slip of the hand lies between two longer words: a letter more, less, other or swapped."""
    if min(len(one), len(other)) < 4 or abs(len(one) - len(other)) > 1:  # noqa: PLR2004
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return True
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _words(name: str) -> list[str]:
    parts = (folded(word) for word in re.split(r"[\s^=,._]+", name))
    return [part for part in parts if part]


# As passports write it; `folded` makes all the other ways equal to it.
_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch - y - e yu ya".replace("-", "").split(
            " "
        ),
        strict=True,
    )
)
# Latin letters that look like Cyrillic ones, in a word that holds some.
_LOOKS = str.maketrans("abcehkmoptxy", "авсенкмортху")
# In this order: the longer before the shorter; hard to hear apart, easy to write apart.
_FOLDS = tuple(
    (re.compile(pattern), fold)
    for pattern, fold in (
        (r"shch|sch|shh|sh|sc(?=[hiey])", "s"),
        (r"zh", "z"),
        (r"kh|^x", "h"),
        (r"x", "ks"),
        (r"ts|tz|tc|cz|ch|tch", "c"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"w", "v"),
        (r"[yij]+o", "e"),
        (r"[yij]+(?=[aeu])", ""),
        (r"[yij]+", "i"),
        (r"(.)\1+", r"\1"),
    )
)


def folded(word: str) -> str:
    """Bring a word of a name, in Cyrillic or in any transliteration of it, to one form: Щёголев, Shchegolev, Schyogolev."""
    word = word.casefold()
    if re.search(r"[а-яё]", word):
        word = word.translate(_LOOKS)
    word = "".join(_LATIN.get(letter, letter) for letter in word)
    word = "".join(letter for letter in unicodedata.normalize("NFKD", word) if "a" <= letter <= "z")
    for pattern, fold in _FOLDS:
        word = pattern.sub(fold, word)
    return word


def _same_day(said: date | None, known: date | None) -> Likeness:
    if said is None or known is None:
        return Likeness.UNCLEAR
    if said == known:
        return Likeness.SAME
    # The first of January stands for "only the year is known", and 1900 for nothing at all.
    placeholder = (said.month, said.day) == (1, 1) and (said.year == known.year or said.year <= 1901)  # noqa: PLR2004
    swapped = (said.year, said.month, said.day) == (known.year, known.day, known.month)
    return Likeness.UNCLEAR if placeholder or swapped else Likeness.DIFFERS


def _same_sex(said: str, known: str) -> Likeness:
    meant = {"M": "male", "F": "female", "М": "male", "Ж": "female"}.get(said.strip().upper())
    if meant is None or not known:
        return Likeness.UNCLEAR
    return Likeness.SAME if meant == known else Likeness.DIFFERS


def parts_of(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Return the parts that differ in any of these, each once, in the order of the labels."""
    found = set(chain.from_iterable(verdict.differs for verdict in verdicts))
    return tuple(name for name in PART_LABELS if name in found)

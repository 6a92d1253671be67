"""Whether tags and request mean one patient: orders, scripts, transliterations, initials, placeholders."""

from datetime import date

import pytest

from konsilium.workflow.identity import Likeness, Person, Tags, compare, folded, is_anonymous, same_name

SAME, DIFFERS, UNCLEAR = Likeness.SAME, Likeness.DIFFERS, Likeness.UNCLEAR
OLGA = Person("Зайцева", "Ольга", "Петровна", date(1981, 5, 4), "female")
FYODOR = Person("Щёголев", "Фёдор", "Юрьевич", date(1970, 2, 3), "male")


@pytest.mark.parametrize(
    "name",
    [
        "Зайцева^Ольга^Петровна",
        "ЗАЙЦЕВА^ОЛЬГА^ПЕТРОВНА",
        "Зайцева Ольга Петровна",
        "Ольга Петровна Зайцева",
        "Зайцева^О^П",
        "Зайцева^О.П.",
        "ZAYTSEVA^OLGA^PETROVNA",
        "Zaitseva^Ol'ga",
        "ZAJCEVA OLGA",
        "Zaytseva, Olga",
        "OLGA^ZAITSEVA",
        "Zaitseva^Olga=Зайцева^Ольга^Петровна",
        "Zajtseva^Olga^^^",
        "3aйцева^Ольга=Зайцева^Ольга",
        "Зaйцeвa^Oльгa",
    ],
)
def test_a_name_is_known_in_any_order_script_and_shortening(name):
    assert same_name(name, OLGA) is SAME


@pytest.mark.parametrize(
    "name",
    [
        "Щеголев^Федор^Юрьевич",
        "SHCHEGOLEV^FEDOR^YURIEVICH",
        "Schegolev^Fyodor^Yuryevich",
        "Shchyogolev^Fiodor",
        "SHCHEGOLEV F YU",
    ],
)
def test_the_hard_letters_are_known_too(name):
    assert same_name(name, FYODOR) is SAME


@pytest.mark.parametrize(
    ("cyrillic", "latin"),
    [
        ("Соловьёв", "Soloviev"),
        ("Соловьёв", "Solovyov"),
        ("Мария", "Mariia"),
        ("Мария", "Maria"),
        ("Юлия", "Julija"),
        ("Дмитрий", "Dmitry"),
        ("Хабибуллин", "Khabibulin"),
        ("Александр", "Alexandr"),
        ("Жуков", "Zhukov"),
        ("Цой", "Tsoy"),
        ("Чехов", "Chekhov"),
        ("Алексей", "Aleksei"),
    ],
)
def test_transliterations_fold_to_one_form(cyrillic, latin):
    assert folded(cyrillic) == folded(latin)


@pytest.mark.parametrize(
    "name", ["Зайцева", "Зайцева^Огльа^Петровна", "Зайцев^Ольга", "????????^?????", "Zaitseva^Olha"]
)
def test_what_is_only_nearly_or_partly_the_name_is_left_open(name):
    assert same_name(name, OLGA) is UNCLEAR


@pytest.mark.parametrize(
    "name", ["Петрова^Ольга^Петровна", "Зайцева^Мария^Петровна", "Зайцева^Ольга^Сергеевна", "Ivanov^Petr"]
)
def test_another_name_differs(name):
    assert same_name(name, OLGA) is DIFFERS


def test_a_name_read_in_the_wrong_character_set_is_read_again():
    for coding in ("cp1251", "iso8859_5", "koi8_r"):
        assert same_name("Зайцева^Ольга".encode(coding).decode("latin-1"), OLGA) is SAME
    assert same_name("Мышкина^Анна".encode("cp1251").decode("latin-1"), OLGA) is UNCLEAR


@pytest.mark.parametrize("name", ["", "^^^^", "ANONYMOUS", "Anonymized^Patient", "12345", "XXXX", "Аноним"])
def test_emptied_tags_name_nobody_and_are_no_mismatch(name):
    verdict = compare(Tags(name, date(1900, 1, 1), "M"), OLGA)
    assert (verdict.answer, verdict.anonymous, verdict.differs) == (UNCLEAR, True, ())


def test_a_name_is_not_taken_for_an_anonymous_one():
    assert not is_anonymous("Анонина^Ольга"[1:])
    assert not is_anonymous("Testova^Anna")


def test_everything_told_and_equal_is_the_same_patient():
    verdict = compare(Tags("ZAITSEVA^OLGA", date(1981, 5, 4), "F"), OLGA)
    assert (verdict.answer, verdict.differs, verdict.unclear) == (SAME, (), ())


def test_what_differs_is_named():
    verdict = compare(Tags("Зайцева^Ольга", date(1975, 5, 4), "M"), OLGA)
    assert (verdict.answer, verdict.differs) == (DIFFERS, ("birth_date", "sex"))
    assert compare(Tags("Ivanov^Ivan", date(1981, 5, 4), "F"), OLGA).differs == ("name",)


def test_a_namesake_born_on_another_day_is_another_patient():
    assert compare(Tags("Зайцева^Ольга^Петровна", date(1981, 5, 5), "F"), OLGA).answer is DIFFERS


@pytest.mark.parametrize("said", [None, date(1981, 1, 1), date(1900, 1, 1), date(1981, 4, 5)])
def test_a_placeholder_for_a_birth_date_or_a_swapped_one_is_no_mismatch(said):
    verdict = compare(Tags("Зайцева^Ольга^Петровна", said, "F"), OLGA)
    assert (verdict.answer, verdict.unclear) == (SAME, ("birth_date",))


def test_a_patient_nobody_knows_can_not_be_compared():
    verdict = compare(Tags("Ivanov^Ivan", date(1981, 5, 4), "O"), Person("", ""))
    assert (verdict.answer, verdict.unclear) == (UNCLEAR, ("name", "birth_date", "sex"))

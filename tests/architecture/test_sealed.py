"""An opinion that is sealed and not opened: by every address, as everybody of the cast but its author, no word of it."""

from uuid import UUID

import psycopg
import pytest
from django.db import transaction
from django.urls import NoReverseMatch, reverse

from konsilium.models import Notice, Opinion
from konsilium.models.access import acting
from konsilium.notifications import deliver, letters
from tests.actions.test_councils import Sitting
from tests.architecture.foreign import SEALED
from tests.architecture.test_walk import SAMPLES, address, foreign, form, said  # noqa: F401  the house is a fixture
from tests.cast import PEOPLE

# It is looked for by one of its words, and recognised by the other: a page says again what was looked for.
SOUGHT, SECRET = SEALED.split()
KEYS = ("sealed_request", "sealed_council", "sealed_opinion", "sealed_seat")
AUTHOR = "seated_chair"
NEAR = (
    "seated_secretary",
    "cniis_consultant",
    "cniis_dispatcher",
    "omsk_doctor",
    "nmic_consultant",
    "cniis_consultant2",
)
NEXT = ("nmic_member", "omsk_admin", "coordinator", "sysadmin")
# Those further away see less still: they are asked by `make prove`.
READERS = [
    pytest.param(name, marks=[] if name in NEAR + NEXT else pytest.mark.prove)
    for name in [*PEOPLE, "seated_secretary"]
]


def holds_secret(text):
    return SECRET in text.upper()


def addresses(foreign):  # noqa: F811
    """Every address by its sample, and wherever it takes an object's key, by each of the sealed council's keys."""
    for name, (_, find) in SAMPLES.items():
        yield address(name, foreign)
        given = find(foreign) if find else {}
        names = [key for key, value in given.items() if isinstance(value, UUID)]
        for key in names:
            for own in KEYS:
                try:
                    yield reverse(name, kwargs=given | {key: foreign.pk[own]})
                except NoReverseMatch:
                    continue
    council = foreign.pk["sealed_council"]
    yield reverse("councils:substitute", args=[council, foreign.pk["sealed_seat"]])


@pytest.mark.django_db
@pytest.mark.parametrize("name", READERS)
def test_nobody_reads_a_sealed_opinion_by_any_address_or_search(name, foreign, client_as):  # noqa: F811
    client = client_as(foreign.cast.actor_of(name))
    wanted = dict.fromkeys(("q", "text", "search", "patient", "number"), SOUGHT)
    seen = 0
    for url in dict.fromkeys(addresses(foreign)):
        with transaction.atomic():
            answer = client.get(url, wanted)
            assert not holds_secret(said(answer)), url
            seen += answer.status_code == 200
            transaction.set_rollback(True)
    assert seen


@pytest.mark.django_db
@pytest.mark.parametrize("name", NEAR)
def test_no_answer_to_any_form_says_a_word_of_a_sealed_opinion(name, foreign, client_as):  # noqa: F811
    client = client_as(foreign.cast.actor_of(name))
    for url in dict.fromkeys(addresses(foreign)):
        with transaction.atomic():
            assert not holds_secret(said(client.post(url, form() | {"go": "seal", "q": SOUGHT}))), url
            transaction.set_rollback(True)


@pytest.mark.django_db
def test_its_author_reads_it_and_nobody_else_finds_the_row(foreign, client_as):  # noqa: F811
    """The walk would find it: the author's own page shows it."""
    page = client_as(foreign.cast.actor_of(AUTHOR)).get(
        reverse("councils:show", args=[foreign.pk["sealed_council"]])
    )
    assert holds_secret(said(page))
    with acting(foreign.cast.actor_of("seated_secretary")):
        assert not Opinion.objects.filter(pk=foreign.pk["sealed_opinion"]).exists()
        assert not Opinion.objects.filter(text__contains=SOUGHT).exists()


@pytest.mark.django_db(transaction=True)
def test_no_other_table_notice_letter_or_log_holds_a_word_of_it(cast, client_as, owner, caplog):
    sitting = Sitting(cast)
    client = client_as(sitting.member)
    place = f"/councils/{sitting.council.pk}/opinion/"
    for key, go in (("keep", "keep"), ("seal", "seal"), ("late", "seal")):
        client.post(place, {"opinion": SEALED, "go": go, "once_key": key})
    client.post(f"{place}save/", {"opinion": SEALED})
    while deliver.tell_pending(at=sitting.way.at):
        pass
    for notice in owner.execute("SELECT id FROM konsilium_notice").fetchall():
        with acting(sitting.chair):
            row = Notice.objects.filter(pk=notice[0]).first()
        assert row is None or not holds_secret(letters.of_notice(row, "ru", at=sitting.way.at).text)
    assert holding(owner) == {"konsilium_opinion"}
    assert not holds_secret(caplog.text)


def holding(owner):
    """The tables in which the secret stands, looked at as their owner."""
    tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    found = set()
    for (name,) in tables:
        query = psycopg.sql.SQL("SELECT count(*) FROM {} t WHERE upper(t::text) LIKE %s")
        if owner.execute(query.format(psycopg.sql.Identifier(name)), [f"%{SECRET}%"]).fetchone()[0]:
            found.add(name)
    return found

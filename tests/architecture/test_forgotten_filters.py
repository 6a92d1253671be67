"""Nineteen ways to forget whose rows one asks for: the database lets none of them through.

The control run takes the policies away, and then every one of them leaks: the paths are real.
"""

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import Count, Max, OuterRef, Prefetch, Subquery
from django.db.utils import DatabaseError

from konsilium.actions import conversation
from konsilium.models import Consultation, Message, Organization, Profile
from konsilium.models.access import acting
from tests import requests
from tests.cast import NOW

CANARY = "КАНАРЕЙКА"


def seen(found):
    """A path leaks when the foreign request, or a number that counts it, comes out."""
    return bool(found)


def sql(query, *values):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def save_foreign(row):
    try:
        with transaction.atomic():
            Consultation(pk=row.pk, anamnesis="украдено").save(update_fields=["anamnesis"])
    except DatabaseError:
        return False
    return True


PATHS = {
    "all": lambda row: list(Consultation.objects.all()),
    "get by key": lambda row: Consultation.objects.filter(pk=row.pk).first(),
    "filter by another column": lambda row: Consultation.objects.filter(patient_family=CANARY).first(),
    "count": lambda row: Consultation.objects.count(),
    "exists": lambda row: Consultation.objects.filter(number=row.number).exists(),
    "aggregate": lambda row: Consultation.objects.aggregate(last=Max("number"))["last"],
    "values": lambda row: list(Consultation.objects.values("patient_family")),
    "values_list": lambda row: list(Consultation.objects.values_list("number", flat=True)),
    "in_bulk": lambda row: Consultation.objects.in_bulk([row.pk]),
    "iterator": lambda row: list(Consultation.objects.iterator()),
    "related manager": lambda row: list(Profile.objects.get(pk=row.profile_id).consultation_set.all()),
    "child": lambda row: Message.objects.filter(text=CANARY).first(),
    "forward key": lambda row: [one.consultation.patient_family for one in Message.objects.all()],
    "select_related": lambda row: list(Message.objects.select_related("consultation")),
    "prefetch_related": lambda row: [
        one
        for profile in Profile.objects.prefetch_related(Prefetch("consultation_set"))
        for one in profile.consultation_set.all()
    ],
    "base manager": lambda row: list(Consultation._base_manager.all()),
    "raw": lambda row: list(Consultation.objects.raw("SELECT * FROM konsilium_consultation")),
    "cursor": lambda row: sql(
        "SELECT patient_family FROM konsilium_consultation WHERE number = %s", row.number
    ),
    "subquery and annotation": lambda row: list(
        Organization.objects.annotate(
            asked=Subquery(
                Consultation.objects.filter(requesting_organization=OuterRef("pk"))
                .order_by()
                .values("requesting_organization")
                .annotate(n=Count("pk"))
                .values("n")
            )
        ).filter(asked__gt=0)
    ),
}
WRITES = {
    "save on a foreign key": save_foreign,
    "update": lambda row: Consultation.objects.filter(pk=row.pk).update(anamnesis="украдено"),
    "delete": lambda row: sql("DELETE FROM konsilium_consultation WHERE id = %s RETURNING id", row.pk),
}


@pytest.fixture
def foreign(cast):
    """A draft of Omsk's doctor, where even writing would be possible for its owner, and a sent one with a message."""
    row = requests.sent(cast, patient_family=CANARY, anamnesis=CANARY)
    with acting(cast.omsk_doctor):
        conversation.post(row, conversation.Letter(CANARY), actor=cast.omsk_doctor, at=NOW)
    return row


def test_there_are_nineteen_ways_to_read():
    assert len(PATHS) == 19


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "who", ["chita_doctor", "chita_admin", "nmic_dispatcher", "nmic_consultant", "cniis_consultant2"]
)
def test_no_forgotten_filter_shows_a_foreign_request(cast, foreign, path, who):
    with acting(getattr(cast, who)):
        assert not seen(PATHS[path](foreign))


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_each_of_these_ways_shows_the_request_to_its_own_doctor(cast, foreign, path):
    with acting(cast.omsk_doctor):
        assert seen(PATHS[path](foreign))


@pytest.mark.django_db
@pytest.mark.parametrize("path", WRITES)
def test_no_forgotten_filter_writes_a_foreign_draft(cast, path):
    row = requests.draft(cast, anamnesis=CANARY)
    with acting(cast.chita_doctor):
        assert not WRITES[path](row)
    with acting(cast.omsk_doctor):
        assert Consultation.objects.get(pk=row.pk).anamnesis == CANARY


@pytest.mark.django_db(transaction=True)
def test_without_the_policies_all_nineteen_leak(cast, foreign, owner_url):
    tables = ("consultation", "message", "organization", "readmark")
    with psycopg.connect(owner_url, autocommit=True) as owner:
        try:
            for name in tables:
                owner.execute(f"ALTER TABLE konsilium_{name} DISABLE ROW LEVEL SECURITY")
            with acting(cast.chita_doctor):
                leaks = {path for path, read in PATHS.items() if seen(read(foreign))}
        finally:
            connection.close()
            for name in tables:
                owner.execute(f"ALTER TABLE konsilium_{name} ENABLE ROW LEVEL SECURITY")
    assert leaks == set(PATHS)

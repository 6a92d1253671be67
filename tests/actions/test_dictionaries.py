"""The shipped dictionaries are in the database, once."""

import pytest
from django.core.management import call_command

from konsilium.adapters import reference
from konsilium.models import DictionaryEntry
from konsilium.models.access import as_public


def count(owner):
    return owner.execute("SELECT count(*) FROM konsilium_dictionaryentry").fetchone()[0]


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_a_second_load_changes_nothing(owner):
    call_command("load_dictionaries", verbosity=0)
    before = count(owner)
    call_command("load_dictionaries", verbosity=0)
    assert count(owner) == before == sum(len(reference.read(name)[1]) for name in reference.names())


@pytest.mark.django_db
def test_anybody_may_look_a_region_up_with_its_time_zone():
    with as_public():
        omsk = DictionaryEntry.objects.of("regions").get(code="55")
    assert omsk.extra["time_zone"] == "Asia/Omsk"

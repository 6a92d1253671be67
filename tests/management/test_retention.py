"""`konsilium retention` lists what is due and deletes nothing."""

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command

from konsilium.models import Document
from konsilium.models.access import acting
from konsilium.workflow.retention import read_terms
from tests.cast import NOW
from tests.factories import in_state

pytestmark = pytest.mark.django_db


def listed():
    said = StringIO()
    call_command("retention", stdout=said)
    return said.getvalue()


def test_without_terms_it_says_that_nothing_is_ever_deleted():
    assert "nothing is ever deleted" in listed()


def test_what_is_due_is_listed_and_stays(cast, monkeypatch):
    row = in_state(cast, "withdrawn", at=NOW - timedelta(days=3000))
    monkeypatch.setattr(settings, "RETENTION", read_terms("extract=1y"))
    said = listed()
    assert row.number in said
    assert "1 documents are due" in said
    with acting(cast.omsk_doctor):
        assert Document.objects.filter(consultation=row, kind="extract").count() == 1

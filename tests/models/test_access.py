"""Outside a context the application's login sees nothing at all."""

import pytest
from django.db import ProgrammingError, connection, transaction

from konsilium.models import Consultation, Organization
from konsilium.models.access import as_public, as_worker, signing_in


@pytest.mark.django_db
def test_a_query_outside_a_context_is_refused_by_the_database():
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Consultation.objects.count()


@pytest.mark.django_db
def test_a_context_ends_with_its_block_and_an_outer_one_returns():
    def role():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            return cursor.fetchone()[0]

    with signing_in():
        with as_worker():
            assert role() == "k_worker"
        assert role() == "k_account"
    assert role() == "konsilium_app"


@pytest.mark.django_db
def test_nobody_sees_organisations_without_a_link(owner):
    with as_public():
        assert Organization.objects.count() == 0

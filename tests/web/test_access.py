"""What the entry refuses before any page sees it."""

import pytest
from django.test import Client

from konsilium.models import WebSession
from konsilium.models.access import signing_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("place", ["/triage/", "/people/", "/requests/", "/organizations/", "/timetable/"])
@pytest.mark.parametrize("name", ["cniis_dispatcher", "omsk_admin", "coordinator"])
def test_a_search_for_nothing_that_can_be_written_is_a_bad_request(cast, client_as, place, name):
    assert client_as(getattr(cast, name)).get(f"{place}?q=%00").status_code == 400


def test_what_the_database_keeps_of_a_session_opens_nothing(cast, client_as):
    client = client_as(cast.omsk_doctor)
    assert client.get("/requests/").status_code == 200
    with signing_in():
        kept = WebSession.objects.get(person_id=cast.omsk_doctor.person_id).session_key
    thief = Client()
    thief.cookies["konsilium"] = kept
    assert kept != client.cookies["konsilium"].value
    assert thief.get("/requests/").headers["Location"].startswith("/sign-in/")

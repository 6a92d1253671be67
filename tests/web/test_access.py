"""What the entry refuses before any page sees it."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("place", ["/triage/", "/people/", "/requests/", "/organizations/", "/timetable/"])
@pytest.mark.parametrize("name", ["cniis_dispatcher", "omsk_admin", "coordinator"])
def test_a_search_for_nothing_that_can_be_written_is_a_bad_request(cast, client_as, place, name):
    assert client_as(getattr(cast, name)).get(f"{place}?q=%00").status_code == 400

"""What a consultant's browser fetches ahead: the assigned studies' first pictures, logged as fetched and not as looked at."""

import pytest
from django.urls import reverse

from konsilium.models import Viewing
from konsilium.models.access import acting
from konsilium.web.dicomweb import finding
from konsilium.web.viewer import ahead
from tests.factories import Way
from tests.imaging_rows import put_series

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered():
    finding._remembered.clear()


@pytest.fixture
def way(cast):
    return Way(cast).assigned()


@pytest.fixture
def consultant(way, client_as):
    return client_as(way.consultant)


def addresses(client):
    return client.get(reverse("viewer:ahead")).json()["addresses"]


def test_previews_and_metadata_of_assigned_studies_are_named_and_may_be_kept(cast, way, consultant):
    made = put_series(way.row, cast.omsk_doctor)
    named = addresses(consultant)
    assert len(named) == 2
    for place in named:
        answer = consultant.get(place)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        # The viewer asks for the same with other words of what it accepts, and must find the copy.
        assert "Accept," not in f"{answer.headers.get('Vary', '')},"
    assert str(made.series.pk) in named[0]


def test_nothing_is_named_of_what_is_answered_unticked_or_not_ready(cast, consultant, way):
    put_series(way.row, cast.omsk_doctor, is_included=False)
    put_series(way.row, cast.omsk_doctor, state="rendering")
    put_series(way.row, cast.omsk_doctor, burned_in="yes")
    put_series(Way(cast).completed().row, cast.omsk_doctor)
    assert addresses(consultant) == []


def test_nothing_is_named_of_somebody_elses_requests(cast, client_as, way):
    put_series(way.row, cast.omsk_doctor)
    assert addresses(client_as(cast.cniis_consultant2)) == []


def test_there_is_an_end_to_what_is_fetched_ahead(cast, consultant, way, monkeypatch):
    for _ in range(3):
        put_series(way.row, cast.omsk_doctor)
    monkeypatch.setattr(ahead, "MOST_SERIES", 2)
    assert len(addresses(consultant)) == 4
    monkeypatch.setattr(ahead, "MOST_BYTES", 15)
    assert len(addresses(consultant)) == 2


def test_what_was_fetched_ahead_is_logged_and_is_no_look(cast, consultant, way, client_as):
    made = put_series(way.row, cast.omsk_doctor)
    for place in addresses(consultant):
        consultant.get(place, headers={"X-Ahead": "1"})
    with acting(way.consultant):
        logged = Viewing.objects.filter(person_id=way.consultant.person_id)
        assert set(logged.values_list("subject", "subject_id")) == {("ahead", made.series.pk)}
    page = reverse("consultation:show", args=[way.row.pk])
    assert way.consultant.name not in _lookers(client_as(way.doctor).get(page))
    consultant.get(reverse("viewer:show", args=[way.row.pk, made.study.pk]))
    with acting(way.consultant):
        assert Viewing.objects.filter(subject="study", subject_id=made.study.pk).exists()
    assert way.consultant.name in _lookers(client_as(way.doctor).get(page))


def _lookers(response):
    return [looker["name"] for looker in response.context["lookers"]]

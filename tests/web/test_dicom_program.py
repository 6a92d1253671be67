"""A DICOM program comes in with a ticket: to one request, to read, for an hour, in the session it was made in."""

import json
import re

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from konsilium.actions import people, triage
from konsilium.models import Membership, Viewing, stored_key
from konsilium.models.access import acting
from konsilium.web.dicomweb import finding, ticket
from tests import requests
from tests.cast import NOW
from tests.imaging_rows import put_series

pytestmark = pytest.mark.django_db
ACCEPTS = {"Accept": "application/dicom+json"}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    finding._remembered.clear()


@pytest.fixture
def row(cast):
    return requests.sent(cast)


@pytest.fixture
def made(cast, row):
    return put_series(row, cast.omsk_doctor)


@pytest.fixture
def browser(cast, client_as):
    return client_as(cast.cniis_dispatcher)


@pytest.fixture
def bearer(browser, row):
    page = browser.post(reverse("dicomweb:program", args=[row.pk])).content.decode()
    return re.search(r"Bearer [\w:.-]+", page)[0]


def read(row, bearer, rest="studies", method="get", **more):
    where = f"/dicomweb/{row.pk}/{rest}"
    return getattr(Client(), method)(where, headers={**ACCEPTS, "Authorization": bearer, **more})


def test_with_a_ticket_a_program_reads_the_studies_without_any_cookie(row, made, bearer):
    response = read(row, bearer)
    assert response.status_code == 200
    assert json.loads(response.content)[0]["0020000D"]["Value"] == [made.study.study_uid]
    assert response.cookies == {}


def test_what_a_program_reads_is_logged_as_read_by_the_person(cast, row, made, bearer):
    read(row, bearer)
    with acting(cast.cniis_dispatcher):
        people = Viewing.objects.filter(subject="study").values_list("person_id", flat=True)
        assert list(people) == [cast.cniis_dispatcher.person_id]


def test_without_a_ticket_a_program_is_told_that_it_needs_one(row, made):
    response = Client().get(f"/dicomweb/{row.pk}/studies", headers=ACCEPTS)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="konsilium"')
    person = Client().get(f"/dicomweb/{row.pk}/studies", headers={"Accept": "text/html,*/*"})
    assert person.status_code == 302


def test_a_ticket_opens_no_other_request(cast, made, bearer):
    other = requests.sent(cast)
    put_series(other, cast.omsk_doctor)
    assert read(other, bearer).status_code == 401


@pytest.mark.parametrize("where", ["/triage/", "/requests/{}/", "/requests/{}/program/", "/me/"])
def test_a_ticket_opens_no_page(row, made, bearer, where):
    response = Client().get(where.format(row.pk), headers={"Authorization": bearer})
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_ticket_only_reads(row, made, bearer, method):
    assert read(row, bearer, method=method).status_code == 401


def test_a_ticket_that_was_changed_opens_nothing(row, made, bearer):
    assert read(row, bearer[:-1] + ("A" if bearer[-1] != "A" else "B")).status_code == 401
    assert read(row, "Bearer ").status_code == 401
    assert read(row, "Bearer nonsense").status_code == 401
    assert read(row, "Bearer " + signing.dumps(["x"], salt="dicom program")).status_code == 401


def test_a_ticket_made_for_something_else_opens_nothing(cast, browser, row, made):
    key = stored_key(browser.cookies["konsilium"].value)
    actor = cast.cniis_dispatcher
    said = [str(row.pk), str(actor.person_id), str(actor.membership_id), ticket._trace(key)]
    assert read(row, "Bearer " + signing.dumps(said, salt="document", compress=True)).status_code == 401
    assert read(row, "Bearer " + signing.dumps(said, salt="dicom program")).status_code == 200


def test_a_ticket_is_over_after_an_hour(row, made, bearer, monkeypatch):
    monkeypatch.setattr(ticket, "SECONDS", 0)
    assert read(row, bearer).status_code == 401


def test_a_ticket_ends_with_the_session_it_was_made_in(browser, row, made, bearer):
    browser.post(reverse("account:sign_out"))
    assert read(row, bearer).status_code == 401


def test_a_ticket_ends_with_the_persons_access(cast, row, made, bearer):
    with acting(cast.cniis_admin):
        membership = Membership.objects.get(pk=cast.cniis_dispatcher.membership_id)
        people.end_access(membership, actor=cast.cniis_admin, at=NOW)
    assert read(row, bearer).status_code == 401


def test_a_person_who_lost_sight_of_the_request_takes_the_program_along(cast, client_as, row, made):
    consultant = client_as(cast.cniis_consultant)
    with acting(cast.cniis_dispatcher):
        triage.assign(row, cast.cniis_consultant.membership_id, actor=cast.cniis_dispatcher, at=NOW)
    page = consultant.post(reverse("dicomweb:program", args=[row.pk])).content.decode()
    given = re.search(r"Bearer [\w:.-]+", page)[0]
    assert read(row, given).status_code == 200
    with acting(cast.cniis_dispatcher):
        row.refresh_from_db()
        triage.reassign(row, cast.cniis_consultant2.membership_id, actor=cast.cniis_dispatcher, at=NOW)
    assert read(row, given).status_code == 404


def test_the_studies_lead_to_the_page_and_a_request_without_any_does_not(cast, browser, row, made):
    page = reverse("dicomweb:program", args=[row.pk])
    assert page in browser.get(reverse("consultation:show", args=[row.pk])).content.decode()
    bare = requests.sent(cast)
    assert "/program/" not in browser.get(reverse("consultation:show", args=[bare.pk])).content.decode()


def test_the_page_says_the_address_and_shows_no_ticket_unasked(browser, row, made):
    page = browser.get(reverse("dicomweb:program", args=[row.pk]))
    assert f"http://testserver/dicomweb/{row.pk}" in page.content.decode()
    assert "Bearer" not in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"

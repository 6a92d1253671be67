"""The requesting side's list: tabs, search, unread marks, and the same number of queries however long it is."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.actions import triage
from konsilium.models.access import acting
from konsilium.web.requests import worklist
from tests.actions.test_triage import moved
from tests.cast import NOW
from tests.requests import draft, sent

pytestmark = pytest.mark.django_db


def numbers(cast, code, who="omsk_doctor", **given):
    actor = getattr(cast, who)
    with acting(actor):
        return {row.number for row in worklist.page(worklist.tab_of(code), actor=actor, **given)}


def test_every_request_stands_in_its_tabs(cast):
    written, new, asked, refused = draft(cast), sent(cast), sent(cast), sent(cast)
    moved(asked, cast.cniis_dispatcher, triage.ask, "Пришлите КТ.")
    moved(refused, cast.cniis_dispatcher, triage.reject, "duplicate")
    assert numbers(cast, "mine") == {asked.number}
    assert numbers(cast, "open") == {new.number, asked.number}
    assert numbers(cast, "drafts") == {written.number}
    assert numbers(cast, "over") == {refused.number}
    assert numbers(cast, "all") == {row.number for row in (written, new, asked, refused)}
    with acting(cast.omsk_doctor):
        counts = worklist.around(actor=cast.omsk_doctor).counts
    assert counts == {"mine": 1, "open": 2, "drafts": 1, "over": 1, "all": 4}


def test_a_doctor_sees_own_requests_and_the_administrator_the_hospitals(cast):
    mine, other = sent(cast), sent(cast, "omsk_doctor2")
    sent(cast, "chita_doctor")
    assert numbers(cast, "all") == {mine.number}
    assert numbers(cast, "all", "omsk_admin") == {mine.number, other.number}


def test_a_search_finds_by_number_and_by_a_family_names_beginning(cast):
    row = sent(cast, patient_family="Ёлкин")
    sent(cast)
    assert numbers(cast, "all", text="елк") == {row.number}
    assert numbers(cast, "all", text=row.number) == {row.number}
    assert numbers(cast, "all", text="%") == numbers(cast, "all")
    assert numbers(cast, "all", "chita_doctor", text="елк") == set()


def test_pages_follow_each_other_without_gap_or_repetition(cast):
    made = [draft(cast, at=NOW + timedelta(seconds=index // 3)).number for index in range(60)]
    with acting(cast.omsk_doctor):
        tab = worklist.tab_of("drafts")
        first = worklist.page(tab, actor=cast.omsk_doctor)[: worklist.PAGE]
        before = (first[-1].updated_at, first[-1].id)
        second = worklist.page(tab, actor=cast.omsk_doctor, before=before)
    assert sorted(row.number for row in first + second) == sorted(made)


def test_what_happened_since_is_marked_unread(cast, client_as):
    past = timezone.now() - timedelta(hours=2)
    row = sent(cast, at=past)
    chosen = cast.cniis_consultant.membership_id
    moved(row, cast.cniis_dispatcher, triage.assign, chosen, at=past + timedelta(minutes=1))
    client = client_as(cast.omsk_doctor)
    page = client.get("/requests/?tab=open").content.decode()
    assert row.number in page
    assert 'class="unread"' in page
    client.get(f"/requests/{row.pk}/")
    assert 'class="unread"' not in client.get("/requests/?tab=open").content.decode()


def test_an_empty_list_says_what_to_do_and_nonsense_is_the_first_page(cast, client_as):
    client = client_as(cast.omsk_doctor)
    page = client.get("/requests/").content.decode()
    assert "Новый запрос" in page
    for query in ("?tab=nonsense", "?before=nonsense", "?before=2026-01-01T00:00:00,1"):
        assert client.get(f"/requests/{query}").status_code == 200, query


def test_the_list_costs_the_same_with_one_three_and_three_hundred_rows(cast, client_as):
    client = client_as(cast.omsk_doctor)
    costs = []
    for more in (1, 2, 297):
        for _ in range(more):
            draft(cast)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/requests/?tab=all").status_code == 200
        costs.append(len(queries))
    assert len(set(costs)) == 1

"""The dispatcher's work-list: what is in which tab, in which order, and that a page costs the same however much there is."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.actions import closing, triage
from konsilium.models.access import acting
from konsilium.web import keyset
from konsilium.web.triage import worklist
from konsilium.web.triage.search import Search
from tests.actions.test_triage import LATER, assigned, moved
from tests.cast import NOW
from tests.requests import sent

pytestmark = pytest.mark.django_db


def numbers(cast, code, *, who="cniis_dispatcher", at=LATER, **given):
    actor = getattr(cast, who)
    search = Search.of({"tab": code, **given}, at=at)
    with acting(actor):
        if search.text:
            rows = worklist.found(search.numbers, search.family, actor=actor)
        else:
            rows = worklist.page(search.tab, search.wanted(), actor=actor, at=at)
    return [row.number for row in rows]


def test_every_request_stands_in_its_tab_by_due_time(cast):
    slow, quick = sent(cast), sent(cast, urgency="urgent", term=timedelta(hours=8))
    asked, rejected = sent(cast), sent(cast)
    moved(asked, cast.cniis_dispatcher, triage.ask, "Пришлите КТ.")
    moved(rejected, cast.cniis_dispatcher, triage.reject, "duplicate")
    given = assigned(cast)
    assert numbers(cast, "new") == [quick.number, slow.number]
    assert numbers(cast, "asked") == [asked.number]
    assert numbers(cast, "consultants") == [given.number]
    assert numbers(cast, "done") == [rejected.number]
    assert numbers(cast, "video") == []


def test_overdue_is_what_is_late_and_not_waiting_for_an_answer(cast):
    late, paused = sent(cast), sent(cast)
    moved(paused, cast.cniis_dispatcher, triage.ask, "Пришлите КТ.")
    given = assigned(cast, at=NOW + timedelta(minutes=1))
    after = NOW + timedelta(hours=25)
    assert numbers(cast, "overdue") == []
    assert numbers(cast, "overdue", at=after) == [late.number, given.number]


def test_a_dispatcher_sees_the_own_centre_alone(cast):
    row = sent(cast)
    assert numbers(cast, "new") == [row.number]
    for who in ("nmic_dispatcher", "cniis_consultant", "omsk_doctor", "coordinator"):
        if who != "coordinator":
            assert numbers(cast, "new", who=who) == []


def test_filters_narrow_and_nonsense_in_them_is_ignored(cast):
    planned, urgent = sent(cast), sent(cast, urgency="urgent", term=timedelta(hours=8))
    neuro = sent(cast, centre="nmic", profile="neuro")
    assert numbers(cast, "new", urgency="urgent") == [urgent.number]
    assert numbers(cast, "new", urgency="whatever", profile="nonsense") == [urgent.number, planned.number]
    assert numbers(cast, "new", profile=str(cast.profile("neuro"))) == []
    assert numbers(cast, "new", who="nmic_dispatcher", profile=str(cast.profile("neuro"))) == [neuro.number]
    given = assigned(cast)
    assert numbers(cast, "consultants", consultant=str(cast.cniis_consultant.person_id)) == [given.number]
    assert numbers(cast, "consultants", consultant=str(cast.cniis_consultant2.person_id)) == []


def test_a_search_finds_by_number_and_by_a_family_names_beginning_whatever_its_state(cast):
    one, two = sent(cast, patient_family="Ёлкин"), sent(cast, patient_family="Ельцова")
    other = sent(cast, centre="nmic", profile="neuro", patient_family="Елисеев")
    moved(one, cast.omsk_doctor, closing.withdraw, "not_needed")
    assert numbers(cast, "new", q="елк") == [one.number]
    assert numbers(cast, "new", q=" Ёлк ") == [one.number]
    assert numbers(cast, "new", q="Е") == [one.number, two.number]
    assert numbers(cast, "new", q=two.number) == [two.number]
    assert numbers(cast, "new", q=str(int(two.number[5:]))) == [two.number]
    assert numbers(cast, "new", q=other.number) == []
    assert numbers(cast, "new", q="%") == []


def test_pages_go_on_by_key_without_gap_or_repeat(cast):
    rows = [sent(cast, at=NOW + timedelta(minutes=n // 3)) for n in range(worklist.PAGE + 7)]
    first = worklist_page(cast)
    assert len(first) == worklist.PAGE + 1
    last = first[worklist.PAGE - 1]
    second = worklist_page(cast, after=f"{last.due_at.isoformat()},{last.id}")
    seen = [row.id for row in first[: worklist.PAGE]] + [row.id for row in second]
    assert sorted(seen) == sorted(str(row.pk) for row in rows)
    assert len(seen) == len(set(seen))


def worklist_page(cast, **given):
    search = Search.of(given, at=LATER)
    with acting(cast.cniis_dispatcher):
        return worklist.page(search.tab, search.wanted(), actor=cast.cniis_dispatcher, at=LATER)


def test_counts_stop_at_a_hundred(cast, client_as, monkeypatch):
    monkeypatch.setattr(keyset, "COUNT_TO", 2)
    for _ in range(4):
        sent(cast)
    page = client_as(cast.cniis_dispatcher).get("/triage/").content.decode()
    assert '<span class="count">2+</span>' in page


def test_the_list_shows_what_a_dispatcher_needs(cast, client_as):
    row = sent(cast, who="chita_doctor", urgency="emergency", at=timezone.now() - timedelta(minutes=5))
    client = client_as(cast.cniis_dispatcher)
    page = client.get("/triage/").content.decode()
    for text in (
        row.number,
        "Зайцева О.П.",
        "Экстренная",
        "Читинская ККБ",
        "МСК+6",
        "Челюстно-лицевая хирургия",
    ):
        assert text in page, text
    assert 'class="unread"' in page
    client.get(f"/requests/{row.pk}/")
    assert 'class="unread"' not in client.get("/triage/").content.decode()


def test_an_empty_list_says_so(cast, client_as):
    page = client_as(cast.cniis_dispatcher).get("/triage/").content.decode()
    assert "В этом списке всё сделано." in page
    page = client_as(cast.cniis_dispatcher).get(f"/triage/?q={quote('Никто')}").content.decode()
    assert "Ни один запрос не подходит." in page


@pytest.mark.parametrize("who", ["omsk_doctor", "omsk_admin", "cniis_consultant", "coordinator", "sysadmin"])
def test_the_list_is_the_dispatchers_alone(cast, client_as, who):
    assert client_as(getattr(cast, who)).get("/triage/").status_code == 403


def test_a_page_costs_as_many_queries_with_fifty_rows_as_with_one(cast, client_as):
    client = client_as(cast.cniis_dispatcher)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/triage/").status_code == 200
        return len(caught)

    sent(cast)
    queries()
    one = queries()
    for _ in range(60):
        sent(cast)
    assert (queries(), one <= 10) == (one, True)


def test_a_consultant_is_named_from_the_list_and_the_dispatcher_comes_back_to_it(cast, client_as):
    row = sent(cast)
    client = client_as(cast.cniis_dispatcher)
    line = client.get(
        f"/requests/{row.pk}/assign/?from=list", headers={"HX-Request": "true"}
    ).content.decode()
    assert line.lstrip().startswith("<tr")
    assert "Соколов Андрей" in line
    assert "0 открытых запросов" in line
    answer = client.post(
        f"/requests/{row.pk}/assign/?from=list",
        {"consultant": str(cast.cniis_consultant.membership_id), "once_key": "k1", "version": "2"},
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/triage/")
    assert numbers(cast, "consultants") == [row.number]


def test_hostile_names_are_shown_as_text(cast, client_as):
    evil = '<img src=x onerror="alert(1)">'
    sent(cast, patient_family=evil, requesting_name=evil)
    page = client_as(cast.cniis_dispatcher).get("/triage/").content.decode()
    assert evil not in page
    assert page.count("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;") == 2

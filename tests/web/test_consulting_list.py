"""The consultant's list: what is in which tab, in which order, and that a page costs the same however much there is."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.actions import closing, consulting, sessions, triage
from konsilium.models.access import acting
from konsilium.web.consulting import worklist
from tests.actions.test_closing import completed
from tests.actions.test_triage import LATER, assigned, moved
from tests.cast import NOW
from tests.requests import sent

pytestmark = pytest.mark.django_db


def numbers(cast, code, who="cniis_consultant"):
    actor = getattr(cast, who)
    with acting(actor):
        return [row.number for row in worklist.page(worklist.tab_of(code), actor=actor)]


def agreed(cast, row):
    """A session of the request, agreed for the next day."""
    consultant, doctor = cast.cniis_consultant, cast.omsk_doctor
    moved(row, consultant, consulting.need_video)
    session = moved(row, consultant, sessions.propose, [LATER + timedelta(days=1)])
    with acting(doctor):
        sessions.confirm(session, sessions.options_on_the_table(session)[0].pk, actor=doctor, at=LATER)
    return session


def test_every_request_stands_in_its_tab_by_due_time(cast):
    slow, quick = assigned(cast), assigned(cast, urgency="urgent", term=timedelta(hours=8))
    asked, proposed, meeting, placed = assigned(cast), assigned(cast), assigned(cast), completed(cast)
    moved(asked, cast.cniis_consultant, consulting.ask_back, "Пришлите КТ.")
    moved(proposed, cast.cniis_consultant, consulting.need_video)
    moved(proposed, cast.cniis_consultant, sessions.propose, [LATER + timedelta(days=3)])
    agreed(cast, meeting)
    withdrawn = assigned(cast)
    moved(withdrawn, cast.omsk_doctor, closing.withdraw, "not_needed")
    assert numbers(cast, "mine") == [quick.number, slow.number, meeting.number]
    assert numbers(cast, "waiting") == [asked.number, proposed.number]
    assert set(numbers(cast, "done")) == {placed.number, withdrawn.number}
    assert numbers(cast, "nonsense") == numbers(cast, "mine")


def test_a_request_whose_answer_never_came_is_done(cast):
    row = assigned(cast)
    moved(row, cast.cniis_consultant, consulting.ask_back, "Пришлите КТ.")
    late = LATER + timedelta(days=4)
    moved(row, cast.cniis_dispatcher, triage.reject, "documents_missing", at=late)
    assert numbers(cast, "done") == [row.number]


def test_a_consultant_sees_the_own_requests_alone(cast):
    row = assigned(cast)
    assert numbers(cast, "mine") == [row.number]
    for who in ("cniis_consultant2", "nmic_consultant", "cniis_dispatcher", "omsk_doctor"):
        assert numbers(cast, "mine", who) == []


def test_pages_go_on_by_key_without_gap_or_repeat(cast, client_as):
    rows = [assigned(cast, at=NOW + timedelta(minutes=n // 3)) for n in range(worklist.PAGE + 3)]
    client, address, shown = client_as(cast.cniis_consultant), "/consulting/?tab=mine", []
    while address:
        page = client.get(address).content.decode()
        shown += re.findall(r'class="open nowrap" href="[^"]+">([^<]+)<', page)
        further = re.search(r'href="([^"]+)" rel="next"', page)
        address = further[1].replace("&amp;", "&") if further else ""
    assert sorted(shown) == sorted(row.number for row in rows)


@pytest.mark.parametrize("after", ["", "nonsense", "2026-11-23,1", "2026-11-23T06:00:00,0", "9999-99-99,x"])
def test_a_broken_place_in_the_list_is_its_beginning(cast, client_as, after):
    row = assigned(cast)
    page = client_as(cast.cniis_consultant).get("/consulting/", {"after": after})
    assert row.number in page.content.decode()


def test_the_list_shows_what_a_consultant_needs(cast, client_as):
    past = timezone.now() - timedelta(minutes=5)
    row = sent(cast, who="chita_doctor", urgency="emergency", at=past)
    moved(row, cast.cniis_dispatcher, triage.assign, cast.cniis_consultant.membership_id, at=past)
    client = client_as(cast.cniis_consultant)
    page = client.get("/consulting/").content.decode()
    for text in (
        row.number,
        "Зайцева О.П.",
        "K07.1",
        "Экстренная",
        "Читинская ККБ",
        "МСК+6",
        "Челюстно-лицевая хирургия",
        "У консультанта",
    ):
        assert text in page, text
    assert '<span class="count">1</span>' in page
    assert 'class="unread"' in page
    client.get(f"/requests/{row.pk}/")
    assert 'class="unread"' not in client.get("/consulting/").content.decode()


def test_an_agreed_sessions_time_stands_in_the_list_in_the_readers_zone(cast, client_as):
    session = agreed(cast, assigned(cast))
    with acting(cast.cniis_consultant):
        session.refresh_from_db()
    moscow = session.starts_at + timedelta(hours=3)
    page = client_as(cast.cniis_consultant).get("/consulting/").content.decode()
    assert f"Сеанс: {moscow:%d.%m.%Y %H:%M}" in page


def test_an_empty_list_says_so(cast, client_as):
    page = client_as(cast.cniis_consultant).get("/consulting/").content.decode()
    assert "Запросы назначает диспетчер" in page


@pytest.mark.parametrize("who", ["omsk_doctor", "omsk_admin", "cniis_dispatcher", "coordinator", "sysadmin"])
def test_the_list_is_the_consultants_alone(cast, client_as, who):
    assert client_as(getattr(cast, who)).get("/consulting/").status_code == 403


def test_a_page_costs_as_many_queries_with_fifty_rows_as_with_one(cast, client_as):
    client = client_as(cast.cniis_consultant)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/consulting/").status_code == 200
        return len(caught)

    assigned(cast)
    queries()
    one = queries()
    for _ in range(60):
        assigned(cast)
    assert (queries(), one <= 9) == (one, True)


def test_hostile_names_are_shown_as_text(cast, client_as):
    evil = '<img src=x onerror="alert(1)">'
    assigned(cast, patient_family=evil, requesting_name=evil, diagnosis_code="<b>1</b>")
    page = client_as(cast.cniis_consultant).get("/consulting/").content.decode()
    assert evil not in page
    assert "<b>1</b>" not in page
    assert page.count("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;") == 2


def test_a_request_handed_back_twice_leads_to_the_same_place(cast, client_as):
    row = assigned(cast)
    with acting(cast.cniis_consultant):
        row.refresh_from_db()
    client = client_as(cast.cniis_consultant)
    form = {"reason": "no_specialist", "text": "Нет хирурга", "once_key": "back", "version": str(row.version)}
    first, second = (client.post(f"/requests/{row.pk}/hand-back/", form) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (302, "/consulting/")
    assert (second.status_code, second.headers["Location"]) == (302, "/consulting/")
    assert client.get(f"/requests/{row.pk}/").status_code == 404

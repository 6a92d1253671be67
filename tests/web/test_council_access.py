"""What a council's member reads of the case while their seat lasts, by every link of its pages, and then no more."""

import re
from html import unescape

import pytest
from django.urls import resolve

from konsilium.models import Document, Seat, Series
from konsilium.models.access import acting, door
from tests.actions.test_councils import Sitting
from tests.cast import NOW
from tests.factories import confirmed_session
from tests.imaging_rows import change_series, put_series

pytestmark = pytest.mark.django_db
# Pages of one's own, which stay when a seat ends.
OWN = {
    "account:home",
    "councils:list",
    "notices:list",
    "account:profile",
    "account:memberships",
    "account:security",
}
OK, ELSEWHERE, MISSING = 200, 302, 404


@pytest.fixture
def sitting(cast):
    sitting = Sitting(cast, state="on_video")
    confirmed_session(sitting.way)
    doctor = cast.omsk_doctor
    made = put_series(sitting.row, doctor, count=1, packed=lambda _frame: b"frame", preview=b"RIFF....WEBP")
    sitting.made = made
    return sitting


def links(answer):
    """The own addresses that a page leads to, and where an answer sends its reader."""
    if answer.status_code == ELSEWHERE:
        return [answer.headers["Location"]]
    if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
        return []
    found = re.findall(r'(?:href|src|hx-get)="(/[^"#]*)', answer.content.decode())
    return [unescape(url) for url in found if not url.startswith(("/static/", "/sign"))]


def walked(client, *begin):
    """Follow every link from these pages on; return each address with what it answered."""
    answers, waiting = {}, list(begin)
    while waiting:
        url = waiting.pop()
        if url not in answers:
            answer = client.get(url)
            answers[url] = answer.status_code
            waiting += links(answer)
    return answers


def test_no_link_of_a_members_pages_leads_to_a_closed_door(sitting, client_as):
    answers = walked(
        client_as(sitting.secretary), f"/requests/{sitting.row.pk}/", f"/councils/{sitting.council.pk}/"
    )
    assert {url: status for url, status in answers.items() if status not in (OK, ELSEWHERE)} == {}
    names = {resolve(url.partition("?")[0]).view_name for url in answers}
    assert names >= {
        "documents:open", "documents:file", "gallery:show", "viewer:show", "dicomweb:program", "room:show",
        "sessions:calendar", "sessions:join", "councils:list",
    }  # fmt: skip


def test_a_member_reads_a_studys_objects_too(sitting, client_as):
    client = client_as(sitting.member)
    for url in (sitting.made.path("/metadata"), sitting.made.frame()):
        assert client.get(url).status_code == OK, url


@pytest.mark.parametrize("how", ["declined", "ended"])
def test_when_a_seat_ends_every_address_that_was_open_is_closed(sitting, client_as, how):
    client = client_as(sitting.member)
    pages = (f"/requests/{sitting.row.pk}/", f"/councils/{sitting.council.pk}/")
    open_before = [*walked(client, *pages), sitting.made.path("/metadata"), sitting.made.frame()]
    with door(sitting.row.pk):
        seats = Seat.objects.filter(person_id=sitting.member.person_id)
        seats.update(answer="declined") if how == "declined" else seats.update(access_until=NOW)
    for url in open_before:
        place = resolve(url.partition("?")[0])
        if place.view_name not in OWN and place.kwargs:
            assert client.get(url).status_code == MISSING, url


def test_a_member_is_shown_no_picture_that_the_hospital_holds_back(sitting, client_as):
    client = client_as(sitting.member)
    change_series(sitting.made, burned_in="yes")
    with acting(sitting.member):
        assert not Series.objects.exists()
        assert not Series.objects.visible_to(sitting.member).exists()
        held = Document.objects.filter(media_type="application/dicom")
        assert not held.filter(pk__in=Document.objects.handed_to(sitting.member)).exists()
    assert client.get(sitting.made.frame()).status_code == MISSING

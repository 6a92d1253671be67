"""Guests come by a link used once, bound to one session and its time, and see nothing of the request."""

import re
from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.utils import timezone

from konsilium.actions import guests, sessions
from konsilium.actions._step import NotThere
from konsilium.models import Consultation, Event, Session, SessionGuest
from konsilium.models.access import acting, as_guest
from konsilium.web.room.guests import COOKIE
from konsilium.workflow.machine import NotNow
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def met(cast):
    way = Way(cast, at=timezone.now())
    way.on_video()
    return way, confirmed_session(way, after=timedelta(minutes=10))


def invited(way, session, **named):
    given = guests.Invitation(
        **{"kind": "expert", "name": "Галина Гостева", "organization": "Клиника", **named}
    )
    with acting(way.consultant):
        row = Session.objects.select_related("consultation").get(pk=session.pk)
        return guests.invite(row, given, actor=way.consultant, at=timezone.now())


def test_a_link_is_shown_once_opens_the_room_once_and_is_remembered(client_as, cast, met):
    _, session = met
    page = client_as(cast.cniis_consultant).post(
        f"/sessions/{session.pk}/guests/",
        {"kind": "expert", "name": "Галина Гостева", "organization": "Клиника"},
    )
    link = re.search(r"/guest/[\w-]+/", page.content.decode())[0]
    again = client_as(cast.cniis_consultant).get(f"/sessions/{session.pk}/guests/").content.decode()
    assert "Галина Гостева" in again
    assert link not in again
    browser = Client()
    assert browser.get(link).status_code == 200
    assert browser.get(link).status_code == 200
    entered = browser.post(link)
    assert (entered.status_code, entered["Location"]) == (302, f"/guest/room/{session.pk}/")
    assert entered.cookies[COOKIE]["httponly"]
    assert 'id="room"' in browser.get(f"/guest/room/{session.pk}/").content.decode()
    assert browser.post(f"/guest/room/{session.pk}/ticket/").json()["ticket"]
    assert Client().post(link).status_code == 422
    with acting(cast.cniis_consultant):
        assert Event.objects.filter(kind="guest_invited").count() == 1


def test_a_guest_sees_nothing_of_the_request(cast, met):
    way, session = met
    _, secret = invited(way, session)
    guest, cookie = guests.open_door(secret, at=timezone.now())
    with as_guest(guest.cookie_hash or guests.secret_hash(cookie)):
        assert Session.objects.only("id").count() == 1
        assert SessionGuest.objects.count() == 1
        with pytest.raises(ProgrammingError), transaction.atomic():
            Consultation.objects.exists()


def test_a_browser_without_the_cookie_finds_no_room(met):
    _, session = met
    assert Client().get(f"/guest/room/{session.pk}/").status_code == 404
    assert Client().post(f"/guest/room/{session.pk}/ticket/").status_code == 404
    stranger = Client()
    stranger.cookies[COOKIE] = "made-up"
    assert stranger.get(f"/guest/room/{session.pk}/").status_code == 404


def test_a_cookie_opens_no_other_session(cast, met):
    way, session = met
    other_way = Way(cast, at=timezone.now(), who="omsk_doctor2")
    other_way.on_video()
    other = confirmed_session(other_way, after=timedelta(hours=1))
    _, secret = invited(way, session)
    _, cookie = guests.open_door(secret, at=timezone.now())
    with pytest.raises(NotThere):
        guests.guest_of_cookie(cookie, other.pk, at=timezone.now())


def test_an_invitation_that_was_taken_back_or_is_over_opens_nothing(cast, met):
    way, session = met
    guest, secret = invited(way, session)
    with pytest.raises(NotThere):
        guests.invitation_of(secret, at=timezone.now() + timedelta(days=1))
    with acting(way.consultant):
        row = Session.objects.select_related("consultation").get(pk=session.pk)
        guests.revoke(row, guest.pk, actor=way.consultant, at=timezone.now())
    assert Client().get(f"/guest/{secret}/").status_code == 404
    with pytest.raises(NotThere):
        guests.open_door(secret, at=timezone.now())


def test_guests_are_invited_only_to_an_agreed_session(cast, met):
    way, session = met
    with acting(way.consultant):
        sessions.cancel(session, "not_needed", actor=way.consultant, at=timezone.now())
    with pytest.raises(NotNow):
        invited(way, session)


@pytest.mark.parametrize("wrong", [{"kind": "king"}, {"name": "  "}, {"organization": "о" * 200}])
def test_a_wrong_invitation_is_refused_in_words(met, wrong):
    with pytest.raises(guests.Unfit):
        invited(*met, **wrong)


def test_a_form_without_a_name_comes_back_with_its_errors(client_as, cast, met):
    _, session = met
    answer = client_as(cast.omsk_doctor).post(
        f"/sessions/{session.pk}/guests/", {"kind": "expert", "name": ""}
    )
    assert answer.status_code == 422

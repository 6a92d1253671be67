"""A page in a session's room, as a program: gets a ticket, says hello, reads what it is told."""

import json
import secrets
import time
from contextlib import ExitStack
from datetime import timedelta

import httpx
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from konsilium.actions import rooming
from konsilium.models import SessionGuest, SessionStore
from konsilium.models.access import acting, signing_in
from tests.factories import Way, confirmed_session

OPEN = ExitStack()


def hang_up():
    """Close what a test left open."""
    OPEN.close()


def key_of(actor):
    with signing_in():
        session = SessionStore()
        session.update({"person_id": str(actor.person_id), "membership_id": str(actor.membership_id)})
        session.create()
        return session.session_key


def meeting(cast, *, after=timedelta(minutes=10)):
    """A session that was agreed for soon; its room is open."""
    way = Way(cast, at=timezone.now())
    way.on_video()
    return way, confirmed_session(way, after=after)


def invited(
    way, session, *, kind="expert", name="Гость Галина", since=timedelta(0), until=timedelta(hours=1)
):
    """A guest who has used the link; returns the row and the cookie's secret."""
    secret = secrets.token_urlsafe(32)
    at = timezone.now()
    with acting(way.consultant):
        guest = SessionGuest(
            session=session,
            kind=kind,
            name=name,
            organization_name="Приглашённая клиника",
            side="consulting",
            invited_by="Соколов",
            invited_at=at,
            valid_from=at + since,
            valid_until=at + until,
            link_hash=secrets.token_hex(32),
            used_at=at,
            cookie_hash=rooming.secret_hash(secret),
        )
        guest.save(force_insert=True)
    return guest, secret


def ticket_of(server, actor, session, *, key=None):
    """Ask for a ticket as the room's page does; returns the answer."""
    cookies = {"konsilium": key or key_of(actor), "csrftoken": "a" * 32}
    return httpx.post(
        f"{server.address}/sessions/{session.pk}/room/ticket/",
        cookies=cookies,
        headers={"X-CSRFToken": "a" * 32},
        timeout=20,
    )


class Page:
    """A page in a room."""

    def __init__(self, server, session, word, *, seat=None, origin=None, kind="room", hello=True):
        self.seat = seat or secrets.token_urlsafe(12)
        address = server.address.replace("http", "ws")
        place = f"{address}/live/{kind}/{session.pk}"
        self.socket = OPEN.enter_context(connect(place, origin=origin or server.address))
        self.heard = []
        if hello:
            self.say(t="hello", ticket=word, seat=self.seat)

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def hear(self, kind, *, seconds=6, **wanted):
        """Return the next message of this kind that has these values; fails when it doesn't come."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = json.loads(self.socket.recv(timeout=left))
            except TimeoutError:
                break
            self.heard.append(message)
            if message["t"] == kind and all(message.get(name) == value for name, value in wanted.items()):
                return message
        raise AssertionError((kind, wanted, self.heard))

    def hears_nothing_of(self, kind, *, seconds=1.0):
        try:
            self.hear(kind, seconds=seconds)
        except AssertionError:
            return True
        return False

    def closed(self, *, seconds=6):
        """Return the number with which the socket was closed, within so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                self.heard.append(json.loads(self.socket.recv(timeout=left)))
            except TimeoutError:
                break
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 0
        raise AssertionError(("still open", self.heard))


def joined(server, actor, session, **named):
    """A page of somebody who was welcomed; its `welcome` is kept."""
    answer = ticket_of(server, actor, session)
    assert answer.status_code == 200, answer.text
    page = Page(server, session, answer.json()["ticket"], **named)
    page.welcome = page.hear("welcome")
    page.me = page.welcome["me"]
    return page


def joined_as_guest(server, session, guest, secret, **named):
    """A guest's page that was welcomed."""
    word = rooming.ticket(
        "room", session.pk, key_hash=rooming.secret_hash(secret), guest_id=guest.pk, at=timezone.now()
    )
    page = Page(server, session, word, **named)
    page.welcome = page.hear("welcome")
    page.me = page.welcome["me"]
    return page

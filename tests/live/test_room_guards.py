"""What guards a room beside its door: seats, crowds, silence, floods, and what travels where anybody might hear it."""

import asyncio
import json
import secrets
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import httpx
import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from konsilium.actions import rooming, telling
from konsilium.actions._step import NotThere
from konsilium.actions.rooming import Entrant
from konsilium.live import rooms, sockets
from konsilium.live.hub import OURS, hub
from konsilium.models import Attendance, Room
from konsilium.models.access import as_room
from konsilium.workflow.machine import NotNow
from tests.live.pages import Page, invited, joined, joined_as_guest, key_of, meeting, ticket_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hung_up")]


def entrant(cast):
    return rooming.Entrant(cast.omsk_doctor.person_id, None, "Доктор", "Омск", "requesting", "requester")


def seat():
    return secrets.token_urlsafe(12)


def sat(cast, session, *, at=None):
    return rooming.sit(session.pk, entrant(cast), seat(), at=at or timezone.now())[0]


def dsn():
    return {name: value for name, value in connection.get_connection_params().items() if name not in OURS}


def test_pages_of_two_processes_meet(cast, served, restless):
    _, session = meeting(cast)
    here, there = (
        joined(served, cast.omsk_doctor, session),
        joined(restless, cast.cniis_consultant, session),
    )
    assert [person["id"] for person in there.welcome["people"]] == [here.me]
    here.say(t="signal", to=there.me, body={"sdp": "v=0 " * 9000})
    assert len(there.hear("signal")["body"]["sdp"]) == 36_000
    there.say(t="chat", text="Слышно?")
    assert here.hear("chat")["text"] == "Слышно?"
    there.say(t="remove", who=here.me)
    assert here.closed() == 4403


def test_what_travels_where_anybody_might_listen_says_nothing_of_anybody(cast, met):
    _, _, doctor, consultant = met
    with psycopg.connect(**dsn(), autocommit=True) as listener:
        listener.execute(f"LISTEN {telling.CHANNEL}")
        doctor.say(t="chat", text="Подозрение на перелом")
        doctor.say(t="look", body={"series": "голова", "slice": 1, "pointer": [0.1, 0.2]})
        doctor.say(t="look", body={"pointer": "x" * 600})
        doctor.say(t="state", hand=True)
        doctor.say(t="signal", to=consultant.me, body={"candidate": "тайный адрес"})
        doctor.say(t="look", body={"pointer": [0.3, 0.4]})
        assert consultant.hear("look", body={"pointer": [0.3, 0.4]})
        heard = [notice.payload for notice in listener.notifies(timeout=1)]
    assert len(heard) == 6
    assert sum("row" in json.loads(payload) for payload in heard) == 5
    assert max(len(payload) for payload in heard) < 300
    for word in ("перелом", "голова", "адрес", "xxx", cast.omsk_doctor.name):
        assert not any(word in json.loads(json.dumps(payload)) for payload in heard)


def test_when_hearing_breaks_off_all_pages_are_sent_away_to_come_again(met):
    _, _, doctor, consultant = met
    with connection.cursor() as cursor:
        # Beside ours, other databases of the same server are listened to.
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE query = %s AND datname = current_database()",
            [f"LISTEN {telling.CHANNEL}"],
        )
        found = [row[0] for row in cursor.fetchall()]
        assert found
        for pid in found:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert (doctor.closed(), consultant.closed()) == (1012, 1012)


def test_when_nobody_can_say_who_may_stay_everybody_has_to_go(cast):
    _, session = meeting(cast)
    page = rooms.Guest(
        sockets.Socket(None, None),
        SimpleNamespace(guest_id=None, key_hash=object()),
        None,
        sat(cast, session),
    )

    async def watched():
        hub.rooms[session.pk].add(page)
        rooms._watch_over(session.pk)
        await page.socket._ended.wait()
        hub.leave(session.pk, page)

    asyncio.run(asyncio.wait_for(watched(), 5))
    assert page.socket.code == sockets.RESTART


def test_whose_seat_is_somebody_elses_by_now_does_nothing_any_more(cast):
    _, session = meeting(cast)
    old = sat(cast, session)
    with as_room(session.pk):
        rooming.check_seated(old)
    new, back = rooming.sit(session.pk, entrant(cast), old.seat, at=timezone.now())
    with as_room(session.pk):
        assert back
        rooming.check_seated(new)
        with pytest.raises(NotThere):
            rooming.check_seated(old)
        Attendance.objects.update(removed_at=timezone.now())
        with pytest.raises(NotThere):
            rooming.check_seated(new)


def test_every_message_asks_whether_the_seat_is_still_ones_own(cast, met):
    _, session, doctor, consultant = met
    with as_room(session.pk):
        Attendance.objects.filter(pk=doctor.me).update(fence=9)
    for said in (
        {"t": "chat", "text": "Я"},
        {"t": "state", "hand": True},
        {"t": "look", "body": {"slice": 1}},
        {"t": "signal", "to": consultant.me, "body": {}},
    ):
        doctor.say(**said)
        doctor.hear("refused")
    consultant.say(t="ping")
    consultant.hear("pong")
    assert not {"chat", "person", "look", "signal"} & {message["t"] for message in consultant.heard}


def test_a_room_has_an_end_and_so_has_one_persons_part_of_it(cast, monkeypatch):
    _, session = meeting(cast)
    for _ in range(rooming.MOST_SEATS_OF_ONE):
        first = sat(cast, session)
    with pytest.raises(NotNow):
        sat(cast, session)
    assert rooming.sit(session.pk, entrant(cast), first.seat, at=timezone.now())[1]
    rooming.leave(session.pk, first.pk, fence=2, at=timezone.now())
    assert sat(cast, session)
    monkeypatch.setattr(rooming, "MOST_SEATS", rooming.MOST_SEATS_OF_ONE)
    with pytest.raises(NotNow):
        rooming.sit(
            session.pk, Entrant(None, session.pk, "Г", "", "consulting", "expert"), seat(), at=timezone.now()
        )


def test_whom_time_took_for_gone_is_there_again_and_who_left_stays_gone(cast):
    _, session = meeting(cast)
    early, now = timezone.now() - timedelta(minutes=1), timezone.now()
    slow, gone = sat(cast, session, at=early), sat(cast, session, at=early)
    assert rooming.leave(session.pk, gone.pk, fence=1, at=now - timedelta(seconds=50))
    assert rooming.sweep(at=now) == 1
    assert rooming.seen(session.pk, {slow.pk: 1, gone.pk: 1}, at=now) == ({slow.pk, gone.pk}, set())
    assert [row.pk for row in rooming.present(session.pk, at=now)] == [slow.pk]


def test_who_was_put_out_hears_that_and_not_that_they_are_elsewhere(met):
    _, _, doctor, _ = met
    # As if the word of it were late: the question who may stay finds it first.
    with as_room(met[1].pk):
        Attendance.objects.filter(pk=doctor.me).update(removed_at=timezone.now())
    assert doctor.closed() == 4403
    assert doctor.heard[-1]["t"] == "removed"


def test_the_others_hear_whom_time_took_for_gone(cast, served):
    _, session = meeting(cast)
    lost = sat(cast, session)
    doctor = joined(served, cast.cniis_consultant, session)
    with as_room(session.pk):
        Attendance.objects.filter(pk=lost.pk).update(seen_at=timezone.now() - timedelta(minutes=1))
    assert rooming.sweep(at=timezone.now()) == 1
    assert doctor.hear("left", why="lost")["id"] == str(lost.pk)


def test_a_room_that_closed_after_an_earlier_time_opens_again(cast, served, met):
    _, session, *_ = met
    with as_room(session.pk):
        Room.objects.update(closed_at=timezone.now())
    assert joined(served, cast.cniis_dispatcher, session).welcome["grant"]


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("https://konsilium.example", "127.0.0.1:8000", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("http://rebound.example:8000", "rebound.example:8000", False),
        ("http://localhost:9000", "localhost:8000", False),
        ("http://konsilium.example", "127.0.0.1:8000", False),
        ("https://konsilium.example.evil.example", "konsilium.example", False),
        ("file://localhost:8000", "localhost:8000", False),
        ("", "localhost:8000", False),
    ],
)
def test_whose_page_asks_is_told_by_origin_host_and_the_names_we_answer_for(settings, origin, host, ours):
    settings.CSRF_TRUSTED_ORIGINS = ["https://konsilium.example"]
    settings.ALLOWED_HOSTS = ["localhost", "konsilium.example"]
    assert sockets.is_ours({"origin": origin, "host": host}) is ours


def test_a_flood_of_long_messages_closes_the_socket(met):
    _, _, doctor, _ = met
    # It may be closed before all of them are sent.
    with suppress(ConnectionClosed):
        for _ in range(20):
            doctor.socket.send(json.dumps({"t": "ping", "more": "x" * 60_000}))
    assert doctor.closed() == 4429


def test_a_page_that_reads_nothing_is_closed_and_the_others_are_not_waited_for():
    async def told():
        async def send(event):
            await asyncio.sleep(60)

        socket = sockets.Socket(None, send)
        pump = asyncio.create_task(socket.pump())
        await asyncio.sleep(0)
        for _ in range(sockets.MOST_WAITING + 2):
            socket.say({"t": "pong"})
        pump.cancel()
        return socket.code

    assert asyncio.run(told()) == sockets.TOO_SLOW


def test_more_pages_without_a_ticket_than_can_be_ours_are_sent_away(monkeypatch):
    async def receive():
        return {"type": "websocket.receive", "text": '{"t":"hello","ticket":"a"}'}

    async def said(most):
        monkeypatch.setattr(sockets, "MOST_UNKNOWN", most)
        return await sockets.Socket(receive, None).hello()

    assert asyncio.run(said(1))["ticket"] == "a"
    with pytest.raises(sockets.Closed) as closed:
        asyncio.run(said(0))
    assert closed.value.code == sockets.RESTART


def test_the_welcome_is_heard_before_what_happens_meanwhile(cast):
    _, session = meeting(cast)
    page = rooms.Guest(sockets.Socket(None, None), None, None, sat(cast, session))
    page.hear({"t": "chat"})
    page.welcome({"t": "welcome"})
    page.hear({"t": "look"})
    waiting = page.socket._waiting
    assert [json.loads(waiting.get_nowait())["t"] for _ in range(waiting.qsize())] == [
        "welcome",
        "chat",
        "look",
    ]


def test_a_ticket_of_a_guest_opens_no_other_session(cast, served):
    way, session = meeting(cast)
    guest, secret = invited(way, session)
    page = joined_as_guest(served, session, guest, secret)
    assert page.welcome["me"]
    word = rooming.ticket("room", session.pk, key_hash="0" * 64, guest_id=guest.pk, at=timezone.now())
    assert Page(served, session, word).closed() == 4401
    word = rooming.ticket("test", session.pk, key_hash="0" * 64, at=timezone.now())
    assert Page(served, session, word).closed() == 4401


def test_whoever_signs_out_is_out_within_five_seconds(cast, served, met):
    _, session, *_ = met
    key = key_of(cast.cniis_dispatcher)
    word = ticket_of(served, cast.cniis_dispatcher, session, key=key).json()["ticket"]
    page = Page(served, session, word)
    page.hear("welcome")
    cookies = {"konsilium": key, "csrftoken": "a" * 32}
    httpx.post(f"{served.address}/sign-out/", cookies=cookies, headers={"X-CSRFToken": "a" * 32})
    assert page.closed(seconds=5) == 4403

"""The room over real sockets, against the served product with two processes."""

import base64
import signal
import time
from datetime import datetime, timedelta

import httpx
import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from konsilium.actions import guests, people, rooming, sessions, telling
from konsilium.models import Attendance, Event, RoomLine, SessionGuest, SocketTicket
from konsilium.models.access import acting, as_live, as_room
from tests.live.pages import Page, invited, joined, joined_as_guest, meeting, ticket_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hung_up")]
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"0" * 2000).decode()


def rows(session):
    with as_room(session.pk):
        return list(Attendance.objects.filter(session=session).order_by("joined_at"))


def remembered(way, kind):
    """Who did it, and whom it is about."""
    with acting(way.consultant):
        return list(Event.objects.filter(kind=kind).values_list("actor_name", "text"))


def test_who_comes_is_welcomed_and_sees_who_is_there(met):
    _, session, doctor, consultant = met
    assert doctor.welcome["people"] == []
    (other,) = consultant.welcome["people"]
    assert (other["id"], other["side"], other["guest"]) == (doctor.me, "requesting", False)
    assert consultant.welcome["grant"]["kind"] == "mesh"
    said = consultant.welcome["session"]
    assert said["minutes"] == 30
    assert abs(datetime.fromisoformat(said["starts_at"]) - timezone.now()) < timedelta(minutes=30)
    assert (doctor.welcome["moderates"], consultant.welcome["moderates"]) == (False, True)
    assert [row.side for row in rows(session)] == ["requesting", "consulting"]


def test_pages_find_a_way_to_each_other_and_nobody_else_hears_it(cast, served, met):
    _, session, doctor, consultant = met
    third = joined(served, cast.cniis_dispatcher, session)
    long = {"sdp": "v=0 " * 4000}
    doctor.say(t="signal", to=consultant.me, body=long)
    assert consultant.hear("signal")["body"] == long
    doctor.say(t="signal", to=consultant.me, body={"candidate": "a"})
    assert consultant.hear("signal")["from"] == doctor.me
    assert third.hears_nothing_of("signal")


def test_state_hand_and_mode_are_shown_to_the_others(met):
    _, _, doctor, consultant = met
    doctor.say(t="state", audio=True, hand=True, mode="audio", side="consulting", video="yes")
    person = consultant.hear("person")["person"]
    assert (person["audio"], person["hand"], person["mode"]) == (True, True, "audio")
    assert (person["side"], person["video"]) == ("requesting", False)


def test_the_chat_stays_in_the_case_and_whoever_comes_later_reads_it(cast, served, met):
    _, session, doctor, consultant = met
    doctor.say(t="chat", text="  Видно ли отломок?  ")
    assert consultant.hear("chat")["text"] == "Видно ли отломок?"
    assert doctor.hear("chat")["name"] == cast.omsk_doctor.name
    assert [line["text"] for line in joined(served, cast.cniis_dispatcher, session).welcome["chat"]] == [
        "Видно ли отломок?"
    ]
    with acting(cast.omsk_doctor):
        assert RoomLine.objects.get().author_name == cast.omsk_doctor.name
    with acting(cast.chita_doctor):
        assert not RoomLine.objects.exists()
    doctor.say(t="chat", text="   ")
    assert doctor.hear("refused")["text"].startswith("Напишите")


def test_everybody_looks_at_the_same_also_who_comes_later_and_pointers_are_not_kept(cast, served, met):
    _, session, doctor, consultant = met
    consultant.say(t="look", body={"series": "1", "slice": 42})
    assert doctor.hear("look")["body"]["slice"] == 42
    consultant.say(t="look", body={"pointer": [0.5, 0.5]})
    assert doctor.hear("look")["body"] == {"pointer": [0.5, 0.5]}
    assert joined(served, cast.cniis_dispatcher, session).welcome["look"] == {"series": "1", "slice": 42}


def test_a_still_picture_is_passed_on_and_a_second_one_at_once_is_dropped(met):
    _, _, doctor, consultant = met
    time.sleep(2.6)
    doctor.say(t="still", jpeg=JPEG)
    assert consultant.hear("still")["jpeg"] == JPEG
    doctor.say(t="still", jpeg=JPEG)
    assert consultant.hears_nothing_of("still")


def test_the_line_is_summed_up_in_the_sessions_record(met):
    _, session, doctor, _ = met
    for loss in (2.0, 90.0):
        rooming.note_quality(
            session.pk, rows(session)[0].pk, {"loss": loss, "rtt": "x", "mode": "full"}, seconds=10
        )
    quality = rows(session)[0].quality
    assert (quality["loss_mean"], quality["loss_worst"], quality["full_seconds"]) == (46.0, 90.0, 20)
    assert "rtt_mean" not in quality
    assert doctor.welcome["me"]


def test_the_consulting_side_mutes_and_puts_out_and_the_other_may_not(cast, served, met):
    way, session, doctor, consultant = met
    doctor.say(t="mute", who=consultant.me)
    assert doctor.hear("refused")["text"]
    doctor.say(t="remove", who=consultant.me)
    assert doctor.hear("refused")["text"]
    consultant.say(t="mute", who=doctor.me)
    assert doctor.hear("muted")["by"] == cast.cniis_consultant.name
    consultant.say(t="remove", who=doctor.me)
    assert doctor.closed() == 4403
    assert doctor.heard[-1]["t"] == "removed"
    assert consultant.hear("left", why="removed")["id"] == doctor.me
    word = ticket_of(served, cast.omsk_doctor, session).json()["ticket"]
    again = Page(served, session, word)
    assert again.closed() == 4403
    assert again.heard[-1]["t"] == "refused"
    assert remembered(way, "room_put_out") == [(cast.cniis_consultant.name, cast.omsk_doctor.name)]


def test_who_was_put_out_comes_again_when_the_consulting_side_says_so(cast, served, met):
    way, session, doctor, consultant = met
    second = joined(served, cast.omsk_doctor, session)
    consultant.say(t="remove", who=doctor.me)
    assert (doctor.closed(), second.closed()) == (4403, 4403)
    dispatcher = joined(served, cast.cniis_dispatcher, session)
    assert [person["name"] for person in dispatcher.welcome["out"]] == [cast.omsk_doctor.name]
    consultant.say(t="admit", who=dispatcher.me)
    assert consultant.hear("refused")["t"]
    consultant.say(t="admit", who=doctor.me)
    consultant.say(t="ping")
    consultant.hear("pong")
    back = joined(served, cast.omsk_doctor, session)
    assert back.welcome["out"] == []
    back.say(t="admit", who=dispatcher.me)
    assert back.hear("refused")["text"]
    assert remembered(way, "room_let_in") == [(cast.cniis_consultant.name, cast.omsk_doctor.name)]


def test_who_leaves_is_told_of_and_who_comes_back_in_the_same_page_is_the_same(cast, served, met):
    _, session, doctor, consultant = met
    doctor.socket.close()
    left = consultant.hear("left")
    assert (left["id"], left["why"]) == (doctor.me, "gone")
    back = joined(served, cast.omsk_doctor, session, seat=doctor.seat)
    assert back.me == doctor.me
    assert consultant.hear("joined")["again"] is True
    row = rows(session)[0]
    assert (row.interruptions, row.left_at) == (1, None)


def test_who_says_goodbye_has_left_and_nobody_waits_for_them(met):
    _, _, doctor, consultant = met
    doctor.say(t="bye")
    left = consultant.hear("left")
    assert (left["id"], left["why"]) == (doctor.me, "left")


def test_a_newer_socket_of_the_same_page_ends_the_older(cast, served, met):
    _, session, doctor, consultant = met
    joined(served, cast.omsk_doctor, session, seat=doctor.seat)
    assert doctor.closed() == 4409
    assert consultant.hears_nothing_of("left")


def test_nobody_takes_somebody_elses_seat(cast, served, met):
    _, session, doctor, _ = met
    word = ticket_of(served, cast.cniis_dispatcher, session).json()["ticket"]
    assert Page(served, session, word, seat=doctor.seat).closed() == 4403


def test_a_ticket_opens_one_socket_once_for_its_room_only(cast, served, met):
    _, session, *_ = met
    word = ticket_of(served, cast.omsk_doctor, session).json()["ticket"]
    assert Page(served, session, word).hear("welcome")
    assert Page(served, session, word).closed() == 4401
    other = type("Other", (), {"pk": SessionGuest().pk})
    word = ticket_of(served, cast.omsk_doctor, session).json()["ticket"]
    assert Page(served, other, word).closed() == 4401
    assert Page(served, session, word).closed() == 4401
    assert Page(served, session, "made-up").closed() == 4401


def test_a_ticket_ends_after_half_a_minute(cast, served, met):
    _, session, *_ = met
    word = ticket_of(served, cast.omsk_doctor, session).json()["ticket"]
    with as_live():
        ticket = SocketTicket.objects.get()
        assert ticket.expires_at - timezone.now() < timedelta(seconds=31)
        SocketTicket.objects.all().delete()
        ticket.expires_at = timezone.now() - timedelta(seconds=1)
        ticket.save(force_insert=True)
    assert Page(served, session, word).closed() == 4401


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null"])
def test_a_page_of_another_origin_opens_nothing(cast, served, met, origin):
    _, session, *_ = met
    word = ticket_of(served, cast.omsk_doctor, session).json()["ticket"]
    with pytest.raises(InvalidStatus):
        Page(served, session, word, origin=origin)


def test_without_a_hello_the_socket_is_closed(served, met):
    _, session, *_ = met
    assert Page(served, session, "", hello=False).closed(seconds=8) == 4401


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('{"t":"chat","text":"' + "x" * 70_000 + '"}', 4400),
        ("[1]", 4400),
        ("no json", 4400),
        ('{"t":"unknown"}', 4400),
        ('{"t":"chat","text":"a\\u0000b"}', 4400),
        ('{"t":"still","jpeg":"AAAA"}', 4400),
        ('{"t":"signal","to":"nobody","body":{}}', 4400),
    ],
    ids=["too long", "a list", "no json", "unknown", "NUL", "no picture", "nobody"],
)
def test_what_is_no_message_closes_the_socket(met, said, code):
    _, _, doctor, _ = met
    doctor.socket.send(said)
    assert doctor.closed() == code


def test_too_many_messages_close_the_socket(met):
    _, _, doctor, _ = met
    for _ in range(200):
        try:
            doctor.say(t="ping")
        except ConnectionClosed:
            break
    assert doctor.closed() == 4429


@pytest.mark.parametrize(
    "who", ["chita_doctor", "nmic_consultant", "omsk_technician", "coordinator", "omsk_doctor2"]
)
def test_whoever_has_no_part_in_the_request_gets_no_ticket(cast, served, met, who):
    _, session, *_ = met
    assert ticket_of(served, cast.actor_of(who), session).status_code in (403, 404)


def test_before_its_time_the_room_says_when_it_opens(cast, served):
    _, session = meeting(cast, after=timedelta(hours=3))
    answer = ticket_of(served, cast.omsk_doctor, session)
    assert answer.status_code == 422
    assert answer.json()["refused"]


def test_whose_access_ends_is_out_within_five_seconds(cast, met):
    _, _, doctor, consultant = met
    begun = time.monotonic()
    with acting(cast.omsk_admin):
        people.end_access(
            people.Membership.objects.get(pk=cast.omsk_doctor.membership_id),
            actor=cast.omsk_admin,
            at=timezone.now(),
        )
    assert doctor.closed() == 4403
    assert time.monotonic() - begun < 5
    assert consultant.hear("left")["id"] == doctor.me


def test_a_cancelled_session_closes_its_room(cast, met):
    _, session, doctor, consultant = met
    with acting(cast.cniis_consultant):
        sessions.cancel(session, "not_needed", actor=cast.cniis_consultant, at=timezone.now())
    assert (doctor.closed(), consultant.closed()) == (4410, 4410)


def test_a_guest_comes_by_invitation_moderates_nothing_and_is_out_when_it_is_taken_back(cast, served, met):
    way, session, doctor, _ = met
    guest, secret = invited(way, session)
    page = joined_as_guest(served, session, guest, secret)
    assert doctor.hear("joined")["person"]["guest"] is True
    page.say(t="remove", who=doctor.me)
    assert page.hear("refused")
    with acting(cast.cniis_consultant):
        SessionGuest.objects.filter(pk=guest.pk).update(revoked_at=timezone.now())
    assert page.closed() == 4403


def test_a_guest_comes_from_the_link_through_the_door_and_after_taking_back_not_even_to_a_ticket(
    cast, served, met
):
    way, session, doctor, _ = met
    expert = guests.Invitation("expert", "Гость Галина", "Клиника")
    with acting(way.consultant):
        guest, link = guests.invite(session, expert, actor=way.consultant, at=timezone.now())
    with httpx.Client(base_url=served.address, timeout=20) as browser:
        browser.cookies.set("csrftoken", "a" * 32)
        browser.headers["X-CSRFToken"] = "a" * 32
        place = f"/guest/room/{session.pk}/ticket/"
        assert browser.post(place).status_code == 404
        assert browser.post(f"/guest/{link}/").status_code == 302
        page = Page(served, session, browser.post(place).json()["ticket"])
        assert page.hear("welcome")["moderates"] is False
        assert doctor.hear("joined")["person"]["name"] == "Гость Галина"
        with acting(way.consultant):
            guests.revoke(session, guest.pk, actor=way.consultant, at=timezone.now())
        assert page.closed(seconds=5) == 4403
        assert browser.post(place).status_code == 404


def test_a_guests_invitation_is_bound_to_its_session_and_time(cast, served, met):
    way, session, *_ = met
    early, secret = invited(way, session, since=timedelta(minutes=5))
    with pytest.raises(ConnectionClosed) as closed:
        joined_as_guest(served, session, early, secret)
    assert closed.value.rcvd.code == 4401


def test_after_a_killed_server_everybody_comes_back_to_their_seats(cast, restless):
    _, session = meeting(cast)
    doctor = joined(restless, cast.omsk_doctor, session)
    restless.end(signal.SIGKILL)
    restless.start()
    back = joined(restless, cast.omsk_doctor, session, seat=doctor.seat)
    assert back.me == doctor.me
    assert rows(session)[0].interruptions == 1


def test_time_notes_who_went_without_a_word(cast, restless):
    _, session = meeting(cast)
    joined(restless, cast.omsk_doctor, session)
    restless.end(signal.SIGKILL)
    assert rows(session)[0].left_at is None
    rooming.sweep(at=timezone.now() + timedelta(minutes=5))
    telling.forget(at=timezone.now() + timedelta(minutes=5))
    row = rows(session)[0]
    assert row.left_at == row.seen_at
    with as_live():
        assert not SocketTicket.objects.exists()

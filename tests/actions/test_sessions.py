"""Times are proposed, countered, confirmed; a session is held or falls through; nobody is booked twice."""

from datetime import timedelta
from uuid import uuid4

import pytest

from konsilium.actions import consulting, equipment, sessions, triage
from konsilium.actions._step import NotThere
from konsilium.actions.sessions import Connection, Unfit
from konsilium.models import Delivery, Event, Session, SessionOption
from konsilium.models.access import acting, as_worker
from konsilium.workflow.machine import Missing, NotNow, NotYours, Stale
from tests.actions.test_equipment import entered, found
from tests.actions.test_triage import kinds
from tests.cast import NOW
from tests.factories import Way
from tests.requests import seen

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TOMORROW = NOW + DAY
CODEC = Connection("sip", "9001@vks.example.org", "4321", "+7 495 123-00-01", "Дежурный инженер")
ROOM = Connection("room", phone="+7 3812 10-20-30", technician="Гусев Пётр")


def table(way, session):
    with acting(way.consultant):
        return sessions.options_on_the_table(session)


def now(way, session):
    """The session as it stands, seen by the requesting doctor."""
    with acting(way.doctor):
        return Session.objects.visible_to(way.doctor).get(pk=session.pk)


def does(way, who, verb, session, *given, **named):
    with acting(who):
        return verb(session, *given, actor=who, at=way.at, **named)


def proposed(cast, *times, **given):
    way = Way(cast, **given).on_video()
    times = times or (TOMORROW, TOMORROW + 3 * HOUR)
    session = way.do(way.consultant, sessions.propose, times, connection_given=CODEC, note="Врач.")
    return way, session


def confirmed(cast, time=TOMORROW, **given):
    way, session = proposed(cast, time, **given)
    does(way, way.doctor, sessions.confirm, session, table(way, session)[0].pk, connection_given=ROOM)
    way.refresh()
    return way, session


def test_the_consultant_proposes_and_it_is_the_requesting_sides_turn(cast):
    way, session = proposed(cast)
    row, case = now(way, session), seen(way.row, way.doctor)
    assert (row.state, row.minutes, row.note, row.starts_at) == ("proposed", 30, "Врач.", None)
    assert (row.requesting_name, row.requesting_time_zone) == ("Омская ОКБ", "Asia/Omsk")
    assert (row.centre_name, row.centre_time_zone) == ("ЦНИИСиЧЛХ", "Europe/Moscow")
    assert (row.consulting_connection, row.consulting_dial, row.consulting_pin) == (
        "sip",
        "9001@vks.example.org",
        "4321",
    )
    assert [(one.side, one.starts_at, one.offer) for one in table(way, session)] == [
        ("consulting", TOMORROW, 1),
        ("consulting", TOMORROW + 3 * HOUR, 1),
    ]
    assert (case.state, case.turn, case.has_session) == ("session", "requester", True)
    assert kinds(way.row, way.doctor)[-1] == "session_propose"


def test_the_dispatcher_proposes_too_but_the_requesting_side_and_strangers_do_not(cast):
    way = Way(cast).on_video()
    times = [TOMORROW]
    for who in (way.doctor, cast.omsk_admin):
        with pytest.raises(NotYours):
            way.do(who, sessions.propose, times)
    for stranger in (cast.cniis_consultant2, cast.nmic_dispatcher, cast.chita_doctor, cast.omsk_technician):
        with pytest.raises(NotThere):
            does(way, stranger, sessions.propose, way.row, times)
    assert kinds(way.row, way.doctor)[-1] == "need_video"
    session = way.do(way.dispatcher, sessions.propose, times)
    assert now(way, session).consultant_name == "Соколов Андрей"


def test_times_are_one_to_five_ahead_of_now_and_within_a_year(cast):
    way = Way(cast).on_video()

    def offer(*times, **given):
        way.do(way.consultant, sessions.propose, [NOW + time for time in times], **given)

    for times in ((), (-HOUR,), (MINUTE,), (DAY, -DAY)):
        with pytest.raises(Missing, match="at least one time in the future"):
            offer(*times)
    with pytest.raises(Unfit, match="five times"):
        offer(*(DAY + number * HOUR for number in range(6)))
    with pytest.raises(Unfit, match="within a year"):
        offer(DAY, 400 * DAY)
    for minutes in (0, -30, 4, 241):
        with pytest.raises(Unfit, match="from 5 minutes"):
            offer(DAY, minutes=minutes)
    with pytest.raises(Unfit, match="how your side connects"):
        offer(DAY, connection_given=Connection("pigeon"))
    with acting(way.doctor):
        assert Session.objects.count() == 0
    assert seen(way.row, way.doctor).turn == "consultant"


def test_a_request_has_one_open_session_and_only_when_it_needs_video(cast):
    way, session = proposed(cast)
    with pytest.raises(NotNow, match="open session"):
        way.do(way.consultant, sessions.propose, [NOW + 2 * DAY])
    other = Way(cast).assigned()
    with pytest.raises(NotNow):
        other.do(other.consultant, sessions.propose, [other.at + DAY])
    does(way, way.consultant, sessions.cancel, session, "not_needed")
    way.do(way.consultant, sessions.propose, [NOW + 2 * DAY])
    with acting(way.doctor):
        states = Session.objects.filter(consultation=way.row).order_by("created_at")
        assert [row.state for row in states] == ["cancelled", "proposed"]


def test_a_time_that_the_consultant_has_given_already_is_not_proposed(cast):
    confirmed(cast, who="chita_doctor")
    way = Way(cast).on_video()
    for time in (TOMORROW, TOMORROW + 29 * MINUTE, TOMORROW - 29 * MINUTE):
        with pytest.raises(Missing, match="already taken"):
            way.do(way.consultant, sessions.propose, [NOW + 3 * DAY, time])
    after = TOMORROW + 30 * MINUTE
    session = way.do(way.consultant, sessions.propose, [after])
    assert [one.starts_at for one in table(way, session)] == [after]


def test_other_times_are_offered_until_one_is_agreed(cast):
    way, session = proposed(cast)
    does(way, way.doctor, sessions.counter, session, [NOW + 2 * DAY], connection_given=ROOM)
    row = now(way, session)
    assert (row.state, row.requesting_phone, row.requesting_technician) == (
        "counter_proposed",
        "+7 3812 10-20-30",
        "Гусев Пётр",
    )
    assert seen(way.row, way.doctor).turn == "consultant"
    does(way, way.consultant, sessions.propose_again, session, [NOW + 3 * DAY], minutes=45)
    assert (now(way, session).state, now(way, session).minutes) == ("proposed", 45)
    assert seen(way.row, way.doctor).turn == "requester"
    does(way, way.doctor, sessions.counter, session, [NOW + 4 * DAY, NOW + 5 * DAY])
    assert [(one.side, one.offer) for one in table(way, session)] == [("requesting", 4)] * 2
    does(way, way.consultant, sessions.accept, session, table(way, session)[1].pk)
    row = now(way, session)
    assert (row.state, row.starts_at) == ("confirmed", NOW + 5 * DAY)
    assert (row.during.lower, row.during.upper) == (row.starts_at, row.starts_at + 45 * MINUTE)
    with acting(way.doctor):
        assert SessionOption.objects.filter(session=session).count() == 6
    assert kinds(way.row, way.doctor)[-5:] == [
        "session_propose",
        "session_counter",
        "session_propose",
        "session_counter",
        "session_accept",
    ]


def test_each_side_moves_only_when_it_may(cast):
    way, session = proposed(cast)
    option = table(way, session)[0].pk
    ahead = [NOW + 2 * DAY]
    for who in (way.consultant, way.dispatcher):
        with pytest.raises(NotYours):
            does(way, who, sessions.confirm, session, option)
        with pytest.raises(NotYours):
            does(way, who, sessions.counter, session, ahead)
    with pytest.raises(NotYours):
        does(way, way.doctor, sessions.propose_again, session, ahead)
    with pytest.raises(NotNow):
        does(way, way.consultant, sessions.accept, session, option)
    for verb, given in (
        (sessions.confirm, [option]),
        (sessions.counter, [ahead]),
        (sessions.cancel, ["not_needed"]),
        (sessions.accept, [option]),
    ):
        for stranger in (cast.chita_doctor, cast.omsk_doctor2, cast.nmic_consultant, cast.coordinator):
            with pytest.raises(NotThere):
                does(way, stranger, verb, session, *given)
    assert now(way, session).version == 1


def test_a_confirmed_time_takes_the_consultant_and_the_requests_clock_runs_to_it(cast):
    way, session = confirmed(cast)
    row, case = now(way, session), seen(way.row, way.doctor)
    assert (row.state, row.starts_at, row.requesting_connection) == ("confirmed", TOMORROW, "room")
    assert (case.turn, case.due_at) == ("both", TOMORROW)
    assert case.base_due_at == case.submitted_at + DAY
    assert [one.is_chosen for one in table(way, session)] == [True]
    with acting(way.doctor):
        events = Event.objects.filter(consultation=way.row, kind="session_confirm")
        told = list(events.values_list("pk", flat=True))
    with as_worker():
        assert Delivery.objects.filter(event_id__in=told).count() == len(told) == 1


def test_only_a_time_of_the_newest_offer_that_is_still_ahead_can_be_chosen(cast):
    way, session = proposed(cast)
    old = table(way, session)[0].pk
    does(way, way.consultant, sessions.propose_again, session, [NOW + 2 * DAY])
    for option in (old, uuid4()):
        with pytest.raises(Missing, match="still ahead"):
            does(way, way.doctor, sessions.confirm, session, option)
    late = table(way, session)[0].pk
    way.at = NOW + 2 * DAY
    with pytest.raises(Missing, match="still ahead"):
        does(way, way.doctor, sessions.confirm, session, late)
    assert now(way, session).state == "proposed"


def test_a_session_moved_meanwhile_is_stale(cast):
    way, session = proposed(cast)
    option = table(way, session)[0].pk
    does(way, way.doctor, sessions.confirm, session, option, version=1)
    with pytest.raises(Stale):
        does(way, way.consultant, sessions.cancel, session, "not_needed", version=1)


def test_a_time_taken_meanwhile_is_refused_and_nothing_is_left_behind(cast):
    way, session = proposed(cast)
    first, second = table(way, session)
    other, rival = proposed(cast, who="chita_doctor")
    does(other, other.doctor, sessions.confirm, rival, table(other, rival)[0].pk)
    before = (seen(way.row, way.doctor).version, kinds(way.row, way.doctor))
    with pytest.raises(Missing, match="already taken"):
        does(way, way.doctor, sessions.confirm, session, first.pk, connection_given=ROOM)
    row = now(way, session)
    assert (row.state, row.starts_at, row.version, row.requesting_phone) == ("proposed", None, 1, "")
    assert (seen(way.row, way.doctor).version, kinds(way.row, way.doctor)) == before
    assert [one.is_chosen for one in table(way, session)] == [False, False]
    does(way, way.doctor, sessions.confirm, session, second.pk)
    assert now(way, session).state == "confirmed"


def test_two_consultants_may_meet_at_the_same_time_and_one_right_after_another(cast):
    confirmed(cast)
    confirmed(cast, consultant="cniis_consultant2")
    assert now(*confirmed(cast, TOMORROW + 30 * MINUTE)).state == "confirmed"


@pytest.mark.parametrize("side", ["reschedule", "counter", "cancel"])
def test_a_confirmed_time_that_is_given_up_is_free_again(cast, side):
    way, session = confirmed(cast)
    due = seen(way.row, way.doctor).base_due_at
    if side == "reschedule":
        session = now(way, session)
        does(way, way.consultant, sessions.propose_again, session, [NOW + 3 * DAY])
    elif side == "counter":
        does(way, way.doctor, sessions.counter, session, [NOW + 3 * DAY])
    else:
        does(way, way.doctor, sessions.cancel, session, "participant_unavailable")
    row = now(way, session)
    assert (row.starts_at, row.during) == (None, None)
    assert seen(way.row, way.doctor).due_at == due
    other, rival = proposed(cast, TOMORROW, who="chita_doctor")
    does(other, other.doctor, sessions.confirm, rival, table(other, rival)[0].pk)
    assert now(other, rival).state == "confirmed"


def test_a_session_begins_a_quarter_of_an_hour_early_at_most(cast):
    way, session = confirmed(cast)
    starts = now(way, session).starts_at
    way.at = starts - 16 * MINUTE
    with pytest.raises(Missing, match="has not come yet"):
        does(way, way.consultant, sessions.start, session)
    way.at = starts - 15 * MINUTE
    for who in (way.doctor, way.dispatcher):
        with pytest.raises(NotYours):
            does(way, who, sessions.start, session)
    does(way, way.consultant, sessions.start, session)
    row = now(way, session)
    assert (row.state, row.began_at) == ("in_progress", way.at)
    for who in (way.doctor, way.consultant):
        with pytest.raises(NotNow):
            does(way, who, sessions.cancel, session, "not_needed")


def test_a_held_session_leads_on_to_the_conclusion_with_time_for_it(cast):
    way, session = confirmed(cast)
    starts = now(way, session).starts_at
    way.at = starts + HOUR
    does(
        way,
        way.consultant,
        sessions.hold,
        session,
        began_at=starts + 2 * MINUTE,
        ended_at=starts + 40 * MINUTE,
        patient_present=True,
        note=" Пациент осмотрен. ",
    )
    row, case = now(way, session), seen(way.row, way.doctor)
    assert (row.state, row.patient_present, row.note) == ("held", True, "Пациент осмотрен.")
    assert (row.began_at, row.ended_at) == (starts + 2 * MINUTE, starts + 40 * MINUTE)
    assert (case.state, case.turn) == ("conclusion", "consultant")
    assert case.due_at == starts + 40 * MINUTE + 4 * HOUR
    assert kinds(way.row, way.doctor)[-2:] == ["session_hold", "session_held"]


def test_a_session_ends_after_it_began_and_not_in_the_future(cast):
    way, session = confirmed(cast)
    starts = now(way, session).starts_at
    way.at = starts + HOUR
    for began, ended in ((starts, starts - HOUR), (starts, starts + 2 * HOUR)):
        with pytest.raises(Unfit, match="ends after it has begun"):
            does(way, way.consultant, sessions.hold, session, began_at=began, ended_at=ended)
    assert (now(way, session).state, seen(way.row, way.doctor).state) == ("confirmed", "session")


def test_a_side_that_did_not_come_is_named_and_another_session_may_follow(cast):
    way, session = confirmed(cast)
    due = seen(way.row, way.doctor).base_due_at
    way.at = now(way, session).starts_at - MINUTE
    with pytest.raises(Missing, match="has not come yet"):
        does(way, way.consultant, sessions.miss, session, "requesting")
    way.at += 20 * MINUTE
    with pytest.raises(Missing, match="which side"):
        does(way, way.consultant, sessions.miss, session, "")
    does(way, way.consultant, sessions.miss, session, "requesting", text="Не ответили на звонок.")
    row, case = now(way, session), seen(way.row, way.doctor)
    assert (row.state, row.missing_side, row.reason_text) == (
        "no_show",
        "requesting",
        "Не ответили на звонок.",
    )
    assert (case.state, case.turn, case.due_at) == ("session", "consultant", due)
    way.do(way.consultant, sessions.propose, [NOW + 2 * DAY])
    assert seen(way.row, way.doctor).turn == "requester"


def test_a_session_that_failed_says_why_and_the_conclusion_may_go_on_without_video(cast):
    way, session = confirmed(cast)
    with pytest.raises(Missing, match="reason"):
        does(way, way.consultant, sessions.fail, session, "  ")
    way.at = now(way, session).starts_at
    does(way, way.consultant, sessions.start, session)
    does(way, way.consultant, sessions.fail, session, "Нет звука.")
    row = now(way, session)
    assert (row.state, row.reason_text, row.during) == ("failed", "Нет звука.", None)
    way.do(way.consultant, consulting.give_up_video)
    assert seen(way.row, way.doctor).state == "conclusion"


@pytest.mark.parametrize(("reason", "text"), [("", ""), ("duplicate", ""), ("other", " ")])
def test_a_cancellation_needs_a_reason(cast, reason, text):
    way, session = proposed(cast)
    with pytest.raises(Missing, match="State the reason"):
        does(way, way.doctor, sessions.cancel, session, reason, text)
    assert now(way, session).state == "proposed"


def test_a_consultant_is_not_replaced_while_a_session_is_open(cast):
    way, session = confirmed(cast)
    with pytest.raises(Missing, match="open session"):
        way.do(way.dispatcher, triage.reassign, cast.cniis_consultant2.membership_id)
    does(way, way.dispatcher, sessions.cancel, session, "participant_unavailable")
    way.do(way.dispatcher, triage.reassign, cast.cniis_consultant2.membership_id)
    session = way.do(cast.cniis_consultant2, sessions.propose, [TOMORROW])
    assert now(way, session).consultant_name == "Ершова Инна"


def test_the_newest_test_of_an_endpoint_is_kept_with_the_connection(cast):
    endpoint = entered(cast)
    with acting(cast.coordinator):
        for verdict, day in (("failed", 2), ("passed", 3)):
            result = found(verdict, reason="" if verdict == "passed" else "Нет звука.")
            equipment.record_test(endpoint, result, actor=cast.coordinator, at=NOW - day * DAY)
    way, session = proposed(cast)
    does(
        way,
        way.doctor,
        sessions.confirm,
        session,
        table(way, session)[0].pk,
        connection_given=Connection("sip"),
    )
    row = now(way, session)
    assert (row.requesting_test, row.consulting_test) == ("failed 2026-11-21", "")

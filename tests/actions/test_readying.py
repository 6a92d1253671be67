"""Before a session: reminders once each, a tap of each side, a look at approved lines."""

from datetime import timedelta

import pytest
from django.utils import timezone

from konsilium.actions import equipment, readying, sessions, testing
from konsilium.models import Event, Organization, Probe, Readiness, Session
from konsilium.models.access import acting, as_worker
from konsilium.notifications import deliver
from konsilium.notifications.rules import sentence
from konsilium.workflow.machine import NotNow
from tests.factories import Way, confirmed_session

pytestmark = pytest.mark.django_db
DAY, HOUR = "session_remind_day", "session_remind_hour"


@pytest.fixture
def way(cast):
    return Way(cast, at=timezone.now()).on_video()


def reminders():
    with as_worker():
        rows = Event.objects.filter(kind__startswith="session_remind").order_by("at")
        return list(rows.values_list("kind", flat=True))


def test_both_sides_are_reminded_a_day_and_an_hour_ahead_once_each(way):
    session = confirmed_session(way, after=timedelta(days=3))
    with acting(way.doctor):
        begins = Session.objects.get(pk=session.pk).starts_at
    for ahead in (
        timedelta(days=2),
        timedelta(hours=23),
        timedelta(hours=22),
        timedelta(minutes=50),
        timedelta(minutes=40),
    ):
        readying.remind_due(at=begins - ahead)
    assert reminders() == [DAY, HOUR]


def test_a_moved_time_is_reminded_of_anew(way):
    session = confirmed_session(way, after=timedelta(hours=20))
    readying.remind_due(at=way.at)
    assert reminders() == [DAY]
    with acting(way.consultant):
        session.refresh_from_db()
        sessions.propose_again(session, [way.at + timedelta(days=5)], actor=way.consultant, at=way.at)
    with acting(way.doctor):
        option = sessions.options_on_the_table(session)[0]
        sessions.confirm(session, option.pk, actor=way.doctor, at=way.at)
    readying.remind_due(at=way.at + timedelta(days=4, hours=1))
    assert reminders() == [DAY, DAY]


def test_nobody_is_reminded_of_what_isnt_confirmed_or_is_about_to_begin(way):
    way.do(way.consultant, sessions.propose, [way.at + timedelta(hours=5)])
    readying.remind_due(at=way.at)
    assert reminders() == []


def test_a_reminder_says_nothing_of_the_patient_and_reaches_both(cast, way):
    confirmed_session(way, after=timedelta(hours=20))
    deliver.tell_pending(at=way.at)
    before = told(cast)
    readying.remind_due(at=way.at)
    deliver.tell_pending(at=way.at + timedelta(seconds=1))
    assert {name: count - before[name] for name, count in told(cast).items()} == {
        "omsk_doctor": 1,
        "cniis_consultant": 1,
    }
    assert sentence(DAY, "2026-000001").startswith("Запрос 2026-000001")


def told(cast):
    from konsilium.models import Notice

    found = {}
    for name in ("omsk_doctor", "cniis_consultant"):
        with acting(cast.actor_of(name)):
            found[name] = Notice.objects.count()
    return found


def test_each_side_taps_once_and_another_time_asks_again(cast, way, client_as):
    session = confirmed_session(way, after=timedelta(hours=20))
    page = client_as(cast.omsk_doctor)
    assert "Мы будем" in page.get(f"/requests/{way.row.pk}/").content.decode()
    with acting(way.doctor):
        row = Session.objects.select_related("consultation").get(pk=session.pk)
        readying.ready(row, actor=way.doctor, at=way.at)
        readying.ready(row, actor=way.doctor, at=way.at)
        assert Readiness.objects.get().side == "requesting"
    assert "Мы будем" not in page.get(f"/requests/{way.row.pk}/").content.decode()
    assert "Мы будем" in client_as(cast.cniis_consultant).get(f"/requests/{way.row.pk}/").content.decode()
    with acting(way.consultant):
        sessions.cancel(session, "not_needed", actor=way.consultant, at=way.at)
    with acting(way.doctor), pytest.raises(NotNow):
        readying.ready(row, actor=way.doctor, at=way.at)


def test_lines_of_approved_codecs_are_looked_at_an_hour_before_once(cast, way):
    with acting(cast.omsk_technician):
        house = Organization.objects.get(pk=cast.house("omsk"))
        for name in ("approved", "not approved"):
            values = {"kind": "sip", "name": name, "address": "codec.omsk.example"}
            equipment.add_endpoint(house, values, actor=cast.omsk_technician, at=way.at)
    with acting(cast.coordinator):
        from konsilium.models import Endpoint

        testing.approve(Endpoint.objects.get(name="approved"), actor=cast.coordinator, at=way.at)
    confirmed_session(way, after=timedelta(minutes=50))
    assert (readying.look_at_lines(at=way.at), readying.look_at_lines(at=way.at)) == (1, 0)
    with acting(cast.omsk_technician):
        assert Probe.objects.get().kind == "options"


def test_the_record_says_who_was_there_on_which_line(cast, way, client_as):
    from konsilium.actions import rooming
    from konsilium.actions.rooming import Entrant

    session = confirmed_session(way, after=timedelta(minutes=10))
    entrant = Entrant(
        cast.omsk_doctor.person_id, None, cast.omsk_doctor.name, "Омская ОКБ", "requesting", "requester"
    )
    seat, _ = rooming.sit(session.pk, entrant, "seat-of-a-page", at=way.at)
    rooming.note_quality(session.pk, seat.pk, {"loss": 1.5, "rtt": 80, "mode": "audio"}, seconds=120)
    text = client_as(cast.cniis_consultant).get(f"/sessions/{session.pk}/record/").content.decode()
    assert cast.omsk_doctor.name in text
    assert "потери 1,5 %" in text
    assert client_as(cast.chita_doctor).get(f"/sessions/{session.pk}/record/").status_code == 404

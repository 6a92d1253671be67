"""Recording over real sockets: on a media server with everybody's consent, and not in the built-in room."""

import signal
import time

import pytest

from konsilium.models import Attendance, RecordingConsent
from konsilium.models.access import as_room, as_worker
from tests.bed.janus import janus
from tests.live.conftest import Server
from tests.live.pages import hang_up, joined, meeting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _end(cast):
    yield
    hang_up()
    # The server notes who left, and what that means for a recording, before the tables are emptied.
    for _ in range(50):
        with as_worker():
            if not Attendance.objects.filter(left_at=None).exists():
                break
        time.sleep(0.1)
    time.sleep(0.5)


@pytest.fixture(scope="module")
def taping(django_db_setup, tmp_path_factory):
    """The product beside a Janus, allowed to record."""
    with janus(tmp_path_factory.mktemp("janus")) as running:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**running.environment, "KONSILIUM_RECORDING": "1"}.items():
                patch.setenv(name, value)
            server = Server(workers=2).start()
        yield server
        server.end(signal.SIGTERM)


@pytest.fixture
def met(cast, taping):
    """The session, its doctor's and its consultant's page."""
    _, session = meeting(cast)
    doctor = joined(taping, cast.omsk_doctor, session)
    consultant = joined(taping, cast.cniis_consultant, session)
    doctor.hear("joined")
    return session, doctor, consultant


def granted(page):
    page.say(t="grant")
    return page.hear("grant")["grant"]


def test_with_everybodys_yes_all_move_into_a_recorded_room(met):
    session, doctor, consultant = met
    plain = consultant.welcome["grant"]
    assert (plain["kind"], plain["is_recorded"]) == ("janus", False)
    consultant.say(t="record", on=True)
    asked = doctor.hear("recording")
    assert (asked["on"], asked["missing"]) == (False, [doctor.me])
    assert asked["room"] == plain["room"]
    doctor.say(t="consent", given=True)
    begun = consultant.hear("recording", on=True)
    grants = granted(doctor), granted(consultant)
    assert {grant["room"] for grant in grants} == {begun["room"]} != {plain["room"]}
    assert all(grant["is_recorded"] for grant in grants)
    with as_room(session.pk):
        assert RecordingConsent.objects.filter(is_given=True).count() == 2


def test_a_newcomer_gets_no_grant_of_a_recorded_room_before_their_yes(cast, taping, met):
    session, doctor, consultant = met
    consultant.say(t="record", on=True)
    doctor.say(t="consent", given=True)
    recorded = doctor.hear("recording", on=True)["room"]
    third = joined(taping, cast.cniis_dispatcher, session)
    assert third.welcome["grant"]["room"] != recorded
    assert third.welcome["recording"] == {**third.welcome["recording"], "on": False, "missing": [third.me]}
    assert doctor.hear("recording", on=False)["missing"] == [third.me]
    third.say(t="consent", given=True)
    assert doctor.hear("recording", on=True)


def test_one_no_ends_it_and_whoever_refused_leaves_it_to_the_others(met):
    _, doctor, consultant = met
    consultant.say(t="record", on=True)
    doctor.say(t="consent", given=True)
    consultant.hear("recording", on=True)
    doctor.say(t="consent", given=False)
    assert consultant.hear("recording", on=False)["refused"] == [doctor.me]
    doctor.say(t="bye")
    assert consultant.hear("recording", on=True)["refused"] == []


def test_the_requesting_side_asks_for_none(met):
    _, doctor, consultant = met
    doctor.say(t="record", on=True)
    assert doctor.hear("refused")["text"] == "Это может делать только консультирующая сторона."
    assert consultant.hears_nothing_of("recording")


def test_in_the_built_in_room_the_page_is_told_why_not(cast, served):
    _, session = meeting(cast)
    consultant = joined(served, cast.cniis_consultant, session)
    assert consultant.welcome["recording"] == {
        "possible": False, "why": "off", "on": False, "asked_by": "", "missing": [consultant.me],
        "refused": [], "room": consultant.welcome["grant"]["room"],
    }  # fmt: skip
    consultant.say(t="record", on=True)
    assert consultant.hear("refused")["text"] == "В этой установке запись отключена."

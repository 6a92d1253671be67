"""The prober's process holds the echo line: a call over the wire lands in the database."""

import socket
import time

import pytest

from konsilium import worker
from konsilium.actions import equipment, testing
from konsilium.adapters.sip.choosing import Echo
from konsilium.models import Organization, Probe, TestStep
from konsilium.models.access import acting
from tests.bed.raw_sip import OFFER, Caller
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def number(cast):
    """The number of an open test."""
    with acting(cast.omsk_technician):
        house = Organization.objects.get(pk=cast.house("omsk"))
        row = equipment.add_endpoint(
            house, {"kind": "sip", "name": "Кодек"}, actor=cast.omsk_technician, at=NOW
        )
    with acting(cast.coordinator):
        return testing.open_test(row, actor=cast.coordinator, at=NOW).echo_number


@pytest.fixture
def line(settings):
    """The address of the line, as the prober's process runs it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings.ECHO = Echo("127.0.0.1", port, "echo.test")
    with worker._echo_line():
        yield f"127.0.0.1:{port}"


@pytest.fixture
def caller(line):
    made = Caller("127.0.0.1", line)
    yield made
    made.close()


def test_a_call_that_sends_nothing_lands_as_that(cast, number, line, caller):
    caller.send("INVITE", f"sip:{number}@{line}", body=OFFER.format(own="127.0.0.1"))
    code, text = caller.answer(200)
    assert code == 200
    assert text.count("a=sendrecv") == 2
    tag = text.partition("To:")[2].partition("\r\n")[0]
    assert ";tag=" in tag
    caller.send("ACK", f"sip:{number}@{line}")
    time.sleep(0.2)
    caller.send("BYE", f"sip:{number}@{line}", number=2)
    row = landed(cast)
    assert (row.kind, row.state, row.answer) == ("echo", "done", "echo_no_media")
    with acting(cast.coordinator):
        assert TestStep.objects.get(code="sound_in").outcome == "failed"


def test_a_number_that_is_no_tests_is_not_found_and_an_unfit_offer_is_refused(cast, number, line, caller):
    caller.send("INVITE", f"sip:{int(number) ^ 1}@{line}", body=OFFER.format(own="127.0.0.1"))
    assert caller.answer(200)[0] == 404
    other = Caller("127.0.0.1", line)
    secret = OFFER.replace("RTP/AVPF", "RTP/SAVP").format(own="127.0.0.1")
    other.send("INVITE", f"sip:{number}@{line}", body=secret)
    assert other.answer(200)[0] == 488
    other.close()
    assert landed(cast).answer == "no_common_codec"


def landed(cast):
    for _ in range(50):
        with acting(cast.coordinator):
            row = Probe.objects.first()
        if row is not None:
            return row
        time.sleep(0.1)
    raise AssertionError("nothing landed")

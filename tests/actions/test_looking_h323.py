"""A look at an H.323 device through the prober: the call's result stays whatever its gatekeeper's address is."""

from datetime import timedelta

import pytest

from konsilium.actions import probing
from konsilium.adapters.reach import Guard
from tests.actions.test_probing import NAME, ask, codec, prober, said, steps
from tests.adapters.test_h323 import ALERTING, needs_pycrate, playing, says
from tests.factories import NOW

__all__ = ["codec"]
pytestmark = [pytest.mark.django_db, needs_pycrate]


def looked(cast, codec, registrar, **named):
    with playing(says(ALERTING)) as device:
        test = codec(device.target.port, kind="h323", registrar=registrar)
        asked = ask(cast, test, "h323")
        probing.run_pending(prober(**named), at=NOW)
    return said(cast, asked)


@pytest.mark.parametrize(
    ("registrar", "word"),
    [
        ("no address at all", "bad_address"),
        (f"{NAME}:22", "bad_port"),
        (f"{NAME}:1719", "silent"),
        ("", None),
    ],
)
def test_the_calls_result_stays_whatever_its_gatekeeper_is(cast, codec, registrar, word):
    row = looked(cast, codec, registrar)
    assert (row.answer, row.measured.get("gatekeeper")) == ("h323_answers", word)
    assert steps(cast)["reach_h323"].outcome == "passed"


def test_a_gatekeeper_takes_its_turn_as_every_target_does(cast, codec):
    numbers = {"gk": "127.0.0.2", "co": "127.0.0.1", "an": "127.0.0.9"}
    guard = Guard({}, resolve=lambda name: [numbers[name[:2]]], judge=lambda number, oid: True)
    patient = prober(guard=guard, every=timedelta(hours=1))
    with playing(says(ALERTING)) as device:
        first = ask(cast, codec(device.target.port, kind="h323", registrar="gk.omsk.example"), "h323")
        probing.run_pending(patient, at=NOW)
    other = codec(1720, kind="h323", address="another.omsk.example", registrar="gk.omsk.example")
    second = ask(cast, other, "h323")
    probing.run_pending(patient, at=NOW)
    assert (said(cast, first).answer, len(said(cast, first).measured["targets"])) == ("h323_answers", 2)
    assert (said(cast, second).state, said(cast, second).not_before) == ("waiting", NOW + timedelta(hours=1))

from uuid import uuid4

import pytest

from konsilium.adapters.video import BadChoice, Party, Place, read_choice
from konsilium.adapters.video.external import ExternalEngine, Patterns
from tests.adapters.video.engines import PATTERNS
from tests.adapters.video.test_contract import AT


def dialled(place, patterns=PATTERNS):
    return {way.kind: way.dial for way in ExternalEngine(patterns).ways(place)}


def test_each_kind_of_endpoint_is_told_what_to_dial():
    assert dialled(Place("a", dial="1234")) == {
        "browser": "https://vks.example.org/c/1234",
        "sip": "1234@vks.example.org",
        "h323": "vks.example.org##1234",
        "vinteo": "1234",
        "jabber": "1234@vks.example.org",
        "phone": "+7 495 000-00-00, 1234#",
    }


def test_a_link_that_a_person_entered_goes_before_the_pattern():
    assert dialled(Place("a", link="https://other.example.org/r", dial="1"))["browser"] == (
        "https://other.example.org/r"
    )


def test_an_address_that_a_person_entered_whole_is_dialled_as_it_stands():
    assert dialled(Place("a", dial="room7@mcu.example.org"), Patterns()) == {
        "sip": "room7@mcu.example.org",
        "jabber": "room7@mcu.example.org",
    }
    assert dialled(Place("a", dial="10.1.1.1##77"), Patterns()) == {"h323": "10.1.1.1##77"}


def test_without_a_number_no_way_is_invented():
    assert dialled(Place("a")) == {}


def test_the_pin_is_asked_for_only_where_there_is_one():
    engine = ExternalEngine(PATTERNS)
    with_pin = {way.kind: len(way.steps) for way in engine.ways(Place("a", dial="1", pin="77"))}
    without = {way.kind: len(way.steps) for way in engine.ways(Place("a", dial="1"))}
    assert with_pin == {kind: steps + 1 for kind, steps in without.items()}


def test_the_grant_carries_link_number_pin_and_the_persons_own_words():
    place = Place("a", dial="1234", pin="77", instructions="Позвоните за пять минут.")
    told = ExternalEngine(PATTERNS).join_grant(place, Party(uuid4()), at=AT).as_json()
    assert (told["kind"], told["address"], told["dial"], told["pin"], told["instructions"]) == (
        "outside",
        "https://vks.example.org/c/1234",
        "1234@vks.example.org",
        "77",
        "Позвоните за пять минут.",
    )


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"KONSILIUM_VIDEO_ENGINE": "zoom"}, "KONSILIUM_VIDEO_ENGINE"),
        ({"KONSILIUM_EXTERNAL_KIND": "polycom"}, "KONSILIUM_EXTERNAL_KIND"),
        ({"KONSILIUM_EXTERNAL_LINK": "http://vks.example.org/{number}"}, "https://"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(environment, word):
    with pytest.raises(BadChoice, match=word):
        read_choice(environment)


def test_without_settings_the_built_in_room_is_chosen():
    assert read_choice({}).engine == "mesh"

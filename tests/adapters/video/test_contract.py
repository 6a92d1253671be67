"""What every video engine promises, asked of each of them alike."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from konsilium.adapters.video import Happening, NotOffered, Party, Place

# Real servers have their own clock.
AT = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def place():
    return Place(uuid4().hex, dial="1234", pin="77")


@pytest.fixture
def doctor():
    return Party(uuid4(), "Петров И.", "requesting", "requester")


def offers(stage, name):
    return getattr(stage.driver.capabilities(), name)


def present(stage, place):
    return {one.id for one in stage.driver.participants(place)}


def test_says_that_it_is_up_and_what_it_can_do(stage):
    assert stage.driver.health().is_up
    assert stage.driver.capabilities().most_parties in (None, 4, 16)


def test_a_room_is_opened_and_closed_as_often_as_one_likes(stage, place):
    for _ in range(2):
        stage.driver.open_room(place)
    for _ in range(2):
        stage.driver.close_room(place)


def test_a_grant_is_plain_for_a_page_and_ends(stage, place, doctor):
    stage.driver.open_room(place)
    grant = stage.driver.join_grant(place, doctor, at=AT, valid=timedelta(minutes=3))
    told = json.loads(json.dumps(grant.as_json()))
    assert datetime.fromisoformat(told["expires_at"]) == AT + timedelta(minutes=3)
    assert told["party"] == str(doctor.id)
    assert told["engine"] == stage.driver.name
    assert told["kind"] in ("mesh", "janus", "outside")


def test_grants_of_two_rooms_and_of_two_people_differ(stage, place, doctor):
    other_room, other_person = Place(uuid4().hex, dial="4321"), Party(uuid4(), "Седова Н.")
    grants = [
        stage.driver.join_grant(where, who, at=datetime.now(UTC)).as_json()
        for where, who in ((place, doctor), (other_room, doctor), (place, other_person))
    ]
    assert grants[0] != grants[1]
    assert grants[0] != grants[2]


def test_whoever_arrived_is_listed_until_they_leave(stage, place, doctor):
    if not offers(stage, "lists"):
        with pytest.raises(NotOffered):
            stage.driver.participants(place)
        return
    assert present(stage, place) == set()
    stage.driver.open_room(place)
    grant = stage.driver.join_grant(place, doctor, at=datetime.now(UTC))
    stage.arrive(grant)
    assert present(stage, place) == {str(doctor.id)}
    assert Happening("joined", str(doctor.id)) in stage.driver.reconcile(place, {})
    stage.leave(grant)
    assert present(stage, place) == set()
    assert stage.driver.reconcile(place, {str(doctor.id): ()}) == (Happening("left", str(doctor.id)),)


def test_whoever_is_put_out_is_gone_and_may_be_put_out_again(stage, place, doctor):
    if not offers(stage, "removes"):
        with pytest.raises(NotOffered):
            stage.driver.remove(place, doctor.id)
        return
    stage.driver.open_room(place)
    stage.arrive(stage.driver.join_grant(place, doctor, at=datetime.now(UTC)))
    for _ in range(2):
        stage.driver.remove(place, doctor.id)
    if offers(stage, "lists"):
        assert present(stage, place) == set()


def test_muting_somebody_who_is_not_there_harms_nothing(stage, place, doctor):
    if not offers(stage, "mutes"):
        with pytest.raises(NotOffered):
            stage.driver.mute(place, doctor.id)
        return
    stage.driver.mute(place, doctor.id)
    stage.driver.open_room(place)
    stage.driver.mute(place, doctor.id)


def test_closing_a_room_puts_everybody_out(stage, place, doctor):
    if not offers(stage, "lists"):
        return
    stage.driver.open_room(place)
    stage.arrive(stage.driver.join_grant(place, doctor, at=datetime.now(UTC)))
    stage.driver.close_room(place)
    stage.driver.open_room(place)
    assert present(stage, place) == set()


def test_recording_moves_everybody_to_a_room_that_is_recorded_from_its_beginning(stage, place):
    stage.driver.open_room(place)
    if not offers(stage, "records"):
        with pytest.raises(NotOffered):
            stage.driver.start_recording(place)
        return
    recorded = stage.driver.start_recording(place)
    assert recorded.name != place.name
    assert recorded.is_recorded
    assert stage.driver.start_recording(place) == recorded
    assert stage.driver.start_recording(recorded) == recorded
    plain = stage.driver.stop_recording(recorded)
    assert plain.name not in (place.name, recorded.name)
    assert not plain.is_recorded


def test_a_codec_is_called_and_hung_up_on_once_or_twice(stage, place):
    stage.driver.open_room(place)
    if not offers(stage, "dials"):
        with pytest.raises(NotOffered):
            stage.driver.dial_out(place, "sip:room@codec.example.org")
        return
    legs = [stage.driver.dial_out(place, "sip:room@codec.example.org") for _ in range(2)]
    assert legs[0] == legs[1]
    for _ in range(2):
        stage.driver.hang_up(place, legs[0].id)

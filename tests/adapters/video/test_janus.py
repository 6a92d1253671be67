"""What Janus alone has to keep: who gets in, who may make rooms, and what a restart leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from konsilium.adapters.video import EngineAway, Party, Place, connect, read_choice
from konsilium.adapters.video.janus_api import JanusApi, JanusRefused
from konsilium.adapters.video.tokens import janus_token
from tests.adapters.video.engines import Page

NOT_OURS = 433
WRONG_PIN = 433
FORBIDDEN = 403


def engine_of(running, key=b"a key", **more):
    choice = read_choice({**running.environment, **more})
    return connect("janus", choice, key=key, servers=lambda name, at: [])


@pytest.fixture
def engine(janus_server):
    return engine_of(janus_server)


@pytest.fixture
def grant(engine):
    place = Place(uuid4().hex)
    engine.open_room(place)
    return engine.join_grant(place, Party(uuid4()), at=datetime.now(UTC))


def with_keys(grant, **keys):
    return replace(grant, keys={**grant.keys, **keys})


def answer_to(grant):
    page = Page(grant)
    page.close()
    return page.joined.get("videoroom"), page.joined.get("error_code")


def test_a_page_with_its_grant_gets_in(grant):
    assert answer_to(grant) == ("joined", None)


def test_a_grant_for_another_room_does_not_open_this_one(engine, grant):
    elsewhere = Place(uuid4().hex)
    engine.open_room(elsewhere)
    other = engine.join_grant(elsewhere, Party(uuid4()), at=datetime.now(UTC))
    assert answer_to(replace(other, room=grant.room)) == ("event", WRONG_PIN)
    assert answer_to(with_keys(grant, room_token=other.keys["room_token"])) == ("event", NOT_OURS)


def test_without_the_rooms_pin_nobody_gets_in(grant):
    assert answer_to(with_keys(grant, pin="0000")) == ("event", WRONG_PIN)


def test_a_token_that_somebody_made_up_opens_nothing(grant):
    made_up = janus_token(
        "another secret", "janus", ("janus.plugin.videoroom",), datetime.now(UTC) + timedelta(1)
    )
    with pytest.raises(KeyError):
        Page(replace(grant, token=made_up))


def test_a_grant_ends_also_for_whoever_is_in(engine, grant):
    short = engine.join_grant(Place(grant.room), Party(uuid4()), at=datetime.now(UTC) - timedelta(minutes=11))
    with pytest.raises(KeyError):
        Page(short)
    page = Page(grant)
    page.token = short.token
    for said in ({"janus": "keepalive"}, {"janus": "message", "body": {"request": "leave"}}):
        assert page.ask(**said)["error"]["code"] == FORBIDDEN
    # A newer grant goes on where the older one ended.
    page.token = grant.token
    assert "participants" in page.message(request="listparticipants", room=grant.room)
    page.close()


def test_a_page_makes_and_ends_no_rooms_and_puts_nobody_out(grant):
    page = Page(grant)
    assert "error_code" in page.message(request="create", room=uuid4().hex)
    assert "error_code" in page.message(request="destroy", room=grant.room)
    assert "error_code" in page.message(request="kick", room=grant.room, id=grant.party)
    assert "error_code" in page.message(request="enable_recording", room=grant.room, record=True)
    assert page.message(request="list")["list"] == []
    page.close()


def test_a_page_has_no_other_plugin_than_its_own(grant):
    page = Page(grant)
    del page.handle
    assert "error" in page.ask(janus="attach", plugin="janus.plugin.sip")
    page.close()


def test_the_consulting_side_alone_may_call_a_codec(janus_server):
    engine = engine_of(janus_server, KONSILIUM_JANUS_SIP="sip.example.org")
    place = Place(uuid4().hex)
    consultant = engine.join_grant(place, Party(uuid4(), moderates=True), at=datetime.now(UTC))
    doctor = engine.join_grant(place, Party(uuid4()), at=datetime.now(UTC))
    assert consultant.keys["sip_me"].endswith("@sip.example.org")
    assert "sip_me" not in doctor.keys
    assert ("janus.plugin.sip" in consultant.token, "janus.plugin.sip" in doctor.token) == (True, False)


def test_another_deployments_key_ends_none_of_our_rooms(janus_server, grant):
    foreign = engine_of(janus_server, key=b"another key")
    with pytest.raises(EngineAway):
        foreign.close_room(Place(grant.room))
    assert answer_to(grant) == ("joined", None)


def test_without_the_apis_secret_nothing_is_asked(janus_server):
    with pytest.raises(EngineAway), JanusApi(janus_server.http, "a guess").plugin():
        pass


def test_rooms_are_made_with_the_admin_key_alone(janus_server):
    api = JanusApi(janus_server.http, janus_server.environment["KONSILIUM_JANUS_API_SECRET"])
    with pytest.raises(JanusRefused), api.plugin() as handle:
        handle.request("create", room=uuid4().hex, admin_key="a guess")


def test_after_a_crash_the_same_grant_opens_the_same_room_again(janus_server, engine, grant):
    janus_server.kill()
    assert not engine.health().is_up
    with pytest.raises(EngineAway):
        engine.open_room(Place(grant.room))
    janus_server.start()
    assert engine.participants(Place(grant.room)) == ()
    engine.open_room(Place(grant.room))
    assert answer_to(grant) == ("joined", None)


def test_the_settings_text_holds_no_secret(janus_server, engine):
    for name in ("API_SECRET", "TOKEN_SECRET", "ADMIN_KEY"):
        secret = janus_server.environment[f"KONSILIUM_JANUS_{name}"]
        assert secret not in repr(engine._settings)
        assert secret not in repr(read_choice(janus_server.environment))


def test_what_is_lacking_for_janus_is_named(janus_server):
    given = {name: value for name, value in janus_server.environment.items() if "ADMIN" not in name}
    with pytest.raises(ValueError, match="KONSILIUM_JANUS_ADMIN_KEY"):
        read_choice(given)

"""LiveKit and Jitsi: what their servers would say to our tokens, against fakes of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from konsilium.adapters.video import BadChoice, EngineAway, Party, Place, connect, read_choice
from tests.adapters.video.engines import JITSI, livekit_choice
from tests.adapters.video.fakes import KEY, SECRET, Denied, claims_of, livekit_server, open_jitsi

HOUR = timedelta(hours=1)


def now():
    """A token holds for ten minutes, and what checks it looks at the clock."""
    return datetime.now(UTC)


def made(choice):
    return connect(choice.engine, choice, key=b"", servers=lambda name, at: [])


@pytest.fixture
def fake():
    with livekit_server() as running:
        yield running


@pytest.fixture
def livekit(fake):
    return made(livekit_choice(fake))


@pytest.fixture
def jitsi():
    return made(read_choice(JITSI))


@pytest.fixture
def place():
    return Place(uuid4().hex)


def test_livekits_token_opens_its_room_for_its_time_and_has_no_rights_over_others(fake, livekit, place):
    livekit.open_room(place)
    grant = livekit.join_grant(place, Party(uuid4(), "Петров И.", moderates=True), at=now())
    claims = claims_of(grant.token)
    assert claims["video"] == {
        "room": place.name, "roomJoin": True, "canPublish": True, "canSubscribe": True,
    }  # fmt: skip
    assert (claims["sub"], claims["name"]) == (grant.party, "Петров И.")
    assert grant.address.startswith("https://video.example.org/custom?liveKitUrl=wss%3A%2F%2Flk.example.org&")
    fake.join(grant.token)
    with pytest.raises(Denied):
        fake.answer("RemoveParticipant", grant.token, {"room": place.name, "identity": grant.party})


def test_livekit_mutes_the_sound_and_leaves_the_picture(fake, livekit, place):
    livekit.open_room(place)
    grant = livekit.join_grant(place, Party(uuid4()), at=now())
    fake.join(grant.token)
    livekit.mute(place, grant.party)
    tracks = fake.rooms[place.name][grant.party]["tracks"]
    assert [(track["type"], track.get("muted")) for track in tracks] == [("AUDIO", True), ("VIDEO", None)]


def test_an_old_token_opens_nothing(fake, livekit, jitsi, place):
    livekit.open_room(place)
    with pytest.raises(Denied):
        fake.join(livekit.join_grant(place, Party(uuid4()), at=now() - HOUR).token)
    with pytest.raises(Denied):
        open_jitsi(jitsi.join_grant(place, Party(uuid4()), at=now() - HOUR).address)


def test_with_a_wrong_secret_livekit_is_said_to_be_away(fake, place):
    wrong = made(livekit_choice(fake, KONSILIUM_LIVEKIT_SECRET="another secret"))
    assert not wrong.health().is_up
    with pytest.raises(EngineAway):
        wrong.open_room(place)


def test_a_livekit_that_is_not_there_is_said_to_be_away(place):
    with livekit_server() as gone:
        engine = made(livekit_choice(gone))
    assert engine.health().trouble
    with pytest.raises(EngineAway):
        engine.participants(place)


def test_jitsis_token_names_its_room_its_user_and_who_moderates(jitsi, place):
    for moderates in (True, False):
        party = Party(uuid4(), "Соколов А.", moderates=moderates)
        user = open_jitsi(jitsi.join_grant(place, party, at=now()).address)
        assert user == {"id": str(party.id), "name": "Соколов А.", "moderator": moderates}


def test_jitsis_token_opens_no_other_room(jitsi, place):
    grant = jitsi.join_grant(place, Party(uuid4()), at=now())
    with pytest.raises(Denied):
        open_jitsi(grant.address.replace(place.name, uuid4().hex, 1))


def test_a_token_somebody_signed_with_another_secret_opens_nothing(jitsi, place):
    forger = made(read_choice({**JITSI, "KONSILIUM_JITSI_SECRET": "a guess"}))
    with pytest.raises(Denied):
        open_jitsi(forger.join_grant(place, Party(uuid4()), at=now()).address)


def test_their_pages_are_told_to_have_been_checked_with_a_fake_only(livekit, jitsi):
    assert {engine.capabilities().checked_with for engine in (livekit, jitsi)} == {"a fake server"}


def test_secrets_stand_in_no_text_of_theirs(fake):
    for choice in (livekit_choice(fake), read_choice(JITSI)):
        engine = made(choice)
        assert SECRET not in repr(choice) + repr(engine._settings)
        assert KEY in repr(engine._settings)


@pytest.mark.parametrize("name", ["KONSILIUM_JITSI_URL", "KONSILIUM_JITSI_SECRET"])
def test_what_is_lacking_or_in_the_clear_is_named(name):
    with pytest.raises(BadChoice, match=name):
        read_choice({**JITSI, name: ""} if "SECRET" in name else {**JITSI, name: "http://meet.example.org"})


def test_an_engine_without_settings_is_refused_by_name():
    with pytest.raises(BadChoice, match="LiveKit"):
        connect("livekit", replace(read_choice({}), engine="mesh"), key=b"", servers=lambda name, at: [])

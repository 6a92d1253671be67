"""Credentials for a TURN server: made without asking it, for minutes, and only where there is one."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from konsilium.adapters.turn import BadTurn, Turn, ice_servers, read_turn

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
TURN = Turn(("turn:turn.example.org:3478?transport=udp",), "a secret of the tests")


def test_without_a_server_there_are_no_ice_servers():
    assert read_turn({}) == Turn()
    assert ice_servers(read_turn({}), "seat", AT) == []


def test_credentials_end_after_ten_minutes_and_their_password_is_over_the_name():
    (server,) = ice_servers(TURN, "seat", AT)
    ends, _, name = server["username"].partition(":")
    assert (int(ends), name) == ((AT + timedelta(minutes=10)).timestamp(), "seat")
    over = hmac.new(TURN.secret.encode(), server["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(server["credential"]) == over
    assert server["urls"] == list(TURN.urls)


def test_the_secret_is_in_nothing_that_is_printed():
    assert TURN.secret not in repr(TURN)
    assert TURN.secret not in str(ice_servers(TURN, "seat", AT))


@pytest.mark.parametrize(
    "urls",
    [
        "turn:turn.example.org",
        "turns:turn.example.org:5349?transport=tcp",
        "turn:192.0.2.7:3478, turn:[2001:db8::7]:3478?transport=udp",
    ],
)
def test_addresses_of_turn_servers_are_read(urls):
    read = read_turn({"KONSILIUM_TURN_URLS": urls, "KONSILIUM_TURN_SECRET": "x" * 16})
    assert list(read.urls) == [url.strip() for url in urls.split(",")]


@pytest.mark.parametrize(
    ("urls", "secret", "words"),
    [
        ("stun:turn.example.org", "x" * 16, "addresses like turn:"),
        ("turn:turn.example.org/evil", "x" * 16, "addresses like turn:"),
        ("turn:host?transport=sctp", "x" * 16, "addresses like turn:"),
        ("turn:turn.example.org", "", "both"),
        ("", "x" * 16, "both"),
        ("turn:turn.example.org", "short", "at least 16"),
    ],
)
def test_what_cannot_be_used_is_said(urls, secret, words):
    with pytest.raises(BadTurn, match=words):
        read_turn({"KONSILIUM_TURN_URLS": urls, "KONSILIUM_TURN_SECRET": secret})

"""Are login and password right? Against registrars on loopback that check the digest by themselves."""

import pytest

from konsilium.adapters.reach import Target
from konsilium.adapters.sip import client
from konsilium.adapters.sip.addresses import SipUri, read_uri
from konsilium.adapters.sip.registering import Account, Challenge, answered, ask_registrar
from konsilium.workflow.probing import NotReached
from tests.sip_bed import Authority, Honeypot, Server, answer, registrar

DOMAIN = "sip.hospital.example"
SECRET = "тайна с пробелом"


def asked(port, password=SECRET, user="omsk01", transport="udp", trust=None):
    target = Target(DOMAIN, "127.0.0.1", port)
    return ask_registrar(target, Account(user, DOMAIN, password), transport, trust)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", [True, False])
def test_right_and_wrong_passwords_are_told_apart(transport, algorithm, qop):
    for password, code in ((SECRET, "login_right"), ("wrong", "login_wrong")):
        with Server(registrar("omsk01", SECRET, algorithm=algorithm, qop=qop), transport) as server:
            found = asked(server.port, password, transport=transport)
            assert found.answer == code
            assert "credentials" in found.steps
            assert len(server.got) == 2


def test_over_tls_too(tmp_path):
    authority = Authority(tmp_path)
    with Server(registrar("omsk01", SECRET), "tls", authority.server(DOMAIN)) as server:
        assert asked(server.port, transport="tls", trust=authority.trust()).answer == "login_right"
    with Server(registrar("omsk01", SECRET), "tls", authority.server("elsewhere.example")) as server:
        assert asked(server.port, transport="tls", trust=authority.trust()).answer == "other_name"
        assert server.got == []


def test_the_question_has_no_contact_and_the_password_never_travels():
    with Server(registrar("omsk01", SECRET)) as server:
        asked(server.port)
        for request in server.got:
            assert b"\r\nContact" not in request
            assert b"\r\nExpires" not in request
            assert SECRET.encode() not in request
        assert server.got[0].startswith(f"REGISTER sip:{DOMAIN} SIP/2.0".encode())


def test_a_number_that_was_too_old_is_taken_anew_once():
    with Server(registrar("omsk01", SECRET, stale_first=True)) as server:
        assert asked(server.port).answer == "login_right"
        assert len(server.got) == 3


def test_a_server_that_always_says_stale_is_asked_three_times_at_most():
    wanted = 'WWW-Authenticate: Digest realm="a", nonce="n", stale=true'
    with Server(lambda request, number: [answer(request, "401 No", extra=[wanted])]) as server:
        assert asked(server.port).answer == "login_wrong"
        assert len(server.got) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", "login_not_asked"),
        ("403 Forbidden", "login_refused"),
        ("404 Not Found", "login_refused"),
        ("302 Moved", "moved"),
        ("503 Busy", "login_refused"),
    ],
)
def test_other_answers_have_codes_of_their_own(status, code):
    with Server(lambda request, number: [answer(request, status)]) as server:
        assert asked(server.port).answer == code
        assert len(server.got) == 1


@pytest.mark.parametrize(
    "wanted",
    [
        'Basic realm="a"',
        'Digest realm="a", nonce="n", algorithm=SHA-1',
        'Digest realm="a", nonce="n", algorithm=MD5-sess',
        'Digest realm="a", nonce="n", qop="auth-int"',
        'Digest realm="a"',
        'Digest realm="a", nonce="' + "n" * 2000 + '"',
        'Digest realm="a", nonce="тут"',
        "",
    ],
)
def test_to_an_unsafe_or_unknown_way_the_password_is_not_answered(wanted):
    with Server(
        lambda request, number: [answer(request, "401 No", extra=[f"WWW-Authenticate: {wanted}"])]
    ) as server:
        assert asked(server.port).answer == "login_other_way"
        assert len(server.got) == 1


def test_of_several_ways_the_strongest_is_taken():
    wanted = [
        f'WWW-Authenticate: Digest realm="a", nonce="n", algorithm={name}' for name in ("MD5", "SHA-256")
    ]
    with Server(lambda request, number: [answer(request, "401 No", extra=wanted)]) as server:
        asked(server.port)
        assert b"algorithm=SHA-256" in server.got[1]


def test_a_redirect_gets_no_password():
    pot = Honeypot()
    with Server(
        lambda request, number: [answer(request, "302 Moved", extra=[f"Contact: <sip:127.0.0.1:{pot.port}>"])]
    ) as server:
        assert asked(server.port).answer == "moved"
    assert pot.visits() == 0
    pot.close()


def test_a_silent_registrar_is_given_up(monkeypatch):
    monkeypatch.setattr(client, "ALL_SECONDS", 0.6)
    with Server(lambda request, number: []) as server:
        assert asked(server.port).answer == "silent"


def test_a_realm_cant_smuggle_headers():
    wanted = 'WWW-Authenticate: Digest realm="a\\"\\\\b", nonce="n"'
    with Server(lambda request, number: [answer(request, "401 No", extra=[wanted])]) as server:
        asked(server.port)
        assert b'realm="a\\"\\\\b"' in server.got[1]
    line = answered(
        Challenge('a"b', "n", "MD5", has_qop=False, opaque=None, is_stale=False),
        "REGISTER",
        "sip:x",
        Account("u", "d", "p"),
    )
    assert 'realm="a\\"b"' in line


def test_the_answer_is_the_one_of_the_standard():
    """RFC 7616, 3.9.1: MD5 and SHA-256 of the same question."""
    account = Account("Mufasa", "example.org", "Circle of Life")
    for algorithm, response in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        challenge = Challenge(
            "http-auth@example.org",
            "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            algorithm,
            has_qop=True,
            opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
            is_stale=False,
        )
        line = answered(
            challenge,
            "GET",
            "/dir/index.html",
            account,
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        )
        assert f'response="{response}"' in line


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("codec.example.org", SipUri("", "codec.example.org")),
        ("omsk01@codec.example.org", SipUri("omsk01", "codec.example.org")),
        ("sip:omsk01@codec.example.org:5070", SipUri("omsk01", "codec.example.org", 5070)),
        ("sips:omsk01@codec.example.org", SipUri("omsk01", "codec.example.org", 0, "tls")),
        ("SIP:a@[2606:4700::1]:5061;transport=TLS", SipUri("a", "2606:4700::1", 5061, "tls")),
        ("+73812123456@sip.example.org;transport=tcp", SipUri("+73812123456", "sip.example.org", 0, "tcp")),
        ("кодек.больница.рф", SipUri("", "кодек.больница.рф")),
    ],
)
def test_addresses_are_read_into_their_parts(text, uri):
    assert read_uri(text) == uri


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "sip:", "http://codec.example.org", "a:b@codec.example.org", "a@b@codec.example.org",
        "codec.example.org;lr", "codec.example.org?Route=x", "codec.example.org;transport=sctp",
        "codec.example.org:99999", "codec.example.org:", "a b@codec.example.org", "codec.example.org\r\nVia: x",
        "a\n@codec.example.org", '"a" <sip:a@b.example>', "sips:a@b.example;transport=udp", "a%0d%0a@b.example",
        "codec.example.org/path", "codec.example.org#x", "a;b=c@codec.example.org", "x" * 65 + "@b.example",
    ],
)  # fmt: skip
def test_what_isnt_wholly_understood_is_no_address(text):
    with pytest.raises(NotReached, match="bad_address"):
        read_uri(text)

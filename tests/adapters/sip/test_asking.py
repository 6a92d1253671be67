"""Does a SIP device answer? Fakes on loopback, one for each answer, over UDP, TCP and TLS."""

import socket
import ssl
import time

import pytest

from konsilium.adapters.reach import Target
from konsilium.adapters.sip import client
from konsilium.adapters.sip.addresses import SipUri
from konsilium.adapters.sip.asking import ask_options
from konsilium.workflow.probing import ANSWERS
from tests.sip_bed import CODECS, Authority, Honeypot, Server, answer

NAME = "codec.hospital.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def asked(port, transport="udp", trust=None, name=NAME):
    target = Target(name, "127.0.0.1", port)
    found = ask_options(target, SipUri("omsk01", name, port), transport, trust)
    assert found.answer in ANSWERS
    return found


def says(status, **named):
    return lambda request, number: [answer(request, status, **named)]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", "answers"),
        ("404 Not Found", "not_found"),
        ("410 Gone", "not_found"),
        ("401 Unauthorized", "wants_login"),
        ("407 Proxy Authentication Required", "wants_login"),
        ("403 Forbidden", "answers_no"),
        ("405 Method Not Allowed", "answers_no"),
        ("486 Busy Here", "answers_no"),
        ("501 Not Implemented", "answers_no"),
        ("603 Decline", "answers_no"),
        ("302 Moved Temporarily", "moved"),
    ],
)
def test_each_answer_has_its_code(status, code, transport):
    with Server(says(status), transport) as server:
        found = asked(server.port, transport)
    assert found.answer == code
    assert found.measured["code"] == int(status[:3])
    assert found.steps["reach"].numbers["connect_ms"] < 1000


def test_known_codecs_are_told_and_no_other_word_of_the_other_side_is():
    extra = ["Server: EvilCorp 9.1 <script>", "User-Agent: EvilCorp", "Reason: EvilCorp"]
    with Server(says("200 EvilCorp speaking", body=CODECS, extra=extra)) as server:
        found = asked(server.port)
    assert found.measured["codecs"] == ["pcma", "h264"]
    assert "evilcorp" not in repr(found).lower()


def test_over_udp_a_lost_request_is_sent_again_with_the_same_marks():
    with Server(lambda request, number: [answer(request, "200 OK")] if number == 3 else []) as server:
        begun = time.monotonic()
        assert asked(server.port).answer == "answers"
    took = time.monotonic() - begun
    # RFC 3261: after 500 ms, then after a second more.
    assert 1.4 < took < 2.5
    assert len(set(server.got)) == 1


def test_a_provisional_answer_is_waited_on():
    with Server(lambda request, number: [answer(request, "100 Trying"), answer(request, "200 OK")]) as server:
        assert asked(server.port).answer == "answers"
        assert len(server.got) == 1


@pytest.mark.parametrize("lie", ["via", "call_id", "cseq"])
def test_an_answer_to_another_question_counts_for_nothing(lie, monkeypatch):
    monkeypatch.setattr(client, "ALL_SECONDS", 0.8)
    values = {
        "via": "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKother",
        "call_id": "Call-ID: other",
        "cseq": "CSeq: 2 OPTIONS",
    }
    with Server(says("200 OK", **{lie: values[lie]})) as server:
        assert asked(server.port).answer == "silent"
        assert server.got


def test_a_stranger_who_answers_from_elsewhere_isnt_heard(monkeypatch):
    """The socket is connected: only the judged address and port can answer."""
    monkeypatch.setattr(client, "ALL_SECONDS", 0.8)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere, Server(None) as server:

        def talk(request, number):
            via = request.decode().split("Via: SIP/2.0/UDP 127.0.0.1:")[1]
            elsewhere.sendto(answer(request, "200 OK"), ("127.0.0.1", int(via.split(";")[0])))
            return []

        server.talk = talk
        assert asked(server.port).answer == "silent"
        assert server.got


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_closed_port_is_refused_at_once(transport):
    with socket.socket(
        socket.AF_INET, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    ) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    assert asked(port, transport).answer == "refused"
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_silent_one_is_given_up_at_the_set_time(transport, authority, monkeypatch):
    assert (client.CONNECT_SECONDS, client.ALL_SECONDS) == (3, 5)
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.6)
    monkeypatch.setattr(client, "ALL_SECONDS", 1)
    with Server(lambda request, number: [], "udp" if transport == "udp" else "tcp") as server:
        begun = time.monotonic()
        assert asked(server.port, transport, authority.trust()).answer == "silent"
    assert 0.5 < time.monotonic() - begun < 5.5


def test_one_that_drips_is_given_up_at_the_set_time(monkeypatch):
    monkeypatch.setattr(client, "ALL_SECONDS", 1)

    def drip(request, number):
        for byte in answer(request, "200 OK"):
            time.sleep(0.3)
            yield bytes([byte])

    with Server(drip, "tcp") as server:
        # The whole answer would take a minute.
        assert asked(server.port, "tcp").answer == "silent"


@pytest.mark.parametrize(
    "words",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\xff" * 40 + b"\r\n",
        b"SIP/2.0 999 What\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        b"SIP/2.0 200 OK\r\nno colon here\r\n\r\n",
        b"x" * 40_000,
    ],
)
def test_what_isnt_sip_is_told_apart_over_tcp(words):
    with Server(lambda request, number: [words], "tcp") as server:
        assert asked(server.port, "tcp").answer == "not_sip"


def test_what_isnt_sip_is_told_apart_over_udp(monkeypatch):
    monkeypatch.setattr(client, "ALL_SECONDS", 0.8)
    with Server(lambda request, number: [b"hello"]) as server:
        assert asked(server.port).answer == "not_sip"


def test_over_tls_a_valid_certificate_passes_its_own_step(authority):
    with Server(says("200 OK"), "tls", authority.server(NAME)) as server:
        found = asked(server.port, "tls", authority.trust())
    assert found.answer == "answers"
    assert found.measured["tls"] in ("TLSv1.2", "TLSv1.3")
    assert found.steps["tls"].outcome == "passed"


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("expired", NAME, {"expired": True}),
        ("other_name", "codec.elsewhere.example", {}),
        ("unknown_issuer", NAME, {"self_signed": True}),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_apart_and_nothing_is_asked(authority, code, name, kind):
    with Server(says("200 OK"), "tls", authority.server(name, **kind)) as server:
        found = asked(server.port, "tls", authority.trust())
        assert server.got == []
    assert found.answer == code
    assert found.steps["tls"].outcome == "failed"


def test_a_certificate_of_an_authority_nobody_chose_is_unknown(authority):
    with Server(says("200 OK"), "tls", authority.server(NAME)) as server:
        assert asked(server.port, "tls").answer == "unknown_issuer"


def test_the_certificate_of_a_number_is_checked_against_the_number(authority):
    with Server(says("200 OK"), "tls", authority.server("127.0.0.1")) as server:
        assert asked(server.port, "tls", authority.trust(), name="127.0.0.1").answer == "answers"
        assert asked(server.port, "tls", authority.trust(), name="10.1.1.1").answer == "other_name"


def test_old_encryption_is_told_apart(authority):
    old = authority.server(NAME)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with Server(says("200 OK"), "tls", old) as server:
        assert asked(server.port, "tls", authority.trust()).answer == "old_tls"


def test_a_plain_port_speaks_no_tls(authority):
    with Server(lambda request, number: [b"SIP/2.0 400 Bad\r\n\r\n"], "tcp") as server:
        server._serve = lambda line: (line.recv(100), line.sendall(b"SIP/2.0 400 Bad\r\n\r\n"))
        assert asked(server.port, "tls", authority.trust()).answer == "no_tls"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    "status", ["300 Multiple Choices", "301 Moved", "302 Moved", "305 Use Proxy", "380 Other"]
)
def test_a_redirect_is_told_and_never_followed(transport, status, monkeypatch):
    pot = Honeypot()
    lure = f"<sip:x@127.0.0.1:{pot.port};transport={transport}>"
    extra = [f"Contact: {lure}", f"Record-Route: {lure}", f"Alert-Info: <http://127.0.0.1:{pot.port}/>"]
    with Server(says(status, extra=extra), transport) as server:
        assert asked(server.port, transport).answer == "moved"
    assert pot.visits() == 0
    # The control: whoever followed the Contact would be counted.
    monkeypatch.setattr(client, "ALL_SECONDS", 0.3)
    asked(pot.port, transport)
    assert pot.visits() >= 1
    pot.close()

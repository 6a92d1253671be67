# ruff: noqa: S104
"""The guard of typed addresses, against honeypots on loopback: nobody ever comes, and without the guard they would."""

import ipaddress
import socket

import pytest

from konsilium.adapters.own_networks import own_networks
from konsilium.adapters.reach import BadNetworks, Guard, Target, inside, is_never, read_host, read_networks
from konsilium.adapters.sip.addresses import read_uri
from konsilium.adapters.sip.asking import ask_options
from konsilium.workflow.probing import ANSWERS, NotReached
from tests.sip_bed import Honeypot

OMSK, TOMSK = "1.2.643.5.1.13.13.12.2.55.1", "1.2.643.5.1.13.13.12.2.70.1"
EVERYTHING = tuple(ipaddress.ip_network(text) for text in ("0.0.0.0/0", "::/0"))
# Spellings that the C library takes for 127.0.0.1 without asking anybody.
LOOPBACK_TO_LIBC = [
    "127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f.0.0.1", "0x7f000001", "0X7F000001", "2130706433", "017700000001",
    "0177.0.0.1", "0177.0.0.01", "127.0.0.01", "127.0.0.001", "0x7f.0x0.0x0.0x1", "127.0.0x1", "127.000.000.001",
    "00000000000000000000000000000000177.1",
]  # fmt: skip
# What Python's own name handling turns into it, or what says "here" by a name.
LOOPBACK_BY_NAME = [
    "１２７.0.0.1",
    "127。0。0。1",
    "127．0．0．1",
    "①②⑦.0.0.1",
    "localhost",
    "LOCALHOST",
    "ｌｏｃａｌｈｏｓｔ",
]
OTHER_SPELLINGS = [
    "[127.0.0.1]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::7f00:1]",
    "[::]", "0.0.0.0", "0", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:7f00:0001::1]", "[2001:0:7f00:1::]", "[2001::80ff:fffe]", "[fe80::5efe:7f00:1]", "[2606:4700::5efe:7f00:1]",
    "[::ffff:0:7f00:1]", "[fe80::1]", "[fe80::1%lo]", "[::1%lo]", "[fec0::1]", "[ff02::1]", "[fd00:ec2::254]",
    "169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "192.0.2.1", "198.18.0.1", "192.88.99.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fd12::1]",
    "192.0.0.170", "203.0.113.9", "198.51.100.9", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]", "1.2.3",
    "a.0x7f", "codec.127", "127.0.0.1.", "localhost.", "codec", "codec..example.org", "-a.example.org", "a_b.example.org",
    "127.0.0.1#.example.org", "127.0.0.1\\.example.org", "127.0.0.1/.example.org", "127.0.0.1?.example.org",
    "user:secret@127.0.0.1", "codec.example.org@127.0.0.1", "127.0.0.1;lr", "127.0.0.1?Route=x", "127.0.0.1\r\nVia: x",
    "127.0.0.1\n", "127.0.0.1\x00.example.org", "127.0.0.1 .example.org", "\u200b127.0.0.1", "127.0.0.1\u200d", "",
]  # fmt: skip
SPELLINGS = [*LOOPBACK_TO_LIBC, *LOOPBACK_BY_NAME, *OTHER_SPELLINGS]
# What a name service may answer for a name that looks harmless.
ANSWERED = [
    ["127.0.0.1"], ["127.255.255.254"], ["::1"], ["::ffff:127.0.0.1"], ["::127.0.0.1"], ["64:ff9b::7f00:1"],
    ["64:ff9b:1::7f00:1"], ["2002:7f00:1::1"], ["2001:0:1:2:3:4:80ff:fffe"], ["2606:4700::5efe:7f00:1"],
    ["::ffff:0:7f00:1"], ["fe80::1"], ["fe80::1%lo"], ["fec0::1"], ["fd00:ec2::254"], ["fd12::1"], ["0.0.0.0"], ["::"],
    ["169.254.169.254"], ["10.0.0.1"], ["192.168.0.1"], ["172.31.255.255"], ["100.127.0.1"], ["224.0.0.251"],
    ["64:ff9b::a00:1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8"] * 3 + ["::1"],
    ["2606:4700::1111", "10.0.0.1"], [], ["8.8.8.8"] * 17, ["no number"],
]  # fmt: skip


@pytest.fixture
def pot():
    """Listens; at the test's end nobody has come that the test didn't count itself."""
    pot = Honeypot()
    yield pot
    assert pot.visits() == 0
    pot.close()


def probe(guard, text, port, *, transport="tcp"):
    """What the prober does with a typed address; returns the answer's code."""
    try:
        uri = read_uri(f"{text}:{port}")
        target = guard.judged(uri.host, uri.port, OMSK)
    except NotReached as refusal:
        return refusal.code
    return ask_options(target, uri, transport).answer


def counted(pot):
    assert pot.visits() >= 1


def test_there_are_enough_cases():
    assert len(set(SPELLINGS)) + len(ANSWERED) >= 60


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("text", SPELLINGS, ids=ascii)
def test_no_spelling_leads_into_a_closed_network(pot, text, transport):
    """Everything opened that a setting could ever open; the name service is asked for real."""

    def asked(name):
        raise AssertionError(name)

    assert probe(Guard({OMSK: ()}, resolve=asked), text, pot.port, transport=transport) in (
        "bad_address",
        "closed_address",
    )


@pytest.mark.parametrize("text", LOOPBACK_TO_LIBC)
def test_without_the_guard_these_spellings_reach_the_honeypot(pot, text):
    with socket.create_connection((text, pot.port), timeout=2):
        counted(pot)


@pytest.mark.parametrize("answers", ANSWERED, ids=str)
def test_no_answer_of_a_name_service_leads_into_a_closed_network(pot, answers):
    guard = Guard({}, own=lambda: (), resolve=lambda name: answers)
    assert probe(guard, "codec.hospital.example", pot.port) in ("closed_address", "no_name")


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "2002:7f00:1::1"]
)
def test_opening_everything_opens_nothing_of_this_machine(pot, text):
    """Settings refuse such networks; were they put in all the same, the judge still says no."""
    guard = Guard({OMSK: EVERYTHING}, own=lambda: (), resolve=lambda name: [text])
    assert probe(guard, "codec.hospital.example", pot.port) == "closed_address"


def test_with_a_judge_that_says_yes_the_honeypot_is_reached(pot):
    """The control run: it is the judge that kept everybody away."""
    guard = Guard({}, resolve=lambda name: ["127.0.0.1"], judge=lambda number, oid: True)
    probe(guard, "codec.hospital.example", pot.port)
    counted(pot)


class Rebinding:
    """A name service that answers harmlessly once, and with loopback ever after."""

    def __init__(self, first):
        self.first, self.asked = first, 0

    def __call__(self, name):
        self.asked += 1
        return [self.first if self.asked == 1 else "127.0.0.1"]


@pytest.mark.parametrize("first", ["8.8.8.8", "2606:4700::1111"])
def test_a_name_is_resolved_once_and_the_judged_number_is_what_is_connected_to(first):
    names = Rebinding(first)
    target = Guard({}, own=lambda: (), resolve=names).judged("codec.hospital.example", 5060, OMSK)
    assert target == Target("codec.hospital.example", first, 5060)
    assert names.asked == 1


def test_who_asks_the_name_again_after_judging_reaches_the_honeypot(pot):
    """The control run for rebinding: judge the first answer, connect to the name."""
    names = Rebinding("8.8.8.8")
    Guard({}, own=lambda: (), resolve=names).judged("codec.hospital.example", pot.port, OMSK)
    with socket.create_connection((names("codec.hospital.example")[0], pot.port), timeout=2):
        counted(pot)


@pytest.mark.parametrize("number", ["10.20.3.4", "192.168.4.9", "100.64.1.1", "172.16.5.5", "fd12:3456::9"])
def test_a_private_network_is_open_for_the_organisation_it_was_opened_for_and_nobody_else(number):
    opened = read_networks(f"{OMSK}=10.20.0.0/16,192.168.4.0/24,100.64.0.0/10,172.16.0.0/12,fd12:3456::/32")
    guard = Guard(opened, own=lambda: (), resolve=lambda name: [number])
    for host in ("codec.hospital.example", number):
        assert guard.judged(host, 5060, OMSK).number == number
        for other in (TOMSK, ""):
            with pytest.raises(NotReached, match="closed_address"):
                guard.judged(host, 5060, other)


@pytest.mark.parametrize("number", ["10.21.0.1", "192.168.5.1", "fd13::1"])
def test_beside_an_opened_network_it_stays_closed(number):
    guard = Guard(read_networks(f"{OMSK}=10.20.0.0/16,192.168.4.0/24,fd12::/32"), own=lambda: ())
    with pytest.raises(NotReached, match="closed_address"):
        guard.judged(number, 5060, OMSK)


def test_our_own_networks_stay_closed_also_where_they_were_opened():
    own = ipaddress.ip_network("10.20.7.0/24")
    opened = read_networks(f"{OMSK}=10.20.0.0/16")
    guard = Guard(opened, own=lambda: (own,))
    with pytest.raises(NotReached, match="closed_address"):
        guard.judged("10.20.7.7", 5060, OMSK)
    assert guard.judged("10.20.8.7", 5060, OMSK)
    # The control run: it is the own list that closes it.
    assert Guard(opened, own=lambda: ()).judged("10.20.7.7", 5060, OMSK)


def test_the_kernel_tells_which_networks_are_our_own():
    mine = own_networks()
    assert any(ipaddress.ip_address("127.0.0.1") in network for network in mine if network.version == 4)
    here = {row[4][0] for row in socket.getaddrinfo(socket.gethostname(), None)}
    for text in here:
        number = ipaddress.ip_address(text.partition("%")[0])
        assert is_never(number) or any(
            network.version == number.version and number in network for network in mine
        )


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_numbers_are_open(text):
    assert Guard({}, own=lambda: ()).judged(text, 5060, "").number == text


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::10.0.0.1", "10.0.0.1"),
        ("64:ff9b::a00:1", "10.0.0.1"),
        ("64:ff9b:1::a00:1", "10.0.0.1"),
        ("2002:a00:1::1", "10.0.0.1"),
        ("2001:0:1:2:3:4:f5ff:fffe", "10.0.0.1"),
        ("2606:4700::5efe:a00:1", "10.0.0.1"),
        ("2606:4700::200:5efe:a00:1", "10.0.0.1"),
        ("::ffff:0:a00:1", "10.0.0.1"),
    ],
)
def test_the_ipv4_inside_an_ipv6_address_is_seen_and_closed(text, inner):
    assert inside(ipaddress.ip_address(text)) == ipaddress.ip_address(inner)
    # Also for whom 10.0.0.0/8 is open: no codec lives at such an address.
    guard = Guard(read_networks(f"{OMSK}=10.0.0.0/8"), own=lambda: (), resolve=lambda name: [text])
    with pytest.raises(NotReached, match="closed_address"):
        guard.judged("codec.hospital.example", 5060, OMSK)


@pytest.mark.parametrize("port", [0, 1, 22, 25, 53, 80, 110, 389, 445, 1023, 65536, 99999, -1])
def test_ports_of_other_services_are_closed(port):
    with pytest.raises(NotReached, match="bad_port"):
        Guard({}).judged("8.8.8.8", port, OMSK)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Codec.Omsk.Example", "codec.omsk.example"),
        ("Кодек.Больница.рф", "кодек.больница.рф".encode("idna").decode()),
        ("xn--d1acncr.example", "xn--d1acncr.example"),
        ("1.codec.example", "1.codec.example"),
    ],
)
def test_names_are_read_into_ascii(text, name):
    assert read_host(text) == (name, None)


def test_a_names_search_list_is_never_used(monkeypatch):
    asked = []

    def name_service(name, *rest, **named):
        asked.append(name)
        return [(0, 0, 0, "", ("8.8.8.8", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", name_service)
    assert Guard({}, own=lambda: ()).judged("codec.hospital.example", 5060, "").number == "8.8.8.8"
    assert asked == ["codec.hospital.example."]


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/8",
        f"{OMSK}=",
        f"{OMSK}=10.0.0.1/8",
        f"{OMSK}=127.0.0.0/8",
        f"{OMSK}=169.254.0.0/16",
        f"{OMSK}=0.0.0.0/0",
        f"{OMSK}=::/0",
        f"{OMSK}=fe80::/10",
        f"{OMSK}=8.8.8.0/24",
        f"{OMSK}=10.0.0.0/7",
        "omsk=10.0.0.0/8",
    ],
)
def test_a_setting_opens_private_networks_and_nothing_else(text):
    with pytest.raises(BadNetworks, match="KONSILIUM_PRIVATE_NETWORKS"):
        read_networks(text)


def test_the_setting_is_read_by_organisation():
    found = read_networks(f" {OMSK} = 10.20.0.0/16, fd12::/32 ; {TOMSK}=192.168.0.0/16;")
    assert {oid: [str(one) for one in networks] for oid, networks in found.items()} == {
        OMSK: ["10.20.0.0/16", "fd12::/32"],
        TOMSK: ["192.168.0.0/16"],
    }
    assert read_networks("") == {}


def test_every_answer_has_words_and_every_failure_says_what_to_do():
    for code, answer in ANSWERS.items():
        assert answer.words.endswith("."), code
        assert answer.outcome in ("", "passed", "limited", "failed")
        assert answer.outcome == "passed" or answer.advice, code

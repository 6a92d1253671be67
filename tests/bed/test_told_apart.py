"""Looks and test calls at real servers of other makers: each trouble has an answer of its own, each direction its name."""

import time
from contextlib import contextmanager

import pytest

from konsilium.adapters.reach import Target
from konsilium.adapters.sip.addresses import read_uri
from konsilium.adapters.sip.asking import ask_options
from konsilium.adapters.sip.calls import Setting, make_call
from konsilium.adapters.sip.echo import Desk, EchoLine
from konsilium.adapters.sip.registering import Account, ask_registrar
from konsilium.workflow.probing import NotReached
from tests.bed.codec import codec, registered
from tests.bed.kamailio import PASSWORD, registrar
from tests.bed.space import namespace, need
from tests.sip_bed import Authority

pytestmark = pytest.mark.xdist_group("calls")
LONG = 16.0
MEDIA = "36000:36999"
LOSS = ("-m", "statistic", "--mode", "nth", "--every", "20", "--packet", "0", "-j", "DROP")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def bed(tmp_path_factory, authority):
    """A hospital's server with a codec registered at it, both in a namespace."""
    need("kamailio", "baresip", "iptables")
    folder = tmp_path_factory.mktemp("told")
    with namespace() as space:
        authority.server(space.inside)
        pem = next(authority.folder.glob(f"{space.inside}-False-False.pem")).read_text()
        account = f'auth_user=codec;auth_pass="{PASSWORD}";regint=60;outbound="sip:{space.inside}:5060"'
        with (
            registrar(folder / "server", space, pem) as server,
            codec(folder / "codec", space, is_inside=True, at=server, more=account) as room,
        ):
            registered(room)
            space.server, space.room = server, room
            yield space


def target(space, port=5060):
    return Target(space.inside, space.inside, port)


def closed(host, port):
    raise NotReached("closed_address")


def call(space, user="codec", *, seconds=1.0, account=None, port=5060, transport="udp", trust=None):
    uri = read_uri(f"sip:{user}@{space.inside}")
    return make_call(
        target(space, port), uri, transport, account, closed, Setting(seconds=seconds, trust=trust)
    )


@contextmanager
def wall(space, *rule):
    """A firewall's rule in the namespace while the body runs."""
    space.run("iptables", "-A", *rule)
    try:
        yield
    finally:
        space.run("iptables", "-D", *rule)


# --- Told apart by signalling


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_server_answers_over_each_transport(bed, authority, transport):
    port = 5061 if transport == "tls" else 5060
    found = ask_options(target(bed, port), read_uri(bed.inside), transport, authority.trust())
    assert found.answer == "answers"


@pytest.mark.parametrize(("password", "code"), [(PASSWORD, "login_right"), ("another", "login_wrong")])
def test_the_server_tells_a_right_password_from_a_wrong_one(bed, password, code):
    account = Account("codec", "sip.test", password)
    assert ask_registrar(target(bed), account, "udp").answer == code


@pytest.mark.parametrize(
    ("user", "code"), [("nobody", "not_found"), ("known", "not_registered"), ("guarded", "no_password")]
)
def test_who_is_not_there_is_told_apart(bed, user, code):
    assert call(bed, user).answer == code


@pytest.mark.parametrize(("password", "code"), [(PASSWORD, "not_found"), ("another", "login_wrong")])
def test_a_call_answers_the_servers_question(bed, password, code):
    assert call(bed, "guarded", account=Account("codec", "sip.test", password)).answer == code


def test_a_certificate_that_nobody_vouches_for_ends_the_call_before_it(bed):
    found = call(bed, port=5061, transport="tls")
    assert found.answer == "unknown_issuer"
    assert {code: step.outcome for code, step in found.steps.items()} == {"call": "failed", "tls": "failed"}


def test_a_codec_that_knows_no_common_codec_says_so(bed, tmp_path):
    with codec(tmp_path / "poor", bed, is_inside=True, port=5080, codecs="l16/8000/1") as room:
        uri = read_uri(room.address)
        found = make_call(target(bed, 5080), uri, "udp", None, closed, Setting(seconds=1))
    assert found.answer == "no_common_codec"


# --- Told apart by media


def test_a_call_through_the_server_carries_sound_and_picture_both_ways(bed):
    found = call(bed, seconds=12.0)
    # The codec's picture is 320 by 240: limited by its band.
    assert found.answer == "call_limited"
    assert found.steps["picture_in"].outcome == "limited"
    assert set(found.steps) == {"call", "sound_in", "sound_out", "picture_in", "picture_out"}
    assert not [code for code, step in found.steps.items() if step.outcome == "failed"]
    assert found.steps["sound_in"].numbers["loss"] == found.steps["sound_out"].numbers["loss"] == 0
    assert found.measured["codecs"] == {"audio": "opus", "video": "vp8"}
    assert found.steps["picture_in"].numbers["width"] == 320
    assert found.steps["sound_in"].numbers["mos"] > 4
    assert found.picture.startswith(b"\x89PNG")


@pytest.mark.prove
def test_one_packet_of_twenty_lost_is_measured_within_a_point_each_way(bed):
    for chain, step in (("INPUT", "sound_out"), ("OUTPUT", "sound_in")):
        other = "sound_in" if step == "sound_out" else "sound_out"
        ports = "--dport" if chain == "INPUT" else "--sport"
        with wall(bed, chain, "-p", "udp", ports, MEDIA, *LOSS):
            found = call(bed, seconds=LONG)
        assert found.steps[step].numbers["loss"] == pytest.approx(5, abs=1)
        assert found.steps[step].outcome == "failed"
        assert found.steps[other].numbers["loss"] < 1
        assert found.answer == "call_limited"


@pytest.mark.prove
def test_media_missing_one_way_are_named_by_their_direction(bed):
    with wall(bed, "INPUT", "-p", "udp", "--dport", MEDIA, "-j", "DROP"):
        found = call(bed, seconds=LONG)
    assert found.answer == "no_media_out"
    assert (found.steps["sound_out"].outcome, found.steps["sound_in"].outcome) == ("failed", "passed")
    with wall(bed, "OUTPUT", "-p", "udp", "--sport", MEDIA, "-j", "DROP"):
        found = call(bed, seconds=LONG)
    assert found.answer == "no_media_in"
    assert found.steps["sound_in"].outcome == "failed"
    # Their reports are lost with the rest: of the other direction nothing is known, so nothing is said.
    assert "sound_out" not in found.steps


# --- The echo line


@pytest.mark.prove
def test_a_codec_behind_a_firewall_dials_the_echo_line_and_its_losses_are_named(bed, tmp_path):
    landed = []
    desk = Desk(
        lambda number: "the test" if number == "12345678" else None, lambda *told: landed.append(told)
    )
    line = EchoLine(bed.outside, 0, desk)
    line.start()
    rule = ("OUTPUT", "-p", "udp", "--sport", MEDIA, *LOSS)
    try:
        with codec(tmp_path / "codec", bed, is_inside=True, port=5090) as room, wall(bed, *rule):
            room.say("dial", f"sip:12345678@{bed.outside}:{line.port}")
            room.hear("CALL_ESTABLISHED")
            time.sleep(LONG)
            room.say("hangup")
            room.hear("CALL_CLOSED")
            time.sleep(1)
    finally:
        line.stop()
    ((key, found),) = landed
    assert key == "the test"
    assert found.answer == "echo_limited"
    assert found.steps["sound_in"].numbers["loss"] == pytest.approx(5, abs=1)
    assert found.steps["sound_out"].numbers["loss"] < 1

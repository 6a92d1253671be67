"""Debian's coturn, as an operator runs it, with the credentials that Konsilium hands out."""

import asyncio
import socket
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aioice.stun import Class, Message, Method, TransactionFailed
from aioice.turn import TCP_TRANSPORT, TurnClientTcpProtocol

from konsilium.adapters.turn import Turn, ice_servers
from tests.bed.coturn import coturn

pytestmark = pytest.mark.xdist_group("coturn")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


class Ear(asyncio.DatagramProtocol):
    """Keep what arrives, and what a relay refused."""

    def __init__(self):
        self.heard, self.refused = [], []

    def datagram_received(self, data, addr):
        self.heard.append(data)

    def error_received(self, error):
        self.refused.append(error)


@contextmanager
def honeypot(address):
    """A UDP socket that nothing should reach."""
    with socket.socket(type=socket.SOCK_DGRAM) as bait:
        bait.bind((address, 0))
        bait.setblocking(False)
        yield bait


def code(refused):
    return refused.response.attributes["ERROR-CODE"][0]


def test_two_pages_meet_through_relays_with_our_credentials(server):
    async def meet():
        ears = [Ear(), Ear()]
        ours, theirs = [await server.relay(receiver=lambda ear=ear: ear) for ear in ears]
        for _ in range(20):
            ours.sendto(b"hello", theirs.get_extra_info("sockname"))
            theirs.sendto(b"and you", ours.get_extra_info("sockname"))
            await asyncio.sleep(0.05)
        ours.close()
        theirs.close()
        await asyncio.sleep(0.05)
        return [set(ear.heard) for ear in ears]

    assert asyncio.run(meet()) == [{b"and you"}, {b"hello"}]


def test_credentials_that_ended_give_no_relay(server):
    ago = datetime.now(UTC) - timedelta(minutes=11)
    with pytest.raises(TransactionFailed) as refused:
        asyncio.run(server.relay(at=ago))
    assert code(refused.value) == 401


def test_credentials_of_another_secret_give_no_relay(server):
    with pytest.raises(TransactionFailed) as refused:
        asyncio.run(server.relay(turn=Turn((server.url,), "a secret of somebody else")))
    assert code(refused.value) == 401


def test_a_relay_goes_on_after_its_credentials_ended(server):
    async def outlive():
        relay = await server.relay(valid=timedelta(seconds=2))
        await asyncio.sleep(3.2)
        inner = relay._TurnTransport__inner_protocol
        request = Message(message_method=Method.REFRESH, message_class=Class.REQUEST)
        request.attributes["LIFETIME"] = 600
        answer, _ = await inner.request_with_retry(request)
        relay.close()
        await asyncio.sleep(0.05)
        return answer.message_class

    assert asyncio.run(outlive()) == Class.RESPONSE


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.1",
        "224.0.0.251",
    ],
)
def test_special_addresses_are_no_peers(server, address):
    assert refusal(server, (address, 5060)) == 403


def test_the_network_beside_the_server_is_no_peer(server):
    with honeypot(server.space.outside) as bait:
        assert refusal(server, bait.getsockname()) == 403
        with pytest.raises(BlockingIOError):
            bait.recv(1500)


def refusal(server, peer):
    """Return the code with which the server refuses to relay to a peer; None when it doesn't."""

    async def send():
        ear = Ear()
        relay = await server.relay(receiver=lambda: ear)
        relay.sendto(b"anybody there?", peer)
        await asyncio.sleep(0.3)
        relay.close()
        await asyncio.sleep(0.05)
        return code(ear.refused[0]) if ear.refused else None

    return asyncio.run(send())


def test_no_relay_of_tcp_is_given(server):
    async def ask():
        (given,) = ice_servers(server.turn, "test", datetime.now(UTC))
        client = TurnClientTcpProtocol(server.address, given["username"], given["credential"], 600, 500)
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: client, *server.address)
        request = Message(message_method=Method.ALLOCATE, message_class=Class.REQUEST)
        request.attributes["REQUESTED-TRANSPORT"] = TCP_TRANSPORT
        try:
            await client.request_with_retry(request)
        finally:
            transport.close()

    with pytest.raises(TransactionFailed) as refused:
        asyncio.run(ask())
    assert code(refused.value) in (403, 442)


def test_a_quota_ends_how_many_relays_one_name_takes(server):
    async def take():
        taken = []
        try:
            while len(taken) < 30:
                taken += [await server.relay(name="greedy")]
        except TransactionFailed as refused:
            return len(taken), code(refused)
        finally:
            for relay in taken:
                relay.close()
            await asyncio.sleep(0.2)
        return len(taken), None

    assert asyncio.run(take()) == (24, 486)

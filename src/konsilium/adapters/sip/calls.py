"""A test call with sound and picture: our own signalling to a judged address, media by baresip, counted in between."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from konsilium.adapters.reach import Target
from konsilium.adapters.sip import baresip
from konsilium.adapters.sip.addresses import SipUri
from konsilium.adapters.sip.client import CONNECT_SECONDS, opened
from konsilium.adapters.sip.descriptions import Media, read_description, readdressed
from konsilium.adapters.sip.dialling import Dialogue, dialogue
from konsilium.adapters.sip.listening import Call, Listener, listen
from konsilium.adapters.sip.ports import Place
from konsilium.adapters.sip.registering import Account
from konsilium.adapters.sip.relaying import LOOPBACK, Relay, relays
from konsilium.adapters.sip.weighing import weighed
from konsilium.workflow.probing import Found, NotReached, StepFound

# Reports come every five seconds; two of them at least.
MEDIA_SECONDS, OFFER_SECONDS, ALL_SECONDS = 14.0, 5.0, 90.0
_TLS = frozenset({"no_tls", "old_tls", "expired", "other_name", "unknown_issuer", "bad_certificate"})
# Answers that tell nothing of the equipment.
_OURS = frozenset({"not_here", "broke", "no_password", "closed_address", "busy"})
# May media go to this address? Raises NotReached where not.
Judge = Callable[[str, int], Target]


@dataclass(frozen=True)
class Setting:
    """How a call is made here: where our media live, who vouches, how long it stands."""

    place: Place = field(default_factory=Place)
    trust: ssl.SSLContext | None = None
    seconds: float = MEDIA_SECONDS


@dataclass
class _Stage:
    """What stands while a call is made: the program's own call to us, and its offer."""

    come: asyncio.Future[Call] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def take(self, call: Call) -> None:
        if not self.come.done():
            self.come.set_result(call)
            await call.over.wait()


def make_call(
    target: Target, uri: SipUri, transport: str, account: Account | None, judge: Judge, setting: Setting
) -> Found:
    """Call equipment for some seconds, and return what came of it. Never raises."""
    try:
        return asyncio.run(_within(target, uri, transport, account, judge, setting))
    except NotReached as trouble:
        return not_made(trouble)


def not_made(trouble: NotReached) -> Found:
    """Return what a call that never stood tells."""
    if trouble.code in _OURS:
        return Found(trouble.code, trouble.measured)
    steps = {"call": StepFound("failed")} | ({"tls": StepFound("failed")} if trouble.code in _TLS else {})
    return Found(trouble.code, trouble.measured, steps)


async def _within(
    target: Target, uri: SipUri, transport: str, account: Account | None, judge: Judge, setting: Setting
) -> Found:
    try:
        async with asyncio.timeout(ALL_SECONDS):
            return await _called(target, uri, transport, account, judge, setting)
    except TimeoutError as error:
        raise NotReached("call_failed") from error
    except OSError as error:
        raise NotReached("broke") from error


async def _called(
    target: Target, uri: SipUri, transport: str, account: Account | None, judge: Judge, setting: Setting
) -> Found:
    async with AsyncExitStack() as stack:
        child = await stack.enter_async_context(baresip.running())
        stage = _Stage()
        desk = await listen(LOOPBACK, 0, stage.take)
        stack.callback(desk.close)
        own = await _offered(child, desk, stage)
        line = await _opened(stack, target, transport, setting)
        host = _host(line.place)
        offer = read_description(own.asked.body)
        media = await relays(offer, host, setting.place)
        for one in media:
            stack.callback(one.close)
        description = readdressed(
            own.asked.body, setting.place.address or host, [one.outer_port for one in media]
        )
        begun = asyncio.get_running_loop().time()
        talk = dialogue(line, transport, uri, description, account)
        answer = await talk.call()
        took = round((asyncio.get_running_loop().time() - begun) * 1000, 1)
        stack.push_async_callback(talk.end)
        taken = read_description(answer.body)
        if not any(one.is_on for one in taken):
            raise NotReached("no_common_codec")
        judged = _judged(target, taken, judge)
        _begin(media, offer, taken, judged)
        await desk.accept(own, readdressed(answer.body, LOOPBACK, [one.inner_port for one in media]))
        picture, stood = await _stood(child, talk, setting.seconds)
        await desk.end(own)
        measured = {"set_up_ms": took, "seconds": stood, "rang": talk.has_rung}
        return weighed(media, taken, measured, picture, is_cut=stood < setting.seconds - 1)


async def _opened(stack: AsyncExitStack, target: Target, transport: str, setting: Setting) -> Any:
    try:
        async with asyncio.timeout(CONNECT_SECONDS + 1):
            return await stack.enter_async_context(opened(target, transport, setting.trust))
    except TimeoutError as error:
        raise NotReached("silent") from error


async def _offered(child: baresip.Child, desk: Listener, stage: _Stage) -> Call:
    """Have the program call us, and return its call with its offer."""
    await child.say("dial", f"sip:call@{LOOPBACK}:{desk.port}")
    try:
        return await asyncio.wait_for(stage.come, OFFER_SECONDS)
    except TimeoutError as error:
        raise NotReached("broke") from error


def _judged(target: Target, media: Sequence[Media], judge: Judge) -> frozenset[str]:
    """Return the addresses that media may go to and come from: the called one, and others that the guard opens."""
    found = {target.number}
    for one in media:
        if one.is_on and one.host not in found:
            with suppress(NotReached):
                found.add(judge(one.host, one.port).number)
    return frozenset(found)


def _begin(
    media: Sequence[Relay], offer: Sequence[Media], answer: Sequence[Media], judged: frozenset[str]
) -> None:
    if len(answer) != len(offer):
        raise NotReached("call_failed")
    for relay, offered, taken in zip(media, offer, answer, strict=True):
        relay.begin(offered, taken, judged)


async def _stood(child: baresip.Child, talk: Dialogue, seconds: float) -> tuple[bytes | None, float]:
    """Let the call stand, and return the picture seen shortly before its end, and how long it stood."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    standing = asyncio.ensure_future(talk.stand())
    done, _ = await asyncio.wait({standing}, timeout=max(seconds - 2, 0.5))
    picture = None
    if not done:
        picture = await child.picture()
        left = seconds - (loop.time() - begun)
        await asyncio.wait({standing}, timeout=max(left, 0.1))
    stood = round(loop.time() - begun, 1)
    standing.cancel()
    with suppress(asyncio.CancelledError, NotReached):
        await standing
    return picture, stood


def _host(place: str) -> str:
    return place.rpartition(":")[0].strip("[]")


__all__ = ["Setting", "make_call", "not_made"]

"""Calls somebody over an open line: INVITE, its answers, the dialogue, goodbye (RFC 3261, 13 and 15)."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace

from konsilium.adapters.sip.addresses import SipUri
from konsilium.adapters.sip.client import FINAL, T1, T2, Line
from konsilium.adapters.sip.messages import (
    NotSip,
    Request,
    Response,
    invite,
    read_asked,
    read_response,
    replied,
)
from konsilium.adapters.sip.registering import CHALLENGES, Account, answered, chosen
from konsilium.workflow.probing import NotReached

FIRST_SECONDS, RING_SECONDS = 5.0, 30.0
# What a refusal means; whatever isn't here is "call_failed".
_CODES = {
    401: "no_password", 407: "no_password", 404: "not_found", 410: "not_found", 604: "not_found",
    480: "not_registered", 408: "not_answered", 487: "not_answered", 486: "busy", 600: "busy",
    603: "declined", 488: "no_common_codec", 606: "no_common_codec", 415: "no_common_codec",
}  # fmt: skip
_SUCCESSES, _REDIRECTS = range(200, 300), range(300, 400)


@dataclass
class Dialogue:
    """A call that we make over a line; `over` is set when the other side ends it."""

    line: Line
    transport: str
    request: Request
    account: Account | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    has_rung: bool = False
    _answer: Response | None = None

    async def call(self) -> Response:
        """Call, answer a challenge once, and return the answer that took the call. Raises NotReached."""
        response = await self._asked()
        if response.code in CHALLENGES and self.account is not None:
            header = CHALLENGES[response.code][1]
            value = answered(chosen(response), "INVITE", self.request.uri, self.account)
            self.request = self.request.again({header: value})
            response = await self._asked()
            if response.code in CHALLENGES:
                raise NotReached("login_wrong", code=response.code)
        if response.code in _SUCCESSES:
            self._answer = response
            await self._acknowledge()
            return response
        raise NotReached(_meaning(response.code), code=response.code)

    async def _asked(self) -> Response:
        """Ask until an answer is final; a refusal is acknowledged."""
        content = self.request.written(self.transport, self.line.place)
        loop = asyncio.get_running_loop()
        begun, pause, came = loop.time(), T1, None
        await self.line.send(content)
        while True:
            left = (RING_SECONDS if came else FIRST_SECONDS) - (loop.time() - begun)
            if left <= 0:
                await self._give_up(came)
            with suppress(TimeoutError):
                answer = await asyncio.wait_for(
                    self._next(), left if came or self.transport != "udp" else min(pause, left)
                )
                came = answer or came
                self.has_rung |= bool(answer and answer.code in {180, 183})
                if answer is not None and answer.code >= FINAL:
                    if answer.code not in _SUCCESSES:
                        await self._say("ACK", to=answer.first("to"))
                    return answer
                continue
            if came is None and self.transport == "udp":
                await self.line.send(content)
                pause = min(pause * 2, T2)

    async def _give_up(self, came: Response | None) -> None:
        if came is None:
            raise NotReached("silent")
        await self._say("CANCEL", to=self.request.to)
        raise NotReached("not_answered" if self.has_rung else "call_failed")

    async def _next(self) -> Response | None:
        """Read one message: an answer to our call, or None after dealing with anything else."""
        content = await self.line.receive()
        with suppress(NotSip, ValueError):
            if not content.startswith(b"SIP/2.0 "):
                await self._dealt(content)
                return None
            response = read_response(content)
            return response if response.answers(self.request) else None
        return None

    async def _dealt(self, content: bytes) -> None:
        asked = read_asked(content)
        is_ours = asked.first("call-id") == self.request.call_id
        if asked.method == "ACK":
            return
        if is_ours and asked.method == "BYE":
            self.over.set()
        status = (
            "200 OK" if is_ours and asked.method in {"BYE", "INFO", "OPTIONS"} else "488 Not Acceptable Here"
        )
        await self.line.send(replied(asked, status, tag=self.request.tag))

    async def stand(self) -> None:
        """Keep the dialogue alive until cancelled or over: repeated answers are acknowledged again."""
        while not self.over.is_set():
            response = await self._next()
            if response is not None and response.code in _SUCCESSES:
                await self._acknowledge()

    async def _acknowledge(self) -> None:
        await self._in_dialogue("ACK", self.request.number)

    async def end(self) -> None:
        """Say goodbye; waits a moment for the answer."""
        if self.over.is_set() or self._answer is None:
            return
        with suppress(NotReached):
            await self._in_dialogue("BYE", self.request.number + 1)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.line.receive(), 1)

    async def _in_dialogue(self, method: str, number: int) -> None:
        answer = self._answer
        if answer is None:
            return
        contact = re.search(r"<(sips?:[!-~]{1,300}?)>|^(sips?:[^;,\s]{1,300})", answer.first("contact"))
        uri = (contact[1] or contact[2]) if contact else self.request.uri
        routes = list(reversed(answer.headers.get("record-route", ())))
        made = replace(
            self.request.again({}), method=method, number=number, uri=uri, body="", to=answer.first("to")
        )
        made = replace(made, extra={"Route": ", ".join(routes)} if routes else {})
        await self.line.send(made.written(self.transport, self.line.place))

    async def _say(self, method: str, *, to: str) -> None:
        """Send what belongs to the very INVITE: its branch and number."""
        made = replace(self.request, method=method, to=to, extra={}, body="")
        await self.line.send(made.written(self.transport, self.line.place))


def _meaning(code: int) -> str:
    return "moved" if code in _REDIRECTS else _CODES.get(code, "call_failed")


def dialogue(line: Line, transport: str, uri: SipUri, description: str, account: Account | None) -> Dialogue:
    """Prepare a call with these media to an address."""
    own = f"sip:{account.user}@{account.domain}" if account else f"sip:konsilium@{line.place}"
    contact = f"sip:konsilium@{line.place};transport={transport}"
    return Dialogue(line, transport, invite(uri, own, contact, description), account)

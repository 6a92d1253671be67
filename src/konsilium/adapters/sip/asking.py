"""Does a SIP device answer? OPTIONS, and what its answer tells."""

import ssl
from collections.abc import Mapping
from typing import Any

from konsilium.adapters.reach import Target
from konsilium.adapters.sip.addresses import SipUri
from konsilium.adapters.sip.client import Heard, Line, heard
from konsilium.adapters.sip.messages import Response, options
from konsilium.workflow.probing import Found, NotReached, StepFound

REDIRECTS = range(300, 400)
SUCCESSES = range(200, 300)
_CODES = {401: "wants_login", 407: "wants_login", 404: "not_found", 410: "not_found"}
_OF_TLS = frozenset({"no_tls", "old_tls", "expired", "other_name", "unknown_issuer", "bad_certificate"})


def ask_options(target: Target, uri: SipUri, transport: str, trust: ssl.SSLContext | None = None) -> Found:
    """Ask a device what it can do. An answer of any kind means that it is reached; never raises.

    Over TLS the step "tls" has its own answer, also when the certificate is why nothing was asked.
    """

    async def talk(line: Line) -> Response:
        return await line.ask(options(uri, f"sip:konsilium@{line.place}"))

    try:
        came = heard(target, transport, talk, trust)
    except NotReached as trouble:
        return _not_reached(trouble.code)
    return _found(came, transport)


def told(code: int) -> str:
    """Return what an answer's number means for being reached."""
    if code in SUCCESSES:
        return "answers"
    return "moved" if code in REDIRECTS else _CODES.get(code, "answers_no")


def _not_reached(code: str) -> Found:
    if code in _OF_TLS:
        # Something took the connection: the line is there, the certificate is what fails.
        return Found(code, steps={"tls": StepFound("failed")})
    return Found(code, steps={"reach": StepFound("failed")})


def _found(came: Heard, transport: str) -> Found:
    answer = told(came.response.code)
    measured: Mapping[str, Any] = {
        "connect_ms": came.connect_ms,
        "answer_ms": came.answer_ms,
        "code": came.response.code,
        "codecs": came.response.codecs(),
        **({"tls": came.tls} if came.tls else {}),
    }
    # Over UDP nothing is opened; what can be timed is the answer.
    took = came.answer_ms if transport == "udp" else round(came.connect_ms + came.answer_ms, 1)
    steps = {"reach": StepFound("", {"connect_ms": took})}
    if transport == "tls":
        steps["tls"] = StepFound("passed")
    return Found(answer, measured, steps)

"""Are login and password right? REGISTER without a Contact: a question that changes no binding (RFC 3261, 10.2.3)."""

import hashlib
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from konsilium.adapters.reach import Target
from konsilium.adapters.sip.addresses import SipUri
from konsilium.adapters.sip.asking import REDIRECTS, SUCCESSES
from konsilium.adapters.sip.client import Line, heard
from konsilium.adapters.sip.messages import Request, Response, register_query
from konsilium.workflow.probing import Found, NotReached, StepFound

# The strongest first; a password is never answered to in another way.
HASHES: Mapping[str, Callable[[bytes], "hashlib._Hash"]] = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
CHALLENGES = {
    int(HTTPStatus.UNAUTHORIZED): ("www-authenticate", "Authorization"),
    int(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED): ("proxy-authenticate", "Proxy-Authorization"),
}
LONGEST_VALUE = 1000
_PARAMETER = re.compile(r'([A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True)
class Account:
    """A login at a domain. The password stays out of its text."""

    user: str
    domain: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Challenge:
    """What a registrar wants answered."""

    realm: str
    nonce: str
    algorithm: str
    has_qop: bool
    opaque: str | None
    is_stale: bool


def ask_registrar(
    target: Target, account: Account, transport: str, trust: ssl.SSLContext | None = None
) -> Found:
    """Ask whether a registrar takes login and password. Changes nothing there; never raises."""
    domain = SipUri("", account.domain)
    request = register_query(domain, SipUri(account.user, account.domain))
    asked: list[int] = []

    async def talk(line: Line) -> Response:
        return await _talk(line, request, account, asked)

    try:
        came = heard(target, transport, talk, trust)
    except NotReached as trouble:
        return Found(trouble.code, trouble.measured)
    answer = _told(came.response, asked)
    measured = {"connect_ms": came.connect_ms, "answer_ms": came.answer_ms, "code": came.response.code}
    return Found(answer, measured, {"credentials": StepFound()})


async def _talk(line: Line, request: Request, account: Account, asked: list[int]) -> Response:
    """Answer a challenge once, and once more when it says that its number was too old."""
    response = await line.ask(request)
    while response.code in CHALLENGES and len(asked) < 2:  # noqa: PLR2004
        asked.append(response.code)
        challenge = chosen(response)
        if len(asked) > 1 and not challenge.is_stale:
            break
        header = CHALLENGES[response.code][1]
        request = request.again({header: answered(challenge, request.method, request.uri, account)})
        response = await line.ask(request)
    return response


def _told(response: Response, asked: list[int]) -> str:
    if response.code in SUCCESSES:
        return "login_right" if asked else "login_not_asked"
    if response.code in REDIRECTS:
        return "moved"
    return "login_wrong" if response.code in CHALLENGES else "login_refused"


def chosen(response: Response) -> Challenge:
    """Return the strongest challenge that we can answer. Raises NotReached("login_other_way") when there is none."""
    header = CHALLENGES[response.code][0]
    found = [one for one in map(_challenge, response.headers.get(header, ())) if one is not None]
    for algorithm in HASHES:
        for one in found:
            if one.algorithm == algorithm:
                return one
    raise NotReached("login_other_way")


def _challenge(text: str) -> Challenge | None:
    scheme, _, rest = text.partition(" ")
    given = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain
        for name, quoted, plain in _PARAMETER.findall(rest)
    }
    qop = {one.strip().lower() for one in given.get("qop", "").split(",")} - {""}
    clean = all(
        value.isascii() and value.isprintable() and len(value) <= LONGEST_VALUE
        for value in (given.get("nonce", ""), given.get("opaque", ""))
    )
    if scheme.lower() != "digest" or not given.get("nonce") or not clean or (qop and "auth" not in qop):
        return None
    realm = given.get("realm", "")
    if not realm.isprintable() or len(realm) > LONGEST_VALUE:
        return None
    return Challenge(
        realm,
        given["nonce"],
        given.get("algorithm", "MD5").upper(),
        bool(qop),
        given.get("opaque"),
        given.get("stale", "").lower() == "true",
    )


def answered(challenge: Challenge, method: str, uri: str, account: Account, *, cnonce: str = "") -> str:
    """Return the header's value that answers a challenge (RFC 7616)."""

    def hashed(*parts: str) -> str:
        return HASHES[challenge.algorithm](":".join(parts).encode()).hexdigest()

    cnonce = cnonce or secrets.token_hex(8)
    ours, theirs = hashed(account.user, challenge.realm, account.password), hashed(method, uri)
    middle = ("00000001", cnonce, "auth") if challenge.has_qop else ()
    quoted = {
        "username": account.user,
        "realm": challenge.realm,
        "nonce": challenge.nonce,
        "uri": uri,
        "response": hashed(ours, challenge.nonce, *middle, theirs),
        **({"cnonce": cnonce} if challenge.has_qop else {}),
        **({"opaque": challenge.opaque} if challenge.opaque is not None else {}),
    }
    parts = [f'{name}="{_escaped(value)}"' for name, value in quoted.items()]
    parts += ["qop=auth", "nc=00000001"] if challenge.has_qop else []
    return "Digest " + ", ".join([*parts, f"algorithm={challenge.algorithm}"])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')

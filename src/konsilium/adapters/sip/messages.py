"""SIP messages as bytes: our few requests, and answers read with care (RFC 3261)."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from konsilium.adapters.sip.addresses import SipUri

LARGEST_HEAD = 16 * 1024
LARGEST_BODY = 64 * 1024
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: .*)?")
_REQUEST = re.compile(r"([A-Z]{3,12}) (sips?:[!-~]{1,300}) SIP/2\.0")
_CALLED = re.compile(r"sips?:([A-Za-z0-9_.!~*+-]{1,64})@")
_COMPACT = {"v": "via", "i": "call-id", "l": "content-length", "c": "content-type", "f": "from", "t": "to", "m": "contact"}  # fmt: skip
_CODEC = re.compile(r"a=rtpmap:[0-9]{1,3} ([A-Za-z0-9-]{1,20})/")
# Names that are shown; whatever else an answer lists is nobody's business.
KNOWN_CODECS = frozenset(
    "opus pcma pcmu g722 g7221 g729 g728 g726-32 g719 mp4a-latm siren14 speex gsm amr amr-wb "
    "h264 h265 h263 h263-1998 h263-2000 h261 vp8 vp9 av1 telephone-event".split()
)


class NotSip(ValueError):
    """The bytes are no SIP answer."""


def _branch() -> str:
    return f"z9hG4bK{secrets.token_hex(8)}"


@dataclass(frozen=True)
class Request:
    """One of our requests: what it is, to whom, and the marks by which its answer is known."""

    method: str
    uri: str
    to: str
    own: str
    call_id: str = field(default_factory=lambda: secrets.token_hex(12))
    tag: str = field(default_factory=lambda: secrets.token_hex(6))
    number: int = 1
    branch: str = field(default_factory=_branch)
    extra: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def written(self, transport: str, place: str) -> bytes:
        """Return its bytes, sent from `place` (host:port as the other side should see it)."""
        lines = [
            f"{self.method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/{transport.upper()} {place};branch={self.branch};rport",
            "Max-Forwards: 20",
            f"From: <{self.own}>;tag={self.tag}",
            # In a dialogue it is the header as the other side wrote it, with its tag.
            f"To: {self.to if ';tag=' in self.to else f'<{self.to}>'}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.number} {self.method}",
            *(f"{name}: {value}" for name, value in self.extra.items()),
            *(["Content-Type: application/sdp"] if self.body else []),
            f"Content-Length: {len(self.body.encode())}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()

    def again(self, extra: Mapping[str, str]) -> "Request":
        """Return the next request of the same kind, with more headers."""
        return replace(self, number=self.number + 1, branch=_branch(), extra={**self.extra, **extra})


@dataclass(frozen=True)
class Response:
    """What came back: the code, headers by their small names (all values of each), the body's bytes."""

    code: int
    headers: Mapping[str, tuple[str, ...]]
    body: bytes = b""

    def first(self, name: str) -> str:
        """Return a header's first value, or ""."""
        return self.headers.get(name, ("",))[0]

    def answers(self, request: Request) -> bool:
        """Say whether it belongs to this request: branch, Call-ID, number and method all match."""
        branch = re.search(r";\s*branch=([^;,\s]+)", self.first("via"))
        sequence = self.first("cseq").split()
        return (
            branch is not None
            and branch[1] == request.branch
            and self.first("call-id") == request.call_id
            and sequence == [str(request.number), request.method]
        )

    def codecs(self) -> list[str]:
        """Return the known codecs that a description in the body lists, each once, in its order."""
        if not self.first("content-type").lower().startswith("application/sdp"):
            return []
        found = _CODEC.findall(self.body.decode("latin-1"))
        return [name for name in dict.fromkeys(one.lower() for one in found) if name in KNOWN_CODECS]


@dataclass(frozen=True)
class Asked:
    """A request that came to us."""

    method: str
    uri: str
    headers: Mapping[str, tuple[str, ...]]
    body: bytes = b""

    def first(self, name: str) -> str:
        """Return a header's first value, or ""."""
        return self.headers.get(name, ("",))[0]

    @property
    def called(self) -> str:
        """Return whom it is for: the part of its address before the @, or ""."""
        match = _CALLED.match(self.uri)
        return match[1] if match else ""


def read_asked(content: bytes) -> Asked:
    """Read a request. Raises NotSip."""
    head, separator, body = content.partition(b"\r\n\r\n")
    if not separator or len(head) > LARGEST_HEAD:
        raise NotSip
    begin, *lines = head.decode("utf-8", "replace").split("\r\n")
    match = _REQUEST.fullmatch(begin)
    headers = _headers(lines)
    if match is None or not all(headers.get(name) for name in ("via", "from", "to", "call-id", "cseq")):
        raise NotSip
    return Asked(match[1], match[2], headers, body[: body_length(headers, len(body))])


def replied(asked: Asked, status: str, *, tag: str = "", extra: Sequence[str] = (), body: str = "") -> bytes:
    """Return the answer to a request: what marks it is copied, ours is the rest."""
    to = asked.first("to")
    lines = [
        f"SIP/2.0 {status}",
        *(f"Via: {one}" for one in asked.headers["via"]),
        *(f"Record-Route: {one}" for one in asked.headers.get("record-route", ())),
        f"From: {asked.first('from')}",
        f"To: {to}" if not tag or ";tag=" in to else f"To: {to};tag={tag}",
        f"Call-ID: {asked.first('call-id')}",
        f"CSeq: {asked.first('cseq')}",
        *extra,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body.encode())}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def is_status(line: bytes) -> bool:
    """Say whether an answer begins like this."""
    return _STATUS.fullmatch(line.decode("utf-8", "replace").rstrip("\r\n")) is not None


def read_response(content: bytes) -> Response:
    """Read one answer from a datagram, or from a head and body put together. Raises NotSip."""
    head, separator, body = content.partition(b"\r\n\r\n")
    if not separator or len(head) > LARGEST_HEAD:
        raise NotSip
    status, *lines = head.decode("utf-8", "replace").split("\r\n")
    match = _STATUS.fullmatch(status)
    if match is None:
        raise NotSip
    headers = _headers(lines)
    return Response(int(match[1]), headers, body[: body_length(headers, len(body))])


def body_length(headers: Mapping[str, tuple[str, ...]], otherwise: int = 0) -> int:
    """Return how long the body says it is, in bytes. Raises NotSip when that is no number or too much."""
    text = headers.get("content-length", (str(otherwise),))[0]
    if (
        not (text.isascii() and text.isdecimal())
        or len(text) > len(str(LARGEST_BODY))
        or int(text) > LARGEST_BODY
    ):
        raise NotSip
    return int(text)


def said_length(head: bytes) -> int:
    """Return how long a message's body says it is, from its head alone. Raises NotSip."""
    return body_length(_headers(head.decode("utf-8", "replace").rstrip("\r\n").split("\r\n")[1:]))


def _headers(lines: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    last = ""
    for line in lines:
        if line[:1] in (" ", "\t") and last:
            found[last] = (*found[last][:-1], f"{found[last][-1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise NotSip
        short = name.strip().lower()
        last = _COMPACT.get(short, short)
        found[last] = (*found.get(last, ()), value.strip())
    return found


def options(to: SipUri, own: str) -> Request:
    """Ask what the other side can do."""
    return Request("OPTIONS", str(to), str(to), own, extra={"Accept": "application/sdp"})


def invite(to: SipUri, own: str, contact: str, description: str) -> Request:
    """Ask for a call with these media."""
    extra = {
        "Contact": f"<{contact}>",
        "Allow": "INVITE, ACK, BYE, CANCEL, OPTIONS",
        "User-Agent": "Konsilium",
    }
    return Request("INVITE", str(to), str(to), own, extra=extra, body=description)


def register_query(domain: SipUri, account: SipUri) -> Request:
    """Ask a registrar for an account's bindings. Without a Contact it changes none of them."""
    return Request("REGISTER", str(domain), str(account), str(account))

"""Does an H.323 device answer? A call's signalling (Q.931 with H.225 inside) up to its ringing, and a gatekeeper's word.

Neither opens media: whether sound and picture come, this can't tell. The messages of H.225 are pycrate's, an optional
package that is imported when the first look needs it; without it the look says that it can't be had here.
"""

import re
import secrets
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from threading import Lock
from time import monotonic
from typing import Any

from konsilium.adapters.reach import Target
from konsilium.workflow.probing import Found, NotReached, StepFound

SIGNALLING_PORT, GATEKEEPER_PORT = 1720, 1719
WAIT = 8.0
GATEKEEPER_WAIT, GATEKEEPER_TRIES = 1.5, 2
# A device says less than this; more is somebody's game.
LONGEST_MESSAGE, MOST_MESSAGES = 4096, 12

_VERSION = (0, 0, 8, 2250, 0, 4)
_SETUP, _RELEASE_COMPLETE = 0x05, 0x5A
_MESSAGES = {
    0x01: "alerting",
    0x02: "proceeding",
    0x03: "progress",
    0x07: "connect",
    0x0D: "setup_acknowledged",
    0x62: "facility",
    0x6E: "notify",
    0x7B: "information",
    0x7D: "status",
    _RELEASE_COMPLETE: "released",
}
_LAST = {"alerting", "connect", "released"}
_CAUSE, _USER = 0x08, 0x7E
# One octet long each, without a length.
_SHORT = 0x80
# Unrestricted digital information, 64 kbit/s, H.221: what every codec offers.
_BEARER = bytes.fromhex("0403 8893 a5")
_ADDRESS = re.compile(
    r"(?:h323:)?(?:(?P<alias>[^@\s]{1,64})@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:@/\s\[\]]+)(?::(?P<port>[0-9]{1,5}))?"
)
# pycrate's messages are one object each, for all threads of the prober.
_WRITING = Lock()
_DIGITS = re.compile(r"[0-9#*,]+")


@dataclass(frozen=True)
class Place:
    """An H.323 address: the number or name behind the host, if any, the host, and the port if it is written."""

    alias: str
    host: str
    port: int


@dataclass
class Heard:
    """What a device said: its messages by name, the cause of Q.931, and the reason of H.225."""

    messages: list[str] = field(default_factory=list)
    cause: int | None = None
    reason: str = ""


def is_here() -> bool:
    """Say whether the optional package that writes H.225 is installed and can be loaded."""
    try:
        _message("RasMessage")
    except ImportError:
        return False
    return True


def read_address(text: str) -> Place:
    """Read `alias@host:port`, of which only the host is needed. Raises NotReached: no_address, bad_address."""
    if not text.strip():
        raise NotReached("no_address")
    parts = _ADDRESS.fullmatch(text.strip())
    if parts is None:
        raise NotReached("bad_address")
    return Place(parts["alias"] or "", parts["host"].strip("[]"), int(parts["port"] or 0))


def call(target: Target, alias: str = "", *, wait: float = WAIT) -> Found:
    """Call a device's signalling, hang up once it rings or answers, and tell what it said, in `wait` seconds at most.

    Never raises for its answers.
    """
    began = monotonic()
    try:
        line = socket.create_connection((target.number, target.port), timeout=wait)
    except OSError as error:
        return _failed(_trouble(error))
    with line:
        connected = monotonic()
        try:
            heard = _talk(line, alias, began + wait)
        except NotReached as trouble:
            return _failed(trouble.code)
        except OSError as error:
            return _failed(_trouble(error))
        return _found(heard, _ms(began, connected), _ms(connected, monotonic()))


def ask_gatekeeper(target: Target, *, wait: float = GATEKEEPER_WAIT) -> str:
    """Ask for a gatekeeper by RAS. Returns "confirms", "rejects", or "silent"."""
    family = socket.AF_INET6 if ":" in target.number else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.settimeout(wait)
        with suppress(OSError):
            line.connect((target.number, target.port))
            for number in range(1, GATEKEEPER_TRIES + 1):
                line.send(_gatekeeper_request(number, line.getsockname()))
                with suppress(TimeoutError):
                    return _gatekeeper_said(line.recv(LONGEST_MESSAGE), number)
    return "silent"


def _talk(line: socket.socket, alias: str, until: float) -> Heard:
    reference, heard = secrets.randbelow(0x7FFE) + 1, Heard()
    conference, call_id = secrets.token_bytes(16), secrets.token_bytes(16)
    line.sendall(_packed(reference, _SETUP, _BEARER, _setup(alias, conference, call_id)))
    # Whatever it says, and when it falls silent: a call that may ring is taken back.
    try:
        with suppress(OSError, EOFError):
            for kind, elements in _messages(line, until):
                _note(heard, kind, elements)
                if heard.messages[-1] in _LAST:
                    break
    finally:
        if "released" not in heard.messages:
            with suppress(OSError):
                line.sendall(_packed(reference, _RELEASE_COMPLETE, b"\x08\x02\x80\x90", _release(call_id)))
    return heard


def _note(heard: Heard, kind: int, elements: dict[int, bytes]) -> None:
    heard.messages.append(_MESSAGES.get(kind, "other"))
    if kind == _RELEASE_COMPLETE:
        heard.cause, heard.reason = _cause(elements.get(_CAUSE, b"")), _reason(elements.get(_USER, b""))


def _messages(line: socket.socket, until: float) -> Iterator[tuple[int, dict[int, bytes]]]:
    """Yield what comes, by type and information elements. Raises NotReached("not_h323"), TimeoutError, EOFError."""
    for _ in range(MOST_MESSAGES):
        version, _, length = struct.unpack("!BBH", _exactly(line, 4, until))
        if version != 3 or not 4 < length <= LONGEST_MESSAGE:  # noqa: PLR2004  TPKT, RFC 1006
            raise NotReached("not_h323")
        yield _unpacked(_exactly(line, length - 4, until))


def _exactly(line: socket.socket, count: int, until: float) -> bytes:
    got = b""
    while len(got) < count:
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        piece = line.recv(count - len(got))
        if not piece:
            raise EOFError
        got += piece
    return got


def _unpacked(body: bytes) -> tuple[int, dict[int, bytes]]:
    # Protocol discriminator 8, a call reference of two octets, the type.
    if len(body) < 5 or body[0] != 8 or body[1] != 2:  # noqa: PLR2004
        raise NotReached("not_h323")
    elements, rest = {}, body[5:]
    while rest:
        code, size = rest[0], 1
        if code < _SHORT:
            head = 3 if code == _USER else 2
            size = head + int.from_bytes(rest[1:head], "big")
            elements[code] = rest[head:size]
        rest = rest[size:]
    return body[4], elements


def _packed(reference: int, kind: int, elements: bytes, user: bytes) -> bytes:
    """Write a message of Q.931 in its TPKT."""
    inside = b"\x05" + user
    body = struct.pack("!BBHB", 8, 2, reference, kind) + elements
    body += struct.pack("!BH", _USER, len(inside)) + inside
    return struct.pack("!BBH", 3, 0, len(body) + 4) + body


def _cause(element: bytes) -> int | None:
    """Read the cause; its octet stands behind the place, which has a second octet where the first one says so."""
    skipped = 1 if element[:1] >= b"\x80" else 2
    return element[skipped] & 0x7F if len(element) > skipped else None


def _reason(element: bytes) -> str:
    """Read why H.225 says that a call was rejected; "" where it can't be read."""
    try:
        pdu = _decoded("H323_UserInformation", element[1:])["h323-uu-pdu"]
        name = pdu["h323-message-body"][1]["reason"][0]
    except Exception:  # noqa: BLE001  the device wrote it, and a foreign parser reads it: any error is "can't be read"
        return ""
    return name if re.fullmatch(r"[A-Za-z0-9-]{1,40}", name) else ""


def _setup(alias: str, conference: bytes, call_id: bytes) -> bytes:
    kind = "dialledDigits" if _DIGITS.fullmatch(alias) else "h323-ID"
    body = {
        "protocolIdentifier": _VERSION,
        "sourceAddress": [("h323-ID", "konsilium")],
        "sourceInfo": _terminal(),
        **({"destinationAddress": [(kind, alias)]} if alias else {}),
        "activeMC": False,
        "conferenceID": conference,
        "conferenceGoal": ("create", 0),
        "callType": ("pointToPoint", 0),
        "callIdentifier": {"guid": call_id},
        "mediaWaitForConnect": False,
        "canOverlapSend": False,
    }
    return _uu("setup", body)


def _release(call_id: bytes) -> bytes:
    body = {
        "protocolIdentifier": _VERSION,
        "reason": ("undefinedReason", 0),
        "callIdentifier": {"guid": call_id},
    }
    return _uu("releaseComplete", body)


def _uu(name: str, body: dict[str, Any]) -> bytes:
    pdu = {"h323-message-body": (name, body), "h245Tunnelling": False}
    return _encoded("H323_UserInformation", {"h323-uu-pdu": pdu})


def _gatekeeper_request(number: int, own: tuple[Any, ...]) -> bytes:
    family = socket.AF_INET6 if ":" in own[0] else socket.AF_INET
    kind = "ip6Address" if family == socket.AF_INET6 else "ipAddress"
    place = {"ip": socket.inet_pton(family, own[0].partition("%")[0]), "port": own[1]}
    body = {
        "requestSeqNum": number,
        "protocolIdentifier": _VERSION,
        "rasAddress": (kind, place),
        "endpointType": _terminal(),
    }
    return _encoded("RasMessage", ("gatekeeperRequest", body))


def _gatekeeper_said(message: bytes, asked: int) -> str:
    """Read the gatekeeper's word on one of the questions asked so far; anything else is no answer."""
    try:
        name, body = _decoded("RasMessage", message)
        is_ours = 1 <= body["requestSeqNum"] <= asked
    except Exception:  # noqa: BLE001  see `_reason`
        return "silent"
    return {"gatekeeperConfirm": "confirms", "gatekeeperReject": "rejects"}.get(
        name if is_ours else "", "silent"
    )


def _terminal() -> dict[str, Any]:
    return {"terminal": {}, "mc": False, "undefinedNode": False}


def _message(name: str) -> Any:
    return getattr(import_module("pycrate_asn1dir.H225").H323_MESSAGES, name)


def _encoded(name: str, value: Any) -> bytes:
    with _WRITING:
        message = _message(name)
        message.set_val(value)
        return bytes(message.to_aper())


def _decoded(name: str, octets: bytes) -> Any:
    with _WRITING:
        message = _message(name)
        message.from_aper(octets)
        return message.get_val()


def _ms(begun: float, ended: float) -> float:
    return round((ended - begun) * 1000, 1)


def _trouble(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "silent" if isinstance(error, TimeoutError) else "no_way"


def _failed(code: str) -> Found:
    return Found(code, steps={"reach_h323": StepFound("failed")})


def _found(heard: Heard, connect_ms: float, answer_ms: float) -> Found:
    if not heard.messages:
        return _failed("silent")
    if set(heard.messages) == {"other"}:
        return _failed("not_h323")
    measured: dict[str, Any] = {"connect_ms": connect_ms, "answer_ms": answer_ms, "said": heard.messages}
    if "released" not in heard.messages:
        return Found("h323_answers", measured, {"reach_h323": StepFound("", {"connect_ms": connect_ms})})
    measured |= {"cause": heard.cause, "reason": heard.reason}
    return Found("h323_rejects", measured, {"reach_h323": StepFound("limited", {"connect_ms": connect_ms})})

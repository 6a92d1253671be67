"""Descriptions of media (SDP, RFC 4566), read for what a test needs and written anew with addresses of our own."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from konsilium.workflow.probing import NotReached

LONGEST = 16 * 1024
MOST_MEDIA = 8
# Numbers that need no rtpmap (RFC 3551).
_STATIC = {0: ("pcmu", 8000), 3: ("gsm", 8000), 8: ("pcma", 8000), 9: ("g722", 8000), 18: ("g729", 8000), 31: ("h261", 90000), 34: ("h263", 90000)}  # fmt: skip
_PLAIN = frozenset({"RTP/AVP", "RTP/AVPF"})
# What is handed on; candidates, keys and whatever else names an address or isn't known is left out.
_KEPT = re.compile(
    r"a=(rtpmap|fmtp|rtcp-fb|ptime|maxptime|framerate|sendrecv|sendonly|recvonly|inactive)\b[ -~]*"
)
_DIRECTION = re.compile(r"a=(sendrecv|sendonly|recvonly|inactive)")
_MAP = re.compile(r"a=rtpmap:([0-9]{1,3}) ([A-Za-z0-9._-]{1,30})/([0-9]{4,6})")
_FMTP = re.compile(r"a=fmtp:([0-9]{1,3}) ([ -~]{1,400})")
_LINE = re.compile(r"m=([a-z]{1,12}) ([0-9]{1,5})(?:/[0-9]+)? ([A-Z/]{3,24})((?: [0-9]{1,3}){1,40}) *")
# A line of another kind, like the control of a second picture ("UDP/BFCP *"): known only to be answered with no.
_OTHER = re.compile(
    r"m=([a-z]{1,12}) [0-9]{1,5}(?:/[0-9]+)? ([A-Za-z/]{3,24}) ([A-Za-z0-9*._-]{1,30})(?: [ -~]*)?"
)


@dataclass(frozen=True)
class Media:
    """One line of media: port 0 says that it isn't wanted. `numbers` are payload types in their order.

    `form` is the first format as it was written, for saying no to it.
    """

    kind: str
    host: str
    port: int
    profile: str
    numbers: tuple[int, ...]
    codecs: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    details: Mapping[int, str] = field(default_factory=dict)
    direction: str = "sendrecv"
    form: str = "0"

    @property
    def is_on(self) -> bool:
        """Say whether it is wanted, in a form that is understood here."""
        return self.port > 0 and self.profile in _PLAIN

    def codec(self) -> str:
        """Return its first codec's name, or ""."""
        return next((self.codecs[number][0] for number in self.numbers if number in self.codecs), "")

    def rate(self, number: int) -> int:
        """Return a codec's clock, in ticks a second."""
        return self.codecs.get(number, ("", 90000 if self.kind == "video" else 8000))[1]


def read_description(content: bytes) -> list[Media]:
    """Read the lines of media, at most eight. Raises NotReached("call_failed") where it can't be read."""
    if len(content) > LONGEST:
        raise NotReached("call_failed")
    parts = re.split(r"(?m)^(?=m=)", content.decode("utf-8", "replace").replace("\r", ""))
    host = _host(parts[0], "")
    if len(parts) - 1 > MOST_MEDIA:
        raise NotReached("call_failed")
    return [_media(part, host) for part in parts[1:]]


def _media(part: str, host: str) -> Media:
    lines = part.splitlines()
    match = _LINE.fullmatch(lines[0])
    if match is None:
        other = _OTHER.fullmatch(lines[0])
        kind, profile, form = other.groups() if other else ("other", "RTP/AVP", "0")
        return Media(kind, "", 0, profile, (), form=form)
    numbers = tuple(int(number) for number in match[4].split())
    codecs = {number: _STATIC[number] for number in numbers if number in _STATIC}
    codecs |= {int(n): (name.lower(), int(rate)) for n, name, rate in _MAP.findall(part)}
    direction = _DIRECTION.search(part)
    return Media(
        match[1],
        _host(part, host),
        int(match[2]),
        match[3],
        numbers,
        codecs,
        {int(number): text for number, text in _FMTP.findall(part)},
        direction[1] if direction else "sendrecv",
        str(numbers[0]),
    )


def _host(part: str, otherwise: str) -> str:
    """Return the number media go to; only plain addresses are read, never names."""
    found = re.search(r"(?m)^c=IN IP[46] ([0-9A-Fa-f.:]{2,45})(?:/[0-9/]*)?$", part)
    try:
        return str(ipaddress.ip_address(found[1])) if found else otherwise
    except ValueError:
        return otherwise


def readdressed(content: bytes, host: str, ports: Sequence[int]) -> str:
    """Return a description with our address, and our ports for its lines of media in order (0 stays 0)."""
    lines = _head(host)
    left = iter(ports)
    for line in content[:LONGEST].decode("utf-8", "replace").replace("\r", "").splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            port = next(left, 0) if int(match[2]) else 0
            lines.append(f"m={match[1]} {port} {match[3]}{match[4]}")
        elif len(lines) > len(_head(host)) and _KEPT.fullmatch(line):
            lines.append(line)
    return "\r\n".join([*lines, ""])


def mirrored(offer: Sequence[Media], host: str, ports: Sequence[int], wanted: frozenset[str]) -> str:
    """Return an answer that takes of each wanted media the first codec offered, and nothing of the others."""
    lines, taken = _head(host), set()
    for media, port in zip(offer, ports, strict=True):
        number = next((one for one in media.numbers if media.codecs.get(one, ("",))[0] in wanted), None)
        if not media.is_on or number is None or media.kind in taken or not port:
            # A line is refused in its own words (RFC 3264, 6).
            lines.append(f"m={media.kind} 0 {media.profile} {media.form}")
            continue
        taken.add(media.kind)
        name, rate = media.codecs[number]
        lines += [
            f"m={media.kind} {port} {media.profile} {number}",
            f"a=rtpmap:{number} {_written(name, rate)}",
        ]
        lines += [f"a=fmtp:{number} {media.details[number]}"] if number in media.details else []
        lines += ["a=sendrecv"]
    return "\r\n".join([*lines, ""])


def _written(name: str, rate: int) -> str:
    return "opus/48000/2" if name == "opus" else f"{name.upper()}/{rate}"


def _head(host: str) -> list[str]:
    kind = "IP6" if ":" in host else "IP4"
    return ["v=0", f"o=- 1 1 IN {kind} {host}", "s=-", f"c=IN {kind} {host}", "t=0 0"]

"""The guard of every outgoing address that a person typed: read strictly, resolved once, each answer judged.

Whoever connects uses the number that was judged, never the name again: a name that changes its mind a moment later
changes nothing. Only the network's public part is open; a private network is opened by the operator, for one
organisation at a time. Loopback, link-local addresses and our own networks stay closed whatever a setting says.
"""

import concurrent.futures
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import idna

from konsilium.adapters.own_networks import own_networks
from konsilium.workflow.probing import NotReached

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str], Sequence[str]]
# Says whether an address may be connected to for an organisation's OID.
Judge = Callable[[Address, str], bool]

RESOLVE_SECONDS = 3.0
MOST_ANSWERS = 16
LONGEST_NAME = 253
OPEN_PORTS = frozenset({443, 1719, 1720, 5060, 5061})
FIRST_FREE_PORT = 1024
MOST_PORT = 65535

# Never, whatever is opened. "This network", loopback, link-local, protocol assignments, examples, the 6to4 relay,
# benchmarks, multicast, what is reserved.
_NEVER_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_PRIVATE_4 = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
# Of IPv6 only what is handed out to the public is open at all; in it Teredo, ORCHID, examples and 6to4 are not.
_PUBLIC_6 = IPv6Network("2000::/3")
_NEVER_6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_PRIVATE_6 = (IPv6Network("fc00::/7"),)
_NAT64 = IPv6Network("64:ff9b::/96")
# The clouds' metadata service answers here, among private addresses.
_METADATA_6 = IPv6Network("fd00:ec2::/32")
_ISATAP = (0x00005EFE, 0x02005EFE)
# Full stops of other scripts are dots to IDNA; the one that stays itself under NFKC:
_OTHER_DOT = "\N{IDEOGRAPHIC FULL STOP}"
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LAST_LABEL = re.compile(r"(?=.*[a-z])[a-z0-9-]{2,63}")


@dataclass(frozen=True)
class Target:
    """A judged place: the name in ASCII (for certificates and headers), the number to connect to, the port.

    Made by `Guard.judged` alone.
    """

    host: str
    number: str
    port: int


@dataclass(frozen=True)
class Guard:
    """Decides where we connect. `openings` are private networks by organisation's OID.

    Tests put a judge of their own in; no setting does.
    """

    openings: Mapping[str, Sequence[Network]]
    own: Callable[[], Iterable[Network]] = own_networks
    resolve: Resolve | None = None
    judge: Judge | None = None

    def judged(self, host: str, port: int, oid: str) -> Target:
        """Read the host, resolve it once, judge every answer, and return where to connect.

        Raises NotReached: bad_address, bad_port, no_name, or closed_address when any of the answers is closed.
        """
        if not (port in OPEN_PORTS or FIRST_FREE_PORT <= port <= MOST_PORT):
            raise NotReached("bad_port")
        name, literal = read_host(host)
        numbers = [literal] if literal is not None else self._resolved(name)
        judge = self.judge or self.allows
        if not all(judge(number, oid) for number in numbers):
            raise NotReached("closed_address")
        return Target(name, str(numbers[0]), port)

    def allows(self, number: Address, oid: str) -> bool:
        """Say whether this address may be connected to for this organisation."""
        inner = inside(number)
        if inner is not None:
            return number in _NAT64 and self.allows(inner, "") if isinstance(number, IPv6Address) else False
        if is_never(number) or any(_holds(network, number) for network in self.own()):
            return False
        if not is_private(number):
            return True
        return any(_holds(network, number) for network in self.openings.get(oid, ()))

    def _resolved(self, name: str) -> list[Address]:
        answers = (self.resolve or resolve)(name)
        if not answers or len(answers) > MOST_ANSWERS:
            raise NotReached("no_name")
        try:
            return [ipaddress.ip_address(answer) for answer in answers]
        except ValueError as error:  # a number with a zone: link-local
            raise NotReached("closed_address") from error


def read_host(text: str) -> tuple[str, Address | None]:
    """Return the host in ASCII, and its number when it is a canonical literal. Raises NotReached("bad_address").

    Whatever a resolver could take for a number without being one (127.1, 0x7f.1, 2130706433, full-width digits), a name
    without a dot, and characters that stand for others are refused.
    """
    is_plain = text == unicodedata.normalize("NFKC", text) and _OTHER_DOT not in text
    if not text or not is_plain or len(text) > LONGEST_NAME:
        raise NotReached("bad_address")
    if ":" in text or re.fullmatch(r"[0-9.]+", text):
        return _literal(text)
    name = _ascii(text)
    labels = name.split(".")
    is_name = len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    # A last part without a letter, or one like 0x7f, is a number to some resolvers.
    if not is_name or not _LAST_LABEL.fullmatch(labels[-1]) or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        raise NotReached("bad_address")
    return name, None


def _literal(text: str) -> tuple[str, Address]:
    try:
        number = ipaddress.ip_address(text)
    except ValueError as error:
        raise NotReached("bad_address") from error
    # A zone would choose the network card; a longer or mixed spelling is not canonical.
    if str(number) != text or "%" in text:
        raise NotReached("bad_address")
    return text, number


def _ascii(text: str) -> str:
    try:
        return idna.encode(text.lower(), strict=False, std3_rules=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise NotReached("bad_address") from error


def inside(number: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for or carries; None when it carries none.

    Mapped, compatible, translated (NAT64, also the local prefix), 6to4, Teredo, ISATAP.
    """
    if isinstance(number, IPv4Address):
        return None
    value = int(number)
    if (
        value >> 32 in (0, 0xFFFF, 0xFFFF << 16)
        or number in _NAT64
        or number in IPv6Network("64:ff9b:1::/48")
    ):
        return IPv4Address(value & 0xFFFFFFFF)
    if number.sixtofour is not None:
        return number.sixtofour
    if number.teredo is not None:
        return number.teredo[1]
    if (value >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(value & 0xFFFFFFFF)
    return None


def is_never(number: Address) -> bool:
    """Say whether an address is closed whatever is opened."""
    if isinstance(number, IPv4Address):
        return any(number in network for network in _NEVER_4)
    if any(number in network for network in _PRIVATE_6):
        return number in _METADATA_6
    return number not in _PUBLIC_6 or any(number in network for network in _NEVER_6)


def is_private(number: Address) -> bool:
    """Say whether an address is open only where the operator opened its network."""
    networks: tuple[Network, ...] = _PRIVATE_4 if isinstance(number, IPv4Address) else _PRIVATE_6
    return any(_holds(network, number) for network in networks)


def _holds(network: Network, number: Address) -> bool:
    return network.version == number.version and number in network


def resolve(name: str) -> list[str]:
    """Ask the name service once, within 3 s. Raises NotReached("no_name").

    The final dot keeps search lists out: a name is what was approved, in no other zone.
    """
    pool = concurrent.futures.ThreadPoolExecutor(1)
    try:
        asked = pool.submit(socket.getaddrinfo, f"{name}.", None, type=socket.SOCK_STREAM)
        rows = asked.result(RESOLVE_SECONDS)
    except (OSError, UnicodeError, concurrent.futures.TimeoutError) as error:
        raise NotReached("no_name") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


class BadNetworks(ValueError):
    """Opened networks that can't be used; the text tells the operator what to do."""


def read_networks(text: str) -> dict[str, tuple[Network, ...]]:
    """Read KONSILIUM_PRIVATE_NETWORKS: `OID=10.20.0.0/16,192.168.4.0/24; OID=…`. Raises BadNetworks.

    Only what lies wholly within a private network can be opened: nothing else needs to be.
    """
    found: dict[str, tuple[Network, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        oid, equals, networks = part.partition("=")
        if not equals or not re.fullmatch(r"[0-9]+(\.[0-9]+)+", oid.strip()):
            raise BadNetworks(
                "KONSILIUM_PRIVATE_NETWORKS looks like 1.2.643.5.1.13.13.12.2.54.1=10.20.0.0/16,192.168.4.0/24; "
                "organisations are separated by semicolons."
            )
        found[oid.strip()] = tuple(_private_network(one.strip()) for one in networks.split(","))
    return found


def _private_network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise BadNetworks(f"KONSILIUM_PRIVATE_NETWORKS: {text!r} is no network like 10.20.0.0/16.") from error
    private: tuple[Network, ...] = (*_PRIVATE_4, *_PRIVATE_6)
    inside_one = any(
        network.version == outer.version and network.subnet_of(outer)  # type: ignore[arg-type]
        for outer in private
    )
    if not inside_one:
        raise BadNetworks(
            f"KONSILIUM_PRIVATE_NETWORKS: {text} is no private network; public ones are open anyway."
        )
    return network

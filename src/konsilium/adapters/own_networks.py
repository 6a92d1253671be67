"""The networks that this machine itself stands in, as the kernel lists them (Linux; elsewhere none is known)."""

import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from time import monotonic

ROUTES_4, ROUTES_6 = Path("/proc/net/route"), Path("/proc/net/ipv6_route")
ADDRESSES_4 = Path("/proc/net/fib_trie")
ASK_AGAIN_SECONDS = 10
_NO_GATEWAY_4, _NO_GATEWAY_6 = "00000000", "0" * 32
_SHORTEST_PREFIX = 1
_LOCAL = "/32 host LOCAL"

Network = IPv4Network | IPv6Network


def own_networks() -> tuple[Network, ...]:
    """Return our own addresses and what is reached from them without a gateway, asked of the kernel every 10 s."""
    return _own_networks(int(monotonic() / ASK_AGAIN_SECONDS))


@lru_cache(maxsize=1)
def _own_networks(moment: int) -> tuple[Network, ...]:
    return tuple({*_near_4(), *_own_4(), *_near_6()})


def _near_4() -> Iterator[Network]:
    for line in _lines(ROUTES_4)[1:]:
        fields = line.split()
        if fields[2] == _NO_GATEWAY_4 and fields[7] != _NO_GATEWAY_4:
            yield ipaddress.IPv4Network((_number_4(fields[1]), str(_number_4(fields[7]))))


def _own_4() -> Iterator[Network]:
    """Addresses of every card, also those that no route leads to: each stands above its own `host LOCAL` line."""
    before = ""
    for line in _lines(ADDRESSES_4):
        if line.strip() == _LOCAL and before.startswith("|-- "):
            yield ipaddress.IPv4Network(before.removeprefix("|-- "))
        before = line.strip()


def _near_6() -> Iterator[Network]:
    for line in _lines(ROUTES_6):
        fields = line.split()
        prefix = int(fields[1], 16)
        if fields[4] == _NO_GATEWAY_6 and prefix >= _SHORTEST_PREFIX:
            yield ipaddress.IPv6Network((IPv6Address(bytes.fromhex(fields[0])), prefix), strict=False)


def _number_4(text: str) -> IPv4Address:
    # The kernel prints the number as it lies in memory.
    return IPv4Address(int.from_bytes(bytes.fromhex(text), "little"))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []

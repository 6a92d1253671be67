"""Where somebody comes from, as the throttle and the list of own sessions see it."""

import ipaddress
from typing import Any

from django.conf import settings

_BITS = {4: 24, 6: 64}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def network_of(request: Any) -> str:
    """Return the network somebody comes from: /24 of IPv4, /64 of IPv6.

    Behind a proxy that the settings trust, it is the last address in X-Forwarded-For that no such proxy wrote.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", "")) or ipaddress.ip_address("127.0.0.1")
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while _is_ours(address) and forwarded:
        before = _parsed(forwarded.pop())
        if before is None:
            break
        address = before
    return str(ipaddress.ip_network(f"{address}/{_BITS[address.version]}", strict=False))


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_ours(address: Address) -> bool:
    return any(address in ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES)

"""Relays for media: names and passwords that a TURN server checks by itself, and that end after ten minutes.

Konsilium and the TURN server share one secret and never speak with each other. A name says when it ends and for whom it
was made; its password is the secret's hash over the name (what coturn calls `use-auth-secret`).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# A relay that was taken in this time goes on for as long as the page keeps it; a new one needs new credentials.
VALID = timedelta(minutes=10)
SHORTEST_SECRET = 16
_ADDRESS = re.compile(r"turns?:([\w.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?(\?transport=(udp|tcp))?", re.ASCII)


class BadTurn(ValueError):
    """Settings of a TURN server that can't be used; the text tells the operator what to do."""


@dataclass(frozen=True)
class Turn:
    """A deployment's TURN server, or none: then pages meet only where they reach each other directly."""

    urls: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)


def read_turn(environment: Mapping[str, str]) -> Turn:
    """Return what KONSILIUM_TURN_URLS (separated by commas) and KONSILIUM_TURN_SECRET say. Raises BadTurn."""
    urls = tuple(
        text.strip() for text in environment.get("KONSILIUM_TURN_URLS", "").split(",") if text.strip()
    )
    secret = environment.get("KONSILIUM_TURN_SECRET", "")
    for url in urls:
        if not _ADDRESS.fullmatch(url):
            raise BadTurn(
                f"KONSILIUM_TURN_URLS holds addresses like turn:turn.example.org:3478?transport=udp, not {url!r}."
            )
    if bool(urls) != bool(secret):
        raise BadTurn("Set both KONSILIUM_TURN_URLS and KONSILIUM_TURN_SECRET, or neither.")
    if secret and len(secret) < SHORTEST_SECRET:
        raise BadTurn(f"KONSILIUM_TURN_SECRET needs at least {SHORTEST_SECRET} characters.")
    return Turn(urls, secret)


def ice_servers(turn: Turn, name: str, at: datetime, *, valid: timedelta = VALID) -> list[dict[str, Any]]:
    """Return what a page's RTCPeerConnection takes as `iceServers`: nothing when there is no TURN server.

    `name` tells allocations of different people apart in quotas and in the server's log: a random id, never a
    person's name. Asks nobody.
    """
    if not turn.urls:
        return []
    username = f"{int((at + valid).timestamp())}:{name}"
    password = hmac.digest(turn.secret.encode(), username.encode(), hashlib.sha1)
    return [
        {
            "urls": list(turn.urls),
            "username": username,
            "credential": base64.b64encode(password).decode(),
        }
    ]

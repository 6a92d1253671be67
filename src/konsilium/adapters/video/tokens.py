"""The tokens by which engines know whom we let in: Janus' signed ones, and JSON web tokens (RFC 7519, HS256)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def janus_token(secret: str, realm: str, words: tuple[str, ...], expires_at: datetime) -> str:
    """Return a token for Janus: when it ends, whose it is, what it is for, and the signature over that."""
    text = ",".join((str(int(expires_at.timestamp())), realm, *words))
    # Janus knows SHA-1 only; as a keyed signature it stands.
    signature = hmac.digest(secret.encode(), text.encode(), hashlib.sha1)
    return f"{text}:{base64.b64encode(signature).decode()}"


def web_token(secret: str, claims: Mapping[str, Any]) -> str:
    """Return the claims as a signed JSON web token."""
    head = _part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = _part(json.dumps(claims).encode())
    signature = hmac.digest(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{_part(signature)}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

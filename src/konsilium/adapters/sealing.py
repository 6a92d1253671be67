"""Short secrets that have to be read again, sealed with a key made from the deployment's own: AES-256-GCM.

Whoever takes the database without the deployment's key reads none of them.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# The first byte says how it was sealed, so that another way can come later.
_MARK = b"\x01"
_NONCE = 12


class NotOpened(ValueError):
    """The bytes weren't sealed with this deployment's key, or were changed since."""


def seal(content: bytes) -> bytes:
    """Return the content sealed; the same content is never the same twice."""
    nonce = secrets.token_bytes(_NONCE)
    return _MARK + nonce + _box().encrypt(nonce, content, _MARK)


def open_sealed(sealed: bytes) -> bytes:
    """Return what was sealed. Raises NotOpened."""
    sealed = bytes(sealed)
    try:
        return _box().decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], sealed[:1])
    except (InvalidTag, ValueError) as error:
        raise NotOpened from error


def _box() -> AESGCM:
    made = HKDF(hashes.SHA256(), 32, salt=None, info=b"konsilium sealed secrets")
    return AESGCM(made.derive(settings.SECRET_KEY.encode()))

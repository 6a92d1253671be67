"""Long files under a key of their own: AES-256-GCM in pieces, so that any part can be read without the rest.

The construction is STREAM: each piece's nonce holds its number and whether it is the last, and so pieces that were
changed, swapped, repeated, left out, or cut off at the end don't open. A key serves one file only.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
PIECE = 64 * 1024
TAG = 16
_MARK = b"KONSREC1"
_PREFIX = 7
HEAD = len(_MARK) + _PREFIX


class NotGenuine(ValueError):
    """The bytes aren't what was enciphered with this key."""


def new_key() -> bytes:
    """Return a key for one file."""
    return secrets.token_bytes(KEY_BYTES)


def encipher(chunks: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    """Yield the head and the enciphered pieces of what the chunks hold, in whatever sizes they come."""
    box, prefix = AESGCM(key), secrets.token_bytes(_PREFIX)
    yield _MARK + prefix
    number, waiting = 0, bytearray()
    for chunk in chunks:
        waiting += chunk
        # The last piece is known only when nothing comes after it.
        while len(waiting) > PIECE:
            yield box.encrypt(_nonce(prefix, number, is_last=False), bytes(waiting[:PIECE]), _MARK)
            del waiting[:PIECE]
            number += 1
    yield box.encrypt(_nonce(prefix, number, is_last=True), bytes(waiting), _MARK)


def enciphered_size(size: int) -> int:
    """Return how many bytes a plain file of this size becomes."""
    return HEAD + size + TAG * _pieces(size)


def decipher(
    read: Callable[[int, int], bytes], key: bytes, *, size: int, start: int = 0, length: int | None = None
) -> Iterator[bytes]:
    """Yield the plain bytes from `start`, at most `length`, of a file whose plain size is `size`.

    `read(offset, length)` gives enciphered bytes. Raises NotGenuine at the first piece that isn't what was
    enciphered; nothing of that piece has been given then.
    """
    end = size if length is None else min(size, start + length)
    if start >= end:
        return
    box, head = AESGCM(key), read(0, HEAD)
    if len(head) != HEAD or not head.startswith(_MARK):
        raise NotGenuine
    last = _pieces(size) - 1
    for number in range(start // PIECE, (end - 1) // PIECE + 1):
        sealed = read(HEAD + number * (PIECE + TAG), PIECE + TAG)
        plain = _open(box, _nonce(head[len(_MARK) :], number, is_last=number == last), sealed)
        begin = number * PIECE
        yield plain[max(start - begin, 0) : end - begin]


def _open(box: AESGCM, nonce: bytes, sealed: bytes) -> bytes:
    try:
        return box.decrypt(nonce, sealed, _MARK)
    except InvalidTag as error:
        raise NotGenuine from error


def _pieces(size: int) -> int:
    return max(1, -(-size // PIECE))


def _nonce(prefix: bytes, number: int, *, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([is_last])

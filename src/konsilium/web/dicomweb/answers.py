"""Answers of DICOMweb: bytes from the store alone or as parts, refusals in words, and how long they may be kept."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext

from konsilium.actions.documents import store
from konsilium.workflow.words import N_

# What is asked for by its content's own mark never changes; without the mark it is asked about again.
FOREVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
MARK = 12
# Bytes of an answer that may stand in memory at once.
IN_ONE_PIECE = 4 * 1024 * 1024
GONE = N_("The file is not in the store. Tell the administrator.")
PREAMBLE, MAGIC = 128, b"DICM"


@dataclass(frozen=True)
class Piece:
    """A range of a stored file with its content type; `is_object` where it is a DICOM object: its preamble is wiped."""

    sha256: str
    start: int
    length: int
    content_type: str
    is_object: bool = False

    def chunks(self) -> Iterator[bytes]:
        """Read it. Raises NotStored at once where there are no such bytes."""
        chunks = store().open_range(self.sha256, self.start, self.length)
        return _wiped(chunks) if self.is_object else chunks


def _wiped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Blank the 128 bytes before the object: a file can be a program and a picture at once, and is sent as neither."""
    first = next(chunks, b"")
    if first[PREAMBLE : PREAMBLE + len(MAGIC)] == MAGIC:
        first = bytes(PREAMBLE) + first[PREAMBLE:]
    yield first
    yield from chunks


def sent(pieces: Sequence[Piece], kind: str, *, is_multipart: bool) -> HttpResponseBase:
    """Send ranges as the parts of a multipart/related body of this type, in their order; or one as the whole body.

    Raises NotStored when the first isn't there.
    """
    if not is_multipart:
        return _streamed(pieces[0].chunks(), pieces[0].length, pieces[0].content_type)
    boundary = secrets.token_hex(16)
    heads = [f"--{boundary}\r\nContent-Type: {piece.content_type}\r\n\r\n".encode() for piece in pieces]
    tail = f"--{boundary}--\r\n".encode()
    length = sum(len(head) + piece.length + 2 for head, piece in zip(heads, pieces, strict=True)) + len(tail)
    chunks = _wrapped(pieces[0].chunks(), pieces, heads, tail)
    return _streamed(chunks, length, f'multipart/related; type="{kind}"; boundary={boundary}')


def _wrapped(
    first: Iterator[bytes], pieces: Sequence[Piece], heads: list[bytes], tail: bytes
) -> Iterator[bytes]:
    """Each file is opened when its turn comes: a study's objects may be thousands."""
    for number, (piece, head) in enumerate(zip(pieces, heads, strict=True)):
        yield head
        yield from piece.chunks() if number else first
        yield b"\r\n"
    yield tail


def _streamed(chunks: Iterator[bytes], length: int, content_type: str) -> HttpResponseBase:
    """Send what is small in one piece: each chunk of a stream costs the server as much as a frame's query."""
    small = length <= IN_ONE_PIECE
    response: HttpResponseBase = (
        HttpResponse(b"".join(chunks), content_type=content_type)
        if small
        else StreamingHttpResponse(chunks, content_type=content_type)
    )
    response.headers["Content-Length"] = str(length)
    # A compressing middleware would read the whole stream, and pictures are compressed already.
    response.headers["Content-Encoding"] = "identity"
    return response


def kept(request: Any, response: HttpResponseBase, address: str) -> HttpResponseBase:
    """Say how long the answer may be kept: for good where the address names the content's mark (`?v=`)."""
    response.headers["ETag"] = f'"{address}"'
    named = request.GET.get("v", "")
    for_good = bool(named) and address.startswith(named) and len(named) >= MARK
    response.headers["Cache-Control"] = FOREVER if for_good else ASK_AGAIN
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def unchanged(request: Any, address: str) -> HttpResponseBase | None:
    """Return 304 where the asker has this very content already."""
    answer: HttpResponseBase | None = get_conditional_response(request, etag=f'"{address}"')
    return kept(request, answer, address) if answer is not None else None


def refused(status: int, text: str, *, again: int = 0, **params: str) -> HttpResponse:
    """Refuse in words; `again` is after how many seconds it is worth asking once more."""
    words = gettext(text) % params if params else gettext(text)
    response = HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    if again:
        response.headers["Retry-After"] = str(again)
        # For the entry: what was ordered by asking stays ordered.
        response.is_not_yet = True  # type: ignore[attr-defined]
    return response

"""Bytes of the store as an answer: whole or a range, to be saved or to be looked at, never to be run."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.http import HttpResponseBase, StreamingHttpResponse

from konsilium.actions import documents

TICKET_SECONDS = 60
_RANGE = re.compile(r"bytes=(\d+)-(\d*)$")
_PARTIAL = 206


def attachment(request: Any, sha256: str, size: int, media_type: str, name: str) -> HttpResponseBase:
    """Answer with bytes that the browser saves under this name."""
    response = _stream(request, sha256, size, media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def inline(request: Any, sha256: str, size: int, media_type: str, *, seconds: int) -> HttpResponseBase:
    """Answer with bytes that a page of ours shows; the browser may keep them for so many seconds."""
    response = _stream(request, sha256, size, media_type)
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cache-Control"] = f"private, max-age={seconds}"
    return response


def _stream(request: Any, sha256: str, size: int, media_type: str) -> HttpResponseBase:
    start, length, status = _wanted(request.headers.get("Range", ""), size)
    chunks: Iterator[bytes] = documents.store().open_range(sha256, start, length)
    response = StreamingHttpResponse(chunks, status=status, content_type="application/octet-stream")
    response.headers["Content-Type"] = media_type
    response.headers["Content-Length"] = str(length)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Accept-Ranges"] = "bytes"
    # A compressing middleware would read the whole stream.
    response.headers["Content-Encoding"] = "identity"
    if status == _PARTIAL:
        response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return response


def _wanted(header: str, size: int) -> tuple[int, int, int]:
    """Return where to begin, how many bytes, and the status, of a range that makes sense; else the whole."""
    match = _RANGE.match(header)
    if not match or int(match[1]) >= size:
        return 0, size, 200
    start = int(match[1])
    end = min(int(match[2]), size - 1) if match[2] else size - 1
    return (start, end - start + 1, _PARTIAL) if end >= start else (0, size, 200)

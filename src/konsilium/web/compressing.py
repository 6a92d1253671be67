"""Pages are compressed quickly: the usual level saves a few bytes in a hundred and takes three times as long."""

import gzip
import secrets
from typing import Any

from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers
from whitenoise.storage import CompressedManifestStaticFilesStorage

LEVEL = 1
SHORTEST = 200
_HEADER = 10
_NAMED = 8


class GzippedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed names and gzip. Brotli, which is here for other reasons, takes 12 s more at each first start, for a tenth."""

    def create_compressor(self, **given: Any) -> Any:
        """Return a compressor that makes gzip alone."""
        return super().create_compressor(**given | {"use_brotli": False})


class QuickGZipMiddleware(GZipMiddleware):
    """Django's own, but whole pages are compressed at LEVEL; streams and the rest stay with Django's."""

    def process_response(self, request: Any, response: Any) -> HttpResponseBase:
        """Compress a page when the browser takes it so."""
        accepts = re_accepts_gzip.search(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
        if not (accepts and is_page) or response.has_header("Content-Encoding"):
            return super().process_response(request, response)
        if len(response.content) >= SHORTEST:
            patch_vary_headers(response, ("Accept-Encoding",))
            response.content = quickly(response.content, self.max_random_bytes)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.content))
        return response  # type: ignore[no-any-return]


def quickly(content: bytes, most_random: int) -> bytes:
    """Compress, with a file name of random length, so that a length tells nothing of a secret in the page (BREACH)."""
    whole = gzip.compress(content, LEVEL, mtime=0)
    header = bytearray(whole[:_HEADER])
    header[3] = _NAMED
    return bytes(header) + b"a" * secrets.randbelow(most_random) + b"\x00" + whole[_HEADER:]

"""Pages and live parts at one address, for an ASGI server: what must stream is raw, everything else is the pages' WSGI."""

import asyncio
import signal
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.conf import settings

from konsilium.adapters.postgres import end_with_parent
from konsilium.wsgi import application as pages

# The pages were set up first: the live parts use their models.
from konsilium.live import sockets, tus  # isort: skip

# A worker must not outlive whoever started it: it would hold the address against the next one.
end_with_parent(signal.SIGTERM)
_pages = WSGIMiddleware(cast("Any", pages), workers=settings.THREADS, send_queue_size=10)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Hand a request to whom it is for."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        await sockets.application(scope, receive, send)
    elif scope["type"] == "http":
        part = tus.application if scope["path"].startswith(tus.ROOT) else _pages
        await part(scope, receive, send)


async def _live(receive: Any, send: Any) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await asyncio.sleep(0)
    await send({"type": "lifespan.shutdown.complete"})

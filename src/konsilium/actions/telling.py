"""How pages in a room hear of each other, in whichever process their sockets are: a row, and a notification of its id.

A notification passes by row level security and may be heard by whoever has a connection, so it says nothing of anybody:
only what moves a pointer or names an id travels in it. What is told inside a transaction is heard when it ends.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from konsilium.models import Signal, SocketTicket
from konsilium.models.access import as_room, as_worker

CHANNEL = "konsilium_live"
# Each process reads a row once, at once; a minute is for one that hangs.
KEEP_SIGNALS = timedelta(minutes=1)
# These say nothing but an id, a number and a reason of ours.
BARE = frozenset({"left", "taken"})
LONGEST_BARE = 500


def tell(
    session_id: UUID, message: Mapping[str, Any], *, to: UUID | None = None, but: UUID | None = None
) -> None:
    """Tell the room's pages something: all, one, or all but one."""
    notice = {"room": str(session_id), "to": _text(to), "but": _text(but)}
    with as_room(session_id):
        if is_bare(message):
            notice |= {"message": message}  # type: ignore[dict-item]  # JSON
        else:
            row = Signal(
                session_id=session_id, sender=but or session_id, receiver=to, body=dict(message), at=Now()
            )
            row.save(force_insert=True)
            notice |= {"row": str(row.pk)}
        _notify(notice)


def is_bare(message: Mapping[str, Any]) -> bool:
    """Say whether a message says nothing of anybody, and is short: it may travel without a row."""
    is_pointer = message["t"] == "look" and set(message["body"]) == {"pointer"}
    return (message["t"] in BARE or is_pointer) and len(json.dumps(message)) <= LONGEST_BARE


def told(session_id: UUID, row_id: UUID) -> dict[str, Any] | None:
    """Return the message that a notification named; None when it is forgotten."""
    with as_room(session_id):
        return Signal.objects.filter(pk=row_id).values_list("body", flat=True).first()


def forget(*, at: datetime) -> int:
    """Delete old messages and tickets that nobody used. Returns how many."""
    with as_worker():
        signals = Signal.objects.filter(at__lt=at - KEEP_SIGNALS).delete()[0]
        return signals + SocketTicket.objects.filter(expires_at__lt=at).delete()[0]


def _notify(notice: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(notice, separators=(",", ":"))])


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None

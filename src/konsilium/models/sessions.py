"""Web sessions in the database, with the columns that people need to recognise and end their own.

Only a hash of a session's key is kept: whoever reads the table, or a copy of it, can enter by none of them.
"""

import base64
import hashlib
from typing import Any, cast

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from konsilium.models.access import signing_in

# The width of Django's column: 240 bits.
_WIDTH = 40


def stored_key(key: str) -> str:
    """Return what the table keeps of a session's key."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode()[:_WIDTH]


class WebSession(AbstractBaseSession):
    """A signed-in browser. `person_id` and `membership_id` are columns so that one query finds who acts."""

    person_id = models.UUIDField(null=True, db_index=True)
    membership_id = models.UUIDField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    network = models.CharField(max_length=64, blank=True)
    device = models.CharField(max_length=200, blank=True)

    @classmethod
    def get_session_store_class(cls) -> type["SessionStore"]:
        """Return the store that reads and writes this table."""
        return SessionStore


class SessionStore(DatabaseStore):
    """Django's database store over our table, in the sign-in's own database context."""

    @classmethod
    def get_model_class(cls) -> type[WebSession]:
        """Return our table."""
        return WebSession

    @property
    def stored_key(self) -> str:
        """What the table keeps of this session's key; nothing for none."""
        return stored_key(self.session_key) if self.session_key else ""

    def take_over(self, session_data: str) -> None:
        """Use what the entry has read already instead of reading it again."""
        self._session_cache = self.decode(session_data)

    def create_model_instance(self, data: dict[str, Any]) -> WebSession:
        """Lift who acts, and from where, into columns."""
        row: Any = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)
        for name in ("person_id", "membership_id"):
            setattr(row, name, data.get(name))
        row.network = data.get("network", "")
        row.device = data.get("device", "")[:200]
        row.started_at = row.seen_at = timezone.now()
        return cast("WebSession", row)

    def load(self) -> dict[str, Any]:
        """Load in the sign-in's context."""
        with signing_in():
            return super().load()

    def _get_session_from_db(self) -> WebSession | None:
        rows = self.model.objects.filter(session_key=self.stored_key, expire_date__gt=timezone.now())
        found = cast("WebSession | None", rows.first())
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Look in the sign-in's context."""
        with signing_in():
            return super().exists(stored_key(session_key))

    def save(self, must_create: bool = False) -> None:
        """Save in the sign-in's context."""
        with signing_in():
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        """Delete in the sign-in's context."""
        key = session_key or self.session_key
        if key is None:
            return
        with signing_in():
            super().delete(stored_key(key))

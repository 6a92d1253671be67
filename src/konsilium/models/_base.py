"""What every table shares: a random, time-ordered key made here, because PostgreSQL before 18 can't make it."""

import secrets
import time
from typing import Any
from uuid import UUID

from django.db import models


def uuid7() -> UUID:
    """Make a UUID of version 7: 48 bits of milliseconds, the rest random. Order helps indexes, nothing else."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    return UUID(int=value | 0b10 << 62 | secrets.randbits(62))


class Row(models.Model):
    """A table with our key. Public ids are random and are never permission."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True


class VersionedRow(Row):
    """A row that moves through a machine: only the door of state changes writes `state` and `version`."""

    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True


def choices(labels: dict[Any, str]) -> list[tuple[str, str]]:
    """Turn a rule's labels into a field's choices."""
    return [(str(code), label) for code, label in labels.items()]

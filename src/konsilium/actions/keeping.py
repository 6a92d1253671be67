"""Keeping: every stored file is read again by night, and documents go when their term is over."""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from konsilium.actions._files import store
from konsilium.actions._record import Note, record, record_at_desk
from konsilium.adapters.storage import NotStored
from konsilium.models import Consultation, Document, StoreCheck
from konsilium.models.access import as_worker
from konsilium.workflow.consultation import FINAL
from konsilium.workflow.retention import Held, due_at
from konsilium.workflow.roles import SYSTEM

# Read in a round of the worker, of at most one a second: no letter waits for it longer than a moment.
PORTION = 32 * 1024 * 1024
# What opening a file counts for, so that a portion isn't a million tiny ones.
OPENING = 64 * 1024
BATCH = 1000
ROUND_EVERY = timedelta(hours=20)
MOST_LISTED = 100
DAMAGED, MISSING = "damaged", "missing"

# Every address that some row names: originals, copies, and what was read of DICOM.
_NAMED = """
SELECT address FROM (
    SELECT sha256 AS address FROM konsilium_document
    UNION SELECT sha256 FROM konsilium_derived
    UNION SELECT file_sha256 FROM konsilium_instance
    UNION SELECT metadata_sha256 FROM konsilium_series
    UNION SELECT pack_sha256 FROM konsilium_series
    UNION SELECT sha256 FROM konsilium_recording WHERE sha256 <> ''
    UNION SELECT sha256 FROM konsilium_printform WHERE sha256 <> ''
    UNION SELECT sha256 FROM konsilium_signature
    UNION SELECT material_sha256 FROM konsilium_signaturecheck WHERE material_sha256 <> ''
    UNION SELECT picture_sha256 FROM konsilium_equipmenttest WHERE picture_sha256 <> ''
    UNION SELECT copy.value ->> 'sha256' FROM konsilium_series, jsonb_each(previews) AS copy
) AS named WHERE
"""


@dataclass
class _Half:
    """A file that is read in part. Kept in memory: after a restart the file is read from its beginning."""

    address: str = ""
    offset: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


class Scrub:
    """Reads all files again, a portion at a time, and remembers where it is: the round in the database."""

    def __init__(self) -> None:
        """Begin without a half-read file."""
        self._half = _Half()
        self._ahead: deque[str] = deque()

    def run(self, *, at: datetime) -> int:
        """Read the next portion, if it is night. Returns how many files were read to their end.

        Raises StoreUnreachable while the store is away; the round goes on from there.
        """
        check = _round(at) if at.hour in settings.NIGHT else None
        if check is None:
            return 0
        before, left, done = check.files, PORTION, False
        try:
            while left > 0 and not done:
                left, done = self._next(check, left, at)
        finally:
            if done:
                check.done_at = at
            with as_worker():
                check.save()
        return check.files - before

    def _next(self, check: StoreCheck, left: int, at: datetime) -> tuple[int, bool]:
        """Read on in one file. Returns how much of the portion is left, and whether the round is at its end."""
        address = self._expected(check.position)
        if not address:
            return left, True
        finding, used = self._read(address, left)
        check.bytes += used
        if used < left:
            self._half = _Half()
            check.files += 1
            check.position = address
            if finding and _is_named(address):
                _note(check, address, finding, at)
        return left - max(used, OPENING), False

    def _expected(self, position: str) -> str:
        """Return the first address after this one that some row names, or nothing."""
        while self._ahead and self._ahead[0] <= position:
            self._ahead.popleft()
        if not self._ahead:
            self._ahead.extend(named_after(position, BATCH))
        return self._ahead[0] if self._ahead else ""

    def _read(self, address: str, most: int) -> tuple[str, int]:
        """Read up to `most` bytes on; at the file's end, which is where fewer came, say what is wrong with it."""
        if self._half.address != address:
            self._half = _Half(address)
        half, before = self._half, self._half.offset
        try:
            for chunk in store().open_range(address, half.offset, most):
                half.digest.update(chunk)
                half.offset += len(chunk)
        except NotStored:
            return MISSING, half.offset - before
        except OSError:
            return DAMAGED, half.offset - before
        return "" if half.digest.hexdigest() == address else DAMAGED, half.offset - before


def _round(at: datetime) -> StoreCheck | None:
    """Return the round that is under way, or a new one if the last began long enough ago."""
    with as_worker():
        last = StoreCheck.objects.order_by("-begun_at").first()
        if last is not None and last.done_at is None:
            return last
        if last is not None and at - last.begun_at < ROUND_EVERY:
            return None
        check = StoreCheck(begun_at=at)
        check.save(force_insert=True)
        return check


def _note(check: StoreCheck, address: str, finding: str, at: datetime) -> None:
    """Write down what was found, and tell the system administrator of the first thing that is new."""
    setattr(check, finding, getattr(check, finding) + 1)
    if len(check.findings) < MOST_LISTED:
        check.findings.append([address, finding])
    if check.is_told or [address, finding] in _found_before(check):
        return
    check.is_told = True
    record_at_desk("files_damaged", at=at, actor=SYSTEM, subject=("store", check.pk), text=finding)


def _found_before(check: StoreCheck) -> list[list[str]]:
    with as_worker():
        last = StoreCheck.objects.filter(begun_at__lt=check.begun_at).order_by("-begun_at").first()
    return last.findings if last else []


def named_after(position: str, most: int) -> list[str]:
    """Return up to so many addresses after this one that some row names, in order."""
    return _addresses("address > %s ORDER BY address LIMIT %s", position, most)


def _is_named(address: str) -> bool:
    """Say whether some row still names it: a draft may have been deleted, and its file swept, meanwhile."""
    return bool(_addresses("address = %s", address))


def _addresses(condition: str, *values: Any) -> list[str]:
    with as_worker(), connection.cursor() as cursor:
        cursor.execute(_NAMED + condition, values)
        return [address for (address,) in cursor.fetchall()]


@dataclass(frozen=True)
class Due:
    """A document whose term is over: which, of which request, and since when."""

    document_id: UUID
    consultation_id: UUID
    number: str
    kind: str
    since: datetime


def list_due(*, at: datetime) -> list[Due]:
    """Return the documents whose term is over, by the operator's terms; without terms there are none."""
    if not settings.RETENTION:
        return []
    with as_worker():
        rows = Document.objects.filter(consultation__state__in=FINAL, consultation__closed_at__lt=at)
        names = ("id", "consultation_id", "consultation__number", "kind", "state")
        found = list(
            rows.order_by("consultation__closed_at", "id").values_list(
                *names, "consultation__state", "consultation__closed_at"
            )
        )
    return [
        Due(pk, request, number, kind, since)
        for pk, request, number, kind, state, request_state, closed_at in found
        if (since := due_at(Held(kind, state, request_state, closed_at), settings.RETENTION)) and since <= at
    ]


def delete_due(*, at: datetime, most: int = 200) -> int:
    """Delete the rows of documents whose term is over; their files are swept once nothing names them.

    Each in its own transaction, with an event in its request's story. Returns how many went.
    """
    return sum(_delete(due, at) for due in list_due(at=at)[:most])


def _delete(due: Due, at: datetime) -> bool:
    with as_worker():
        with connection.cursor() as cursor:
            cursor.execute("SELECT konsilium_forget_document(%s)", [due.document_id])
            (gone,) = cursor.fetchone() or (False,)
        if gone:
            row = Consultation.objects.only("id", "version").get(pk=due.consultation_id)
            subject = ("document", due.document_id)
            record(row, "document_expired", actor=SYSTEM, at=at, subject=subject, note=Note(reason=due.kind))
    return bool(gone)

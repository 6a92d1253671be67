"""What several actions need of files: the store, the scanner, work for the inspector, and a place for it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from konsilium.actions._step import NotThere
from konsilium.adapters.scanning import NullScanner, Scanner, scanner
from konsilium.adapters.storage import Store, connect
from konsilium.models import Document, Reading
from konsilium.models.access import as_inspector, as_worker

LEASE = timedelta(minutes=15)
# So that a page shows progress, and not each per cent is a write.
PROGRESS_STEP = 5
LARGEST_DERIVED = 16 * 1024**3
PIECE = 256 * 1024
NOTHING = UUID(int=0)


@dataclass(frozen=True)
class Job:
    """A reading that was taken: plain values, since the work is done outside any transaction.

    A reading is of a document or of a series; the other one is NOTHING.
    """

    pk: UUID
    task: str
    consultation_id: UUID
    document_id: UUID
    series_id: UUID
    tries: int


@lru_cache(maxsize=1)
def store() -> Store:
    """Return the house's store of files: the folder, or the bucket that is configured."""
    return connect(settings.STORE_URL, settings.FILES)


@lru_cache(maxsize=1)
def scanner_at_hand() -> Scanner:
    """Return the configured scanner, or the one that looks at nothing and says so."""
    return scanner(settings.SCANNER or "null://")


def is_checked_by_nobody() -> bool:
    """Say whether no scanner is configured, which the page tells."""
    return isinstance(scanner_at_hand(), NullScanner)


def plan(
    consultation_id: UUID, document_id: UUID | None, task: str, *, at: datetime, series_id: UUID | None = None
) -> None:
    """Let the inspector do a task, in the caller's transaction and context."""
    if task:
        reading = Reading(
            consultation_id=consultation_id,
            document_id=document_id,
            series_id=series_id,
            task=task,
            next_try_at=at,
            created_at=at,
        )
        reading.save(force_insert=True)


def document_of(job: Job) -> Document:
    """Return the document of a job. Raises NotThere when it was deleted with its draft."""
    with as_inspector(job.consultation_id):
        document = Document.objects.filter(pk=job.document_id).first()
    if document is None:
        raise NotThere
    return document


def on_progress(job: Job) -> Callable[[float], None]:
    """Return what takes a child's progress and shows it to whoever waits."""
    shown = 0

    def told(part: float) -> None:
        nonlocal shown
        percent = int(part * 100)
        if percent >= shown + PROGRESS_STEP:
            shown = percent
            with as_worker():
                Reading.objects.filter(pk=job.pk).update(progress=min(percent, 99), next_try_at=Now() + LEASE)

    return told


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder for a child's files, on the volume of the store; it is gone afterwards."""
    base = Path(settings.DATA) / "scratch"
    base.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base) as folder:
        yield Path(folder)


def keep(path: Path) -> tuple[str, int]:
    """Put a derived file into the store. Returns its address and size."""
    with path.open("rb") as file:
        stored = store().receive(iter(lambda: file.read(PIECE), b""), LARGEST_DERIVED)
    return stored.sha256, stored.size

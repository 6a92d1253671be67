"""The inspector: looks at what arrived, releases or refuses it, and makes what people look at.

Work stands as `Reading` rows. One is taken with a lease, done outside any transaction in a sandboxed child process, and
its result written in one transaction; an inspector that dies leaves a lease that runs out. What can't be read after a
few tries is refused or left out by name: no request waits for a picture.
"""

import logging
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from konsilium.actions import hiding_names, picturing, reading_dicom
from konsilium.actions._files import (
    LEASE,
    NOTHING,
    Job,
    document_of,
    is_checked_by_nobody,
    keep,
    plan,
    scanner_at_hand,
    scratch,
    store,
)
from konsilium.actions._step import NotThere, document_step
from konsilium.actions.paper_codes import CODES, codes_in
from konsilium.adapters import sandbox
from konsilium.adapters.kinds import DICOM, HEIC, JPEG, PDF, PLY, PNG, STL, TIFF, ZIP
from konsilium.adapters.scanning import ScannerUnavailable
from konsilium.adapters.storage import NotStored, StoreUnreachable
from konsilium.models import Derived, Document, Reading
from konsilium.models.access import as_inspector, as_worker
from konsilium.workflow.document import DocumentState
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import SYSTEM
from konsilium.workflow.words import CONCLUSION_SCAN, N_

log = logging.getLogger(__name__)

TRIES = 3
AGAIN = timedelta(seconds=20)
CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")

READ_AS_DICOM = (DICOM, ZIP)
HAS_COPIES = (JPEG, PNG, TIFF, HEIC, PDF, STL, PLY)
READ_LIMITS = sandbox.Limits(cpu_seconds=30, wall_seconds=60)
TOO_MUCH = N_("The file could not be checked: it needs far more memory or time than such a file should.")
UNREADABLE = N_(
    "The file could not be read: it seems to be damaged. Send it again, or as another kind of file."
)
INFECTED = N_("The virus scanner found something in the file: %(threat)s.")


class Later(Exception):
    """It can't be done now, and is no fault of the file: the scanner is down, or another job comes first."""


def run_pending(*, at: datetime, most: int = 1000, document_id: UUID | None = None) -> int:
    """Do what waits (for one document, where named), one after the other. Returns how many were done."""
    done = 0
    while done < most and (job := _take(at, document_id)):
        _do(job, at)
        done += 1
    return done


def _take(at: datetime, document_id: UUID | None) -> Job | None:
    """Take the reading that waits longest, and push it ahead by a lease in case we die."""
    with as_worker():
        rows = Reading.objects.select_for_update(skip_locked=True).filter(done_at=None, next_try_at__lte=at)
        if document_id is not None:
            rows = rows.filter(document_id=document_id)
        row = rows.order_by("next_try_at", "id").first()
        if row is None:
            return None
        row.next_try_at, row.tries = at + LEASE, row.tries + 1
        row.save(update_fields=["next_try_at", "tries"])
    return Job(
        row.pk, row.task, row.consultation_id, row.document_id or NOTHING, row.series_id or NOTHING, row.tries
    )


def _do(job: Job, at: datetime) -> None:
    tasks: dict[str, Callable[[Job, datetime], None]] = {
        "inspect": _inspect,
        "derive": _derive,
        **reading_dicom.TASKS,
        **hiding_names.TASKS,
        **picturing.TASKS,
    }
    try:
        tasks[job.task](job, at)
    except (Later, ScannerUnavailable, StoreUnreachable):
        _again(job, at, count=False)
    except (NotThere, NotStored):
        _finish(job, at, "gone")
    except sandbox.Killed as killed:
        _give_up(job, at, killed.limit, TOO_MUCH)
    except Exception as failed:  # noqa: BLE001  one file that breaks us must not stop those behind it
        kind = failed.kind if isinstance(failed, sandbox.Failed) else type(failed).__name__
        # A crash of the decoder will come again; everything else may have been the moment's.
        if job.tries < TRIES and kind not in CRASHES:
            _again(job, at)
        else:
            _give_up(job, at, kind, UNREADABLE)
    else:
        _finish(job, at)


def _again(job: Job, at: datetime, *, count: bool = True) -> None:
    with as_worker():
        rows = Reading.objects.filter(pk=job.pk)
        rows.update(next_try_at=at + AGAIN * job.tries, tries=job.tries if count else job.tries - 1)


def _finish(job: Job, at: datetime, trouble: str = "") -> None:
    with as_worker():
        Reading.objects.filter(pk=job.pk).update(done_at=at, progress=100, trouble=trouble[:40])


def _give_up(job: Job, at: datetime, kind: str, words: str) -> None:
    """Refuse what could not be looked at; a copy or a picture that failed is only marked so."""
    log.warning("reading %s: %s ended by %s", job.pk, job.task, kind)
    if job.task == "inspect":
        _decide(job, at, "refuse", refusal=words, verdict="unreadable")
    elif job.series_id != NOTHING and job.task != picturing.TASK:
        reading_dicom.mark_failed(job)
    _finish(job, at, kind)


def _inspect(job: Job, at: datetime) -> None:
    """Scan the document for malware, look at it whole in the sandbox, and release or refuse it."""
    document = document_of(job)
    if document.state != DocumentState.QUARANTINED:
        return
    finding, threat = _scanned(document)
    if threat:
        _decide(job, at, "refuse", refusal=INFECTED, params={"threat": threat}, verdict=finding)
        return
    with scratch() as folder, store().open_path(document.sha256) as path:
        said = sandbox.run("inspect", {"path": str(path), "name": document.file_name}, scratch=folder)
    if said["verdict"] != "ok":
        _decide(
            job, at, "refuse", refusal=said["message"], params=said.get("params", {}), verdict=said["reason"]
        )
        return
    media_type = said["media_type"]
    facts = said.get("facts", {}) | _read_of_paper(document, media_type)
    _decide(job, at, "release", verdict=finding, media_type=media_type, facts=facts)


def _read_of_paper(document: Document, media_type: str) -> dict[str, Any]:
    """Return what the code on a scan of signed paper says; what was known of it stays known."""
    if document.kind != CONCLUSION_SCAN:
        return {}
    if document.facts.get(CODES) is not None:
        return dict(document.facts)
    try:
        with scratch() as folder, store().open_path(document.sha256) as path:
            arguments = {"path": str(path), "media_type": media_type}
            said = sandbox.run("read_codes", arguments, scratch=folder, limits=READ_LIMITS)
    except (sandbox.Killed, sandbox.Failed):
        # The paper is read by people all the same.
        return {CODES: []}
    return {CODES: codes_in(said["codes"])}


def _scanned(document: Document) -> tuple[str, str]:
    """Return what the scanner finds, and the name of it. Raises ScannerUnavailable, and then the document waits."""
    if is_checked_by_nobody():
        return "not_checked", ""
    verdict = scanner_at_hand().scan(store().open_range(document.sha256))
    return str(verdict.finding), "" if verdict.finding == "clean" else verdict.threat


def _decide(
    job: Job,
    at: datetime,
    move: str,
    *,
    verdict: str,
    refusal: str = "",
    params: dict[str, Any] | None = None,
    media_type: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """Move the document out of its quarantine; whoever took it back meanwhile has decided for us."""
    document = document_of(job)
    try:
        with as_worker(), document_step(document, move, actor=SYSTEM, at=at) as row:
            row.verdict = verdict[:40]
            row.refusal = refusal
            row.media_type = media_type or row.media_type
            row.facts = (facts or {}) | ({"refusal": params} if params else {})
            if move == "release":
                plan(row.consultation_id, row.pk, _next_task(row.media_type), at=at)
    except Refused:
        return


def _next_task(media_type: str) -> str:
    if media_type in READ_AS_DICOM:
        return "index"
    return "derive" if media_type in HAS_COPIES else ""


def _derive(job: Job, at: datetime) -> None:
    """Make the copies for looking; the original stays as it came."""
    document = document_of(job)
    arguments = {"media_type": document.media_type}
    with scratch() as folder, store().open_path(document.sha256) as path:
        said = sandbox.run("derive", {"path": str(path), **arguments}, scratch=folder)
        copies = [(copy, keep(folder / copy["file"])) for copy in said["copies"]]
    with as_inspector(job.consultation_id):
        for copy, (sha256, size) in copies:
            Derived.objects.update_or_create(
                document_id=document.pk,
                purpose=copy["purpose"],
                defaults={
                    "consultation_id": job.consultation_id,
                    "sha256": sha256,
                    "size": size,
                    "media_type": copy["media_type"],
                    "facts": copy.get("facts", {}),
                    "made_at": at,
                },
            )


def sweep_scratch() -> int:
    """Remove what a dead inspector left in the scratch folder, when a new one starts. Returns how many folders."""
    base = Path(settings.DATA) / "scratch"
    left = list(base.iterdir()) if base.exists() else []
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)

"""The inspector's work on names: pictures with boxes blacked out, and copies of a study without its patient."""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from konsilium.actions import reading_dicom
from konsilium.actions._files import Job, keep, on_progress, scratch, store
from konsilium.actions._step import NotThere
from konsilium.actions.imaging_choices import HIDDEN, copy_purpose
from konsilium.adapters import sandbox
from konsilium.models import Derived, Instance, Reading, Series
from konsilium.models.access import as_inspector


def _black_out(job: Job, at: datetime) -> None:
    """Black boxes out in every picture of a series, render it anew, and then let the centre see it.

    The document keeps the original, which the centre doesn't get. A try that broke off is simply done again.
    """
    told = _told(job)
    with as_inspector(job.consultation_id):
        series = Series.objects.filter(pk=told["series"])
        rows = list(Instance.objects.filter(series__in=series).order_by("position", "id"))
    if not rows:
        raise NotThere
    with scratch() as folder, opened(rows) as sources:
        tell = on_progress(job)
        for number, (row, source) in enumerate(zip(rows, sources, strict=True)):
            said = sandbox.run("black_out", {"instance": source, "boxes": told["boxes"]}, scratch=folder)
            row.file_sha256, row.file_length = keep(folder / said["file"])
            row.file_offset = 0
            row.transfer_syntax = said.get("transfer_syntax") or row.transfer_syntax
            tell((number + 1) / len(rows))
    with as_inspector(job.consultation_id):
        Instance.objects.bulk_update(
            rows, ["file_sha256", "file_offset", "file_length", "transfer_syntax"], batch_size=500
        )
    reading_dicom.TASKS["render"](job, at)
    with as_inspector(job.consultation_id):
        series.update(burned_in=HIDDEN)


def _deidentify(job: Job, at: datetime) -> None:
    """Make a ZIP of a study's chosen series with new identifiers, moved dates and no patient."""
    told = _told(job)
    with as_inspector(job.consultation_id):
        found = Instance.objects.filter(series_id__in=told["series"], series__study_id=told["study"])
        rows = list(found.order_by("series_id", "position", "id"))
    if not rows:
        raise NotThere
    with scratch() as folder, opened(rows) as sources:
        said = sandbox.run("deidentify", {"instances": sources}, scratch=folder, on_progress=on_progress(job))
        sha256, size = keep(_zipped(folder, said["files"]))
    with as_inspector(job.consultation_id):
        Derived.objects.update_or_create(
            document_id=rows[0].document_id,
            purpose=copy_purpose(UUID(told["study"])),
            defaults={
                "consultation_id": job.consultation_id,
                "sha256": sha256,
                "size": size,
                "media_type": "application/zip",
                "facts": {"study": told["study"], "series": told["series"]},
                "made_at": at,
            },
        )


def _zipped(folder: Path, names: Iterable[str]) -> Path:
    """Put files of our own making into an archive, stored: compressed pictures don't get smaller."""
    path = folder / "copy.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, name in enumerate(names, 1):
            archive.write(folder / name, f"{number:05}.dcm")
    return path


def _told(job: Job) -> dict[str, Any]:
    """Return what the order says. Raises NotThere when it went with its draft."""
    with as_inspector(job.consultation_id):
        reading = Reading.objects.filter(pk=job.pk).first()
    if reading is None:
        raise NotThere
    arguments: dict[str, Any] = reading.arguments
    return {"series": reading.series_id} | arguments


@contextmanager
def opened(rows: list[Instance]) -> Iterator[list[dict[str, Any]]]:
    """Give the instances' files by path, each with its place in it."""
    with ExitStack() as stack:
        paths = {
            address: str(stack.enter_context(store().open_path(address)))
            for address in sorted({row.file_sha256 for row in rows})
        }
        yield [
            {
                "path": paths[row.file_sha256],
                "offset": row.file_offset,
                "length": row.file_length,
                "sop_uid": row.sop_uid,
            }
            for row in rows
        ]


TASKS: dict[str, Callable[[Job, datetime], None]] = {"black_out": _black_out, "deidentify": _deidentify}

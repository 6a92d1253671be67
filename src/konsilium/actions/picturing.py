"""Frames as plain pictures (WADO-RS "rendered"): made by the inspector once somebody asks, kept beside the pack."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from konsilium.actions._files import Job, keep, on_progress, plan, scratch
from konsilium.actions._step import NotThere
from konsilium.actions.hiding_names import opened
from konsilium.adapters import sandbox
from konsilium.models import Instance, Reading, Series
from konsilium.models.access import as_inspector

TASK = "picture"
RENDERED = "rendered"


def order(series: Series, *, at: datetime) -> None:
    """Let the inspector make a series' pictures, unless that waits already; in the caller's context."""
    waiting = Reading.objects.filter(series_id=series.pk, task=TASK, done_at=None)
    if not waiting.exists():
        plan(series.consultation_id, None, TASK, at=at, series_id=series.pk)


def pictures_of(series: Series, sop_uid: str) -> tuple[str, list[list[int]]] | None:
    """Return the stored file and the range of each frame's picture, once they are made."""
    copy, ranges = series.previews.get(RENDERED), series.layout.get(RENDERED, {})
    return (copy["sha256"], ranges[sop_uid]) if copy and sop_uid in ranges else None


def could_not(series: Series) -> bool:
    """Say whether the inspector has given up on this very pack's pictures."""
    return Reading.objects.filter(series_id=series.pk, task=TASK).exclude(trouble="").exists()


def _picture(job: Job, at: datetime) -> None:
    """Make them from the instances as they are now; what was rendered anew meanwhile keeps none of them."""
    with as_inspector(job.consultation_id):
        series = Series.objects.filter(pk=job.series_id).first()
        rows = list(Instance.objects.filter(series_id=job.series_id).order_by("position", "id"))
    if series is None or not rows:
        raise NotThere
    with scratch() as folder, opened(rows) as sources:
        told = on_progress(job)
        said = sandbox.run("render_frames", {"instances": sources}, scratch=folder, on_progress=told)
        sha256, size = keep(folder / said["file"])
    _write(job.consultation_id, series, said["ranges"], (sha256, size))


def _write(consultation: UUID, series: Series, ranges: dict[str, Any], kept: tuple[str, int]) -> None:
    copy = {"sha256": kept[0], "size": kept[1], "media_type": "application/octet-stream"}
    with as_inspector(consultation):
        same = Series.objects.filter(pk=series.pk, pack_sha256=series.pack_sha256)
        same.update(previews=series.previews | {RENDERED: copy}, layout=series.layout | {RENDERED: ranges})


TASKS: dict[str, Callable[[Job, datetime], None]] = {TASK: _picture}

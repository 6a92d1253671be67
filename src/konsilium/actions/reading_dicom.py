"""Reading DICOM: a document becomes instances of series of studies, and each series pictures and frames.

Two tasks of the inspector. `index` reads the headers of a document (a file, or an archive of them) and writes rows;
`render` makes a series' previews and its pack of frames. A document that brings more of a known series joins it, and
that series is rendered again.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from konsilium.actions._files import Job, document_of, keep, on_progress, plan, scratch, store
from konsilium.actions._step import NotThere
from konsilium.adapters import sandbox
from konsilium.models import Document, Instance, LeftOut, Series, Study
from konsilium.models.access import as_inspector

LONGEST_NAME = 300
# What stays of a series' own words about itself.
TEXTS = {"modality": 16, "description": 200, "body_part": 64}


def _index(job: Job, at: datetime) -> None:
    """Read a document's headers and write what there is; what is no DICOM picture is named with the reason."""
    document = document_of(job)
    with scratch() as folder, store().open_path(document.sha256) as path:
        source = {"path": str(path), "name": document.file_name, "id": str(document.pk)}
        said = sandbox.run("index_study", {"sources": [source]}, scratch=folder, on_progress=on_progress(job))
        for series in said["series"]:
            _keep_files(series, document, folder)
    with as_inspector(job.consultation_id):
        LeftOut.objects.filter(document_id=document.pk).delete()
        LeftOut.objects.bulk_create(_left_out(document, said["left_out"]))
        changed = [_write(series, document, at) for series in said["series"]]
        for pk in filter(None, changed):
            plan(job.consultation_id, None, "render", at=at, series_id=pk)


def _keep_files(series: dict[str, Any], document: Document, folder: Path) -> None:
    """Give each instance its place in the store: within the document itself, or as a file unpacked from it."""
    for instance in series["instances"]:
        if instance.get("path"):
            sha256, size = keep(folder / instance["path"])
            instance |= {"sha256": sha256, "offset": 0, "length": size}
        else:
            instance |= {"sha256": document.sha256, "offset": instance.get("offset", 0)}
            instance["length"] = instance.get("length") or document.size


def _left_out(document: Document, said: list[dict[str, str]]) -> list[LeftOut]:
    return [
        LeftOut(
            consultation_id=document.consultation_id,
            document_id=document.pk,
            name=entry["name"][:LONGEST_NAME],
            reason=entry["reason"][:40],
        )
        for entry in said
    ]


def _write(said: dict[str, Any], document: Document, at: datetime) -> UUID | None:
    """Write a series with its instances. Returns its key when something of it is new."""
    study_id = _study(said, document, at)
    series, _ = Series.objects.get_or_create(
        study_id=study_id,
        series_uid=said["series_uid"],
        defaults={"consultation_id": document.consultation_id},
    )
    before = Instance.objects.filter(series=series).count()
    rows = [_instance(one, series, document) for one in said["instances"]]
    Instance.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    if Instance.objects.filter(series=series).count() == before:
        return None
    series.number = said.get("number")
    for name, most in TEXTS.items():
        setattr(series, name, str(said.get(name) or "")[:most])
    series.rows, series.columns = said.get("rows") or 0, said.get("columns") or 0
    series.burned_in = _burned_in(series.burned_in, is_risky=bool(said.get("burned_in_risk")))
    series.state, series.progress = Series.WAITING, 0
    series.save()
    return series.pk


def _burned_in(before: str, *, is_risky: bool) -> str:
    """More pictures came: what was said of the earlier ones isn't said of these, and boxes were not drawn on them."""
    if before == "hidden":
        return "yes"
    return "asked" if is_risky and before in ("", "no") else before


def _study(said: dict[str, Any], document: Document, at: datetime) -> UUID:
    """Return the study's key; the first document that brings a study tells about it and its patient."""
    patient = said.get("patient") or {}
    row = Study(
        consultation_id=document.consultation_id,
        study_uid=said["study_uid"],
        description=str(said.get("study_description") or "")[:200],
        study_date=_date(said.get("study_date")),
        institution=str(said.get("institution") or "")[:200],
        patient_name=str(patient.get("name") or "")[:324],
        patient_birth_date=_date(patient.get("birth_date")),
        patient_sex=str(patient.get("sex") or "")[:10],
        patient_identifier=str(patient.get("id") or "")[:64],
        created_at=at,
    )
    known = Study.objects.filter(consultation_id=document.consultation_id, study_uid=row.study_uid)
    # Ordered by the key: the time is one of the columns that the inspector may not read.
    key = known.order_by("pk").values_list("pk", flat=True).first()
    if key is None:
        row.save(force_insert=True)
    return key or row.pk


def _date(text: str | None) -> date | None:
    """Read a DICOM date, YYYYMMDD; what is none is not there."""
    try:
        return datetime.strptime(text or "", "%Y%m%d").date()  # noqa: DTZ007  a date has no zone
    except ValueError:
        return None


def _instance(said: dict[str, Any], series: Series, document: Document) -> Instance:
    return Instance(
        consultation_id=document.consultation_id,
        series=series,
        document_id=document.pk,
        sop_uid=said["sop_uid"],
        sop_class=said["sop_class"],
        transfer_syntax=said["transfer_syntax"],
        number=said.get("number"),
        position=0,
        frames=said.get("frames") or 1,
        file_sha256=said["sha256"],
        file_offset=said["offset"],
        file_length=said["length"],
    )


def _render(job: Job, at: datetime) -> None:
    """Make the previews and the pack of a series from all of its instances, and write where each frame stands."""
    with as_inspector(job.consultation_id):
        Series.objects.filter(pk=job.series_id).update(state=Series.RENDERING)
        rows = list(Instance.objects.filter(series_id=job.series_id))
    if not rows:
        raise NotThere
    with scratch() as folder:
        said = _rendered(rows, folder, job)
        metadata, _ = keep(folder / said["metadata"])
        pack, _ = keep(folder / said["pack"])
        previews = {name: _preview(folder, copy) for name, copy in said["previews"].items()}
    by_uid = {one["sop_uid"]: (position, one) for position, one in enumerate(said["instances"])}
    with as_inspector(job.consultation_id):
        rows = _leave_out(rows, set(said["left_out"]))
        for row in rows:
            row.position, one = by_uid[row.sop_uid]
            row.ranges = one["ranges"]
        Instance.objects.bulk_update(rows, ["position", "ranges"], batch_size=500)
        Series.objects.filter(pk=job.series_id).update(
            state=Series.READY,
            progress=100,
            count=len(rows),
            is_volume=said["is_volume"],
            why_not_volume=said["why_not"] or "",
            facts=said["facts"],
            layout=said["layout"],
            metadata_sha256=metadata,
            pack_sha256=pack,
            pack_syntax=said["transfer_syntax"],
            previews=previews,
        )


def _leave_out(rows: list[Instance], damaged: set[str]) -> list[Instance]:
    """Name the instances that can't be decoded, and return the others."""
    gone = [row for row in rows if row.sop_uid in damaged]
    LeftOut.objects.bulk_create(
        LeftOut(
            consultation_id=row.consultation_id,
            document_id=row.document_id,
            name=f"{row.number or ''} {row.sop_uid}".strip(),
            reason="damaged",
        )
        for row in gone
    )
    Instance.objects.filter(pk__in=[row.pk for row in gone]).delete()
    return [row for row in rows if row.sop_uid not in damaged]


def _rendered(rows: list[Instance], folder: Path, job: Job) -> dict[str, Any]:
    """Give the child the files of the instances, each as (path, offset, length)."""
    with ExitStack() as opened:
        paths = {
            address: str(opened.enter_context(store().open_path(address)))
            for address in sorted({row.file_sha256 for row in rows})
        }
        sources = [
            {
                "path": paths[row.file_sha256],
                "offset": row.file_offset,
                "length": row.file_length,
                "sop_uid": row.sop_uid,
            }
            for row in rows
        ]
        return sandbox.run(
            "render_series", {"instances": sources}, scratch=folder, on_progress=on_progress(job)
        )


def _preview(folder: Path, copy: dict[str, Any]) -> dict[str, Any]:
    sha256, size = keep(folder / copy["file"])
    return {"sha256": sha256, "size": size, "media_type": copy["media_type"]}


def mark_failed(job: Job) -> None:
    """Say of a series that its pictures could not be made; the document itself can be downloaded."""
    with as_inspector(job.consultation_id):
        Series.objects.filter(pk=job.series_id).update(state=Series.FAILED)


TASKS: dict[str, Callable[[Job, datetime], None]] = {"index": _index, "render": _render}

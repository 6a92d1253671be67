"""A request's studies, as the request page, the form and the page before sending show them."""

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext

from konsilium.actions.imaging_choices import ASKED, HIDDEN, IN_WORK, THERE
from konsilium.models import Consultation, Document, LeftOut, Reading, Series, Study
from konsilium.web.dicomweb.answers import MARK
from konsilium.web.studies.patient import Mismatch, mismatch, study_name
from konsilium.web.studies.words import modality, pictures, why_left_out, why_no_planes
from konsilium.workflow.document import DocumentState
from konsilium.workflow.roles import Actor, Role, may

THUMBNAIL = "thumbnail"
MOST_NAMES = 20


class SeriesRow(NamedTuple):
    """A series as text."""

    pk: UUID
    name: str
    about: str
    thumbnail: str
    progress: str
    failed: bool
    included: bool
    names: str


class StudyRow(NamedTuple):
    """A study as text, with its series."""

    pk: UUID
    title: str
    institution: str
    mismatch: Mismatch | None
    viewer: str
    export: str
    series: list[SeriesRow]


class LeftOutRow(NamedTuple):
    """Why some parts of the documents aren't shown: the reason, how many, and their names."""

    why: str
    number: int
    names: list[str]


def panel(
    consultation: Consultation, *, actor: Actor, at: datetime, roles: frozenset[Role]
) -> dict[str, Any]:
    """Return the studies, what is being read, what was left out, and whether they are the reader's to change."""
    readings = list(Reading.objects.filter(consultation=consultation, done_at=None).select_related(None))
    series = list(Series.objects.visible_to(actor).filter(consultation=consultation))
    studies = list(Study.objects.filter(pk__in={one.study_id for one in series})) if series else []
    progress = {reading.series_id: reading.progress for reading in readings if reading.task == "render"}
    exports = bool(roles) and may(actor.role, "picture.export")
    return {
        "studies": [_study(row, series, consultation, progress, exports=exports) for row in studies],
        "reading": _being_read(readings, consultation, actor),
        "left_out": _left_out(consultation),
        "busy": bool(readings),
        "may_choose": Role.REQUESTER in roles and consultation.state in IN_WORK,
        "address": reverse("studies:show", args=[consultation.pk]),
        "back": _back(consultation),
        "program": reverse("dicomweb:program", args=[consultation.pk]) if studies else "",
    }


def _back(consultation: Consultation) -> str:
    """Where the panel stands while the request is written, and where afterwards."""
    page = "drafting:edit" if consultation.state in IN_WORK else "consultation:show"
    return reverse(page, args=[consultation.pk]) + "#studies"


def _study(
    row: Study,
    series: list[Series],
    consultation: Consultation,
    progress: dict[UUID | None, int],
    *,
    exports: bool,
) -> StudyRow:
    mine = [one for one in series if one.study_id == row.pk]
    seen = any(one.state == Series.READY for one in mine)
    return StudyRow(
        pk=row.pk,
        title=study_name(row, modality(mine[0].modality)),
        institution=row.institution,
        mismatch=mismatch(row, consultation),
        viewer=reverse("viewer:show", args=[consultation.pk, row.pk]) if seen else "",
        export=reverse("studies:export", args=[row.pk]) if seen and exports else "",
        series=[_series(one, progress.get(one.pk)) for one in mine],
    )


def _series(row: Series, percent: int | None) -> SeriesRow:
    name = row.description or row.body_part or gettext("Series %(number)s") % {"number": row.number or "—"}
    kind = "" if modality(row.modality) == name else modality(row.modality)
    parts = (kind, pictures(row.count) if row.count else "", why_no_planes(row.why_not_volume))
    return SeriesRow(
        pk=row.pk,
        name=name,
        about=" · ".join(part for part in parts if part),
        thumbnail=preview(row, THUMBNAIL),
        progress=_progress(row, percent),
        failed=row.state == Series.FAILED,
        included=row.is_included,
        names=row.burned_in if row.burned_in in (ASKED, THERE, HIDDEN) else "",
    )


def _progress(row: Series, percent: int | None) -> str:
    if row.state in (Series.READY, Series.FAILED):
        return ""
    if row.state == Series.WAITING and not percent:
        return gettext("waits to be read")
    return gettext("read: %(percent)s %%") % {"percent": max(percent or 0, row.progress)}


def _being_read(readings: list[Reading], consultation: Consultation, actor: Actor) -> list[dict[str, str]]:
    """Return the documents that are being checked or read, each with how far that is."""
    waiting = {
        row.document_id: row for row in readings if row.document_id and row.task in ("inspect", "index")
    }
    if not waiting:
        return []
    rows = Document.objects.visible_to(actor).filter(consultation=consultation, pk__in=waiting)
    names = rows.exclude(state=DocumentState.REMOVED).order_by("added_at", "id")
    return [
        {"name": name, "progress": _said(waiting[pk])} for pk, name in names.values_list("pk", "file_name")
    ]


def _said(reading: Reading) -> str:
    if reading.task == "inspect":
        return gettext("is being checked")
    if not reading.progress:
        return gettext("waits to be read")
    return gettext("read: %(percent)s %%") % {"percent": reading.progress}


def _left_out(consultation: Consultation) -> list[LeftOutRow]:
    rows = LeftOut.objects.filter(consultation=consultation).order_by("name").values_list("reason", "name")
    names: dict[str, list[str]] = {}
    for code, name in rows:
        names.setdefault(why_left_out(code), []).append(name)
    counts = Counter({why: len(found) for why, found in names.items()})
    return [LeftOutRow(why, count, names[why][:MOST_NAMES]) for why, count in counts.most_common()]


def preview(row: Series, name: str) -> str:
    """Return a preview's address with its content's mark, so that a browser keeps it for good; nothing for none."""
    copy = row.previews.get(name)
    return f"{reverse('viewer:preview', args=[row.pk, name])}?v={copy['sha256'][:MARK]}" if copy else ""

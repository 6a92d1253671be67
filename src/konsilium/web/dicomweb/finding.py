"""Which rows of a request a program may read, and that they were read: the rules of the request page, once more."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from konsilium.actions._record import VIEWING_SECONDS, record_viewing
from konsilium.models import Consultation, Instance, Series
from konsilium.workflow.consultation import State
from konsilium.workflow.document import DocumentState
from konsilium.workflow.roles import Actor

READABLE = (DocumentState.AVAILABLE, DocumentState.SUPERSEDED)
MOST_REMEMBERED = 10_000
# What a browser fetched ahead, in the log of viewings.
AHEAD = "ahead"

# What this process has logged already: hundreds of frames a minute must not be hundreds of inserts.
_remembered: set[tuple[UUID, UUID, int]] = set()


def series(actor: Actor, consultation: UUID, *, study: str = "", series: str = "") -> QuerySet[Series]:
    """Return the series of a request that the person sees, of this study and with this UID where one is named."""
    rows = Series.objects.visible_to(actor).filter(consultation_id=consultation)
    rows = rows.filter(study__study_uid=study) if study else rows
    return rows.filter(series_uid=series) if series else rows


def instances(
    actor: Actor, consultation: UUID, *, study: str = "", series: str = "", instance: str = ""
) -> QuerySet[Instance]:
    """Return the instances that the person sees, narrowed to those named; never one whose document is not released."""
    shown = Series.objects.visible_to(actor).filter(consultation_id=consultation)
    rows = Instance.objects.filter(
        consultation_id=consultation, series__in=shown, document__state__in=READABLE
    )
    for path, value in (
        ("series__study__study_uid", study),
        ("series__series_uid", series),
        ("sop_uid", instance),
    ):
        rows = rows.filter(**{path: value}) if value else rows
    return rows


class Place(NamedTuple):
    """Where an instance's frames stand, and what has to be known to hand them out."""

    ranges: list[list[int]]
    pack_sha256: str
    pack_syntax: str
    state: str
    study_id: UUID
    consultation_state: str


def frames_of(actor: Actor, consultation: UUID, study: str, series: str, instance: str) -> Place | None:
    """Return where the frames of an instance stand, if the person sees it: one query, asked for each frame.

    It begins at the series, so that the series' rule is planned once, not twice: half of the time of a frame is planning.
    """
    rows = Series.objects.visible_to(actor).filter(
        consultation_id=consultation,
        study__study_uid=study,
        series_uid=series,
        instances__sop_uid=instance,
        instances__document__state__in=READABLE,
    )
    names = ("instances__ranges", "pack_sha256", "pack_syntax", "state", "study_id", "consultation__state")
    row = rows.order_by().values_list(*names)[:1]
    return next((Place(*values) for values in row), None)


def remember(consultation: Consultation, study: UUID, *, actor: Actor, at: datetime) -> None:
    """Log that the person reads a study, once in ten minutes; a draft is its author's own business."""
    key = (actor.person_id, study, int(at.timestamp()) // VIEWING_SECONDS)
    if key in _remembered or consultation.state == State.DRAFT:
        return
    record_viewing(consultation, "study", study, actor=actor, at=at)
    # Remembered only once it is written for good.
    transaction.on_commit(lambda: _remember(key))


def _remember(key: tuple[UUID, UUID, int]) -> None:
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered.add(key)


def remember_all(request: Any, rows: list[Series]) -> None:
    """Log every study among these series as read; `consultation` must have been fetched with them.

    What a browser fetches ahead (web/viewer/ahead.py) says so, and is logged as that, by series: nobody has looked yet.
    """
    if request.headers.get("X-Ahead"):
        for row in rows:
            record_viewing(row.consultation, AHEAD, row.pk, actor=request.actor, at=request.at)
        return
    for study, consultation in {row.study_id: row.consultation for row in rows}.items():
        remember(consultation, study, actor=request.actor, at=request.at)

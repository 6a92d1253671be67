"""What the requesting side decides about pictures: which series go to the centre, and what is done about names on them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from konsilium.actions._record import Note, record
from konsilium.actions._step import lock
from konsilium.models import Consultation, Document, Reading, Series, Study
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.photo_protocol import is_view_of
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import N_

IN_WORK = (State.DRAFT, State.CLARIFICATION)
MOST_BOXES = 20
# May names be burned into a series' pictures: the answers, beside "" (unlikely) and "hidden" (blacked out).
ASKED, NONE_THERE, THERE, HIDDEN = "asked", "no", "yes", "hidden"


class Box(NamedTuple):
    """A rectangle of a picture in its own pixels, from the upper left corner."""

    left: int
    top: int
    width: int
    height: int


class NoBoxes(Refused):
    """Nothing was marked, or nothing of it lies on the picture."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(N_("Draw a box around each name first; it must lie on the picture."))


def include(series: Series, wanted: bool, *, actor: Actor, at: datetime) -> None:
    """Tick or untick a series for the centre, while the request is its writer's. Raises NotThere, NotNow or NotYours."""
    with transaction.atomic():
        row, series = _in_work(series, actor)
        if series.is_included == wanted:
            return
        Series.objects.filter(pk=series.pk).update(is_included=wanted)
        kind = "series_included" if wanted else "series_left_out"
        record(row, kind, actor=actor, at=at, subject=("series", series.pk))


def answer_names(series: Series, there: bool, *, actor: Actor, at: datetime) -> None:
    """Say whether names stand on a series' pictures. With names, the centre isn't shown it until they are blacked out.

    What was blacked out, or is about to be, stays so. Raises NotThere, NotNow or NotYours.
    """
    with transaction.atomic():
        row, series = _in_work(series, actor)
        answer = THERE if there else NONE_THERE
        if series.burned_in in (answer, HIDDEN) or (not there and _was_boxed(series)):
            return
        Series.objects.filter(pk=series.pk).update(burned_in=answer)
        kind = "names_found" if there else "names_denied"
        record(row, kind, actor=actor, at=at, subject=("series", series.pk))


def _was_boxed(series: Series) -> bool:
    return Reading.objects.filter(series=series, task="black_out").exists()


def black_out(series: Series, boxes: Sequence[Box], *, actor: Actor, at: datetime) -> None:
    """Let the inspector black out these boxes in every picture of a series; until then the centre isn't shown it.

    Boxes are cut to the picture. Raises NotThere, NotNow, NotYours or NoBoxes.
    """
    with transaction.atomic():
        row, series = _in_work(series, actor)
        kept = [box for box in (_within(box, series) for box in boxes[:MOST_BOXES]) if box]
        if not kept:
            raise NoBoxes
        Series.objects.filter(pk=series.pk).update(burned_in=THERE)
        _plan(row, "black_out", at, {"boxes": [list(box) for box in kept]}, series)
        record(row, "names_boxed", actor=actor, at=at, subject=("series", series.pk))


def _within(box: Box, series: Series) -> Box | None:
    left, top = max(box.left, 0), max(box.top, 0)
    right, bottom = min(box.left + box.width, series.columns), min(box.top + box.height, series.rows)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def export(study: Study, *, actor: Actor, at: datetime) -> None:
    """Let the inspector make a de-identified copy of what this person sees of a study. Raises NotThere.

    An order that waits already is enough.
    """
    with transaction.atomic():
        row = lock(study.consultation, actor=actor)
        uids = shown_series(study, actor)
        waiting = Reading.objects.filter(consultation=row, task="deidentify", done_at=None)
        if not uids or any(reading.arguments.get("study") == str(study.pk) for reading in waiting):
            return
        _plan(row, "deidentify", at, {"study": str(study.pk), "series": uids})
        record(
            row, "study_exported", actor=actor, at=at, subject=("study", study.pk), note=_inside(row, actor)
        )


def copy_purpose(study_id: UUID) -> str:
    """Return under which purpose a study's de-identified copy is kept with one of its documents."""
    return f"deid-{study_id.hex[-15:]}"


def shown_series(study: Study, actor: Actor) -> list[str]:
    """Return the keys of the series that go into a copy of the study: ticked ones without names on them, in order."""
    rows = Series.objects.visible_to(actor).filter(study=study, is_included=True).exclude(burned_in=THERE)
    return [str(pk) for pk in rows.order_by("id").values_list("pk", flat=True)]


def _inside(row: Consultation, actor: Actor) -> Note:
    """A copy the centre makes for itself is its own affair; one the hospital makes is nobody's news either."""
    is_centre = bool(row.roles_of(actor) - {Role.REQUESTER})
    return Note(audience="centre") if is_centre else Note()


def name_view(document: Document, view: str, *, actor: Actor, at: datetime) -> None:
    """Say which view of the photo protocol a photograph is; an empty view says that it is none of them.

    Whoever added it says so, while the request isn't over. Raises NotThere, NotNow, NotYours or Refused.
    """
    with transaction.atomic():
        row = lock(document.consultation, actor=actor)
        if row.state in FINAL:
            raise NotNow(N_("The request is over: nothing can be changed in it."))
        if document.author_id != actor.person_id and Role.REQUESTER not in row.roles_of(actor):
            raise NotYours(N_("Only the requesting side says what a photograph shows."))
        if view and not is_view_of(document.kind, view):
            raise Refused(N_("Choose a view from the list."))
        Document.objects.filter(pk=document.pk).update(photo_view=view)
        if row.state != State.DRAFT:
            record(row, "photo_named", actor=actor, at=at, subject=("document", document.pk))


def _in_work(series: Series, actor: Actor) -> tuple[Consultation, Series]:
    """Lock the request and read the series anew; it may be changed by the requesting side before it is sent."""
    row = lock(series.consultation, actor=actor)
    if Role.REQUESTER not in row.roles_of(actor):
        raise NotYours(N_("Only the requesting side chooses what is sent."))
    if row.state not in IN_WORK:
        raise NotNow(N_("The request was sent already: its pictures can't be changed now."))
    return row, Series.objects.get(pk=series.pk)


def _plan(
    row: Consultation, task: str, at: datetime, arguments: dict[str, Any], series: Series | None = None
) -> None:
    reading = Reading(
        consultation=row, series=series, task=task, arguments=arguments, next_try_at=at, created_at=at
    )
    reading.save(force_insert=True)

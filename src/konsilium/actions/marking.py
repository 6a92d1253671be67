"""Marks on pictures: drawn by somebody, shared with the case, changed by new editions; and key images of slices.

A mark stays its author's: nobody else changes it or takes it back. No event says what was drawn: the marks themselves
remember who, when and in which edition.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from konsilium.actions import conversation, documents
from konsilium.actions._step import lock
from konsilium.actions.conversation import Letter
from konsilium.actions.documents import Upload
from konsilium.models import Consultation, Document, KeyImage, Mark, Series
from konsilium.workflow.consultation import FINAL
from konsilium.workflow.machine import NotNow, NotYours, Refused, Stale
from konsilium.workflow.marks import LARGEST_MARK, LONGEST_TEXT, MARK_KINDS, MOST_FRAMES, MOST_MARKS
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import KEY_IMAGE, N_

_UID = re.compile(r"[0-9.]{0,64}")
PNG = b"\x89PNG\r\n\x1a\n"


class BadMark(Refused):
    """What was sent is no mark that could be drawn again."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(N_("The mark could not be kept. Draw it again."))


class TooManyMarks(Refused):
    """So many marks that nobody could see the picture any more."""

    def __init__(self) -> None:
        """Say how many are kept."""
        super().__init__(
            N_("A request keeps at most %(count)s marks. Remove some of yours."), params={"count": MOST_MARKS}
        )


@dataclass(frozen=True)
class Drawing:
    """What was drawn: a kind of workflow/marks.py, its points (`data`, mm in the patient's or the surface's space),
    and on which picture. Exactly one of `series_id` and `document_id` is given.
    """

    kind: str
    data: dict[str, Any]
    text: str = ""
    series_id: UUID | None = None
    document_id: UUID | None = None
    sop_uid: str = ""
    frame: int = 1


@dataclass(frozen=True)
class Slice:
    """What a key image shows: a frame of a series, and the viewer's own way back to it."""

    series_id: UUID
    sop_uid: str = ""
    frame: int = 1
    view: dict[str, Any] = field(default_factory=dict)


def add(consultation: Consultation, drawing: Drawing, *, actor: Actor, at: datetime) -> Mark:
    """Keep a mark. Raises NotThere, NotNow, BadMark or TooManyMarks."""
    with transaction.atomic():
        row = _open(consultation, actor)
        _check(row, drawing, actor)
        if Mark.objects.filter(consultation=row).present().count() >= MOST_MARKS:
            raise TooManyMarks
        mark = _mark(row, drawing, actor, at)
        mark.save(force_insert=True)
    return mark


def change(mark: Mark, drawing: Drawing, *, actor: Actor, at: datetime) -> Mark:
    """Keep a new edition of an own mark, which names the one it replaces. It stays on its picture.

    Raises NotThere, NotNow, NotYours, Stale (there is a newer edition already) or BadMark.
    """
    with transaction.atomic():
        row = _open(mark.consultation, actor)
        _check_words(drawing)
        _take_back(mark, actor, at)
        newer = _mark(row, drawing, actor, at)
        for name in ("series_id", "document_id", "sop_uid", "frame"):
            setattr(newer, name, getattr(mark, name))
        newer.edition, newer.replaces = mark.edition + 1, mark
        newer.save(force_insert=True)
    return newer


def remove(mark: Mark, *, actor: Actor, at: datetime) -> None:
    """Take an own mark back; its row stays. Raises NotThere, NotNow, NotYours or Stale."""
    with transaction.atomic():
        _open(mark.consultation, actor)
        _take_back(mark, actor, at)


def keep_image(
    consultation: Consultation, taken: Slice, picture: Upload, *, text: str = "", actor: Actor, at: datetime
) -> KeyImage:
    """Make a received picture of a slice a document of the request, numbered, with the way back to the slice.

    With `text` it goes into the thread. Raises BadMark when it is no PNG or the series isn't there, and whatever
    `documents.add` and `conversation.post` raise; then neither was done.
    """
    with transaction.atomic():
        row = _open(consultation, actor)
        series = _series(row, taken.series_id, actor)
        is_png = picture.stored.head.startswith(PNG)
        is_place = _is_place(taken.sop_uid, taken.frame)
        if series is None or not is_png or not is_place or not _is_plain(taken.view):
            raise BadMark
        number = KeyImage.objects.filter(consultation=row).count() + 1
        named = Upload(picture.stored, f"{picture.name} {number}.png")
        document = documents.add(row, named, kind=KEY_IMAGE, actor=actor, at=at)
        key = KeyImage(
            consultation=row,
            document=document,
            series=series,
            sop_uid=taken.sop_uid,
            frame=taken.frame,
            view=taken.view,
        )
        key.save(force_insert=True)
        if text.strip():
            letter = Letter(text, documents=(document.pk,))
            conversation.post(row, letter, actor=actor, at=at)
    return key


def _open(consultation: Consultation, actor: Actor) -> Consultation:
    row = lock(consultation, actor=actor)
    if row.state in FINAL:
        raise NotNow(N_("The request is over: nothing can be added to it."))
    return row


def _check(row: Consultation, drawing: Drawing, actor: Actor) -> None:
    """The picture must be one of this request that the person sees."""
    _check_words(drawing)
    if (drawing.series_id is None) == (drawing.document_id is None):
        raise BadMark
    document = Document.objects.visible_to(actor).present().filter(consultation=row)
    if drawing.series_id is not None and _series(row, drawing.series_id, actor) is None:
        raise BadMark
    if drawing.document_id is not None and not document.filter(pk=drawing.document_id).exists():
        raise BadMark


def _series(row: Consultation, pk: UUID, actor: Actor) -> Series | None:
    return Series.objects.visible_to(actor).filter(consultation=row, pk=pk).first()


def _check_words(drawing: Drawing) -> None:
    fits = len(drawing.text) <= LONGEST_TEXT and _is_place(drawing.sop_uid, drawing.frame)
    if drawing.kind not in MARK_KINDS or not fits or not _is_plain({"text": drawing.text}):
        raise BadMark
    if not _is_plain(drawing.data):
        raise BadMark


def _is_place(sop_uid: str, frame: int) -> bool:
    return bool(_UID.fullmatch(sop_uid)) and 1 <= frame <= MOST_FRAMES


def _is_plain(data: Any) -> bool:
    """Say whether it is a JSON object of finite numbers and whole characters that fits and that PostgreSQL keeps."""
    if not isinstance(data, dict):
        return False
    try:
        text = json.dumps(data, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return len(text) <= LARGEST_MARK and b"\\u0000" not in text


def _take_back(mark: Mark, actor: Actor, at: datetime) -> None:
    if mark.author_id != actor.person_id:
        raise NotYours(N_("A mark is changed by whoever drew it. Draw your own beside it."))
    if not Mark.objects.filter(pk=mark.pk, author_id=actor.person_id, removed_at=None).update(removed_at=at):
        raise Stale


def _mark(row: Consultation, drawing: Drawing, actor: Actor, at: datetime) -> Mark:
    return Mark(
        consultation=row,
        series_id=drawing.series_id,
        document_id=drawing.document_id,
        sop_uid=drawing.sop_uid,
        frame=drawing.frame,
        kind=drawing.kind,
        text=drawing.text.strip(),
        data=drawing.data,
        author_id=actor.person_id,
        author_name=actor.name,
        author_role=actor.role,
        created_at=at,
    )

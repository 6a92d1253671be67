"""Print forms: asked for by a page, made by the worker as PDF/A-2b, kept as they were made.

A form belongs to the words it was made of: asked for again, the same words are the same form, other words another one.
"""

import hashlib
import json
import logging
from datetime import datetime
from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import override

from konsilium.actions._files import store
from konsilium.actions._step import NotThere
from konsilium.actions.papers import PICTURE_NAMES, SUBJECTS, Words, words_of
from konsilium.adapters.typesetting import LARGEST, NotTypeset, typeset
from konsilium.models import Conclusion, PrintForm
from konsilium.models.access import as_printer, as_worker, door
from konsilium.workflow.machine import NotNow
from konsilium.workflow.roles import Actor
from konsilium.workflow.words import N_, Side

log = logging.getLogger(__name__)
MOST_TRIES = 3
# Letters of the form's hash that a person can compare.
SHORT = 12
FHIR_STATUS = {True: "final", False: "preliminary"}


def ask(kind: str, subject_id: UUID, *, actor: Actor, at: datetime) -> PrintForm:
    """Return the form of a subject as it stands now; the worker makes it where it isn't made yet.

    A conclusion under a council is its protocol. One that failed is tried again. Raises NotThere, or NotNow for what
    has nothing to print yet.
    """
    subject = _subject(kind, subject_id, actor)
    kind = "protocol" if kind == "conclusion" and subject.council_id else kind
    digest = digest_of(words_of(kind, subject))
    with transaction.atomic():
        found = _found(kind, subject, digest, at)
        return found or _begun(kind, subject, digest, at)


def _subject(kind: str, subject_id: UUID, actor: Actor) -> Any:
    model: Any = SUBJECTS.get(kind)
    row = model.objects.visible_to(actor).filter(pk=subject_id).first() if model else None
    if row is None:
        raise NotThere
    if isinstance(row, Conclusion) and not row.text.strip():
        raise NotNow(N_("Write the conclusion's text first."))
    return row


def _found(kind: str, subject: Any, digest: str, at: datetime) -> PrintForm | None:
    """Return the form of these very words, placed when its subject is, and as new as its subject's last saving."""
    named = {"kind": kind, "subject_id": subject.pk, "content_sha256": digest}
    with door(_consultation_id(subject)):
        row = PrintForm.objects.filter(**named).first()
        if row is None:
            return None
        changed: dict[str, Any] = {}
        if row.state == "failed":
            changed |= {"state": "waiting", "tries": 0}
        if isinstance(subject, Conclusion) and row.asked_at < subject.updated_at:
            changed |= {"asked_at": at}
        if isinstance(subject, Conclusion) and subject.placed_at and not row.placed_at:
            changed |= {"placed_at": subject.placed_at}
        if changed:
            PrintForm.objects.filter(pk=row.pk).update(**changed)
    row.__dict__.update(changed)
    return row


def _begun(kind: str, subject: Any, digest: str, at: datetime) -> PrintForm:
    placed_at = subject.placed_at if isinstance(subject, Conclusion) else None
    is_draft = isinstance(subject, Conclusion) and placed_at is None
    form = PrintForm(
        consultation_id=_consultation_id(subject),
        kind=kind,
        subject_id=subject.pk,
        edition=getattr(subject, "edition", 1),
        side=Side.CONSULTING if is_draft else Side.REQUESTING,
        content_sha256=digest,
        asked_at=at,
    )
    form.save(force_insert=True)
    if placed_at:
        with door(form.consultation_id):
            PrintForm.objects.filter(pk=form.pk).update(placed_at=placed_at)
        form.placed_at = placed_at
    return form


def _consultation_id(subject: Any) -> UUID:
    return subject.consultation_id if hasattr(subject, "consultation_id") else subject.pk  # type: ignore[no-any-return]


def digest_of(words: Words) -> str:
    """Return what tells words from other words."""
    text = json.dumps(words, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def make_waiting(*, at: datetime, most: int = 1) -> int:
    """Make the forms that wait, the oldest first. Returns how many were tried."""
    with as_worker():
        rows = PrintForm.objects.filter(state="waiting").order_by("asked_at")
        waiting = list(rows.values_list("pk", "consultation_id")[:most])
    for pk, consultation_id in waiting:
        _try(pk, consultation_id, at)
    return len(waiting)


def _try(pk: UUID, consultation_id: UUID, at: datetime) -> None:
    """Typeset a form outside any transaction; one whose words are other by now fails, and is asked for anew."""
    with as_printer(consultation_id):
        form = PrintForm.objects.filter(pk=pk, state="waiting").first()
        words = _words_again(form) if form else None
    if form is None:
        return
    try:
        if words is None or digest_of(words) != form.content_sha256:
            _end(form, at, state="failed")
            return
        made = typeset(
            page_of(form, words), pictures=_drawn(form, words), metadata=_data(form, words), made=_made(form)
        )
    except Exception as trouble:  # noqa: BLE001  whatever it was: its words may be the form's
        why = str(trouble) if isinstance(trouble, NotTypeset) else type(trouble).__name__
        log.warning("form %s could not be made: %s", pk, why)
        tries = form.tries + 1
        _end(form, at, tries=tries, state="failed" if tries >= MOST_TRIES else "waiting")
        return
    stored = store().receive([made.pdf], LARGEST)
    _end(form, at, state="ready", sha256=stored.sha256, size=stored.size, pages=made.pages, done_at=at)


def _words_again(form: PrintForm) -> Words | None:
    subject = SUBJECTS[form.kind].objects.filter(pk=form.subject_id).first()
    return words_of(form.kind, subject) if subject else None


def _end(form: PrintForm, at: datetime, **changed: Any) -> None:
    with as_printer(form.consultation_id):
        PrintForm.objects.filter(pk=form.pk, state="waiting").update(**changed)


def page_of(form: PrintForm, words: Words) -> str:
    """Return the form as a page of HTML."""
    names = [_picture_name(number, kind) for number, (_, _, kind) in enumerate(words.get("pictures", ()))]
    pictures = [
        (caption, name if sha256 else "")
        for (caption, sha256, _), name in zip(words.get("pictures", ()), names, strict=True)
    ]
    context = {**words, "shown": pictures, "short": form.content_sha256[:SHORT]}
    with override("ru"):
        return render_to_string(f"printing/{form.kind}.html", context)


def _picture_name(number: int, media_type: str) -> str:
    return f"{number}.{PICTURE_NAMES.get(media_type, 'png')}"


def _drawn(form: PrintForm, words: Words) -> dict[str, bytes]:
    """Return the QR of the form's address, and the bytes of its pictures. Raises what the store does."""
    drawn = {"qr.svg": segno.make(address_of(form), error="m").svg_inline(scale=1).encode()}
    for number, (_, sha256, kind) in enumerate(words.get("pictures", ())):
        if sha256:
            drawn[_picture_name(number, kind)] = b"".join(store().open_range(sha256))
    return drawn


def address_of(form: PrintForm) -> str:
    """Return what the form's QR says: where it is read by whoever may, and which words it was made of."""
    return f"{settings.PUBLIC_URL}/papers/{form.pk}/#{form.content_sha256[:SHORT]}"


def _made(form: PrintForm) -> str:
    return form.asked_at.replace(microsecond=0).isoformat()


def _data(form: PrintForm, words: Words) -> str:
    """Return the form's words as data, in FHIR's terms, without the hashes of its pictures."""
    said = {name: value for name, value in words.items() if name not in ("kind", "pictures") and value}
    data = {
        "resourceType": "Composition",
        "type": form.kind,
        "identifier": words["number"],
        "version": form.edition,
        "status": FHIR_STATUS[form.side == Side.REQUESTING],
        "date": _made(form),
        "title": str(words["number"]),
        "content": said,
        "contentHash": form.content_sha256,
    }
    return json.dumps(data, ensure_ascii=False, sort_keys=True)

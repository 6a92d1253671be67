"""Documents: received bytes become a document of a request, are checked, handed out, removed, swept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from konsilium.actions._files import is_checked_by_nobody, plan, store
from konsilium.actions._record import record
from konsilium.actions._step import document_step, lock
from konsilium.adapters.kinds import NotAllowed, kind_of, safe_name
from konsilium.adapters.storage import Stored
from konsilium.models import (
    Conclusion,
    Consultation,
    Derived,
    Document,
    EquipmentTest,
    Instance,
    PrintForm,
    Recording,
    Series,
    Signature,
    SignatureCheck,
)
from konsilium.models import Upload as Coming
from konsilium.models.access import as_worker
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.document import DocumentFacts, DocumentState
from konsilium.workflow.machine import NotNow, Refused
from konsilium.workflow.roles import CENTRE_ROLES, Actor, Role
from konsilium.workflow.words import CONCLUSION_SCAN, DOCUMENT_KINDS, KEY_IMAGE, N_

# A file without a row is swept after this long: a form may still be on its way.
ORPHAN_AGE = timedelta(days=1)


@dataclass(frozen=True)
class Upload:
    """Bytes that were received: where they stand, what their sender called them, and what is known of them already."""

    stored: Stored
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class KindRefused(Refused):
    """The file is of no allowed kind; the words say what to send instead."""


class AlreadyThere(Refused):
    """The same bytes stand in the request already."""

    def __init__(self, name: str) -> None:
        """Say under which name."""
        super().__init__(N_("This file is in the request already: %(name)s"), params={"name": name})


def add(
    consultation: Consultation,
    upload: Upload,
    *,
    kind: str,
    note: str = "",
    conclusion: Conclusion | None = None,
    actor: Actor,
    at: datetime,
) -> Document:
    """Make received bytes a document of the request.

    A first look at its head tells its kind. Then it waits in quarantine until the inspector has looked at all of it;
    where none is at work (tests), it is available and says so. Raises NotThere, NotNow, KindRefused or AlreadyThere.
    """
    media_type = _media_type(upload)
    with transaction.atomic():
        row = lock(consultation, actor=actor)
        may_add(row, kind, actor)
        twin = Document.objects.filter(consultation=row, sha256=upload.stored.sha256).present().first()
        if twin is not None:
            raise AlreadyThere(twin.file_name)
        unlooked = settings.INSPECTOR == "null"
        document = Document(
            consultation=row,
            state=DocumentState.AVAILABLE if unlooked else DocumentState.QUARANTINED,
            kind=kind,
            file_name=safe_name(upload.name),
            media_type=media_type,
            size=upload.stored.size,
            sha256=upload.stored.sha256,
            note=note,
            verdict="not_checked" if unlooked else "",
            added_at=at,
            author_id=actor.person_id,
            author_name=actor.name,
            author_role=actor.role,
            conclusion=conclusion,
            facts=dict(upload.facts),
        )
        document.save(force_insert=True)
        plan(row.pk, document.pk, "" if unlooked else "inspect", at=at)
        if row.state != State.DRAFT and kind != CONCLUSION_SCAN:
            record(row, "document_added", actor=actor, at=at, subject=("document", document.pk))
    return document


def _media_type(upload: Upload) -> str:
    try:
        return kind_of(upload.name, upload.stored.head, upload.stored.size)
    except NotAllowed as refusal:
        raise KindRefused(str(refusal)) from refusal


def may_add(row: Consultation, kind: str, actor: Actor) -> None:
    """Raise NotNow or Refused where this person may add no document of this kind to the request now."""
    if kind == CONCLUSION_SCAN:
        if not row.roles_of(actor) & {*CENTRE_ROLES, Role.SECRETARY} or row.state not in (
            State.CONCLUSION,
            State.COMPLETED,
        ):
            raise NotNow(N_("This step is not possible in the present state."))
    elif kind not in (*DOCUMENT_KINDS, KEY_IMAGE):
        raise Refused(N_("Choose what kind of document it is."))
    elif row.state in FINAL:
        raise NotNow(N_("The request is over: nothing can be added to it."))


def remove(document: Document, *, actor: Actor, at: datetime) -> None:
    """Take an own document back before it is sent; the bytes stay until nobody names them."""
    facts = lambda row: DocumentFacts(not_sent_yet=_not_sent(row))  # noqa: E731
    with document_step(document, "remove", actor=actor, at=at, facts=facts):
        pass


def _not_sent(document: Document) -> bool:
    if document.kind == CONCLUSION_SCAN:
        return document.placed_at is None
    row = document.consultation
    fresh = row.asked_at is not None and document.added_at > row.asked_at and document.message_id is None
    return row.state == State.DRAFT or (row.state == State.CLARIFICATION and fresh)


def sweep_orphans(*, at: datetime) -> int:
    """Delete files that no row names, once they are a day old, and uploads that broke off. Returns how many went."""
    with as_worker():
        known = _named()
    older = at - ORPHAN_AGE
    gone = 0
    for address in store().orphans(older, known):
        store().delete(address)
        gone += 1
    return gone + store().sweep(older)


def _named() -> set[str]:
    """Return the address of every file that some row names: originals, copies, and what was read of DICOM."""
    named = set(Document.objects.order_by().values_list("sha256", flat=True))
    named |= set(Derived.objects.order_by().values_list("sha256", flat=True))
    named |= set(Instance.objects.order_by().values_list("file_sha256", flat=True).distinct())
    named |= set(Recording.objects.order_by().values_list("sha256", flat=True))
    named |= set(PrintForm.objects.order_by().values_list("sha256", flat=True))
    named |= set(Signature.objects.order_by().values_list("sha256", flat=True))
    named |= set(SignatureCheck.objects.order_by().values_list("material_sha256", flat=True))
    named |= set(EquipmentTest.objects.order_by().values_list("picture_sha256", flat=True))
    # Stored, and its document not written yet: whoever sends it will come back.
    named |= set(Coming.objects.on_the_way().order_by().values_list("sha256", flat=True))
    series = Series.objects.order_by().values_list("metadata_sha256", "pack_sha256", "previews")
    for metadata, pack, previews in series.iterator():
        named |= {metadata, pack, *(copy["sha256"] for copy in previews.values())}
    return named


__all__ = ["Upload", "add", "is_checked_by_nobody", "may_add", "remove", "store", "sweep_orphans"]

"""Documents: received bytes become a document of a request, are checked, handed out, removed, swept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db import transaction

from konsilium.actions._record import record
from konsilium.actions._step import document_step, lock
from konsilium.adapters.kinds import NotAllowed, kind_of, safe_name
from konsilium.adapters.scanning import NullScanner, ScannerUnavailable, scanner
from konsilium.adapters.storage import LocalStore, Stored
from konsilium.models import Conclusion, Consultation, Document
from konsilium.models.access import as_worker
from konsilium.workflow.consultation import FINAL, State
from konsilium.workflow.document import DocumentFacts, DocumentState
from konsilium.workflow.machine import NotNow, Refused
from konsilium.workflow.roles import CENTRE_ROLES, SYSTEM, Actor
from konsilium.workflow.words import CONCLUSION_SCAN, DOCUMENT_KINDS, N_

# A file without a row is swept after this long: a form may still be on its way.
ORPHAN_AGE = timedelta(days=1)
CHECK_BATCH = 20


@dataclass(frozen=True)
class Upload:
    """Bytes that were received: where they stand, and what their sender called them."""

    stored: Stored
    name: str


class KindRefused(Refused):
    """The file is of no allowed kind; the words say what to send instead."""


class AlreadyThere(Refused):
    """The same bytes stand in the request already."""

    def __init__(self, name: str) -> None:
        """Say under which name."""
        super().__init__(N_("This file is in the request already: %(name)s"), params={"name": name})


@lru_cache(maxsize=1)
def store() -> LocalStore:
    """Return the house's store of files."""
    return LocalStore(settings.FILES)


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

    Its kind is told by its content. With a scanner configured it waits in quarantine, without one it is available and
    says that nobody has checked it. Raises NotThere, NotNow, KindRefused or AlreadyThere.
    """
    media_type = _media_type(upload)
    with transaction.atomic():
        row = lock(consultation, actor=actor)
        _may_add(row, kind, actor)
        twin = Document.objects.filter(consultation=row, sha256=upload.stored.sha256).present().first()
        if twin is not None:
            raise AlreadyThere(twin.file_name)
        unchecked = isinstance(_scanner(), NullScanner)
        document = Document(
            consultation=row,
            state=DocumentState.AVAILABLE if unchecked else DocumentState.QUARANTINED,
            kind=kind,
            file_name=safe_name(upload.name),
            media_type=media_type,
            size=upload.stored.size,
            sha256=upload.stored.sha256,
            note=note,
            verdict="not_checked" if unchecked else "",
            added_at=at,
            author_id=actor.person_id,
            author_name=actor.name,
            author_role=actor.role,
            conclusion=conclusion,
        )
        document.save(force_insert=True)
        if row.state != State.DRAFT and kind != CONCLUSION_SCAN:
            record(row, "document_added", actor=actor, at=at, subject=("document", document.pk))
    return document


def _media_type(upload: Upload) -> str:
    try:
        return kind_of(upload.name, upload.stored.head, upload.stored.size)
    except NotAllowed as refusal:
        raise KindRefused(str(refusal)) from refusal


def _may_add(row: Consultation, kind: str, actor: Actor) -> None:
    if kind == CONCLUSION_SCAN:
        if not row.roles_of(actor) & set(CENTRE_ROLES) or row.state not in (
            State.CONCLUSION,
            State.COMPLETED,
        ):
            raise NotNow(N_("This step is not possible in the present state."))
    elif kind not in DOCUMENT_KINDS:
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


def check_waiting(*, at: datetime) -> int:
    """Let the scanner look at what waits in quarantine. Returns how many were decided.

    A scanner that can't be reached decides nothing: the files wait, the requests go on.
    """
    if isinstance(_scanner(), NullScanner):
        return 0
    with as_worker():
        rows = Document.objects.filter(state=DocumentState.QUARANTINED).only(
            "id", "consultation_id", "sha256"
        )
        waiting = list(rows.order_by("id")[:CHECK_BATCH])
    try:
        return sum(_check(document, at) for document in waiting)
    except ScannerUnavailable:
        return 0


def _check(document: Document, at: datetime) -> bool:
    verdict = _scanner().scan(store().open_range(document.sha256))
    clean = verdict.finding == "clean"
    with as_worker(), document_step(document, "release" if clean else "refuse", actor=SYSTEM, at=at) as row:
        row.verdict = verdict.finding
        row.refusal = "" if clean else verdict.threat
    return True


def sweep_orphans(*, at: datetime) -> int:
    """Delete files that no row names, once they are a day old, and uploads that broke off. Returns how many went."""
    with as_worker():
        known = set(Document.objects.order_by().values_list("sha256", flat=True))
    older = at - ORPHAN_AGE
    gone = 0
    for address in store().orphans(older, known):
        store().delete(address)
        gone += 1
    return gone + store().sweep(older)


@lru_cache(maxsize=1)
def _scanner() -> "NullScanner":
    return scanner(settings.SCANNER or "null://")  # type: ignore[return-value]


def is_checked_by_nobody() -> bool:
    """Say whether no scanner is configured, which the page tells."""
    return isinstance(_scanner(), NullScanner)

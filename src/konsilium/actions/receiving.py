"""Uploads: announced, received piece by piece by whoever holds the newest fence, and made a document at the end.

The file of an upload on its way stands in `files/uploads/<key>.part`; its row says how much of it is safe. Deleting goes
row first, file later.
"""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum

from konsilium.actions import documents
from konsilium.actions._files import store
from konsilium.actions._step import NotThere, lock
from konsilium.adapters.kinds import HEAD, safe_name
from konsilium.adapters.storage import Stored
from konsilium.models import Conclusion, Consultation, Document, Organization, Upload
from konsilium.models.access import as_worker
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor
from konsilium.workflow.upload import LARGEST, QUOTA, RESTS, UploadState
from konsilium.workflow.words import N_

# So much of the volume is kept free for everything else.
SPARE = 512 * 1024**2
ORPHAN_AGE = timedelta(days=1)
PIECE = 1024 * 1024

TOO_LARGE = N_("The file is larger than the %(most)s GB that one file may have.")
NO_QUOTA = N_("Your organisation has used up its room for files. Ask the system administrator for more.")
NO_ROOM = N_("There is no room for this file on the server. Nothing of it was kept: tell the administrator.")
CHANGED = N_("What arrived differs from the file on your computer. Send it again.")


@dataclass(frozen=True)
class Announcement:
    """What the sender says of a file before its bytes: `length` in bytes, `sha256` as hexadecimal text or ""."""

    kind: str
    name: str
    length: int
    sha256: str = ""
    note: str = ""
    conclusion_id: UUID | None = None


def part_of(upload_id: UUID) -> Path:
    """Return where the bytes of an upload on its way stand."""
    return Path(settings.FILES) / "uploads" / f"{upload_id}.part"


def announce(consultation_id: UUID, said: Announcement, *, actor: Actor, at: datetime) -> Upload:
    """Begin an upload, or go on with one: the same bytes for the same request, from whichever computer.

    What stands in the request already, or in another that this person sees, needs no bytes: then the upload is done.
    Raises NotThere for a request that isn't theirs, Refused with words for what can't be taken.
    """
    with transaction.atomic():
        row = lock(Consultation(pk=consultation_id), actor=actor)
        documents.may_add(row, said.kind, actor)
        _refuse_size(said, actor)
        known = _known(row, said, actor, at)
        if known is not None:
            return known
        upload = _row(row, said, actor, at)
        upload.save(force_insert=True)
    path = part_of(upload.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return upload


def _refuse_size(said: Announcement, actor: Actor) -> None:
    if not 0 < said.length <= LARGEST:
        raise Refused(TOO_LARGE, params={"most": LARGEST // 1024**3})
    if said.length > _left(actor):
        raise Refused(NO_QUOTA)
    free = os.statvfs(settings.DATA)
    if said.length + SPARE > free.f_bavail * free.f_frsize:
        raise Refused(NO_ROOM)


def _left(actor: Actor) -> int:
    """Return how many bytes the organisation may still send: its quota less what this person sees of its files."""
    quota = (
        Organization.objects.filter(pk=actor.organization_id).values_list("quota_bytes", flat=True).first()
    )
    own = Consultation.objects.filter(requesting_organization_id=actor.organization_id)
    held = Document.objects.filter(consultation__in=own).present().aggregate(sum=Sum("size"))["sum"] or 0
    return (QUOTA if quota is None else quota) - held


def _known(row: Consultation, said: Announcement, actor: Actor, at: datetime) -> Upload | None:
    """Return the unfinished upload of the same bytes, or a finished one when the bytes are here."""
    if not said.sha256:
        return None
    mine = Upload.objects.filter(
        consultation=row, author_id=actor.person_id, sha256=said.sha256, length=said.length, kind=said.kind
    )
    resting = mine.on_the_way().order_by("-touched_at").first()
    if resting is not None:
        return resting
    same = Document.objects.handed_to(actor).filter(sha256=said.sha256, size=said.length).present()
    seen = same.filter(consultation=row).first() or same.first()
    if seen is None or not store().exists(said.sha256):
        return None
    upload = _row(row, said, actor, at)
    upload.state, upload.offset = UploadState.DONE, said.length
    if seen.consultation_id != row.pk:
        head = b"".join(store().open_range(said.sha256, 0, HEAD))
        upload.document = _document(row, upload, Stored(said.sha256, said.length, head), actor, at)
    else:
        upload.document = seen
    upload.save(force_insert=True)
    return upload


def _row(row: Consultation, said: Announcement, actor: Actor, at: datetime) -> Upload:
    return Upload(
        consultation=row,
        author_id=actor.person_id,
        organization_id=actor.organization_id,
        kind=said.kind,
        conclusion_id=said.conclusion_id,
        file_name=safe_name(said.name),
        note=said.note[:300],
        length=said.length,
        sha256=said.sha256,
        created_at=at,
        touched_at=at,
    )


def own(upload_id: UUID, *, actor: Actor) -> Upload:
    """Return an upload of this person's. Raises NotThere for anybody else's and for one that never was."""
    rows = Upload.objects.visible_to(actor).filter(pk=upload_id, author_id=actor.person_id)
    upload = rows.exclude(state=UploadState.CANCELLED).first()
    if upload is None:
        raise NotThere
    return upload


def take_over(upload_id: UUID, *, actor: Actor, at: datetime) -> Upload:
    """Take the next fence: from now on every older writer of this upload has to stop."""
    with transaction.atomic():
        upload = own(upload_id, actor=actor)
        Upload.objects.filter(pk=upload.pk).update(fence=F("fence") + 1, touched_at=at)
        return own(upload_id, actor=actor)


def keep_offset(upload: Upload, offset: int, *, actor: Actor, at: datetime) -> bool:
    """Write how much is safe on the disk, by whoever holds the file's lock. Returns False when it was given up.

    A writer that was overtaken writes its last bytes too: the next one waits for the lock, and then looks again.
    """
    rows = Upload.objects.filter(pk=upload.pk, state=UploadState.RECEIVING)
    return rows.update(offset=offset, touched_at=at) == 1


def remember_hash(upload: Upload, sha256: str) -> None:
    """Write down the hash of what arrived before the file is moved: a process that dies then is finished by the next."""
    if not upload.sha256:
        Upload.objects.filter(pk=upload.pk, sha256="").update(sha256=sha256)


def keep(upload: Upload, sha256: str) -> Stored:
    """Compare the hashes and put the file into the store, which may take a while: outside of any transaction.

    Done twice, it finds what was kept. Raises Refused with words, StorageFull or StoreUnreachable, and then all stays.
    """
    _refuse_changed(upload, sha256)
    return store().keep_file(part_of(upload.pk), sha256)


def finish(upload: Upload, stored: Stored, *, actor: Actor, at: datetime) -> None:
    """Make a kept file a document of its request.

    Done twice, it does nothing the second time. Raises Refused with words; then call `refuse`.
    """
    with transaction.atomic():
        row = lock(upload.consultation, actor=actor)
        if own(upload.pk, actor=actor).state != UploadState.RECEIVING:
            return
        document = _document(row, upload, stored, actor, at)
        done = Upload.objects.filter(pk=upload.pk)
        done.update(state=UploadState.DONE, document=document, offset=upload.length, touched_at=at)


def refuse(upload: Upload, words: str, *, at: datetime) -> None:
    """Mark an upload refused, with the words for its sender, and throw its bytes away."""
    rows = Upload.objects.filter(pk=upload.pk, state=UploadState.RECEIVING)
    rows.update(state=UploadState.REFUSED, refusal=words[:300], touched_at=at)
    part_of(upload.pk).unlink(missing_ok=True)


def _refuse_changed(upload: Upload, sha256: str) -> None:
    if upload.sha256 and upload.sha256 != sha256:
        raise Refused(CHANGED)


def _document(row: Consultation, upload: Upload, stored: Stored, actor: Actor, at: datetime) -> Document:
    conclusion = Conclusion.objects.filter(pk=upload.conclusion_id).first() if upload.conclusion_id else None
    received = documents.Upload(stored, upload.file_name)
    kinds = {"kind": upload.kind, "note": upload.note}
    return documents.add(row, received, **kinds, conclusion=conclusion, actor=actor, at=at)


def cancel(upload_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Give an upload up: row first, then its bytes."""
    upload = own(upload_id, actor=actor)
    rows = Upload.objects.filter(pk=upload.pk, state=UploadState.RECEIVING)
    if rows.update(state=UploadState.CANCELLED, fence=F("fence") + 1, touched_at=at):
        part_of(upload.pk).unlink(missing_ok=True)


def sweep(*, at: datetime) -> int:
    """Forget uploads that rested too long, and files that no upload on its way names. Returns how many went."""
    with as_worker():
        resting = Upload.objects.filter(state=UploadState.RECEIVING, touched_at__lt=at - RESTS)
        gone = resting._raw_delete(resting.db)  # noqa: SLF001  nothing hangs on it, and Django would look
        named = {str(pk) for pk in Upload.objects.on_the_way().order_by().values_list("pk", flat=True)}
    folder = Path(settings.FILES) / "uploads"
    for path in folder.glob("*.part") if folder.exists() else ():
        old = path.stat().st_mtime < (at - ORPHAN_AGE).timestamp()
        if path.stem not in named and old:
            path.unlink(missing_ok=True)
            gone += 1
    return gone

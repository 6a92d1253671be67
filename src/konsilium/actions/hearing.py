"""Who may listen to a session's recording: those to whom the consultant gave it, for a while, and every time is written down."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from konsilium.actions._files import store
from konsilium.actions._record import VIEWING_SECONDS, Note, record, record_viewing
from konsilium.actions._step import NotThere
from konsilium.adapters.ciphering import decipher
from konsilium.adapters.sealing import open_sealed
from konsilium.models import Attendance, Recording, RecordingAccess, Session, Viewing
from konsilium.workflow.machine import NotYours
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.words import N_

# Ours: how long what was given may be used.
GIVEN_FOR = timedelta(days=14)


def tracks(session: Session, *, actor: Actor) -> list[Recording]:
    """Return the tracks that were given to this person; the database knows no others for them."""
    rows = Recording.objects.filter(session=session).order_by("began_at", "label", "kind")
    return list(rows.select_related("session__consultation"))


def givable(session: Session) -> dict[UUID, str]:
    """Return who may be given the recording: the people with an account who were there, by name."""
    rows = Attendance.objects.filter(session=session).exclude(person_id=None).order_by("name", "id")
    return {person: name for person, name in rows.values_list("person_id", "name") if person}


def give(session: Session, person_id: UUID, *, actor: Actor, at: datetime) -> RecordingAccess:
    """Let somebody who was there listen for two weeks; given again, the weeks begin anew.

    Raises NotYours for anybody but the request's consultant, NotThere for whoever wasn't there.
    """
    _check_gives(session, actor)
    name = givable(session).get(person_id)
    if name is None:
        raise NotThere
    given = {"person_name": name, "given_by": actor.name, "given_at": at, "until": at + GIVEN_FOR}
    with transaction.atomic():
        access, _ = RecordingAccess.objects.update_or_create(
            session=session, person_id=person_id, defaults=given
        )
        _remember(session, "recording_given", name, actor, at)
    return access


def take_back(session: Session, person_id: UUID, *, actor: Actor, at: datetime) -> None:
    """End somebody's listening. Raises NotYours, and NotThere when they had none."""
    _check_gives(session, actor)
    with transaction.atomic():
        access = RecordingAccess.objects.filter(session=session, person_id=person_id).first()
        if access is None:
            raise NotThere
        access.delete()
        _remember(session, "recording_taken_back", access.person_name, actor, at)


def _check_gives(session: Session, actor: Actor) -> None:
    if Role.CONSULTANT not in session.roles_of(actor):
        raise NotYours(N_("The request's consultant decides who may listen."))


def _remember(session: Session, kind: str, name: str, actor: Actor, at: datetime) -> None:
    subject = ("session", session.pk)
    record(session.consultation, kind, actor=actor, at=at, subject=subject, note=Note(text=name))


def note_hearing(track: Recording, *, actor: Actor, at: datetime) -> None:
    """Write down that this person listens to this track: an event, once in ten minutes, however a player asks for it."""
    consultation = track.session.consultation
    bucket = int(at.timestamp()) // VIEWING_SECONDS
    with transaction.atomic():
        seen = Viewing.objects.filter(subject_id=track.pk, person_id=actor.person_id, bucket=bucket)
        if seen.exists():
            return
        record_viewing(consultation, "recording", track.pk, actor=actor, at=at)
        subject = ("recording", track.pk)
        record(consultation, "recording_heard", actor=actor, at=at, subject=subject)


def sound(track: Recording, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Yield a track's plain bytes, from `start`, at most `length`.

    Raises NotStored, NotOpened or NotGenuine at once when the store or the deployment's key isn't what it was.
    """
    key = open_sealed(bytes(track.sealed_key))
    chunks = decipher(_Reader(track.sha256).read, key, size=track.size, start=start, length=length)
    first = next(chunks, b"")
    return _all(first, chunks)


def _all(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


class _Reader:
    """Reads a stored file in order with one request to the store, and begins anew where a part is skipped."""

    def __init__(self, sha256: str) -> None:
        self._sha256, self._at, self._held = sha256, -1, b""
        self._chunks: Iterator[bytes] = iter(())

    def read(self, offset: int, length: int) -> bytes:
        """Return so many bytes from the offset, fewer at the end."""
        if offset != self._at:
            self._at, self._held = offset, b""
            self._chunks = store().open_range(self._sha256, offset)
        while len(self._held) < length and (chunk := next(self._chunks, b"")):
            self._held += chunk
        part, self._held = self._held[:length], self._held[length:]
        self._at += len(part)
        return part

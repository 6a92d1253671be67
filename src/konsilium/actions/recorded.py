"""What becomes of a recording: taken from the media server, made playable, enciphered into the store, and let go in time.

Each track has a key of its own, sealed with the deployment's. When a track's row goes, its key goes with it, and what is
left in the store until the next sweep is noise.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from konsilium.actions._files import store
from konsilium.actions._record import record
from konsilium.actions.recording import consultation_of
from konsilium.adapters.ciphering import encipher, new_key
from konsilium.adapters.sealing import seal
from konsilium.adapters.storage import NotKept
from konsilium.adapters.tracks import BadTrack, Origin, Playable, playable, read_origin
from konsilium.models import Attendance, Recording, Room
from konsilium.models.access import as_room, as_worker
from konsilium.workflow.roles import SYSTEM

LARGEST = 16 * 1024**3
KEPT, FAILED = "kept", "failed"


def gather(*, at: datetime, most: int = 4) -> int:
    """Take up to so many finished tracks from the media server's folder. Returns how many were taken.

    A track whose store is full or away stays there for the next round; one of a room that isn't ours is left alone; one
    that can't be played is remembered as not recorded, and goes.
    """
    folder = settings.VIDEO.recordings
    if folder is None or not folder.is_dir():
        return 0
    taken = 0
    for path in sorted(folder.glob("*.mjr")):
        if taken >= most:
            break
        taken += _taken(path, at)
    return taken


def _taken(path: Path, at: datetime) -> bool:
    try:
        origin = read_origin(path.name)
    except BadTrack:
        return False
    session_id = _session_of(origin.room)
    if session_id is None:
        return False
    try:
        _take(path, session_id, origin, at)
    except NotKept:
        return False
    path.unlink()
    return True


def _session_of(room: str) -> UUID | None:
    """Return whose room this was: it may have moved on to another name since."""
    stem = room.partition("-")[0]
    with as_worker():
        rooms = Room.objects.filter(Q(name=stem) | Q(name__startswith=f"{stem}-"))
        return rooms.values_list("session_id", flat=True).first()


def _take(path: Path, session_id: UUID, origin: Origin, at: datetime) -> None:
    try:
        track = playable(path)
    except BadTrack:
        _write(_row(session_id, origin, at, state=FAILED))
        record(
            consultation_of(session_id),
            "recording_lost",
            actor=SYSTEM,
            at=at,
            subject=("session", session_id),
        )
        return
    row = _row(session_id, origin, at, state=KEPT, track=track)
    if not _is_kept(row):
        _keep(row, track)
        _write(row)


def _row(
    session_id: UUID, origin: Origin, at: datetime, *, state: str, track: Playable | None = None
) -> Recording:
    with as_room(session_id):
        who = Attendance.objects.filter(pk=origin.party, session_id=session_id).first()
    return Recording(
        session_id=session_id,
        attendance_id=origin.party,
        label=who.name if who else "",
        kind=track.head.kind if track else "",
        state=state,
        began_at=track.head.began_at if track else at,
        ended_at=track.head.began_at + track.lasts if track else at,
        delete_on=at.date() + timedelta(days=settings.RECORDING_DAYS),
    )


def _is_kept(row: Recording) -> bool:
    """Say whether this track was kept before by whoever died before taking its file away."""
    same = {name: getattr(row, name) for name in ("session_id", "attendance_id", "kind", "began_at")}
    with as_room(row.session_id):
        return Recording.objects.filter(state=KEPT, **same).exists()


def _keep(row: Recording, track: Playable) -> None:
    key = new_key()
    stored = store().receive(encipher(_counted(row, track.chunks), key), LARGEST)
    row.sha256, row.sealed_key = stored.sha256, seal(key)


def _counted(row: Recording, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass the chunks on and add their sizes to the row: of the track as it is heard, not as it lies in the store."""
    for chunk in chunks:
        row.size += len(chunk)
        yield chunk


def _write(row: Recording) -> None:
    with as_room(row.session_id):
        row.save(force_insert=True)


def expire(*, at: datetime) -> int:
    """Delete the recordings whose day has come, each session's with an event. Returns how many tracks went."""
    with as_worker():
        due = Recording.objects.filter(delete_on__lte=at.date()).order_by("session_id", "id")
        sessions = list(dict.fromkeys(due.values_list("session_id", flat=True)))
    return sum(_expire(session_id, at) for session_id in sessions)


def _expire(session_id: UUID, at: datetime) -> int:
    with as_worker():
        rows = Recording.objects.filter(session_id=session_id, delete_on__lte=at.date())
        gone = rows.delete()[0]
        subject = ("session", session_id)
        record(consultation_of(session_id), "recording_expired", actor=SYSTEM, at=at, subject=subject)
    return gone

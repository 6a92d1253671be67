"""Writing what arrives: one writer an upload, whose bytes are synced before they are counted.

A newer request ends the older one, in whatever process that runs: the older asks every second whether its fence still is
the newest. The file's lock keeps the newer one waiting until the older has counted its last bytes.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from django.db import close_old_connections
from django.utils import timezone

from konsilium.actions import receiving
from konsilium.live.entry import actor_of
from konsilium.models import Upload
from konsilium.models.access import acting
from konsilium.workflow.roles import Actor
from konsilium.workflow.upload import RESTS, UploadState

ACTION = "document.add"
SILENCE_SECONDS = 60.0
LOOK_SECONDS = 1.0
TAKEOVER_SECONDS = 10.0
# Written at once; and synced and acknowledged in the row so often, so that a killed process loses no more than this.
BATCH = 1024 * 1024
CHECKPOINT = 16 * 1024 * 1024
HASHES = 256

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Result = TypeVar("Result")

# Database and disk work of uploads: so many threads and connections a process, whatever the number of uploads.
_threads = ThreadPoolExecutor(4, thread_name_prefix="uploads")


class Answer(Exception):
    """What the sender is told: a status, headers, and words or values as JSON."""

    def __init__(self, status: int, headers: dict[str, str] | None = None, **body: Any) -> None:
        super().__init__(status)
        self.status, self.headers, self.body = status, headers or {}, body


@dataclass
class Writer:
    """A PATCH that is at work in this process."""

    fence: int
    stop: asyncio.Event = field(default_factory=asyncio.Event)


writers: dict[UUID, Writer] = {}
# The hash of what was received so far, by upload, with its offset; rebuilt from the file when it isn't here.
hashes: "OrderedDict[UUID, tuple[int, Any]]" = OrderedDict()


class Gone(Exception):
    """Nobody is there any more to answer."""


def stop_writer(upload_id: UUID) -> None:
    """Tell the upload's writer in this process, if there is one, to count its last bytes and let go."""
    if writer := writers.get(upload_id):
        writer.stop.set()


@contextlib.contextmanager
def file_of(upload_id: UUID) -> Any:
    """Open the file of an upload for writing; its lock ends with the handle, however that ends.

    A file that isn't there was moved to the store a moment ago: the row will say so, now or after a crash.
    """
    try:
        handle = os.open(receiving.part_of(upload_id), os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


async def locked(handle: int | None) -> None:
    """Wait for the older writer to let go, here or in another process."""
    if handle is None:
        return
    for _ in range(int(TAKEOVER_SECONDS / 0.05)):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(0.05)
        else:
            return
    raise Answer(HTTPStatus.LOCKED)


async def write(
    handle: int | None, upload: Upload, writer: Writer, actor: Actor, receive: Receive, key: str
) -> None:
    """Write what arrives behind the offset; whatever ends it, what is there is synced and acknowledged first."""
    if handle is None:
        return
    os.ftruncate(handle, upload.offset)
    os.lseek(handle, upload.offset, os.SEEK_SET)
    hashing = _hash_at(upload)
    watcher = asyncio.create_task(_watch(upload, writer, key))
    pending, safe = bytearray(), upload.offset
    done: BaseException | None = None
    try:
        async for chunk in _chunks(receive, writer):
            pending += chunk
            _refuse_excess(upload, pending)
            if len(pending) >= BATCH:
                await _flush(handle, pending, upload, hashing)
                if upload.offset - safe >= CHECKPOINT:
                    await _acknowledge(handle, upload, actor)
                    safe = upload.offset
    except (Gone, Answer) as ended:
        done = ended
    finally:
        watcher.cancel()
    if pending:
        await _flush(handle, pending, upload, hashing)
    await _acknowledge(handle, upload, actor)
    if done:
        raise done


def _refuse_excess(upload: Upload, pending: bytearray) -> None:
    if upload.offset + len(pending) > upload.length:
        pending.clear()
        raise Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _hash_at(upload: Upload) -> Any:
    """Return the hash of what came before, or nothing when this process doesn't know it."""
    if upload.offset == 0:
        return hashlib.sha256()
    offset, known = hashes.pop(upload.pk, (-1, None))
    return known if offset == upload.offset else None


async def _chunks(receive: Receive, writer: Writer) -> Any:
    """Yield the body's pieces. Raises Gone when the line breaks, and an Answer at silence and when told to stop."""
    stopped = asyncio.create_task(writer.stop.wait())
    try:
        more = True
        while more:
            coming = asyncio.ensure_future(receive())
            await asyncio.wait(
                {coming, stopped}, timeout=SILENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if writer.stop.is_set() or not coming.done():
                coming.cancel()
                raise Answer(HTTPStatus.CONFLICT if writer.stop.is_set() else HTTPStatus.REQUEST_TIMEOUT)
            message = coming.result()
            if message["type"] != "http.request":
                raise Gone
            yield message.get("body", b"")
            more = message.get("more_body", False)
    finally:
        stopped.cancel()


async def _watch(upload: Upload, writer: Writer, key: str) -> None:
    """Stop the writer once somebody took over, in whichever process, or the sender's session has ended."""
    while not writer.stop.is_set():
        await asyncio.sleep(LOOK_SECONDS)
        if not await in_thread(partial(_still, upload, key)):
            writer.stop.set()


def _still(upload: Upload, key: str) -> bool:
    actor = actor_of(key, ACTION)
    if actor is None:
        return False
    with acting(actor):
        return Upload.objects.filter(pk=upload.pk, fence=upload.fence, state=UploadState.RECEIVING).exists()


async def _flush(handle: int, pending: bytearray, upload: Upload, hashing: Any) -> None:
    data = bytes(pending)
    pending.clear()
    try:
        await in_thread(partial(_put, handle, data, hashing))
    except OSError as full:
        raise Answer(HTTPStatus.INSUFFICIENT_STORAGE, state_of(upload)) from full
    upload.offset += len(data)
    if hashing is not None:
        hashes[upload.pk] = upload.offset, hashing
        hashes.move_to_end(upload.pk)
        while len(hashes) > HASHES:
            hashes.popitem(last=False)


def _put(handle: int, data: bytes, hashing: Any) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
    if hashing is not None:
        hashing.update(data)


async def _acknowledge(handle: int, upload: Upload, actor: Actor) -> None:
    """Sync, then write the offset; a writer that was overtaken writes nothing any more."""

    def keep() -> bool:
        os.fdatasync(handle)
        with acting(actor):
            return receiving.keep_offset(upload, upload.offset, actor=actor, at=timezone.now())

    if not await in_thread(keep):
        raise Answer(HTTPStatus.NOT_FOUND)


async def in_thread(work: Callable[[], Result]) -> Result:
    """Do blocking work, with the thread's own database connection."""

    def done() -> Result:
        close_old_connections()
        return work()

    return await asyncio.get_running_loop().run_in_executor(_threads, done)


def state_of(upload: Upload) -> dict[str, str]:
    """Return the headers that say how far an upload is, and until when it rests."""
    expires = (upload.touched_at + RESTS).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {
        "upload-offset": str(upload.offset),
        "upload-length": str(upload.length),
        "upload-expires": expires,
    }

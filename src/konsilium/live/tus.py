"""Resumable uploads by tus 1.0 (creation, termination, expiration), as raw ASGI.

Three rules, each bought with a failure. A newer request for an upload ends the older one, in whatever process that runs:
the older asks every second whether its fence still is the newest. A refusal closes the connection, else a browser sends
the whole body once more. Bytes are synced before they are acknowledged. A wait ends at the next bytes, at the word to
stop, or after a minute of silence.
"""

import asyncio
import base64
import binascii
import contextlib
import fcntl
import hashlib
import json
import logging
import os
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone, translation

from konsilium.actions import receiving
from konsilium.actions._step import NotThere
from konsilium.adapters.storage import StorageFull, StoreUnreachable
from konsilium.live.entry import actor_of, key_of
from konsilium.models import Upload
from konsilium.models.access import acting
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor
from konsilium.workflow.upload import LARGEST, RESTS, UploadState

log = logging.getLogger(__name__)

VERSION = "1.0.0"
ACTION = "document.add"
ROOT = "/uploads/"
SILENCE_SECONDS = 60.0
LOOK_SECONDS = 1.0
TAKEOVER_SECONDS = 10.0
# Written at once; and synced and acknowledged in the row so often, so that a killed process loses no more than this.
BATCH = 1024 * 1024
CHECKPOINT = 16 * 1024 * 1024
HASHES = 256
MOST_HEADER = 8192
_ADDRESS = re.compile(r"/uploads/([0-9a-f-]{36})/?$")
_HASH = re.compile(r"[0-9a-f]{64}$")

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
class _Writer:
    """A PATCH that is at work in this process."""

    fence: int
    stop: asyncio.Event = field(default_factory=asyncio.Event)


_writers: dict[UUID, _Writer] = {}
# The hash of what was received so far, by upload, with its offset; rebuilt from the file when it isn't here.
_hashes: "OrderedDict[UUID, tuple[int, Any]]" = OrderedDict()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request below /uploads/."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        answer = await _answer(scope, headers, receive)
    except Answer as said:
        answer = said
    except _Gone:
        return
    except Exception:
        log.exception("an upload failed")
        answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR)
    await _say(answer, send)


class _Gone(Exception):
    """Nobody is there any more to answer."""


async def _answer(scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
    method = str(scope["method"])
    if method == "OPTIONS":
        options = {
            "tus-version": VERSION,
            "tus-extension": "creation,termination,expiration",
            "tus-max-size": str(LARGEST),
        }
        return Answer(HTTPStatus.NO_CONTENT, options)
    # A page of another origin can't send this header without asking first, and is never allowed to.
    if headers.get("tus-resumable") != VERSION:
        raise Answer(HTTPStatus.PRECONDITION_FAILED, {"tus-version": VERSION})
    _refuse_foreign(headers)
    key = key_of(headers.get("cookie", ""))
    actor = await _in_thread(partial(actor_of, key, ACTION))
    if actor is None:
        raise Answer(HTTPStatus.UNAUTHORIZED)
    if scope["path"] == ROOT and method == "POST":
        return await _create(headers, actor)
    found = _ADDRESS.match(scope["path"])
    if found is None:
        raise Answer(HTTPStatus.NOT_FOUND)
    try:
        upload_id = UUID(found[1])
        verbs = {"HEAD": _head, "PATCH": _patch, "DELETE": _delete}
        if method not in verbs:
            raise Answer(HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "HEAD, PATCH, DELETE"})
        return await verbs[method](upload_id, actor, headers, receive, key)
    except (ValueError, NotThere) as missing:
        raise Answer(HTTPStatus.NOT_FOUND) from missing


def _refuse_foreign(headers: dict[str, str]) -> None:
    """Take nothing that another site's page sends in our person's name."""
    origin = headers.get("origin", "")
    if origin and origin.partition("://")[2] != headers.get("host", ""):
        raise Answer(HTTPStatus.FORBIDDEN)


async def _create(headers: dict[str, str], actor: Actor) -> Answer:
    said, consultation_id = _announcement(headers)

    def begin() -> Upload:
        with acting(actor):
            return receiving.announce(consultation_id, said, actor=actor, at=timezone.now())

    try:
        upload = await _in_thread(begin)
    except NotThere as missing:
        raise Answer(HTTPStatus.NOT_FOUND) from missing
    except Refused as refusal:
        raise Answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal=_words(refusal, headers)) from refusal
    place = {"location": f"{ROOT}{upload.pk}", **_state_of(upload)}
    return Answer(HTTPStatus.CREATED, place, state=upload.state, offset=upload.offset)


def _announcement(headers: dict[str, str]) -> tuple[receiving.Announcement, UUID]:
    """Read Upload-Length and Upload-Metadata: consultation, kind, name, sha256, note, conclusion."""
    try:
        told = _metadata(headers.get("upload-metadata", ""))
        conclusion = told.get("conclusion", "")
        sha256 = told.get("sha256", "")
        _refuse_bad_hash(sha256)
        said = receiving.Announcement(
            kind=told["kind"],
            name=told["name"],
            length=int(headers["upload-length"]),
            sha256=sha256,
            note=told.get("note", ""),
            conclusion_id=UUID(conclusion) if conclusion else None,
        )
        return said, UUID(told["consultation"])
    except (KeyError, ValueError) as wrong:
        raise Answer(HTTPStatus.BAD_REQUEST) from wrong


def _refuse_bad_hash(sha256: str) -> None:
    if sha256 and not _HASH.match(sha256):
        raise ValueError


def _metadata(text: str) -> dict[str, str]:
    if len(text) > MOST_HEADER:
        raise ValueError
    pairs = (part.strip().partition(" ") for part in text.split(",") if part.strip())
    try:
        return {name: base64.b64decode(value, validate=True).decode() for name, _, value in pairs}
    except binascii.Error as wrong:
        raise ValueError from wrong


async def _head(upload_id: UUID, actor: Actor, headers: dict[str, str], receive: Receive, key: str) -> Answer:
    """Say how far it is; whoever asks means to go on, so an older writer stops and its last bytes are counted."""
    upload = await _in_thread(partial(_own, upload_id, actor))
    if upload.state == UploadState.RECEIVING:
        upload = await _in_thread(partial(_taken, upload_id, actor))
        _stop_writer(upload_id)
        with _file_of(upload_id) as file:
            await _locked(file)
            upload = await _finished(await _in_thread(partial(_own, upload_id, actor)), actor, headers)
    return Answer(HTTPStatus.OK, {**_state_of(upload), "cache-control": "no-store"})


def _state_of(upload: Upload) -> dict[str, str]:
    expires = (upload.touched_at + RESTS).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {
        "upload-offset": str(upload.offset),
        "upload-length": str(upload.length),
        "upload-expires": expires,
    }


async def _delete(
    upload_id: UUID, actor: Actor, headers: dict[str, str], receive: Receive, key: str
) -> Answer:
    def give_up() -> None:
        with acting(actor):
            receiving.cancel(upload_id, actor=actor, at=timezone.now())

    await _in_thread(give_up)
    _stop_writer(upload_id)
    _hashes.pop(upload_id, None)
    return Answer(HTTPStatus.NO_CONTENT)


async def _patch(
    upload_id: UUID, actor: Actor, headers: dict[str, str], receive: Receive, key: str
) -> Answer:
    """Take over, lock the file, compare the offset, and write what comes until it ends, breaks or is taken over."""
    if headers.get("content-type") != "application/offset+octet-stream":
        raise Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    upload = await _in_thread(partial(_taken, upload_id, actor))
    if upload.state == UploadState.REFUSED:
        raise Answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal=upload.refusal)
    _stop_writer(upload_id)
    if upload.state == UploadState.DONE:
        return Answer(HTTPStatus.NO_CONTENT, _state_of(upload))
    writer = _writers[upload_id] = _Writer(upload.fence)
    try:
        with _file_of(upload_id) as file:
            await _locked(file)
            upload = await _in_thread(partial(_own, upload_id, actor))
            if headers.get("upload-offset") != str(upload.offset):
                raise Answer(HTTPStatus.CONFLICT, _state_of(upload))
            await _write(file, upload, writer, actor, receive, key)
            return Answer(HTTPStatus.NO_CONTENT, _state_of(await _finished(upload, actor, headers)))
    finally:
        if _writers.get(upload_id) is writer:
            del _writers[upload_id]


def _own(upload_id: UUID, actor: Actor) -> Upload:
    with acting(actor):
        return receiving.own(upload_id, actor=actor)


def _taken(upload_id: UUID, actor: Actor) -> Upload:
    with acting(actor):
        return receiving.take_over(upload_id, actor=actor, at=timezone.now())


def _stop_writer(upload_id: UUID) -> None:
    if writer := _writers.get(upload_id):
        writer.stop.set()


@contextlib.contextmanager
def _file_of(upload_id: UUID) -> Any:
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


async def _locked(handle: int | None) -> None:
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


async def _write(
    handle: int | None, upload: Upload, writer: _Writer, actor: Actor, receive: Receive, key: str
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
    except (_Gone, Answer) as ended:
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
    offset, known = _hashes.pop(upload.pk, (-1, None))
    return known if offset == upload.offset else None


async def _chunks(receive: Receive, writer: _Writer) -> Any:
    """Yield the body's pieces. Raises _Gone when the line breaks, and an Answer at silence and when told to stop."""
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
                raise _Gone
            yield message.get("body", b"")
            more = message.get("more_body", False)
    finally:
        stopped.cancel()


async def _watch(upload: Upload, writer: _Writer, key: str) -> None:
    """Stop the writer once somebody took over, in whichever process, or the sender's session has ended."""
    while not writer.stop.is_set():
        await asyncio.sleep(LOOK_SECONDS)
        if not await _in_thread(partial(_still, upload, key)):
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
        await _in_thread(partial(_put, handle, data, hashing))
    except OSError as full:
        raise Answer(HTTPStatus.INSUFFICIENT_STORAGE, _state_of(upload)) from full
    upload.offset += len(data)
    if hashing is not None:
        _hashes[upload.pk] = upload.offset, hashing
        _hashes.move_to_end(upload.pk)
        while len(_hashes) > HASHES:
            _hashes.popitem(last=False)


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

    if not await _in_thread(keep):
        raise Answer(HTTPStatus.NOT_FOUND)


async def _finished(upload: Upload, actor: Actor, headers: dict[str, str]) -> Upload:
    """Make the document when everything is there; also after a process that died just before it could."""
    if upload.state != UploadState.RECEIVING or upload.offset < upload.length:
        return upload
    offset, hashing = _hashes.pop(upload.pk, (-1, None))
    known = hashing.hexdigest() if hashing and offset == upload.length else ""
    try:
        await _in_thread(partial(_finish, upload, known, actor))
    except StorageFull as full:
        raise Answer(HTTPStatus.INSUFFICIENT_STORAGE, _state_of(upload)) from full
    except StoreUnreachable as away:
        raise Answer(HTTPStatus.SERVICE_UNAVAILABLE, _state_of(upload)) from away
    except Refused as refusal:
        words = _words(refusal, headers)
        await _in_thread(partial(_refuse, upload, words, actor))
        raise Answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal=words) from refusal
    return await _in_thread(partial(_own, upload.pk, actor))


def _finish(upload: Upload, sha256: str, actor: Actor) -> None:
    moved = not receiving.part_of(upload.pk).exists()
    sha256 = sha256 or (upload.sha256 if moved else _hash(upload))
    with acting(actor):
        receiving.remember_hash(upload, sha256)
    stored = receiving.keep(upload, sha256)
    with acting(actor):
        receiving.finish(upload, stored, actor=actor, at=timezone.now())


def _refuse(upload: Upload, words: str, actor: Actor) -> None:
    with acting(actor):
        receiving.refuse(upload, words, at=timezone.now())


def _hash(upload: Upload) -> str:
    """Hash the whole file: this process has not seen its beginning."""
    with receiving.part_of(upload.pk).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _words(refusal: Refused, headers: dict[str, str]) -> str:
    """Return the refusal in the sender's language."""
    chosen = re.search(rf"\b{settings.LANGUAGE_COOKIE_NAME}=(\w+)", headers.get("cookie", ""))
    language = chosen[1] if chosen and chosen[1] in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language):
        text = translation.gettext(str(refusal))
        return text % refusal.params if getattr(refusal, "params", None) else text


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Do blocking work, with the thread's own database connection."""

    def done() -> Result:
        close_old_connections()
        return work()

    return await asyncio.get_running_loop().run_in_executor(_threads, done)


async def _say(answer: Answer, send: Send) -> None:
    body = json.dumps(answer.body, ensure_ascii=False).encode() if answer.body else b""
    headers = {
        "tus-resumable": VERSION,
        "content-length": str(len(body)),
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        **({"content-type": "application/json; charset=utf-8"} if body else {}),
        # Rule two: Chromium silently sends the body of a refused PATCH again on a connection that stays open.
        **({"connection": "close"} if answer.status >= HTTPStatus.BAD_REQUEST else {}),
        **answer.headers,
    }
    raw = [(name.encode(), quote(value, safe=" ,:;/=-+.%").encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(answer.status), "headers": raw})
    await send({"type": "http.response.body", "body": body})


__all__ = ["ROOT", "application"]

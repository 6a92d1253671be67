"""Resumable uploads by tus 1.0 (creation, termination, expiration), as raw ASGI.

Three rules, each bought with a failure. A newer request for an upload ends the older one, in whatever process that runs:
the older asks every second whether its fence still is the newest. A refusal closes the connection, else a browser sends
the whole body once more. Bytes are synced before they are acknowledged. A wait ends at the next bytes, at the word to
stop, or after a minute of silence.
"""

import base64
import binascii
import hashlib
import json
import logging
import re
from functools import partial
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.utils import timezone, translation

from konsilium.actions import receiving
from konsilium.actions._step import NotThere
from konsilium.adapters.storage import StorageFull, StoreUnreachable
from konsilium.live.entry import actor_of, key_of
from konsilium.live.writing import (
    ACTION,
    Answer,
    Gone,
    Receive,
    Scope,
    Send,
    Writer,
    file_of,
    hashes,
    in_thread,
    locked,
    state_of,
    stop_writer,
    write,
    writers,
)
from konsilium.models import Upload
from konsilium.models.access import acting
from konsilium.workflow.machine import Refused
from konsilium.workflow.roles import Actor
from konsilium.workflow.upload import LARGEST, UploadState

log = logging.getLogger(__name__)

VERSION = "1.0.0"
ROOT = "/uploads/"
MOST_HEADER = 8192
_ADDRESS = re.compile(r"/uploads/([0-9a-f-]{36})/?$")
_HASH = re.compile(r"[0-9a-f]{64}$")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request below /uploads/."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        answer = await _answer(scope, headers, receive)
    except Answer as said:
        answer = said
    except Gone:
        return
    except Exception:
        log.exception("an upload failed")
        answer = Answer(HTTPStatus.INTERNAL_SERVER_ERROR)
    await _say(answer, send)


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
    actor = await in_thread(partial(actor_of, key, ACTION))
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
        upload = await in_thread(begin)
    except NotThere as missing:
        raise Answer(HTTPStatus.NOT_FOUND) from missing
    except Refused as refusal:
        raise Answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal=_words(refusal, headers)) from refusal
    place = {"location": f"{ROOT}{upload.pk}", **state_of(upload)}
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
    upload = await in_thread(partial(_own, upload_id, actor))
    if upload.state == UploadState.RECEIVING:
        upload = await in_thread(partial(_taken, upload_id, actor))
        stop_writer(upload_id)
        with file_of(upload_id) as file:
            await locked(file)
            upload = await _finished(await in_thread(partial(_own, upload_id, actor)), actor, headers)
    return Answer(HTTPStatus.OK, {**state_of(upload), "cache-control": "no-store"})


async def _delete(
    upload_id: UUID, actor: Actor, headers: dict[str, str], receive: Receive, key: str
) -> Answer:
    def give_up() -> None:
        with acting(actor):
            receiving.cancel(upload_id, actor=actor, at=timezone.now())

    await in_thread(give_up)
    stop_writer(upload_id)
    hashes.pop(upload_id, None)
    return Answer(HTTPStatus.NO_CONTENT)


async def _patch(
    upload_id: UUID, actor: Actor, headers: dict[str, str], receive: Receive, key: str
) -> Answer:
    """Take over, lock the file, compare the offset, and write what comes until it ends, breaks or is taken over."""
    if headers.get("content-type") != "application/offset+octet-stream":
        raise Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    upload = await in_thread(partial(_taken, upload_id, actor))
    if upload.state == UploadState.REFUSED:
        raise Answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal=upload.refusal)
    stop_writer(upload_id)
    if upload.state == UploadState.DONE:
        return Answer(HTTPStatus.NO_CONTENT, state_of(upload))
    writer = writers[upload_id] = Writer(upload.fence)
    try:
        with file_of(upload_id) as file:
            await locked(file)
            upload = await in_thread(partial(_own, upload_id, actor))
            if headers.get("upload-offset") != str(upload.offset):
                raise Answer(HTTPStatus.CONFLICT, state_of(upload))
            await write(file, upload, writer, actor, receive, key)
            return Answer(HTTPStatus.NO_CONTENT, state_of(await _finished(upload, actor, headers)))
    finally:
        if writers.get(upload_id) is writer:
            del writers[upload_id]


def _own(upload_id: UUID, actor: Actor) -> Upload:
    with acting(actor):
        return receiving.own(upload_id, actor=actor)


def _taken(upload_id: UUID, actor: Actor) -> Upload:
    with acting(actor):
        return receiving.take_over(upload_id, actor=actor, at=timezone.now())


async def _finished(upload: Upload, actor: Actor, headers: dict[str, str]) -> Upload:
    """Make the document when everything is there; also after a process that died just before it could."""
    if upload.state != UploadState.RECEIVING or upload.offset < upload.length:
        return upload
    offset, hashing = hashes.pop(upload.pk, (-1, None))
    known = hashing.hexdigest() if hashing and offset == upload.length else ""
    try:
        await in_thread(partial(_finish, upload, known, actor))
    except StorageFull as full:
        raise Answer(HTTPStatus.INSUFFICIENT_STORAGE, state_of(upload)) from full
    except StoreUnreachable as away:
        raise Answer(HTTPStatus.SERVICE_UNAVAILABLE, state_of(upload)) from away
    except Refused as refusal:
        words = _words(refusal, headers)
        await in_thread(partial(_refuse, upload, words, actor))
        raise Answer(HTTPStatus.UNPROCESSABLE_ENTITY, refusal=words) from refusal
    return await in_thread(partial(_own, upload.pk, actor))


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

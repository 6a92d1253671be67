"""The store in an S3 bucket: whatever speaks the protocol, addressed by path, one object a content address.

An address is known only when the last byte is, so what is received passes through a file of ours and is then sent with
its hash: the server compares it (`x-amz-checksum-sha256`, of each part where there are parts) and refuses other bytes.
An object is written only where none stands (`If-None-Match: *`). What is read as a whole file is compared again.
"""

import base64
import hashlib
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from konsilium.adapters.storage.address import KEY, SECRET, S3Address
from konsilium.adapters.storage.local import passing, room, sweep_passing
from konsilium.adapters.storage.protocol import (
    ADDRESS,
    CHUNK,
    BadStore,
    Damaged,
    NotStored,
    StorageFull,
    Stored,
    StoreUnreachable,
    checked,
    described,
    kept_before,
    pour,
)

# One part is in memory at a time; a file larger than MOST_PARTS of them is sent in larger ones.
PART = 8 * 1024 * 1024
MOST_PARTS = 10_000
# S3 copies no larger object in one request, and a copy onto itself is how an object gets a fresh date.
LARGEST_COPY = 5 * 1024**3
CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 60, 3
PROBE = "start-check"

_NO_ROOM = {"InsufficientStorage", "XMinioStorageFull", "QuotaExceeded", "EntityTooLarge", "507"}
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class S3Store:
    """Keeps bytes in a bucket, at the prefix and the address; `folder` is for what passes through."""

    def __init__(self, address: S3Address, folder: Path) -> None:
        """Prepare to talk; nothing is asked yet."""
        self._address = address
        self._passing = folder / "passing"
        self._passing.mkdir(parents=True, exist_ok=True)
        self._s3 = _client(address)

    def receive(self, chunks: Iterable[bytes], limit: int) -> Stored:
        """Write to a passing file, then send that. See `Store`."""
        with room(), passing(self._passing) as path:
            with path.open("xb") as file:
                stored = pour(chunks, limit, file.write)
            self._send(path, stored)
        return stored

    def keep_file(self, path: Path, sha256: str) -> Stored:
        """Send the file, then remove it. Raises `Damaged` when its bytes are not those of the hash. See `Store`."""
        before = kept_before(self, path, sha256)
        if before is not None:
            return before
        stored = described(path, sha256)
        self._send(path, stored)
        path.unlink(missing_ok=True)
        return stored

    def _send(self, path: Path, stored: Stored) -> None:
        with _answers(), path.open("rb") as file:
            found = self._size(stored.sha256)
            if found == stored.size:
                self._freshen(file, stored)
                return
            if found is not None:
                # Half an object is no object; an address is never overwritten, so it goes first.
                self._s3.delete_object(**self._at(stored.sha256))
            self._write(file, stored, {"IfNoneMatch": "*"})

    def _write(self, file: BinaryIO, stored: Stored, condition: dict[str, str]) -> None:
        """Send the bytes under the condition; that another process was faster is as good."""
        write = self._put if stored.size <= PART else self._put_parts
        try:
            write(file, stored, condition)
        except ClientError as error:
            if _status(error) != HTTPStatus.PRECONDITION_FAILED:
                raise

    def _put(self, file: BinaryIO, stored: Stored, condition: dict[str, str]) -> None:
        body = file.read()
        _check_whole(hashlib.sha256(body).hexdigest(), stored)
        self._s3.put_object(
            **self._at(stored.sha256), Body=body, ChecksumSHA256=_base64(stored.sha256), **condition
        )

    def _put_parts(self, file: BinaryIO, stored: Stored, condition: dict[str, str]) -> None:
        """Send one part after the other, and let them become the object only if all bytes were the right ones."""
        at = self._at(stored.sha256)
        upload = self._s3.create_multipart_upload(**at, ChecksumAlgorithm="SHA256")["UploadId"]
        try:
            parts = list(self._parts(file, stored, upload))
            self._s3.complete_multipart_upload(
                **at, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
            )
        except BaseException:
            # Where even this fails, `sweep` does it later.
            with suppress(ClientError, BotoCoreError):
                self._s3.abort_multipart_upload(**at, UploadId=upload)
            raise

    def _parts(self, file: BinaryIO, stored: Stored, upload: str) -> Iterator[dict[str, Any]]:
        whole, at = hashlib.sha256(), self._at(stored.sha256)
        length = max(PART, -(-stored.size // MOST_PARTS))
        for number, part in enumerate(iter(lambda: file.read(length), b""), start=1):
            whole.update(part)
            digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
            answer = self._s3.upload_part(
                **at, UploadId=upload, PartNumber=number, Body=part, ChecksumSHA256=digest
            )
            yield {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": digest}
        _check_whole(whole.hexdigest(), stored)

    def _freshen(self, file: BinaryIO, stored: Stored) -> None:
        """Give an object that is here already a fresh date, which keeps it from being an orphan."""
        if stored.size > LARGEST_COPY:
            self._write(file, stored, {})
            return
        at = self._at(stored.sha256)
        self._s3.copy_object(**at, CopySource=at, MetadataDirective="REPLACE")

    def open_range(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Ask for the object's size now, for its bytes at the first read. See `Store`."""
        size = self.size(sha256)
        end = size if length is None else min(size, start + length)
        return self._read(sha256, start, end)

    def _read(self, sha256: str, start: int, end: int) -> Iterator[bytes]:
        if start >= end:
            return
        with _answers(sha256):
            body = self._s3.get_object(**self._at(sha256), Range=f"bytes={start}-{end - 1}")["Body"]
            with body:
                yield from iter(lambda: body.read(CHUNK), b"")

    @contextmanager
    def open_path(self, sha256: str) -> Iterator[Path]:
        """Fetch the object into a passing file, compare its hash, and give that. See `Store`."""
        chunks = self.open_range(sha256)
        with passing(self._passing) as path:
            with room(), path.open("xb") as file:
                fetched = pour(chunks, self.size(sha256), file.write)
            if fetched.sha256 != sha256:
                raise Damaged(sha256)
            path.chmod(0o440)
            yield path

    def exists(self, sha256: str) -> bool:
        """See `Store`."""
        with _answers():
            return self._size(sha256) is not None

    def size(self, sha256: str) -> int:
        """See `Store`."""
        with _answers():
            found = self._size(sha256)
        if found is None:
            raise NotStored(sha256)
        return found

    def _size(self, sha256: str) -> int | None:
        at = self._at(sha256)
        try:
            return int(self._s3.head_object(**at)["ContentLength"])
        except ClientError as error:
            if _status(error) == HTTPStatus.NOT_FOUND:
                return None
            raise

    def delete(self, sha256: str) -> None:
        """See `Store`."""
        with _answers():
            self._s3.delete_object(**self._at(sha256))

    def orphans(self, older_than: datetime, known: Container[str]) -> Iterator[str]:
        """See `Store`."""
        for row in self._listed("list_objects_v2", "Contents"):
            name = row["Key"].removeprefix(self._address.prefix)
            if ADDRESS.fullmatch(name) and row["LastModified"] < older_than and name not in known:
                yield name

    def sweep(self, older_than: datetime) -> int:
        """Remove old passing files, and parts of objects that were never finished. See `Store`."""
        gone = sweep_passing(self._passing, older_than)
        for row in self._listed("list_multipart_uploads", "Uploads"):
            if row["Initiated"] < older_than:
                with _answers():
                    self._s3.abort_multipart_upload(
                        Bucket=self._address.bucket, Key=row["Key"], UploadId=row["UploadId"]
                    )
                gone += 1
        return gone

    def _listed(self, operation: str, rows: str) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator(operation).paginate(
            Bucket=self._address.bucket, Prefix=self._address.prefix
        )
        with _answers():
            for page in pages:
                yield from page.get(rows, ())

    def free_bytes(self) -> None:
        """Return None: a bucket doesn't tell. See `Store`."""

    def check(self) -> None:
        """Write and remove a small object. See `Store`."""
        at = {"Bucket": self._address.bucket, "Key": f"{self._address.prefix}{PROBE}"}
        try:
            self._s3.head_bucket(Bucket=self._address.bucket)
            self._s3.put_object(**at, Body=b"konsilium")
            self._s3.delete_object(**at)
        except ClientError as error:
            raise _misconfigured(error, self._address) from error
        except BotoCoreError as error:
            raise StoreUnreachable from error

    def _at(self, sha256: str) -> dict[str, str]:
        return {"Bucket": self._address.bucket, "Key": f"{self._address.prefix}{checked(sha256)}"}


def _client(address: S3Address) -> Any:
    """Return a client that signs each body's hash, and is told our checksums instead of making its own."""
    config = Config(
        s3={"addressing_style": "path", "payload_signing_enabled": True},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
    )
    return botocore.session.get_session().create_client(
        "s3",
        endpoint_url=address.endpoint,
        region_name=address.region,
        aws_access_key_id=address.key,
        aws_secret_access_key=address.secret,
        config=config,
    )


@contextmanager
def _answers(sha256: str = "") -> Iterator[None]:
    """Say the server's answers in our words: no room, not there, out of reach."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"].get("Code") in _NO_ROOM:
            raise StorageFull from error
        if sha256 and _status(error) == HTTPStatus.NOT_FOUND:
            raise NotStored(sha256) from error
        raise StoreUnreachable from error
    except BotoCoreError as error:
        raise StoreUnreachable from error


def _misconfigured(error: ClientError, address: S3Address) -> Exception:
    if _status(error) == HTTPStatus.NOT_FOUND:
        return BadStore(
            f"There is no bucket {address.bucket} at {address.endpoint}. Make it, or correct KONSILIUM_STORE_URL."
        )
    if _status(error) in _REFUSED:
        return BadStore(
            f"{address.endpoint} lets nobody with these keys read and write in {address.bucket}. "
            f"Look at {KEY} and {SECRET}, and at the bucket's rights."
        )
    return StoreUnreachable()


def _check_whole(digest: str, stored: Stored) -> None:
    if digest != stored.sha256:
        raise Damaged(stored.sha256)


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()

"""Where uploaded bytes are kept: by content, so that an address can never mean other bytes.

One promise (`Store`), kept by a folder, by an S3 bucket, and in memory for tests.
"""

from pathlib import Path

from konsilium.adapters.storage.address import BadAddress, S3Address, read_address
from konsilium.adapters.storage.local import LocalStore
from konsilium.adapters.storage.memory import NullStore
from konsilium.adapters.storage.protocol import (
    CHUNK,
    HEAD,
    BadStore,
    Damaged,
    NotKept,
    NotStored,
    StorageFull,
    Store,
    Stored,
    StoreUnreachable,
    TooLarge,
)


def connect(url: str, folder: Path) -> Store:
    """Return the store at the address: the folder, or with s3://… a bucket that uses the folder for what passes through.

    Raises BadAddress for an address or keys that can't be used; nothing is asked of the bucket yet.
    """
    if not url:
        return LocalStore(folder)
    # Only where a bucket is used: its library takes 30 MB in each process.
    from konsilium.adapters.storage.s3 import S3Store  # noqa: PLC0415

    return S3Store(read_address(url), folder)


__all__ = [
    "CHUNK",
    "HEAD",
    "BadAddress",
    "BadStore",
    "Damaged",
    "LocalStore",
    "NotKept",
    "NotStored",
    "NullStore",
    "S3Address",
    "StorageFull",
    "Store",
    "StoreUnreachable",
    "Stored",
    "TooLarge",
    "connect",
    "read_address",
]

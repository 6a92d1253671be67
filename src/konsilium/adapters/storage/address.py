"""Where a store of another machine is: s3://bucket/prefix?endpoint=https://…&region=…, keys from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

KEY, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
REGION = "us-east-1"
LIKE = "s3://bucket/prefix?endpoint=https://s3.example.org"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class BadAddress(ValueError):
    """An address or keys that can't be used; the text tells the operator what to do."""


@dataclass(frozen=True)
class S3Address:
    """A bucket, the prefix of our keys in it (empty, or with a slash at its end), and who we are there."""

    bucket: str
    prefix: str
    endpoint: str
    region: str
    key: str
    secret: str

    def __repr__(self) -> str:
        """Return the place alone: the keys belong into no log."""
        return f"S3Address(s3://{self.bucket}/{self.prefix} at {self.endpoint})"


def read_address(url: str, environment: Mapping[str, str] = os.environ) -> S3Address:
    """Return what the address says. Raises BadAddress with a sentence on what to write instead."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    endpoint = options.pop("endpoint", "")
    region = options.pop("region", "") or REGION
    bucket = parts.netloc
    if parts.scheme != "s3" or options or parts.fragment:
        raise BadAddress(
            f"A store's address looks like {LIKE}; only endpoint and region may follow the mark."
        )
    if not _BUCKET.fullmatch(bucket):
        raise BadAddress(
            f"A bucket's name has 3 to 63 small letters, digits, dots and dashes, not {bucket!r}."
        )
    if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname:
        raise BadAddress(f"A store's address names its endpoint: {LIKE}")
    missing = [name for name in (KEY, SECRET) if not environment.get(name)]
    if missing:
        raise BadAddress(f"Put the bucket's keys into the environment: {' and '.join(missing)}.")
    prefix = parts.path.strip("/")
    return S3Address(
        bucket, f"{prefix}/" if prefix else "", endpoint, region, environment[KEY], environment[SECRET]
    )

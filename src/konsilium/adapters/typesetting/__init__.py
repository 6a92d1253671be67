"""Typesetting: a page of ours becomes a PDF/A-2b, in a child process with limits, with pinned fonts and no network."""

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# -I keeps the folder that happens to be the current one out of the child's path.
COMMAND = (sys.executable, "-I", "-X", "utf8", "-m", "konsilium.adapters.typesetting.child")
FONTS = Path(__file__).parents[2] / "static" / "dist" / "print"
LONGEST_SECONDS = 60
LARGEST = 64 * 1024 * 1024


class NotTypeset(Exception):
    """The child broke or took too long. No word of the page is in it."""


@dataclass(frozen=True)
class Typeset:
    """A PDF, how many pages it has, and how long the child's processor took, in seconds."""

    pdf: bytes
    pages: int
    cpu_seconds: float


def typeset(page: str, *, pictures: Mapping[str, bytes], metadata: str, made: str) -> Typeset:
    """Make a PDF of a page of HTML. Its addresses may be `print:` and a name among `pictures`, and nothing else.

    `metadata` is JSON to be kept in the PDF's XMP; `made` its time of making, ISO 8601. Raises NotTypeset.
    """
    asked = {
        "page": page,
        "pictures": {name: base64.b64encode(data).decode() for name, data in pictures.items()},
        "metadata": metadata,
        "made": made,
        "fonts": str(FONTS),
    }
    try:
        done = subprocess.run(
            COMMAND,
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=False,
            env={"OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as late:
        raise NotTypeset("time") from late
    if done.returncode or not done.stdout:
        raise NotTypeset(f"child ended with {done.returncode}")
    answer = json.loads(done.stdout)
    pdf = base64.b64decode(answer["pdf"])
    if len(pdf) > LARGEST:
        raise NotTypeset("size")
    return Typeset(pdf, answer["pages"], answer["cpu_seconds"])

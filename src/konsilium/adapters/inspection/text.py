"""Plain text: decodes as a whole, and holds no control characters."""

import codecs
from pathlib import Path
from typing import Any

from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import CONTROLS

LARGEST_MB = 20
_PIECE = 256 * 1024


def judge(path: Path, size: int) -> dict[str, Any]:
    """Return the encoding and the number of lines. Raises `Refused`."""
    if size > LARGEST_MB * 1024**2:
        raise Refused("too_large", most=LARGEST_MB)
    for encoding in ("utf-8-sig", "cp1251"):
        lines = _lines(path, encoding)
        if lines is not None:
            return {"encoding": encoding.removesuffix("-sig"), "lines": lines}
    raise Refused("damaged")


def _lines(path: Path, encoding: str) -> int | None:
    """Return how many lines the text has; None when it isn't text in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError:
                return None
            if CONTROLS.search(text):
                return None
            lines += text.count("\n")
            if not piece:
                return lines

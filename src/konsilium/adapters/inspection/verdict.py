"""The verdict on a file: one kind explains all of it, or it is refused with a reason that helps."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from konsilium.adapters.inspection.foreign import refuse_second_kind
from konsilium.adapters.inspection.reasons import REASONS, Refused
from konsilium.adapters.kinds import (
    DICOM,
    DOCX,
    HEAD,
    HEIC,
    JPEG,
    MP4,
    ODT,
    PDF,
    PLY,
    PNG,
    STL,
    TEXT,
    TIFF,
    XLSX,
    ZIP,
    NotAllowed,
    kind_of,
)

_ARCHIVES = (ZIP, DOCX, XLSX, ODT)


def inspect(scratch: Path, path: str, name: str) -> dict[str, Any]:
    """Judge a file by its first bytes and name, look for a second kind in it, then let its judge read it all.

    Returns verdict ("ok" or "refused"), media_type, reason (a code; "kind" when it isn't taken at all),
    message (an English message id) with its params, and facts, which differ by kind. Nothing is raised for
    what a file holds.
    """
    file = Path(path)
    size = file.stat().st_size
    media_type = ""
    try:
        with file.open("rb") as content:
            media_type = kind_of(name, content.read(HEAD), size)
        if media_type not in _ARCHIVES:
            refuse_second_kind(file, media_type)
        facts = _judge(media_type)(file, size)
    except NotAllowed as refused:
        return _refused("kind", str(refused), {}, "")
    except Refused as refused:
        return _refused(refused.reason, REASONS[refused.reason], refused.params, media_type)
    return {
        "verdict": "ok",
        "media_type": media_type,
        "reason": "",
        "message": "",
        "params": {},
        "facts": facts,
    }


def _refused(reason: str, message: str, params: dict[str, Any], media_type: str) -> dict[str, Any]:
    return {
        "verdict": "refused",
        "media_type": media_type,
        "reason": reason,
        "message": message,
        "params": params,
        "facts": {},
    }


def _judge(media_type: str) -> Callable[[Path, int], dict[str, Any]]:
    """Return the judge of a kind; its parsers are loaded only now."""
    name, takes_kind = {
        PDF: ("pdf", False),
        JPEG: ("pictures", True),
        PNG: ("pictures", True),
        TIFF: ("pictures", True),
        HEIC: ("pictures", True),
        DICOM: ("dicom", False),
        DOCX: ("office", True),
        XLSX: ("office", True),
        ODT: ("office", True),
        TEXT: ("text", False),
        STL: ("surfaces", True),
        PLY: ("surfaces", True),
        MP4: ("video", False),
        ZIP: ("archives", False),
    }[media_type]
    judge: Callable[..., dict[str, Any]] = import_module(f"konsilium.adapters.inspection.{name}").judge
    return (lambda file, size: judge(file, size, media_type)) if takes_kind else judge

"""PDF: opens without a password, begins and ends where it should, and holds nothing that acts by itself.

Signatures, links and plain forms may be there. Nothing is drawn here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf

from konsilium.adapters.inspection.reasons import Refused

PAGES = 5000
_TAIL = 64 * 1024
_END = b"%%EOF"
_ACTIONS = {
    "/JavaScript",
    "/Launch",
    "/ImportData",
    "/SubmitForm",
    "/Rendition",
    "/GoToE",
    "/Movie",
    "/Sound",
}
_CARRIERS = {"/FileAttachment", "/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"}
# Only objects that name one of these are looked at closely.
_SUSPECT = re.compile(
    rb"/(JavaScript|Launch|ImportData|SubmitForm|Rendition|GoToE|Movie|Sound|FileAttachment|RichMedia|Screen"
    rb"|3D|EF|XFA|EmbeddedFile)\b"
)
_DEEPEST = 50


def judge(path: Path, size: int) -> dict[str, Any]:
    """Return the number of pages, and whether the PDF is signed. Raises `Refused`."""
    _refuse_rest(path, size)
    try:
        with pikepdf.open(path) as document:
            for thing in document.objects:
                _refuse_active(thing)
            pages = len(document.pages)
            is_signed = _is_signed(document)
    except pikepdf.PasswordError:
        raise Refused("pdf_password") from None
    except (pikepdf.PdfError, pikepdf.DataDecodingError, ValueError, TypeError, RuntimeError, RecursionError):
        raise Refused("damaged") from None
    if pages == 0:
        raise Refused("damaged")
    if pages > PAGES:
        raise Refused("too_many_pages", most=PAGES)
    return {"pages": pages, "is_signed": is_signed}


def _refuse_rest(path: Path, size: int) -> None:
    """Let only white space and zeros stand behind the last end mark."""
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        _, mark, rest = file.read().rpartition(_END)
    if not mark:
        raise Refused("damaged" if size <= _TAIL else "rest_behind")
    if rest.strip(b"\x00 \t\r\n\x0c\x1a"):
        raise Refused("rest_behind")


def _refuse_active(thing: Any) -> None:
    described = thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing
    if not isinstance(described, (pikepdf.Dictionary, pikepdf.Array)):
        return
    # The library writes names without their disguises: "/J#61vaScript" is "/JavaScript" here.
    if _SUSPECT.search(described.unparse(resolved=True)):
        for part in _dictionaries(described, 0):
            _refuse_dictionary(part)


def _dictionaries(thing: Any, depth: int) -> Iterator[Any]:
    """Yield the dictionaries that stand in an object itself; what it points at comes by itself."""
    if depth > _DEEPEST:
        raise Refused("damaged")
    if isinstance(thing, pikepdf.Dictionary):
        yield thing
        for key in thing.keys():  # noqa: SIM118  not a Python dictionary
            yield from _direct(thing.get(key), depth)
    elif isinstance(thing, pikepdf.Array):
        for part in thing:
            yield from _direct(part, depth)


def _direct(part: Any, depth: int) -> Iterator[Any]:
    if isinstance(part, pikepdf.Object) and not part.is_indirect:
        yield from _dictionaries(part, depth + 1)


def _refuse_dictionary(part: Any) -> None:
    if str(part.get("/S", "")) in _ACTIONS or "/XFA" in part:
        raise Refused("pdf_active")
    is_carrier = str(part.get("/Subtype", "")) in _CARRIERS and str(part.get("/Type", "/Annot")) == "/Annot"
    if is_carrier or _is_file(part.get("/EF")) or str(part.get("/Type", "")) == "/EmbeddedFile":
        raise Refused("pdf_attachments")


def _is_file(embedded: Any) -> bool:
    """Say whether this is a file's content; a font may be called EF too."""
    return isinstance(embedded, pikepdf.Dictionary) and any(
        isinstance(embedded.get(key), pikepdf.Stream) for key in ("/F", "/UF", "/DOS", "/Mac", "/Unix")
    )


def _is_signed(document: pikepdf.Pdf) -> bool:
    form = document.Root.get("/AcroForm")
    return isinstance(form, pikepdf.Dictionary) and bool(int(form.get("/SigFlags", 0)) & 1)

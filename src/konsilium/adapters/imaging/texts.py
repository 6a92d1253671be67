"""The texts of DICOM headers, whose character set is often missing or wrong: old programs wrote CP1251 and CP866."""

from itertools import pairwise
from typing import Any

from pydicom import Dataset
from pydicom.dataelem import RawDataElement

_CYRILLIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ")
_PLAIN = frozenset(" ^=.,-()'\"/\\_:;№&+*#%!?<>[]|@0123456789")
# Every text that is shown or compared; the rest stays as its file has it.
TEXTS = (
    "PatientName",
    "PatientID",
    "InstitutionName",
    "StudyDescription",
    "SeriesDescription",
    "BodyPartExamined",
    "ProtocolName",
    "ReferringPhysicianName",
    "OperatorsName",
    "PatientComments",
)


def mend(header: Dataset) -> None:
    """Decode the texts by what their bytes say, and declare UTF-8; what the header declares right stays so."""
    for name in TEXTS:
        if name in header:
            header[name].value = _read(header, name)
    header.SpecificCharacterSet = "ISO_IR 192"


def _read(header: Dataset, name: str) -> str:
    raw = header.get_item(name)
    declared = header.get("SpecificCharacterSet")
    if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes):
        return str(header.get(name) or "")
    text = raw.value.rstrip(b"\x00 ")
    if text.isascii() and b"\x1b" not in text:
        return text.decode("ascii")
    if declared and _is_plausible(shown := _declared(header, name)):
        return shown
    return guess(text)


def _declared(header: Dataset, name: str) -> str:
    try:
        return str(header.get(name) or "")
    except (LookupError, ValueError, AttributeError):
        return ""


def _is_plausible(text: str) -> bool:
    return bool(text) and "\ufffd" not in text and _oddness(text) == 0


def guess(text: bytes) -> str:
    """Decode bytes of an unknown character set: UTF-8 when it is that, else the one that reads most like Russian."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        read: list[str] = [
            text.decode(name, "replace") for name in ("cp1251", "cp866", "iso8859-5", "koi8-r")
        ]
        return min(read, key=_oddness)


def _oddness(text: str) -> float:
    """Count what Russian and Latin names don't hold; capitals within a word tell KOI8 from CP1251."""
    odd = sum(
        not (sign in _CYRILLIC or sign in _PLAIN or (sign.isascii() and sign.isalpha())) for sign in text
    )
    inner = sum(later.isupper() and before.islower() for before, later in pairwise(text))
    return odd * 10 + inner


def text_of(value: Any) -> str:
    """Return a header's value as one line of text."""
    return " ".join(str(value or "").replace("\x00", "").split())

"""What a program accepts and what is there: media types of DICOMweb (PS3.18, 8.7) in both directions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.http import parse_header_parameters

DICOM = "application/dicom"
JSON = "application/dicom+json"
OCTETS = "application/octet-stream"
MULTIPART = "multipart/related"
ANY = "*"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"

# PS3.18, table 8.7.3-5: which media type a frame of a transfer syntax has. What isn't named is plain octets.
_FRAME_TYPES = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
}
# A comma inside quotation marks parts nothing.
# More of an Accept header nobody needs.
LONGEST = 4000
_PARTS = re.compile(r'(?:[^,"]|"[^"]*")+')


@dataclass(frozen=True)
class Wanted:
    """One media type of an Accept header; `syntax` is "" where none is named and "*" where any will do."""

    media_type: str
    is_multipart: bool
    syntax: str
    quality: float

    def takes(self, media_type: str) -> bool:
        """Say whether this is the type, or a range with it inside."""
        main = media_type.partition("/")[0]
        return self.media_type in (media_type, f"{main}/*", "*/*")


@dataclass(frozen=True)
class Answer:
    """How to answer: the type of each part, and whether parts are wrapped."""

    media_type: str
    syntax: str
    is_multipart: bool


def wanted(header: str) -> list[Wanted]:
    """Read an Accept header, the most wanted first. An empty one accepts anything."""
    parts = (part.strip() for part in _PARTS.findall(header[:LONGEST] or "*/*"))
    found = [_wanted(part) for part in parts if part]
    return sorted((one for one in found if one.quality > 0), key=lambda one: -one.quality)


def _wanted(part: str) -> Wanted:
    media_type, given = parse_header_parameters(part)
    is_multipart = media_type == MULTIPART
    inner = given.get("type", "*/*").lower() if is_multipart else media_type
    return Wanted(inner, is_multipart, given.get("transfer-syntax", ""), _quality(given.get("q", "1")))


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def choose(header: str, kinds: Iterable[str]) -> str | None:
    """Return the most wanted of the single-part types that are there, or None."""
    kinds = tuple(kinds)
    for one in wanted(header):
        fitting = next((kind for kind in kinds if not one.is_multipart and one.takes(kind)), None)
        if fitting:
            return fitting
    return None


def frame_type(syntax: str) -> str:
    """Return the media type of a frame in this transfer syntax."""
    return _FRAME_TYPES.get(syntax, OCTETS)


def choose_frames(header: str, syntax: str, count: int) -> Answer | None:
    """Return how to send frames that stand in this transfer syntax, or None where that is not accepted.

    One frame goes alone where a single part is asked for by name; several, and one asked for by "*/*", are wrapped.
    """
    kind = frame_type(syntax)
    for one in wanted(header):
        alone = not one.is_multipart and one.media_type != "*/*"
        if _takes_frame(one, kind, syntax) and not (alone and count > 1):
            return Answer(kind, syntax, is_multipart=not alone)
    return None


def _takes_frame(one: Wanted, kind: str, syntax: str) -> bool:
    """Octets without a syntax are uncompressed ones; with `transfer-syntax=*` they are whatever there is."""
    if one.media_type == OCTETS and kind != OCTETS:
        return one.syntax in (ANY, syntax)
    return one.takes(kind) and one.syntax in ("", ANY, syntax)


def choose_instance(header: str, syntax: str) -> Answer | None:
    """Return how to send whole DICOM objects that stand in this transfer syntax, or None."""
    for one in wanted(header):
        # Unlike frames, objects are sent as they came unless another syntax is asked for by name.
        if one.takes(DICOM) and one.syntax in ("", ANY, syntax):
            alone = not one.is_multipart and one.media_type == DICOM
            return Answer(DICOM, syntax, is_multipart=not alone)
    return None

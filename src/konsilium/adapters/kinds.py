"""What an uploaded file claims to be, judged by its first bytes and name, and a name that is safe to show.

Nothing is parsed here: the web process looks at magic bytes in a fixed place and at nothing behind them. That
a file of a right kind is also a whole and harmless one is found out in the sandbox, by `adapters/inspection`.
"""

import re
import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath

from konsilium.workflow.words import N_

LONGEST_NAME = 120
_LONGEST_EXTENSION = 16

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
TIFF = "image/tiff"
HEIC = "image/heic"
DICOM = "application/dicom"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
TEXT = "text/plain"
STL = "model/stl"
PLY = "model/ply"
MP4 = "video/mp4"
ZIP = "application/zip"

_BY_EXTENSION = {
    "pdf": PDF, "jpg": JPEG, "jpeg": JPEG, "jpe": JPEG, "png": PNG, "tif": TIFF, "tiff": TIFF, "heic": HEIC,
    "heif": HEIC, "dcm": DICOM, "dicom": DICOM, "dic": DICOM, "ima": DICOM, "docx": DOCX, "xlsx": XLSX,
    "odt": ODT, "txt": TEXT, "stl": STL, "ply": PLY, "mp4": MP4, "m4v": MP4, "zip": ZIP,
}  # fmt: skip
EXTENSIONS = tuple(sorted(_BY_EXTENSION))
MEDIA_TYPES = frozenset(_BY_EXTENSION.values())

# How many first bytes `kind_of` wants to see.
HEAD = 4096
# What no text holds: control characters beside tab and the ends of lines and pages.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")

TIFF_HEADS = (b"II*\x00", b"MM\x00*")
PREAMBLE = 128
_PROGRAMS = (
    b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\x00asm", b"dex\n", b"!<arch>",
    b"L\x00\x00\x00\x01\x14\x02\x00", b"@echo", b"<?php",
)  # fmt: skip
_ZIP_ENTRY = 30
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_MP4_BRANDS = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"MSNV",
    b"dash",
}
_OFFICE_ENTRIES = ("[Content_Types].xml", "_rels/", "docProps/", "customXml/")
_NO_PLAIN_ZIP = (*_OFFICE_ENTRIES, "word/", "xl/", "ppt/", "mimetype", "META-INF/", "AndroidManifest.xml")

_NOT_ACCEPTED = N_("Files of this kind are not accepted")
_CONTRADICTION = N_("The content of the file does not match its name")


class NotAllowed(Exception):
    """The file isn't taken; the text is a message id that may be shown."""


def kind_of(name: str, head: bytes, size: int) -> str:
    """Return the media type of a file from its name, its first bytes (4 KiB are enough) and its size.

    Raises `NotAllowed` for programs, scripts and markup whatever they are called, for a DICOM file whose
    preamble could be something else, for a kind that isn't on the list, and when name and content disagree.
    """
    _refuse_harmful(head)
    extension = _extension(safe_name(name))
    claimed = _BY_EXTENSION.get(extension)
    if claimed is None and extension:
        raise NotAllowed(_NOT_ACCEPTED)
    found = _content(head, size, claimed)
    if found is None:
        raise NotAllowed(_CONTRADICTION if claimed else _NOT_ACCEPTED)
    if claimed not in (None, found):
        raise NotAllowed(_CONTRADICTION)
    return found


def _refuse_harmful(head: bytes) -> None:
    if not head:
        raise NotAllowed(N_("The file is empty"))
    if is_dicom(head):
        refuse_preamble(head[:PREAMBLE])
    if head.lower().startswith(tuple(mark.lower() for mark in _PROGRAMS)):
        raise NotAllowed(N_("Programs and scripts are not accepted"))
    if _begins_like_markup(head):
        raise NotAllowed(N_("Web pages and SVG pictures are not accepted"))


def refuse_preamble(preamble: bytes) -> None:
    """Let only zeros or a TIFF head stand before DICM: readers skip it, but a computer may run it."""
    if any(preamble) and not preamble.startswith(TIFF_HEADS):
        raise NotAllowed(N_("The DICOM file begins with something that is not DICOM"))


def _begins_like_markup(head: bytes) -> bool:
    for mark in _MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\x00", b"").lstrip().startswith(b"<")


def _content(head: bytes, size: int, claimed: str | None) -> str | None:
    """Return the one kind the bytes begin like; only text and STL have no mark and need the name's word."""
    if is_dicom(head):
        return DICOM
    for kind, matches in _BY_HEAD.items():
        if matches(head):
            return kind
    if head.startswith(b"PK"):
        return _kind_of_zip(head, claimed)
    if (claimed == TEXT and _is_text(head, size)) or (claimed == STL and _is_stl(head, size)):
        return claimed
    return None


def is_dicom(head: bytes) -> bool:
    """Say whether the bytes have DICOM's mark in its place, whatever stands before it."""
    return head[PREAMBLE : PREAMBLE + 4] == b"DICM"


def _brands(head: bytes) -> set[bytes]:
    """Return the major and compatible brands of an ISO base media file; none when it isn't one."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}


def _is_heic(head: bytes) -> bool:
    return bool(_brands(head) & _HEIC_BRANDS)


def _is_mp4(head: bytes) -> bool:
    brands = _brands(head)
    return bool(brands & _MP4_BRANDS) and head[8:12] != b"qt  "


def _is_ply(head: bytes) -> bool:
    return (
        re.match(rb"ply\r?\n(comment [^\n]*\n)*format (ascii|binary_(little|big)_endian) 1\.0", head)
        is not None
    )


_BY_HEAD: dict[str, Callable[[bytes], bool]] = {
    PDF: lambda head: re.match(rb"%PDF-[12]\.", head) is not None,
    JPEG: lambda head: head.startswith(b"\xff\xd8\xff"),
    PNG: lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    TIFF: lambda head: head.startswith(TIFF_HEADS),
    HEIC: _is_heic,
    MP4: _is_mp4,
    PLY: _is_ply,
}


def _kind_of_zip(head: bytes, claimed: str | None) -> str | None:
    """Judge an archive by the name of its first entry; whatever follows is the quarantine worker's."""
    if not head.startswith(b"PK\x03\x04") or len(head) < _ZIP_ENTRY:
        return None
    if head[6] & 1:
        raise NotAllowed(N_("Encrypted archives can't be checked and are not accepted"))
    first, content = _first_entry(head)
    if first == "mimetype":
        return ODT if content == ODT.encode() else None
    if claimed in (DOCX, XLSX):
        own = "word/" if claimed == DOCX else "xl/"
        return claimed if first.startswith((*_OFFICE_ENTRIES, own)) else None
    return None if first.startswith(_NO_PLAIN_ZIP) else ZIP


def _first_entry(head: bytes) -> tuple[str, bytes]:
    name_length, extra_length = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
    begin = _ZIP_ENTRY + name_length
    size = int.from_bytes(head[18:22], "little")
    content = head[begin + extra_length :][:size]
    return head[_ZIP_ENTRY:begin].decode("latin-1"), content


def _is_text(head: bytes, size: int) -> bool:
    """Take UTF-8 and, for old programs, Windows-1251, without control characters beside tab and line ends."""
    text = _decoded(head, whole=size <= len(head))
    return text is not None and not CONTROLS.search(text)


def _decoded(head: bytes, *, whole: bool) -> str | None:
    # The head may end within a character.
    for encoding, cut in (("utf-8-sig", 0 if whole else 3), ("cp1251", 0)):
        for end in range(cut + 1):
            try:
                return head[: len(head) - end].decode(encoding)
            except UnicodeDecodeError:
                continue
    return None


def _is_stl(head: bytes, size: int) -> bool:
    """Binary: 80 free bytes, a count, and exactly 50 bytes for each triangle. ASCII: solid … facet."""
    triangles = int.from_bytes(head[80:84], "little")
    if triangles and size == 84 + 50 * triangles:
        return True
    return re.match(rb"solid\b[^\n]*\n\s*facet normal ", head) is not None and _is_text(head, size)


def safe_name(name: str) -> str:
    """Return a name to show and to offer for saving: no path, no control or direction marks, at most 120.

    It is never used as a path here. The extension survives the cut; a name of nothing becomes "file".
    """
    bare = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # C: control, format (direction overrides, zero width), surrogate, private use, unassigned.
    visible = "".join(
        " " if character in "\t\r\n" else character for character in bare if _is_shown(character)
    )
    plain = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", visible)).strip(" .")
    return _shortened(plain) or "file"


def _is_shown(character: str) -> bool:
    return character in "\t\r\n" or not unicodedata.category(character).startswith("C")


def _shortened(name: str) -> str:
    extension = PurePosixPath(name).suffix
    if len(name) <= LONGEST_NAME or len(extension) > _LONGEST_EXTENSION:
        return name[:LONGEST_NAME].rstrip(" .")
    return name[: LONGEST_NAME - len(extension)].rstrip(" .") + extension


def _extension(name: str) -> str:
    """Return the extension in lower case; a name that is a UID, as archives give to DICOM, has none."""
    extension = PurePosixPath(name).suffix.removeprefix(".").lower()
    return "" if extension.isdigit() else extension

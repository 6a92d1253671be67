"""DOCX, XLSX and ODT: archives of XML without macros, embedded files, or anything loaded from elsewhere."""

import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.parsers import expat

from konsilium.adapters.inspection import archives
from konsilium.adapters.inspection.archives import Budget, Entry
from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import DOCX, ODT, XLSX

_NEEDED = {DOCX: "word/document.xml", XLSX: "xl/workbook.xml", ODT: "content.xml"}
_MACROS = re.compile(
    r"vbaProject|vbaData|macrosheets/|^Basic/|^Scripts/|\.(bas|vbs|js|py|jar|class)$", re.IGNORECASE
)
_OBJECTS = re.compile(
    r"(^|/)(embeddings|activeX|oleObject[^/]*|ctrlProps)(/|$)|\.(exe|dll|ole|scr|lnk)$", re.IGNORECASE
)
_MACRO_TYPES = ("macroenabled", "vbaproject", "ms-office.activex", "oleobject")
_HARMLESS_LINKS = ("/hyperlink",)
_ODF_ACTIVE = {"event-listener", "plugin", "applet", "dde-connection", "dde-connection-decl", "dde-source"}
_ODF_LOADING = {"image", "object", "object-ole", "floating-frame", "section-source", "table-source"}
_ELSEWHERE = re.compile(r"^([a-z][a-z0-9+.-]*:|//|\\\\)", re.IGNORECASE)
_FIELD = re.compile(r"(?<![A-Z])(DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE)(?![A-Z])", re.IGNORECASE)
_LONGEST_FIELDS = 1_000_000
# Word remembers the template on the writer's own disk; nothing is loaded from there.
_OWN_TEMPLATE = re.compile(r"^(file:///)?[a-z]:", re.IGNORECASE)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    expat.ExpatError,
    ValueError,
)

Attributes = dict[str, str]


def judge(path: Path, size: int, media_type: str) -> dict[str, Any]:
    """Return nothing but that the document is in order. Raises `Refused`."""
    try:
        with archives.opened(path, size) as archive:
            parts = archives.entries(archive, size)
            _refuse_parts({part.name for part in parts}, media_type)
            budget = Budget(size)
            for part in parts:
                _read(archive, part, budget, media_type)
    except _BROKEN:
        raise Refused("damaged") from None
    return {}


def _refuse_parts(names: set[str], media_type: str) -> None:
    if _NEEDED[media_type] not in names:
        raise Refused("damaged")
    if any(_MACROS.search(name) for name in names):
        raise Refused("office_macros")
    if any(_OBJECTS.search(name) for name in names):
        raise Refused("office_objects")


def _read(archive: zipfile.ZipFile, part: Entry, budget: Budget, media_type: str) -> None:
    """Unpack a part to its end, and parse it when it is XML."""
    look = _judge_of(part.name, media_type)
    fields = _Fields()
    parser = _parser(look, fields) if look else None
    is_empty = True
    for piece in archives.read(archive, part, budget):
        is_empty = False
        if parser:
            parser.Parse(piece, False)
    # LibreOffice writes some parts with nothing in them.
    if parser and not is_empty:
        parser.Parse(b"", True)
        fields.judge()


def _judge_of(name: str, media_type: str) -> Callable[[str, Attributes], None] | None:
    if not name.lower().endswith((".xml", ".rels", ".rdf")):
        return None
    if media_type == ODT:
        return _odf_element
    if name == "[Content_Types].xml":
        return _content_type
    return _relationship if name.endswith(".rels") else _office_element


class _Fields:
    """The instructions of a Word document's fields, which may be spread over many pieces of text."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._length = 0
        self.is_inside = False

    def add(self, text: str) -> None:
        """Take a piece of text when it stands in an instruction. Raises `Refused` when there is no end."""
        if not self.is_inside:
            return
        self._said.append(text)
        self._length += len(text)
        if self._length > _LONGEST_FIELDS:
            raise Refused("office_links")

    def judge(self) -> None:
        """Raise `Refused` when one of them starts a program or loads something."""
        if _FIELD.search("".join(self._said)):
            raise Refused("office_links")


def _parser(look: Callable[[str, Attributes], None], fields: _Fields) -> expat.XMLParserType:
    """Return a parser that calls `look` for each element, without prefixes, and refuses declared entities."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def begin(name: str, attributes: Attributes) -> None:
        element = name.rpartition(" ")[2]
        fields.is_inside = element == "instrText"
        look(element, {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def end(_name: str) -> None:
        fields.is_inside = False

    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = fields.add
    return parser


def _refuse_doctype(*_: object) -> None:
    raise Refused("damaged")


def _content_type(element: str, attributes: Attributes) -> None:
    kind = attributes.get("ContentType", "").lower()
    if any(mark in kind for mark in _MACRO_TYPES):
        raise Refused("office_macros")


def _relationship(element: str, attributes: Attributes) -> None:
    kind = attributes.get("Type", "").lower()
    if kind.endswith(("/vbaproject", "/xlmacrosheet")):
        raise Refused("office_macros")
    if kind.endswith(("/oleobject", "/control", "/package")):
        raise Refused("office_objects")
    if attributes.get("TargetMode", "").lower() != "external" or kind.endswith(_HARMLESS_LINKS):
        return
    if not (kind.endswith("/attachedtemplate") and _OWN_TEMPLATE.match(attributes.get("Target", ""))):
        raise Refused("office_links")


def _office_element(element: str, attributes: Attributes) -> None:
    if element == "fldSimple" and _FIELD.search(attributes.get("instr", "")):
        raise Refused("office_links")
    if element in ("ddeLink", "oleLink"):
        raise Refused("office_links")
    if element in ("oleObj", "OLEObject", "control", "altChunk"):
        raise Refused("office_objects")


def _odf_element(element: str, attributes: Attributes) -> None:
    target = attributes.get("href", "")
    if element == "encryption-data":
        raise Refused("office_password")
    if element in _ODF_ACTIVE or target.lower().startswith(
        ("vnd.sun.star", "macro:", "script:", "javascript:")
    ):
        raise Refused("office_macros")
    if element in _ODF_LOADING and _ELSEWHERE.match(target):
        raise Refused("office_links")

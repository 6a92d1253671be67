"""The dictionaries that ship with the product, read from the folder `reference/` as plain values."""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "reference"
# In a dictionary of somebody else's codes this marks the ones we had to make up.
OWN_CODE_PREFIX = "k-"
_COLUMNS = ("code", "name_ru", "name_en", "parent")


class UnknownDictionary(LookupError):
    """No dictionary of this name ships with the product."""


@dataclass(frozen=True)
class Manifest:
    """What a dictionary is. Without an OID it is our own list; `ours` says that every code in it is ours."""

    name: str
    title: str
    title_en: str
    oid: str
    version: str
    valid_from: date
    ours: bool
    note: str
    valid_to: date | None = None


@dataclass(frozen=True)
class Row:
    """One entry; `extra` holds the columns only this dictionary has."""

    code: str
    name_ru: str
    name_en: str
    parent: str
    ours: bool
    extra: Mapping[str, str] = field(default_factory=dict)


def names() -> tuple[str, ...]:
    """Return the names of the dictionaries, in the manifest's order."""
    return tuple(_manifests())


def read(name: str) -> tuple[Manifest, list[Row]]:
    """Return a dictionary's manifest and its rows in the file's order. Raises `UnknownDictionary`."""
    manifests = _manifests()
    if name not in manifests:
        raise UnknownDictionary(name)
    manifest = Manifest(name=name, **manifests[name])
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return manifest, [_row(columns, ours=manifest.ours) for columns in csv.DictReader(file, strict=True)]


def _manifests() -> dict[str, dict[str, Any]]:
    return tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))


def _row(columns: dict[str, str], *, ours: bool) -> Row:
    code, name_ru, name_en, parent = (columns[column] for column in _COLUMNS)
    extra = {column: value for column, value in columns.items() if column not in _COLUMNS}
    return Row(code, name_ru, name_en, parent, ours or code.startswith(OWN_CODE_PREFIX), extra)

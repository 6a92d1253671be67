"""Bringing the dictionaries that ship with the product into the database."""

from collections.abc import Iterable

from django.db import transaction

from konsilium.adapters import reference
from konsilium.models import Dictionary, DictionaryEntry

_ENTRY = ("name", "name_en", "parent", "extra")


def load_all(*, using: str) -> int:
    """Write every shipped dictionary, through the database alias of the owner; return how many entries they hold.

    A second run changes nothing; an entry that a version no longer names stays, because old rows may point at it.
    """
    return sum(_load(name, using) for name in reference.names())


def _load(name: str, using: str) -> int:
    manifest, rows = reference.read(name)
    with transaction.atomic(using=using):
        _write(_dictionary(manifest, using), rows, using)
    return len(rows)


def _dictionary(manifest: reference.Manifest, using: str) -> Dictionary:
    facts = {
        "title": manifest.title,
        "oid": manifest.oid,
        "valid_from": manifest.valid_from,
        "valid_to": manifest.valid_to,
        "note": manifest.note,
    }
    rows = Dictionary.objects.using(using)
    return rows.update_or_create(name=manifest.name, version=manifest.version, defaults=facts)[0]


def _write(dictionary: Dictionary, rows: Iterable[reference.Row], using: str) -> None:
    entries = [
        DictionaryEntry(
            dictionary=dictionary,
            code=row.code,
            name=row.name_ru,
            name_en=row.name_en,
            parent=row.parent,
            extra=dict(row.extra),
        )
        for row in rows
    ]
    DictionaryEntry.objects.using(using).bulk_create(
        entries, update_conflicts=True, unique_fields=["dictionary", "code"], update_fields=_ENTRY
    )

"""Studies for tests, as the inspector writes them: rows, and small files in the store."""

from datetime import date

from konsilium.actions import documents
from konsilium.models import Derived, Document, Instance, LeftOut, Reading, Series, Study
from konsilium.models._base import uuid7
from konsilium.models.access import as_inspector
from konsilium.workflow.document import DocumentState
from tests.cast import NOW

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000a49444154789c6300010000050001"
    "0d0a2db40000000049454e44ae426082"
)


def stored(content):
    """Put bytes into the store."""
    return documents.store().receive([content], limit=50_000_000)


def paper(owner, row, name="Снимок.zip", *, kind="ct", media_type="application/zip", content=None, **values):
    """A document of the request that passed the check, written by the owner: no state is moved here."""
    kept = stored(content if content is not None else f"{name} {uuid7()}".encode())
    given = {
        "id": uuid7(),
        "version": 1,
        "consultation_id": row.pk,
        "state": DocumentState.AVAILABLE,
        "kind": kind,
        "file_name": name,
        "media_type": media_type,
        "size": kept.size,
        "sha256": kept.sha256,
        "note": "",
        "photo_view": "",
        "verdict": "clean",
        "refusal": "",
        "added_at": NOW,
        "author_id": row.requester_id,
        "author_name": row.requester_name,
        "author_role": "requester",
        "facts": "{}",
    } | values
    marks = ", ".join(["%s"] * len(given))
    owner.execute(
        f"INSERT INTO konsilium_document ({', '.join(given)}) VALUES ({marks})", list(given.values())
    )
    with as_inspector(row.pk):
        return Document.objects.get(pk=given["id"])


def study(row, *, uid="1.2.3", **tags):
    """A study of the request's own patient, unless the tags say otherwise."""
    given = {
        "description": "КЛКТ челюстей",
        "study_date": date(2026, 11, 20),
        "institution": "Омская ОКБ",
        "patient_name": "ZAITSEVA^OLGA",
        "patient_birth_date": date(1981, 5, 4),
        "patient_sex": "F",
    } | tags
    made = Study(consultation=row, study_uid=uid, created_at=NOW, **given)
    with as_inspector(row.pk):
        made.save(force_insert=True)
    return made


def series(of, document, *, uid="1.2.3.1", count=2, **values):
    """A series that is read and rendered, with its instances in the document."""
    given = {
        "modality": "CT",
        "description": "Кость 0,3 мм",
        "rows": 100,
        "columns": 200,
        "number": 1,
        "state": Series.READY,
        "previews": {"thumbnail": _preview(), "picture": _preview()},
        "pack_sha256": stored(b"pack").sha256,
        "metadata_sha256": stored(b"[]").sha256,
    } | values
    made = Series(consultation=of.consultation, study=of, series_uid=uid, count=count, **given)
    with as_inspector(of.consultation_id):
        made.save(force_insert=True)
        for position in range(count):
            Instance.objects.create(
                consultation=of.consultation,
                series=made,
                document=document,
                sop_uid=f"{uid}.{position}",
                sop_class="1.2.840.10008.5.1.4.1.1.2",
                transfer_syntax="1.2.840.10008.1.2.1",
                position=position,
                file_sha256=document.sha256,
                file_length=document.size,
                ranges=[[0, 4]],
            )
    return made


def _preview():
    kept = stored(PIXEL)
    return {"sha256": kept.sha256, "size": kept.size, "media_type": "image/png"}


def copy_of(document, *, purpose="view", content=PIXEL, media_type="image/png", **facts):
    """A copy for looking at a document."""
    kept = stored(content)
    made = Derived(
        consultation_id=document.consultation_id,
        document=document,
        purpose=purpose,
        sha256=kept.sha256,
        size=kept.size,
        media_type=media_type,
        facts=facts,
        made_at=NOW,
    )
    with as_inspector(document.consultation_id):
        made.save(force_insert=True)
    return made


def left_out(document, name, reason):
    """A part of a document that was not imported."""
    with as_inspector(document.consultation_id):
        LeftOut.objects.create(
            consultation_id=document.consultation_id, document=document, name=name, reason=reason
        )


def reading(row, task, **values):
    """Work that waits for the inspector, or that it is at."""
    with as_inspector(row.pk):
        return Reading.objects.create(consultation=row, task=task, **values)

"""Studies to and from a PACS: what the centre is shown goes out, what comes in is a document like any other."""

import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from konsilium.actions import documents
from konsilium.actions._files import PIECE, store
from konsilium.actions._step import NotThere
from konsilium.actions.documents import Upload
from konsilium.adapters.pacs import Pacs, PacsRefused
from konsilium.models import Consultation, Document, Instance, Membership
from konsilium.models.access import acting, as_inspector, as_worker, signing_in
from konsilium.workflow.document import DocumentState
from konsilium.workflow.roles import Actor, Role
from konsilium.workflow.upload import LARGEST

READABLE = (DocumentState.AVAILABLE, DocumentState.SUPERSEDED)


class Sent(NamedTuple):
    """How many objects went out, and how many stayed because the centre isn't shown them."""

    sent: int
    withheld: int


def send(number: str, pacs: Pacs) -> Sent:
    """Send the released objects of a request that was sent to a PACS, as they came.

    What was unticked, or has names on it, stays here. Raises NotThere, and whatever the PACS raises.
    """
    with as_worker():
        key = Consultation.objects.filter(number=number).order_by("id").values_list("id", flat=True).first()
    if key is None:
        raise NotThere
    with as_inspector(key):
        rows = Instance.objects.filter(document__state__in=READABLE).select_related("series")
        every = list(rows.order_by("series_id", "position"))
    shown = [row for row in every if row.series.is_included and row.series.burned_in != "yes"]
    sent = pacs.send(_bytes(row) for row in shown)
    return Sent(sent, len(every) - len(shown))


def _bytes(row: Instance) -> bytes:
    return b"".join(store().open_range(row.file_sha256, row.file_offset, row.file_length))


def fetch(number: str, study_uid: str, login: str, pacs: Pacs, *, kind: str, at: datetime) -> Document:
    """Fetch a study into a request as one archive, in the name of a requester who sees the request.

    It is looked at like every upload. Raises NotThere when the person isn't or doesn't see the request, PacsRefused
    when the study is empty, and whatever the PACS and `documents.add` raise.
    """
    actor = _requester(login)
    with acting(actor):
        row = Consultation.objects.visible_to(actor).filter(number=number).first()
    if row is None:
        raise NotThere
    with tempfile.TemporaryDirectory(dir=settings.DATA) as folder:
        archive = Path(folder) / "study.zip"
        _pack(archive, pacs.fetch(study_uid))
        with archive.open("rb") as file:
            stored = store().receive(iter(lambda: file.read(PIECE), b""), LARGEST)
    # A note is a text of the record: in the house's language, whoever reads it.
    with translation.override(settings.LANGUAGE_CODE):
        note = gettext("Fetched from the PACS")
    with acting(actor):
        return documents.add(
            row, Upload(stored, f"{study_uid}.zip"), kind=kind, note=note, actor=actor, at=at
        )


def _pack(archive: Path, objects: Iterator[tuple[str, bytes]]) -> None:
    """Write the objects one by one, as they come: a study may be larger than memory."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for number, (_uid, content) in enumerate(objects, 1):
            target.writestr(f"{number:06}.dcm", content)
        if not target.namelist():
            raise PacsRefused("The PACS has nothing of this study.")


def _requester(login: str) -> Actor:
    rows = Membership.objects.filter(person__login=login, person__is_active=True, is_active=True)
    with signing_in():
        asking = rows.filter(role__in=(Role.REQUESTER, Role.ORG_ADMIN)).order_by("role", "id")
        row = asking.select_related("person", "organization").first()
        if row is None:
            raise NotThere
        return row.actor()

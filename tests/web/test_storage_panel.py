"""The storage panel of the configuration, and what pages say while the store of files is away or full."""

from datetime import timedelta

import pytest
from django.conf import settings

from konsilium.actions import documents
from konsilium.actions.keeping import Scrub
from konsilium.adapters.storage import NullStore, StorageFull, StoreUnreachable
from konsilium.models import Document
from konsilium.models.access import acting
from konsilium.web.documents import handing_out, views
from konsilium.workflow.retention import read_terms
from tests.cast import NOW
from tests.factories import PAPER, in_state

pytestmark = pytest.mark.django_db
NIGHT = NOW.replace(hour=22)
UNREACHABLE = "Хранилище файлов сейчас не отвечает"


class Away(NullStore):
    """A bucket whose machine is off."""

    def receive(self, chunks, limit):
        raise StoreUnreachable

    def open_range(self, sha256, start=0, length=None):
        raise StoreUnreachable


class Full(NullStore):
    """A volume without room."""

    def receive(self, chunks, limit):
        raise StorageFull


def panel(client):
    return client.get("/configuration/").content.decode().split('id="storage"')[1]


def file(content=PAPER):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("выписка.pdf", content)


def test_before_the_first_reading_the_panel_says_so_and_tells_the_free_room(cast, client_as):
    said = panel(client_as(cast.sysadmin))
    assert "Ещё не было" in said
    assert "ГБ" in said or "МБ" in said
    assert "ничего не удаляется" in said


def test_the_panel_tells_what_the_last_reading_found(cast, client_as):
    row = in_state(cast, "submitted")
    with acting(cast.omsk_doctor):
        address = Document.objects.filter(consultation=row).first().sha256
    desk, scrub = client_as(cast.sysadmin), Scrub()
    scrub.run(at=NIGHT)
    assert "Все файлы целы" in panel(desk)
    documents.store().delete(address)
    Scrub().run(at=NIGHT + timedelta(days=1))
    said = panel(desk)
    assert "пропало 1" in said
    assert address in said
    assert "Хранимые файлы повреждены или пропали" in said
    assert "Все файлы целы" not in said


def test_the_panel_tells_the_terms(cast, client_as, monkeypatch):
    monkeypatch.setattr(settings, "RETENTION", read_terms("conclusion_scan=25y unused=30d"))
    said = panel(client_as(cast.sysadmin))
    assert "25 лет" in said
    assert "30 д" in said


@pytest.mark.parametrize(("store", "words"), [(Away, "Хранилище файлов не отвечает"), (Full, "нет места")])
def test_a_file_that_was_not_kept_is_said_by_its_name_and_leaves_no_row(
    cast, client_as, monkeypatch, store, words
):
    row = in_state(cast, "draft")
    with acting(cast.omsk_doctor):
        before = Document.objects.filter(consultation=row).count()
    monkeypatch.setattr(views.documents, "store", store)
    doctor = client_as(cast.omsk_doctor)
    answer = doctor.post(f"/requests/{row.pk}/documents/", {"files": file(), "kind": "extract"}, follow=True)
    said = answer.content.decode()
    assert words in said
    assert "выписка.pdf" in said
    with acting(cast.omsk_doctor):
        assert Document.objects.filter(consultation=row).count() == before


@pytest.mark.django_db(transaction=True)
def test_a_document_that_cannot_be_fetched_now_is_said_in_words(cast, client_as, monkeypatch):
    row = in_state(cast, "submitted")
    with acting(cast.omsk_doctor):
        document = Document.objects.filter(consultation=row).first()
    monkeypatch.setattr(handing_out.documents, "store", Away)
    answer = client_as(cast.omsk_doctor).get(f"/documents/{document.pk}/", follow=True)
    assert (answer.status_code, UNREACHABLE in answer.content.decode()) == (503, True)

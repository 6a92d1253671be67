"""Documents through the pages: several at once, refused in words, handed out by tickets, foreign ones not there."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile

from konsilium.models import Document, Viewing
from konsilium.models.access import acting
from tests.factories import PAPER, Way
from tests.journeys.test_triage import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def way(cast):
    return Way(cast).submitted()


@pytest.fixture
def doctor(cast, client_as):
    return client_as(cast.omsk_doctor)


def upload(client, way, *files, kind="other", **headers):
    given = {"kind": kind, "files": [SimpleUploadedFile(*file) for file in files]}
    return client.post(f"/requests/{way.row.pk}/documents/", given, headers=headers)


def documents(way):
    with acting(way.doctor):
        return list(Document.objects.filter(consultation=way.row).order_by("added_at", "id"))


def ticket(client, document):
    answer = client.get(f"/documents/{document.pk}/")
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_several_files_come_at_once_and_a_bad_one_is_named(way, doctor):
    before = len(documents(way))
    answer = upload(doctor, way, ("Снимок.pdf", PAPER + b"1"), ("page.html", b"<html></html>"))
    assert answer.status_code == 302
    page = text(doctor.get(f"/requests/{way.row.pk}/"))
    assert "Снимок.pdf" in page
    assert "page.html: " in page
    assert len(documents(way)) == before + 1


def test_the_script_is_told_of_a_refusal_with_the_reason(way, doctor):
    answer = upload(doctor, way, ("page.html", b"<html></html>"), **{"X-Upload": "1"})
    assert answer.status_code == 422
    assert "data-refusal" in text(answer)
    assert "page.html" in text(answer)


def test_no_file_is_said_so(way, doctor):
    assert upload(doctor, way).status_code == 302
    assert "Сначала выберите файл" in text(doctor.get(f"/requests/{way.row.pk}/"))


def test_bytes_are_handed_out_as_an_attachment_and_the_viewing_is_logged(cast, way, doctor, client_as):
    upload(doctor, way, ("Выписка из карты.pdf", PAPER + b"2"))
    document = documents(way)[-1]
    dispatcher = client_as(cast.cniis_dispatcher)
    answer = dispatcher.get(ticket(dispatcher, document))
    assert b"".join(answer) == PAPER + b"2"
    assert answer.headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quote('Выписка из карты.pdf')}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    with acting(cast.omsk_doctor):
        assert Viewing.objects.filter(subject_id=document.pk, person_name="Котова Мария").count() == 1


@pytest.mark.parametrize(
    ("wanted", "status", "bytes_"),
    [
        ("bytes=0-3", 206, PAPER[:4]),
        ("bytes=5-", 206, PAPER[5:]),
        ("bytes=2-99999", 206, PAPER[2:]),
        ("bytes=99999-", 200, PAPER),
        ("nonsense", 200, PAPER),
    ],
)
def test_a_part_is_handed_out_on_request(way, doctor, wanted, status, bytes_):
    upload(doctor, way, ("a.pdf", PAPER))
    answer = doctor.get(ticket(doctor, documents(way)[-1]), headers={"Range": wanted})
    assert (answer.status_code, b"".join(answer)) == (status, bytes_)


def test_a_ticket_is_its_persons_own_fresh_and_whole(cast, way, doctor, client_as, monkeypatch):
    address = ticket(doctor, documents(way)[0])
    assert client_as(cast.cniis_dispatcher).get(address).status_code == 404
    assert doctor.get(address[:-2] + "x/").status_code == 404
    monkeypatch.setattr(
        signing.time, "time", lambda now=signing.time.time: now() + timedelta(seconds=61).seconds
    )
    answer = doctor.get(address)
    assert answer.status_code == 410
    assert "устарела" in text(answer)


def test_a_foreign_document_is_not_there(cast, way, client_as):
    document = documents(way)[0]
    for who in (cast.chita_doctor, cast.omsk_doctor2, cast.nmic_dispatcher, cast.cniis_consultant):
        stranger = client_as(who)
        assert stranger.get(f"/documents/{document.pk}/").status_code == 404
        assert stranger.post(f"/documents/{document.pk}/remove/").status_code in (403, 404)


def test_a_sent_document_stays_and_one_of_a_draft_goes(cast, way, doctor):
    document = documents(way)[0]
    doctor.post(f"/documents/{document.pk}/remove/")
    assert documents(way)[0].state == "available"
    draft = Way(cast).written()
    document = documents(draft)[0]
    doctor.post(f"/documents/{document.pk}/remove/")
    assert documents(draft)[0].state == "removed"

"""From the written text to the hospital's archive: printed, signed by the author and the centre, placed, taken along."""

import io
import zipfile
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from konsilium.actions import concluding, documents, printing
from konsilium.actions._files import store
from konsilium.adapters.signatures import read_choice
from konsilium.models import Document, PrintForm
from konsilium.models.access import acting, as_printer
from konsilium.web.http import new_key
from konsilium.workflow.words import CONCLUSION_SCAN
from tests.authority import NOW
from tests.factories import Way
from tests.signing_desk import SigningDesk, draft_of

pytestmark = pytest.mark.django_db


def test_a_conclusion_is_printed_signed_placed_and_taken_along(cast, client_as, tmp_path, settings):
    desk = SigningDesk(tmp_path)
    environ = {"KONSILIUM_SIGNATURES": "openssl", "KONSILIUM_SIGNATURES_TRUST": str(desk.trust)}
    settings.SIGNATURES = read_choice(environ, tmp_path)
    way = Way(cast).drafted()
    with acting(way.consultant):
        words = {"text": "Операция показана.\nВ плановом порядке."}
        parts = concluding.Parts((("Госпитализация.\nЧерез месяц.", "planned"),))
        concluding.save_draft(draft_of(way), words, {}, parts, actor=way.consultant, at=way.at)
        documents.remove(Document.objects.get(kind=CONCLUSION_SCAN), actor=way.consultant, at=way.at)
    author, signatory, doctor = map(client_as, (way.consultant, cast.cniis_signatory, way.doctor))

    author.post(reverse("printing:ask", args=["conclusion", draft_of(way).pk]))
    assert printing.make_waiting(at=NOW) == 1
    with as_printer(way.row.pk):
        form = PrintForm.objects.get()
    assert form.state == "ready"
    pdf = b"".join(store().open_range(form.sha256))
    page = reverse("signing:show", args=[form.pk])
    assert page in author.get(reverse("printing:show", args=[form.pk])).content.decode()

    for client, name in ((author, "doctor"), (signatory, "signatory")):
        file = SimpleUploadedFile("document.sig", desk.sign(pdf, name))
        sent = client.post(
            reverse("signing:sign", args=[form.pk]), {"once_key": new_key(), "signature": file}
        )
        assert sent.status_code == 302
        desk.check()
    writing = author.get(reverse("consulting:write", args=[way.row.pk]))
    assert "Скан подписанного документа" not in [str(words) for words in writing.context["lacking"]]
    author.post(reverse("consulting:write", args=[way.row.pk]), sent_by_a_browser(writing) | {"go": "place"})
    way.refresh()
    assert way.row.state == "completed"

    assert (
        doctor.get(reverse("consultation:show", args=[way.row.pk])).content.decode().count("Подпись верна")
        == 2
    )
    archive = b"".join(doctor.get(reverse("signing:export", args=[form.pk])).streaming_content)
    assert zipfile.ZipFile(io.BytesIO(archive)).read("document.pdf") == pdf


class Fields(HTMLParser):
    """What a browser would send of a page's forms, its lines ended as browsers end them."""

    def __init__(self, page):
        super().__init__()
        self.sent, self.textarea, self.select = {}, "", ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        name, kind = found.get("name", ""), found.get("type", "")
        if (
            tag == "input"
            and name
            and kind != "file"
            and (kind not in ("checkbox", "radio") or "checked" in found)
        ):
            self.sent.setdefault(name, []).append(found.get("value") or "")
        self.textarea = name if tag == "textarea" else self.textarea
        self.select = name if tag == "select" else self.select
        if tag == "textarea":
            self.sent.setdefault(name, []).append("")
        if tag == "option" and "selected" in found:
            self.sent.setdefault(self.select, []).append(found.get("value") or "")

    def handle_data(self, data):
        if self.textarea:
            self.sent[self.textarea][-1] += data.removeprefix("\n").replace("\n", "\r\n")

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.textarea = ""


def sent_by_a_browser(response):
    return Fields(response.content.decode()).sent

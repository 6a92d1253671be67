"""Pages of signatures: nothing is green but a signature that was checked and found good; the container verifies elsewhere."""

import io
import json
import subprocess
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konsilium.actions import closing, concluding, signing
from konsilium.adapters.signatures import read_choice
from konsilium.adapters.signatures.openssl import gost_engine
from konsilium.models import PrintForm
from konsilium.models._base import uuid7
from konsilium.models.access import acting, as_printer
from konsilium.web.http import new_key
from konsilium.web.signing import desk as signing_list
from tests.authority import NOW, Authority
from tests.signing_desk import ORGANIZATION, PAPER, SigningDesk, draft_of, drafted, pdf, printed

pytestmark = pytest.mark.django_db
needs_engine = pytest.mark.skipif(not gost_engine(), reason="the GOST engine isn't here")
GREEN = 'badge good"'
QUIET = {"max_examples": 5, "deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return SigningDesk(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def _configured(settings, desk):
    settings.SIGNATURES = read_choice(
        {"KONSILIUM_SIGNATURES": "openssl", "KONSILIUM_SIGNATURES_TRUST": str(desk.trust)}, desk.folder
    )


@pytest.fixture
def paper(cast):
    return drafted(cast)


def post(client, form, data, name="signature.sig", **headers):
    url = reverse("signing:sign", args=[form.pk])
    fields = {"once_key": new_key(), "signature": SimpleUploadedFile(name, data)}
    return client.post(url, fields, headers=headers)


def page(client, form):
    return client.get(reverse("signing:show", args=[form.pk])).content.decode()


@pytest.mark.usefixtures("_configured")
def test_the_author_signs_by_a_file_and_sees_the_verdict(desk, paper, client_as):
    way, form = paper
    client = client_as(way.consultant)
    assert "Ждём вашей подписи" in page(client, form)
    shown = client.get(reverse("signing:sign", args=[form.pk])).content.decode()
    assert form.sha256 in shown
    assert post(client, form, desk.sign(PAPER)).headers["Location"] == reverse("signing:show", args=[form.pk])
    waiting = page(client, form)
    assert "Being checked" not in waiting
    assert "Проверяется" in waiting
    assert GREEN not in waiting
    desk.check()
    checked = page(client, form)
    assert "Подпись верна" in checked
    assert GREEN in checked
    for words in ("Test authority", "RSA", "Соколов Андрей", "openssl"):
        assert words in checked


def queries(client, url):
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


@pytest.mark.usefixtures("_configured")
def test_the_page_asks_the_database_as_often_for_many_signatures(desk, paper, client_as):
    way, form = paper
    client = client_as(way.doctor)
    with acting(way.consultant):
        signing.publish(draft_of(way), at=way.at)
    desk.signed_by_author(form, way)
    url = reverse("signing:show", args=[form.pk])
    client.get(url)
    once = queries(client, url)
    signature = desk.bring(form, desk.sign(PAPER, "signatory"), way.cast.cniis_signatory, ORGANIZATION)
    desk.check()
    assert signature is not None
    assert queries(client, url) == once


def test_without_a_verifier_the_page_says_so_and_nothing_is_green(desk, paper, client_as, settings):
    settings.SIGNATURES = read_choice({}, desk.folder)
    way, form = paper
    client = client_as(way.consultant)
    post(client, form, desk.sign(PAPER))
    desk.check(verifier=settings.SIGNATURES.made())
    shown = page(client, form)
    assert "Подписи здесь не проверяются" in shown
    assert "Не проверена: проверка подписей здесь не настроена" in shown
    assert GREEN not in shown


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04zip"])
def test_what_is_no_signature_is_refused_on_the_same_page(paper, client_as, data):
    way, form = paper
    response = post(client_as(way.consultant), form, data or b" ")
    assert response.status_code == 422
    assert "data-refusal" in response.content.decode()
    bare = client_as(way.consultant).post(reverse("signing:sign", args=[form.pk]), {"once_key": new_key()})
    assert bare.status_code == 422


def test_a_script_hears_in_words_what_became_of_each(desk, paper, client_as):
    way, form = paper
    client = client_as(way.consultant)
    wants = {"Accept": "application/json"}
    refused = post(client, form, b"hello", **wants)
    assert (refused.status_code, "подпись" in refused.json()["refused"].lower()) == (422, True)
    assert post(client, form, desk.sign(PAPER), **wants).json()["url"] == reverse(
        "signing:show", args=[form.pk]
    )
    assert post(client, form, desk.sign(PAPER), **wants).json()["refused"] == "Документ уже подписан."


@pytest.mark.usefixtures("_configured")
def test_the_document_is_handed_out_as_it_was_made(paper, client_as, cast):
    way, form = paper
    url = reverse("signing:document", args=[form.pk])
    assert b"".join(client_as(way.consultant).get(url).streaming_content) == PAPER
    assert b"".join(client_as(cast.cniis_signatory).get(url).streaming_content) == PAPER
    assert client_as(way.doctor).get(url).status_code == 404
    with as_printer(form.consultation_id):
        PrintForm.objects.filter(pk=form.pk).update(state="waiting")
    assert client_as(way.consultant).get(url).status_code == 404


# Whatever is wrong with a signature, no page shows it green and nothing waits for the organisation after it.


def spoiled(desk, client, form, data):
    """Bring it by the page, let it be checked, and return the page."""
    assert post(client, form, data).status_code in (302, 422)
    desk.check()
    return page(client, form)


@pytest.mark.usefixtures("_configured")
def test_a_changed_byte_or_something_behind_the_paper_is_never_green(desk, paper, client_as):
    way, form = paper
    client = client_as(way.consultant)

    @settings(**QUIET)
    @given(place=st.integers(0, len(PAPER) - 1), flip=st.integers(1, 255), more=st.binary(max_size=9))
    def look(place, flip, more):
        changed = PAPER[:place] + bytes([PAPER[place] ^ flip]) + PAPER[place + 1 :] + more
        shown = spoiled(desk, client, form, desk.sign(changed))
        assert GREEN not in shown
        assert "Документ изменён после подписания" in shown

    look()
    assert nothing_waits(way)


@pytest.mark.usefixtures("_configured")
def test_a_changed_byte_of_the_signature_is_never_green(desk, paper, client_as):
    way, form = paper
    client = client_as(way.consultant)
    whole = desk.sign(PAPER)

    @settings(**QUIET)
    @given(place=st.integers(0, len(whole) - 1), flip=st.integers(1, 255))
    def look(place, flip):
        changed = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
        shown = spoiled(desk, client, form, changed)
        # A byte outside of what is signed (an unused certificate's name) may change nothing: then nothing is wrong.
        if GREEN in shown:
            with acting(way.consultant):
                signing.void_all(draft_of(way), at=NOW)
            assert place < len(whole) - 300

    look()


@pytest.mark.usefixtures("_configured")
def test_other_peoples_and_bad_certificates_are_told_apart_on_the_page(tmp_path, cast, client_as, settings):
    own = SigningDesk(tmp_path)
    way, form = drafted(cast)
    client = client_as(way.consultant)
    day = timedelta(days=1)
    stranger = Authority(tmp_path / "stranger")
    stranger.issue("doctor", "/CN=Соколов Андрей")
    own.authority.issue("over", "/CN=Соколов Андрей", since=NOW - 30 * day, until=NOW - day)
    own.authority.issue("gone", "/CN=Соколов Андрей")
    own.authority.revoke("gone", NOW - day)
    own.authority.publish(own.trust)
    other = pdf("Drugaja redakcija")
    printed(draft_of(way), other, actor=way.consultant)
    for data, words in (
        (own.sign(PAPER, authority=stranger), "Сертификат выдан неизвестным центром"),
        (own.sign(PAPER, "over"), "Сертификат не действовал в момент подписания"),
        (own.sign(PAPER, "gone"), "Сертификат отозван"),
        (own.sign(PAPER, "signatory"), "Сертификат выдан другому лицу"),
        (own.sign(other), "Подпись относится к другому документу или другой редакции"),
    ):
        shown = spoiled(own, client, form, data)
        assert words in shown
        assert GREEN not in shown
        assert nothing_waits(way)


def test_the_organisation_cannot_sign_first(desk, paper, cast, client_as):
    _way, form = paper
    client = client_as(cast.cniis_signatory)
    shown = page(client, form)
    assert "Сначала подписывает автор" in shown
    assert client.get(reverse("signing:sign", args=[form.pk])).status_code == 302
    response = post(client, form, desk.sign(PAPER, "signatory"))
    assert response.status_code == 422
    assert "Сначала подписывает автор" in response.content.decode()


def nothing_waits(way):
    signatory = way.cast.actor_of(f"{way.centre}_signatory")
    with acting(signatory):
        return signing_list.waiting(actor=signatory) == []


# The signatory's desk.


@pytest.mark.usefixtures("_configured")
def test_the_desk_lists_what_waits_and_no_patient(desk, paper, cast, client_as):
    way, form = paper
    client = client_as(cast.cniis_signatory)
    url = reverse("signing:list")
    assert "На подпись ничего нет" in client.get(url).content.decode()
    desk.signed_by_author(form, way)
    shown = client.get(url).content.decode()
    assert way.row.number in shown
    assert "Соколов Андрей" in shown
    for secret in (way.row.patient_family, way.row.diagnosis_text, way.row.patient_snils):
        assert secret not in shown
    assert way.row.number not in client_as(cast.nmic_signatory).get(url).content.decode()
    with transaction.atomic():
        with acting(way.doctor):
            closing.withdraw(way.row, "patient_left", actor=way.doctor, at=way.at)
        assert way.row.number not in client.get(url).content.decode()
        transaction.set_rollback(True)
    post(client, form, desk.sign(PAPER, "signatory"))
    assert way.row.number not in client.get(url).content.decode()


@pytest.mark.usefixtures("_configured")
def test_a_text_that_was_changed_since_is_not_offered_to_be_signed(desk, paper, cast, client_as):
    way, form = paper
    desk.signed_by_author(form, way)
    with as_printer(form.consultation_id):
        PrintForm.objects.filter(pk=form.pk).update(asked_at=form.asked_at - timedelta(hours=1))
    shown = client_as(cast.cniis_signatory).get(reverse("signing:list")).content.decode()
    assert "Текст с тех пор изменён" in shown
    assert "data-sign=" not in shown


def test_the_desk_goes_on_by_key_and_asks_as_often_for_many(desk, cast, client_as, monkeypatch):
    monkeypatch.setattr(signing_list, "PAGE", 2)
    numbers = []
    for minute in range(5):
        way, form = drafted(cast)
        numbers.append(way.row.number)
        with as_printer(form.consultation_id):
            PrintForm.objects.filter(pk=form.pk).update(waits_since=NOW + timedelta(minutes=minute // 2))
    client = client_as(cast.cniis_signatory)
    address, seen = reverse("signing:list"), []
    last = (
        f"{address}?after={(NOW + timedelta(minutes=1, seconds=1)).isoformat().replace('+', '%2B')},{uuid7()}"
    )
    assert queries(client, address) == queries(client, last)
    while address:
        response = client.get(address)
        text = response.content.decode()
        seen += [number for number in numbers if number in text]
        address = response.context["next_url"]
    assert seen == numbers


# The container.


def container(client, form):
    response = client.get(reverse("signing:export", args=[form.pk]))
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("algorithm", ["rsa", pytest.param("gost256", marks=needs_engine)])
def test_the_container_verifies_with_plain_openssl(tmp_path, cast, client_as, algorithm):
    own = SigningDesk(tmp_path / "desk", algorithm) if (tmp_path / "desk").mkdir() is None else None
    way, form = drafted(cast)
    own.signed(form, way)
    data = container(client_as(way.consultant), form)
    assert data == container(client_as(way.consultant), form)
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(io.BytesIO(data)).extractall(folder)
    verdicts = json.loads((folder / "verdicts.json").read_text())
    assert [(one["role"], one["verdict"]) for one in verdicts["signatures"]] == [
        ("AUTHOR", "valid"),
        ("ORGANIZATION", "valid"),
    ]
    commands = [
        line
        for line in (folder / "README.txt").read_text().replace("\\\n", " ").splitlines()
        if "openssl cms" in line
    ]
    assert len(commands) == 2
    for command in commands:
        assert openssl(command, folder, algorithm).returncode == 0
    # Revocation lists are the issuer's, and ordinary tools say so.
    lists = "openssl crl -in crls/1-AUTHOR.pem -CAfile certificates/1-AUTHOR-issuers.pem -noout -verify"
    assert b"verify OK" in openssl(lists, folder, algorithm).stderr
    (folder / "document.pdf").write_bytes(PAPER + b"\n")
    for command in commands:
        assert openssl(command, folder, algorithm).returncode != 0


def openssl(command, folder, algorithm):
    """Run a line of the README as it stands; for GOST with the engine, as the README says."""
    words = command.split()
    if algorithm != "rsa":
        words[2:2] = ["-engine", "gost"] if words[1] == "cms" else []
    environment = {"PATH": "/usr/bin:/bin"}
    if algorithm != "rsa" and words[1] != "cms":
        environment["OPENSSL_CONF"] = str(folder.parent / "desk" / "authority" / "openssl.cnf")
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=False)


def test_the_container_holds_what_was_brought_also_where_it_was_written_otherwise(desk, paper, client_as):
    way, form = paper
    brought = desk.sign(PAPER, form="PEM")
    desk.bring(form, brought, way.consultant)
    desk.check()
    files = zipfile.ZipFile(io.BytesIO(container(client_as(way.consultant), form)))
    assert files.read("document.pdf") == PAPER
    assert files.read("signatures/1-AUTHOR.as-brought") == brought
    assert files.read("signatures/1-AUTHOR.p7s")[:1] == b"\x30"


def test_the_requesting_side_gets_the_container_once_it_is_placed(desk, paper, client_as):
    way, form = paper
    desk.signed(form, way)
    client = client_as(way.doctor)
    assert client.get(reverse("signing:export", args=[form.pk])).status_code == 404
    with acting(way.consultant):
        signing.publish(draft_of(way), at=way.at)
    assert container(client, form)[:2] == b"PK"


@pytest.mark.usefixtures("_configured")
def test_a_placed_conclusion_shows_its_signatures_and_a_draft_leads_to_signing(desk, paper, client_as):
    way, form = paper
    writing = client_as(way.consultant).get(reverse("consulting:write", args=[way.row.pk])).content.decode()
    assert reverse("signing:show", args=[form.pk]) in writing
    desk.signed(form, way)
    way.do(way.consultant, concluding.place)
    shown = client_as(way.doctor).get(reverse("consultation:show", args=[way.row.pk])).content.decode()
    assert shown.count("Подпись верна") == 2
    assert reverse("signing:show", args=[form.pk]) in shown


def test_a_newer_printing_doesnt_hide_what_was_signed(desk, paper, client_as):
    way, form = paper
    desk.signed(form, way)
    later = draft_of(way).updated_at + timedelta(minutes=5)
    other = printed(draft_of(way), pdf("Te zhe slova"), asked_at=later, actor=way.consultant)
    way.do(way.consultant, concluding.place)
    with as_printer(form.consultation_id):
        placed = dict(PrintForm.objects.values_list("pk", "placed_at"))
    assert (placed[form.pk] == way.at, placed[other.pk]) == (True, None)
    with as_printer(form.consultation_id):
        PrintForm.objects.filter(pk=other.pk).update(placed_at=way.at)
    shown = client_as(way.doctor).get(reverse("consultation:show", args=[way.row.pk])).content.decode()
    assert reverse("signing:show", args=[form.pk]) in shown

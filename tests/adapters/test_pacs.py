"""PACS under one contract: nobody, our own DICOMweb read by dicomweb-client, and Debian's Orthanc where it is installed.

Ours only lets studies be read. Orthanc must be Debian's packages `orthanc` and `orthanc-dicomweb`.
"""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.urls import reverse
from pydicom import dcmread

from konsilium.actions import exchanging
from konsilium.actions._step import NotThere
from konsilium.adapters.pacs import DicomwebPacs, NoPacs, NullPacs, PacsRefused, PacsUnavailable, pacs
from konsilium.models import Document
from konsilium.models.access import acting
from tests import requests
from tests.browser.conftest import free_port
from tests.imaging_rows import change_series, put_series

PLUGINS = Path("/usr/share/orthanc/plugins")
needs_orthanc = pytest.mark.skipif(
    not shutil.which("Orthanc") or not (PLUGINS / "libOrthancDicomWeb.so").exists(),
    reason="Debian's orthanc and orthanc-dicomweb are not installed",
)


def _wait(port, process):
    for _ in range(300):
        assert process.poll() is None, "it ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("it never listened")


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    """Debian's Orthanc with an empty store, behind a password. Yields the address of its DICOMweb."""
    folder, port = tmp_path_factory.mktemp("orthanc"), free_port()
    (folder / "orthanc.json").write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "store"),
                "IndexDirectory": str(folder / "store"),
                "HttpPort": port,
                "DicomServerEnabled": False,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": True,
                "RegisteredUsers": {"tests": "secret/word"},
                "Plugins": [str(PLUGINS / "libOrthancDicomWeb.so")],
                "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            }
        )
    )
    process = subprocess.Popen(
        ["Orthanc", str(folder / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, process)
        yield f"http://tests:secret%2Fword@127.0.0.1:{port}/dicom-web"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def served():
    """The pages on the tests' database. Yields their address."""
    port = free_port()
    environment = os.environ | {
        "KONSILIUM_PORT": str(port),
        "KONSILIUM_WORKERS": "1",
        "KONSILIUM_THREADS": "2",
        "PYTHONPATH": "src",
    }
    command = [sys.executable, "-m", "konsilium", "pages"]
    with (settings.DATA / "pages-for-programs.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


@pytest.fixture
def row(cast):
    return requests.sent(cast)


@pytest.fixture
def made(cast, row):
    return put_series(row, cast.omsk_doctor)


def pixels(files):
    """The voxels of each object, by its UID."""
    read = [dcmread(io.BytesIO(content)) for content in files]
    return {str(data.SOPInstanceUID): data.PixelData for data in read}


def test_without_a_pacs_everything_says_so():
    there = pacs("")
    assert isinstance(there, NullPacs)
    for do in (lambda: there.count("1.2"), lambda: there.send([b""]), lambda: there.fetch("1.2")):
        with pytest.raises(NoPacs, match="KONSILIUM_PACS_URL"):
            do()


@pytest.mark.parametrize("url", ["ftp://pacs", "orthanc:8042", "http:///dicom-web"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="KONSILIUM_PACS_URL"):
        pacs(url)


def test_a_pacs_that_is_down_is_unavailable():
    there = pacs(f"http://127.0.0.1:{free_port()}/dicom-web")
    with pytest.raises(PacsUnavailable):
        there.count("1.2.3")
    with pytest.raises(PacsUnavailable):
        list(there.fetch("1.2.3"))


def test_neither_the_client_nor_its_parsers_are_loaded_with_the_pages():
    code = "import django, sys; django.setup(); import konsilium.web.urls; print(sorted(sys.modules))"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "konsilium.settings", "PYTHONPATH": "src"}
    loaded = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert "'konsilium.web.dicomweb.retrieve'" in loaded
    assert not re.search(r"'(dicomweb_client|pydicom|numpy|PIL|requests)[.']", loaded)


@pytest.mark.django_db(transaction=True)
def test_our_own_studies_are_read_by_dicomweb_client_with_a_ticket(cast, row, made, client_as, served):
    page = client_as(cast.omsk_doctor).post(reverse("dicomweb:program", args=[row.pk])).content.decode()
    given = re.search(r"Bearer ([\w:.-]+)", page)[1]
    there = DicomwebPacs(f"{served}/dicomweb/{row.pk}", token=given)
    assert there.count(made.study.study_uid) == 3
    fetched = dict(there.fetch(made.study.study_uid))
    assert pixels(fetched.values()) == pixels(made.files)
    client = there._client()
    (study,) = client.search_for_studies(search_filters={"PatientName": "Зайцева*"})
    assert study["0020000D"]["Value"] == [made.study.study_uid]
    where = (made.study.study_uid, made.series.series_uid)
    assert len(client.retrieve_series_metadata(*where)) == 3
    instance = made.instances[1].sop_uid
    assert client.retrieve_instance_metadata(*where, instance)["00080018"]["Value"] == [instance]
    assert client.retrieve_instance_frames(*where, instance, [1]) == [made.frames[1]]
    assert client.retrieve_instance(*where, instance).PixelData == made.frames[1]
    with pytest.raises(PacsRefused):
        there.send(made.files[:1])
    with pytest.raises(PacsRefused, match="401"):
        DicomwebPacs(f"{served}/dicomweb/{row.pk}", token="wrong").count(made.study.study_uid)


@needs_orthanc
@pytest.mark.django_db
def test_orthanc_keeps_what_is_sent_and_gives_it_back_voxel_for_voxel(orthanc, row, made):
    there = pacs(orthanc)
    assert there.count(made.study.study_uid) == 0
    assert there.send(made.files) == 3
    assert there.count(made.study.study_uid) == 3
    fetched = dict(there.fetch(made.study.study_uid))
    assert set(fetched) == {instance.sop_uid for instance in made.instances}
    assert pixels(fetched.values()) == pixels(made.files)


@needs_orthanc
@pytest.mark.django_db(transaction=True)
def test_orthanc_reads_our_own_studies_with_a_ticket(cast, row, made, client_as, served, orthanc):
    page = client_as(cast.omsk_doctor).post(reverse("dicomweb:program", args=[row.pk])).content.decode()
    given = re.search(r"Bearer [\w:.-]+", page)[0]
    ours = {"Url": f"{served}/dicomweb/{row.pk}", "HttpHeaders": {"Authorization": given}}
    asked = {"Resources": [{"Study": made.study.study_uid}], "Synchronous": True}
    with httpx.Client(timeout=60, trust_env=False) as client:
        assert client.put(f"{orthanc}/servers/konsilium", json=ours).status_code == 200
        found = client.post(f"{orthanc}/servers/konsilium/qido", json={"Uri": "/studies"}).json()
        assert found[0]["0020000D"]["Value"] == made.study.study_uid
        assert client.post(f"{orthanc}/servers/konsilium/retrieve", json=asked).status_code == 200
    there = dict(pacs(orthanc).fetch(made.study.study_uid))
    assert pixels(there.values()) == pixels(made.files)


@needs_orthanc
def test_orthanc_behind_a_password_refuses_whoever_has_none(orthanc):
    with pytest.raises(PacsRefused, match="401"):
        pacs(orthanc.replace("tests:secret%2Fword@", "")).count("1.2.3")


@needs_orthanc
@pytest.mark.django_db
def test_what_the_centre_is_not_shown_is_not_sent(cast, orthanc, row, made):
    there = pacs(orthanc)
    study = made.study.study_uid
    put_series(row, cast.omsk_doctor, study_uid=study, count=2, is_included=False)
    put_series(row, cast.omsk_doctor, study_uid=study, count=1, burned_in="yes")
    assert exchanging.send(row.number, there) == (3, 3)
    assert there.count(study) == 3
    change_series(made, burned_in="yes")
    assert exchanging.send(row.number, there) == (0, 6)


@needs_orthanc
@pytest.mark.django_db
def test_a_fetched_study_is_a_document_that_waits_for_the_inspector(cast, orthanc, monkeypatch, made, capsys):
    pacs(orthanc).send(made.files)
    draft = requests.draft(cast)
    monkeypatch.setattr(settings, "PACS_URL", orthanc)
    monkeypatch.setattr(settings, "INSPECTOR", "sandbox")
    call_command("pacs", "fetch", draft.number, made.study.study_uid, "--as", "omsk_doctor")
    with acting(cast.omsk_doctor):
        (document,) = Document.objects.filter(consultation=draft)
    assert (document.state, document.media_type, document.kind) == ("quarantined", "application/zip", "ct")
    assert document.note == "Получено из PACS"
    assert "in the request" in capsys.readouterr().out


@needs_orthanc
@pytest.mark.django_db
def test_a_study_that_the_pacs_has_not_is_refused_in_a_sentence(cast, orthanc, monkeypatch):
    draft = requests.draft(cast)
    monkeypatch.setattr(settings, "PACS_URL", orthanc)
    with pytest.raises(CommandError, match="PACS"):
        call_command("pacs", "fetch", draft.number, "1.2.3", "--as", "omsk_doctor")
    with acting(cast.omsk_doctor):
        assert not Document.objects.filter(consultation=draft).exists()


@pytest.mark.django_db
def test_a_study_is_fetched_only_in_the_name_of_whoever_sees_the_request(cast):
    row = requests.draft(cast)
    for login in ("chita_doctor", "cniis_consultant", "nobody"):
        with pytest.raises(NotThere):
            exchanging.fetch(row.number, "1.2.3", login, NullPacs(), kind="ct", at=row.created_at)
    with pytest.raises(CommandError, match="no such request"):
        call_command("pacs", "send", "2026-999999")


@pytest.mark.django_db
def test_a_draft_is_sent_nowhere(cast):
    row = requests.draft(cast)
    put_series(row, cast.omsk_doctor)
    with pytest.raises(NotThere):
        exchanging.send(row.number, NullPacs())

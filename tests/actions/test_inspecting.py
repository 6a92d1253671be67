"""The inspector, with real files through the real sandbox: what arrives is looked at, released or refused, and read."""

import io
import zipfile
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image

from konsilium.actions import _files, documents, inspecting
from konsilium.adapters import sandbox
from konsilium.adapters.scanning import ScannerUnavailable, Verdict
from konsilium.models import Consultation, Derived, Document, Instance, LeftOut, Reading, Series, Study
from konsilium.models.access import acting, as_worker
from tests import phantom
from tests.cast import NOW
from tests.factories import Way
from tests.requests import draft

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def inspector(settings):
    settings.INSPECTOR = "sandbox"


class Finds:
    """A scanner that finds this in everything."""

    def __init__(self, finding):
        self.finding = finding

    def scan(self, chunks):
        if self.finding == "down":
            raise ScannerUnavailable("down")
        assert b"".join(chunks)
        return Verdict(self.finding, "" if self.finding == "clean" else "Eicar")


@pytest.fixture
def scanner(monkeypatch):
    def use(finding):
        monkeypatch.setattr(inspecting, "scanner_at_hand", lambda: Finds(finding))
        monkeypatch.setattr(inspecting, "is_checked_by_nobody", lambda: False)

    return use


def photo(width=600, height=400):
    stream = io.BytesIO()
    colours = np.random.default_rng(5).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(colours).save(stream, "JPEG")
    return stream.getvalue()


def put(row, actor, name, data, kind="other", at=NOW):
    stored = documents.store().receive([data], len(data))
    with acting(actor):
        return documents.add(row, documents.Upload(stored, name), kind=kind, actor=actor, at=at)


def seen(model, actor, **values):
    with acting(actor):
        return list(model.objects.filter(**values))


def test_a_file_waits_in_quarantine_until_it_was_looked_at(cast):
    document = put(draft(cast), cast.omsk_doctor, "face.jpg", photo(2800, 2000))
    assert document.state == "quarantined"
    assert inspecting.run_pending(at=LATER) == 2
    (document,) = seen(Document, cast.omsk_doctor)
    assert (document.state, document.verdict, document.refusal) == ("available", "not_checked", "")
    copies = seen(Derived, cast.omsk_doctor)
    assert {copy.purpose for copy in copies} == {"view", "thumbnail"}
    for copy in copies:
        assert Image.open(io.BytesIO(b"".join(documents.store().open_range(copy.sha256)))).size[0] <= 2560
    assert inspecting.run_pending(at=LATER) == 0


def test_a_file_that_hides_another_is_refused_in_words_and_its_bytes_are_shown_to_nobody(cast):
    hidden = photo() + phantom.archive([("run.exe", b"MZ" + bytes(500))])
    put(draft(cast), cast.omsk_doctor, "face.jpg", hidden)
    inspecting.run_pending(at=LATER)
    (document,) = seen(Document, cast.omsk_doctor)
    assert document.state == "refused"
    assert document.refusal.startswith(("The file is two kinds", "Behind the end"))


def test_with_a_scanner_a_document_is_released_when_clean_and_refused_with_the_threats_name(cast, scanner):
    row = draft(cast)
    put(row, cast.omsk_doctor, "face.jpg", photo())
    scanner("clean")
    inspecting.run_pending(at=LATER)
    put(row, cast.omsk_doctor, "bite.jpg", photo(500))
    scanner("infected")
    inspecting.run_pending(at=LATER)
    clean, infected = seen(Document, cast.omsk_doctor)
    assert (clean.state, clean.verdict) == ("available", "clean")
    assert (infected.state, infected.verdict, infected.facts) == (
        "refused",
        "infected",
        {"refusal": {"threat": "Eicar"}},
    )


def test_a_scanner_that_is_down_decides_nothing_and_stops_no_request(cast, scanner):
    scanner("down")
    way = Way(cast).submitted()
    inspecting.run_pending(at=LATER)
    states = {document.state for document in seen(Document, cast.cniis_dispatcher, consultation=way.row)}
    assert states == {"quarantined"}
    assert [row.state for row in seen(Consultation, cast.cniis_dispatcher, pk=way.row.pk)] == ["submitted"]
    with as_worker():
        assert {reading.tries for reading in Reading.objects.all()} == {0}


def test_a_study_in_a_zip_becomes_series_with_pictures(cast):
    packed = phantom.archive(phantom.cd_export(), zipfile.ZIP_STORED)
    put(draft(cast), cast.omsk_doctor, "КЛКТ.zip", packed, kind="cbct")
    assert inspecting.run_pending(at=LATER) == 3
    (study,), (series,) = seen(Study, cast.omsk_doctor), seen(Series, cast.omsk_doctor)
    assert (study.patient_name, study.description) == ("Зайцева^Ольга^Петровна", "КЛКТ челюстей")
    assert (series.state, series.count, series.is_volume, series.why_not_volume) == ("ready", 24, True, "")
    instances = seen(Instance, cast.omsk_doctor)
    assert [one.position for one in instances] == list(range(24))
    place = instances[5]
    raw = b"".join(documents.store().open_range(place.file_sha256, place.file_offset, place.file_length))
    assert raw == dict(phantom.files())["IM0005"]
    assert {left.name for left in seen(LeftOut, cast.omsk_doctor)} >= {"DICOMDIR", "Прочти меня.txt"}


def test_more_of_a_series_joins_it_and_is_shown_with_it(cast):
    row, files = draft(cast), list(phantom.files())
    put(row, cast.omsk_doctor, "1.zip", phantom.archive(files[:10]), kind="cbct")
    inspecting.run_pending(at=LATER)
    put(row, cast.omsk_doctor, "2.zip", phantom.archive(files[8:]), kind="cbct")
    inspecting.run_pending(at=LATER)
    (series,) = seen(Series, cast.omsk_doctor)
    assert (series.count, series.is_volume) == (24, True)
    assert len(seen(Study, cast.omsk_doctor)) == 1


def test_what_breaks_the_reader_is_tried_again_and_then_said_and_stops_nothing_else(cast, monkeypatch):
    row = draft(cast)
    put(row, cast.omsk_doctor, "a.jpg", photo())
    put(row, cast.omsk_doctor, "b.jpg", photo(500))
    real, broken = sandbox.run, []

    def run(task, arguments, **more):
        if arguments.get("name") == "a.jpg":
            broken.append(task)
            raise sandbox.Failed("KeyError")
        return real(task, arguments, **more)

    monkeypatch.setattr(sandbox, "run", run)
    for minutes in range(1, 10):
        inspecting.run_pending(at=NOW + timedelta(minutes=minutes))
    first, second = seen(Document, cast.omsk_doctor)
    assert broken == ["inspect"] * inspecting.TRIES
    assert (first.state, first.refusal) == ("refused", inspecting.UNREADABLE)
    assert second.state == "available"


@pytest.mark.parametrize(
    ("raised", "words"),
    [(sandbox.Killed("memory"), inspecting.TOO_MUCH), (sandbox.Failed("SIGSEGV"), inspecting.UNREADABLE)],
)
def test_a_file_that_needs_too_much_or_crashes_its_decoder_is_refused_at_once(
    cast, monkeypatch, raised, words
):
    put(draft(cast), cast.omsk_doctor, "a.jpg", photo())

    def run(*given, **more):
        raise raised

    monkeypatch.setattr(sandbox, "run", run)
    inspecting.run_pending(at=LATER)
    (document,) = seen(Document, cast.omsk_doctor)
    assert (document.state, document.refusal) == ("refused", words)


def test_a_reading_whose_inspector_died_is_done_by_the_next_when_its_lease_ran_out(cast):
    put(draft(cast), cast.omsk_doctor, "face.jpg", photo())
    assert inspecting._take(LATER, None).task == "inspect"
    assert inspecting.run_pending(at=LATER) == 0
    assert inspecting.run_pending(at=LATER + _files.LEASE) == 2


def test_a_document_deleted_with_its_draft_leaves_no_work(cast):
    from konsilium.actions import drafting

    row = draft(cast)
    put(row, cast.omsk_doctor, "face.jpg", photo())
    with acting(cast.omsk_doctor):
        drafting.delete_draft(row, actor=cast.omsk_doctor, at=NOW)
    assert inspecting.run_pending(at=LATER) == 0


def test_nothing_is_left_in_the_scratch_folder(cast, settings):
    put(
        draft(cast), cast.omsk_doctor, "1.zip", phantom.archive(phantom.files(phantom.volume(4))), kind="cbct"
    )
    inspecting.run_pending(at=LATER)
    assert list((settings.DATA / "scratch").iterdir()) == []
    (settings.DATA / "scratch" / "left").mkdir()
    assert (inspecting.sweep_scratch(), list((settings.DATA / "scratch").iterdir())) == (1, [])


def test_the_sweep_leaves_what_was_read_of_a_study(cast):
    put(draft(cast), cast.omsk_doctor, "1.zip", phantom.archive(phantom.files()), kind="cbct")
    inspecting.run_pending(at=LATER)
    documents.sweep_orphans(at=LATER + timedelta(days=30))
    (series,) = seen(Series, cast.omsk_doctor)
    kept = [series.pack_sha256, series.metadata_sha256, *(one["sha256"] for one in series.previews.values())]
    kept += [one.file_sha256 for one in seen(Instance, cast.omsk_doctor)]
    assert all(documents.store().exists(address) for address in kept)


def test_a_damaged_slice_is_named_and_the_rest_of_its_series_is_shown(cast):
    files = list(phantom.files(phantom.volume(6), phantom.SYNTAXES["JPEG 2000"]))
    name, data = files[2]
    begin = data.index(b"\xff\x4f\xff\x51")
    files[2] = name, data[:begin] + bytes(len(data) - begin - 8) + data[-8:]
    put(draft(cast), cast.omsk_doctor, "1.zip", phantom.archive(files), kind="cbct")
    inspecting.run_pending(at=LATER)
    (series,) = seen(Series, cast.omsk_doctor)
    assert (series.state, series.count, len(seen(Instance, cast.omsk_doctor))) == ("ready", 5, 5)
    (left,) = seen(LeftOut, cast.omsk_doctor)
    assert (left.name.partition(" ")[0], left.reason) == ("3", "damaged")

"""Names on pictures and in tags, with real files through the real sandbox: blacked out, and copies without a patient."""

import io
import zipfile
from datetime import timedelta

import numpy as np
import pydicom
import pytest
from PIL import Image

from konsilium.actions import documents, imaging_choices, inspecting
from konsilium.actions.imaging_choices import Box
from konsilium.models import Derived, Document, Instance, Reading, Series, Study
from konsilium.models.access import acting, as_inspector
from konsilium.models.document import Withheld
from tests import phantom
from tests.cast import NOW
from tests.requests import draft

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
NAME = (slice(4, 12), slice(10, 50))
# What the phantom stores for air and bone, in its own numbers.
DARK, BRIGHT = 1124, 5024


@pytest.fixture(autouse=True)
def inspector(settings):
    settings.INSPECTOR = "sandbox"


def panoramic(series="1.2.840.77.1", number=1):
    """A panoramic picture with something bright where a name would stand."""
    plane = np.full((64, 96), 100, np.uint16)
    plane[NAME] = 4000
    given = phantom.header(series=series, number=number, Modality="PX", StudyDescription="ОПТГ")
    phantom.put_pixels(given, plane)
    return phantom.as_bytes(given)


def put(row, actor, name, data, kind="panoramic"):
    stored = documents.store().receive([data], len(data))
    with acting(actor):
        return documents.add(row, documents.Upload(stored, name), kind=kind, actor=actor, at=NOW)


def only(model, actor, **values):
    with acting(actor):
        return model.objects.get(**values)


def object_of(instance):
    raw = b"".join(
        documents.store().open_range(instance.file_sha256, instance.file_offset, instance.file_length)
    )
    return pydicom.dcmread(io.BytesIO(raw))


def boxed(cast, row):
    series = only(Series, cast.omsk_doctor)
    with acting(cast.omsk_doctor):
        series = Series.objects.select_related("consultation").get(pk=series.pk)
        imaging_choices.black_out(series, [Box(10, 4, 40, 8)], actor=cast.omsk_doctor, at=NOW)
    inspecting.run_pending(at=LATER)


def test_boxes_are_black_in_what_is_shown_and_the_original_stays_whole(cast):
    row = draft(cast)
    original = panoramic()
    document = put(row, cast.omsk_doctor, "ОПТГ.dcm", original)
    inspecting.run_pending(at=LATER)
    before = only(Series, cast.omsk_doctor)
    assert before.burned_in == "asked"
    shown = before.previews["picture"]
    assert Image.open(io.BytesIO(b"".join(documents.store().open_range(shown["sha256"])))).size == (96, 64)
    assert int(object_of(only(Instance, cast.omsk_doctor)).pixel_array[NAME].max()) == BRIGHT
    boxed(cast, row)
    after = only(Series, cast.omsk_doctor)
    assert (after.burned_in, after.state) == ("hidden", "ready")
    assert after.pack_sha256 != before.pack_sha256
    assert after.previews["thumbnail"]["sha256"] != before.previews["thumbnail"]["sha256"]
    pixels = object_of(only(Instance, cast.omsk_doctor)).pixel_array
    assert int(pixels[NAME].max()) == DARK
    assert (pixels == DARK).all()
    assert b"".join(documents.store().open_range(document.sha256)) == original


def test_more_pictures_of_a_blacked_out_series_hide_it_until_they_are_too(cast):
    row = draft(cast)
    put(row, cast.omsk_doctor, "1.dcm", panoramic())
    inspecting.run_pending(at=LATER)
    boxed(cast, row)
    put(row, cast.omsk_doctor, "2.dcm", panoramic(number=2))
    inspecting.run_pending(at=LATER)
    assert only(Series, cast.omsk_doctor).burned_in == "yes"


def test_a_second_copy_of_hidden_pictures_in_an_archive_is_withheld_too(cast):
    row = draft(cast)
    put(row, cast.omsk_doctor, "1.dcm", panoramic())
    inspecting.run_pending(at=LATER)
    twin = put(row, cast.omsk_doctor, "2.zip", phantom.archive([("A", panoramic())]))
    other = put(row, cast.omsk_doctor, "3.dcm", panoramic(series="1.2.840.77.2"))
    inspecting.run_pending(at=LATER)
    with as_inspector(row.pk):
        assert not Instance.objects.filter(document_id=twin.pk).exists()
        Series.objects.filter(series_uid="1.2.840.77.1").update(is_included=False)
    with acting(cast.omsk_doctor):
        whole = Document.objects.alias(withheld=Withheld("pk")).filter(withheld=False)
        assert list(whole.values_list("pk", flat=True)) == [other.pk]


def test_a_copy_for_others_holds_what_is_sent_and_no_patient(cast):
    row = draft(cast)
    put(row, cast.omsk_doctor, "КЛКТ.zip", phantom.archive(list(phantom.files())[:6]), kind="cbct")
    put(row, cast.omsk_doctor, "ОПТГ.dcm", panoramic())
    inspecting.run_pending(at=LATER)
    with acting(cast.omsk_doctor):
        study = Study.objects.select_related("consultation").get()
        left_out = Series.objects.select_related("consultation").get(modality="PX")
        imaging_choices.include(left_out, False, actor=cast.omsk_doctor, at=NOW)
        imaging_choices.export(study, actor=cast.omsk_doctor, at=NOW)
    assert inspecting.run_pending(at=LATER) == 1
    with acting(cast.omsk_doctor):
        copy = Derived.objects.get(purpose=imaging_choices.copy_purpose(study.pk))
        assert copy.facts["series"] == imaging_choices.shown_series(study, cast.omsk_doctor)
        assert Reading.objects.get(task="deidentify").trouble == ""
    archive = zipfile.ZipFile(io.BytesIO(b"".join(documents.store().open_range(copy.sha256))))
    assert len(archive.namelist()) == 6
    for name in archive.namelist():
        raw = archive.read(name)
        given = pydicom.dcmread(io.BytesIO(raw))
        assert (str(given.PatientName), given.Modality) == ("", "CT")
        assert given.StudyInstanceUID != study.study_uid
        assert "Зайцева".encode() not in raw

"""DICOMweb of a request: what is there, byte for byte, for those who see the request, and refusals in words."""

import io
import json
from email import message_from_bytes

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydicom import dcmread

from konsilium.models import Document, Viewing
from konsilium.models.access import acting, door
from konsilium.web.dicomweb import finding
from tests import requests
from tests.imaging_rows import HTJ2K, PREAMBLE, change_series, put_series

pytestmark = pytest.mark.django_db
OCTETS = 'multipart/related; type="application/octet-stream"'


@pytest.fixture(autouse=True)
def _nothing_remembered():
    finding._remembered.clear()


@pytest.fixture
def row(cast):
    return requests.sent(cast)


@pytest.fixture
def made(cast, row):
    return put_series(row, cast.omsk_doctor)


@pytest.fixture
def doctor(cast, client_as):
    return client_as(cast.omsk_doctor)


@pytest.fixture
def dispatcher(cast, client_as):
    return client_as(cast.cniis_dispatcher)


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def parts(response):
    """The parts of a multipart answer: (content type, bytes)."""
    whole = b"Content-Type: " + response.headers["Content-Type"].encode() + b"\r\n\r\n" + body(response)
    message = message_from_bytes(whole)
    return [(part["Content-Type"], part.get_payload(decode=True)) for part in message.get_payload()]


def said(response):
    assert response.headers["Content-Type"] == "application/dicom+json"
    return json.loads(response.content)


def value(attributes, tag):
    return attributes[tag].get("Value", [None])[0]


def root(row, rest="studies"):
    return f"/dicomweb/{row.pk}/{rest}"


def test_a_study_is_listed_with_its_patient_and_its_address(doctor, row, made):
    (study,) = said(doctor.get(root(row)))
    assert value(study, "0020000D") == made.study.study_uid
    assert value(study, "00100010") == {"Alphabetic": "Зайцева^Ольга^Петровна"}
    assert (value(study, "00080020"), value(study, "00080061")) == ("20261120", "CT")
    assert (value(study, "00201206"), value(study, "00201208")) == (1, 3)
    assert value(study, "00081190").endswith(root(row, f"studies/{made.study.study_uid}"))


def test_series_and_instances_are_listed_in_their_order(doctor, row, made):
    (series,) = said(doctor.get(root(row, f"studies/{made.study.study_uid}/series")))
    assert (value(series, "0020000E"), value(series, "00201209")) == (made.series.series_uid, 3)
    listed = said(doctor.get(made.path("/instances")))
    assert [value(one, "00080018") for one in listed] == [one.sop_uid for one in made.instances]
    assert value(listed[0], "00080016") == made.instances[0].sop_class
    assert said(doctor.get(root(row, f"studies/{made.study.study_uid}/instances"))) == listed
    assert said(doctor.get(root(row, "instances"))) == listed


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("Modality=CT", 2),
        ("Modality=MR", 0),
        ("00080060=CT", 2),
        ("PatientName=зайцева*", 2),
        ("PatientName=Орлов*", 0),
        ("PatientID=77-1", 2),
        ("StudyDate=20261101-20261130", 2),
        ("StudyDate=-20261101", 0),
        ("limit=1", 1),
        ("offset=1", 1),
        ("offset=5", 0),
        ("includefield=all&fuzzymatching=true", 2),
        ("StudyInstanceUID={study}", 2),
        ("SeriesInstanceUID={series}", 1),
        ("SeriesInstanceUID=1.2.3,{series}", 1),
        ("SeriesInstanceUID=1.2.3", 0),
        ("Modality=[CM]T", 0),
    ],
)
def test_a_search_narrows_what_is_listed(cast, doctor, row, made, query, count):
    put_series(row, cast.omsk_doctor, study_uid=made.study.study_uid, count=1)
    asked = query.format(study=made.study.study_uid, series=made.series.series_uid)
    assert len(said(doctor.get(root(row, f"series?{asked}")))) == count


def test_what_can_not_be_searched_by_is_named_and_narrows_nothing(doctor, row, made):
    response = doctor.get(root(row, "studies?StudyID=1&Nonsense=2"))
    assert "Nonsense" in response.headers["Warning"]
    assert said(response) == []
    assert len(said(doctor.get(root(row, "studies?Nonsense=2")))) == 1


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "offset=1e3", "offset=²"])
def test_a_limit_that_is_no_number_is_refused(doctor, row, made, query):
    assert doctor.get(root(row, f"studies?{query}")).status_code == 400


def test_metadata_is_the_stored_file_and_one_instance_is_taken_out_of_it(doctor, made):
    every = said(doctor.get(made.path("/metadata")))
    assert [value(one, "00080018") for one in every] == [one.sop_uid for one in made.instances]
    second = made.instances[1].sop_uid
    assert said(doctor.get(made.path(f"/instances/{second}/metadata"))) == [every[1]]
    whole_study = made.path().partition("/series/")[0] + "/metadata"
    assert said(doctor.get(whole_study)) == every


@pytest.mark.parametrize(
    "accept", ["application/dicom+xml", 'multipart/related; type="application/dicom+xml"']
)
def test_metadata_in_another_form_is_refused_in_words(doctor, made, accept):
    response = doctor.get(made.path("/metadata"), headers={"Accept": accept})
    assert response.status_code == 406
    assert "application/dicom+json" in response.content.decode()


def test_every_frame_is_the_voxels_of_its_object(doctor, made):
    for number, data in enumerate(made.objects):
        ((kind, frame),) = parts(doctor.get(made.frame(number)))
        assert frame == data.PixelData
        assert kind == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"


def test_several_frames_come_in_the_order_asked_for(cast, doctor, row):
    made = put_series(row, cast.omsk_doctor, count=1, frames=4)
    answer = doctor.get(made.frame(0, "3,1"))
    assert [frame for _kind, frame in parts(answer)] == [made.frames[2], made.frames[0]]
    again = doctor.get(made.frame(0, "3,1"))
    assert int(again.headers["Content-Length"]) == len(body(again))


@pytest.mark.parametrize("numbers", ["0", "x", "1,", "-1", "1.5", "²", "9" * 5000])
def test_numbers_that_are_none_are_a_bad_request(doctor, made, numbers):
    assert doctor.get(made.frame(0, numbers)).status_code == 400


def test_a_frame_that_is_not_there_is_not_found(doctor, made):
    assert doctor.get(made.frame(0, "2")).status_code == 404
    assert doctor.get(made.frame().replace(made.instances[0].sop_uid, "1.2.3")).status_code == 404


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "multipart"),
        ("*/*", "multipart"),
        ('multipart/related; type="image/jphc"', "multipart"),
        (f'multipart/related; type="image/jphc"; transfer-syntax={HTJ2K}', "multipart"),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=*', "multipart"),
        ("multipart/related;type=application/octet-stream;transfer-syntax=*", "multipart"),
        ("image/jphc", "image/jphc"),
        (f"image/jphc; transfer-syntax={HTJ2K}", "image/jphc"),
        ("application/octet-stream; transfer-syntax=*", "image/jphc"),
        ('multipart/related; type="image/jp2", image/jphc;q=0.5', "image/jphc"),
        ("image/jphc;q=0.1, */*;q=0.9", "multipart"),
        (OCTETS, None),
        ("application/octet-stream", None),
        ("image/jpeg", None),
        ("image/jphc; transfer-syntax=1.2.840.10008.1.2.4.90", None),
        ("image/jphc;q=0", None),
        ("text/html", None),
    ],
)
def test_frames_come_as_they_stand_or_are_refused_by_what_the_asker_accepts(cast, doctor, row, accept, kind):
    made = put_series(row, cast.omsk_doctor, count=1, syntax=HTJ2K, packed=lambda frame: b"\xff\x4f" + frame)
    response = doctor.get(made.frame(), headers={"Accept": accept} if accept else {})
    if kind is None:
        assert response.status_code == 406
        assert HTJ2K in response.content.decode()
    elif kind == "multipart":
        assert parts(response) == [(f"image/jphc; transfer-syntax={HTJ2K}", made.frames[0])]
    else:
        assert response.headers["Content-Type"] == f"image/jphc; transfer-syntax={HTJ2K}"
        assert body(response) == made.frames[0]


def test_several_frames_can_not_come_as_a_single_part(cast, doctor, row):
    made = put_series(row, cast.omsk_doctor, count=1, frames=2)
    answer = doctor.get(made.frame(0, "1,2"), headers={"Accept": "application/octet-stream"})
    assert answer.status_code == 406


def test_an_object_comes_as_it_was_but_for_its_preamble(doctor, made):
    response = doctor.get(made.path(f"/instances/{made.instances[1].sop_uid}"))
    ((kind, content),) = parts(response)
    assert kind == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    assert made.files[1].startswith(PREAMBLE)
    assert content == bytes(128) + made.files[1][128:]


def test_an_object_alone_and_a_whole_series(doctor, made):
    where = made.path(f"/instances/{made.instances[0].sop_uid}")
    assert body(doctor.get(where, headers={"Accept": "application/dicom"}))[128:] == made.files[0][128:]
    every = parts(doctor.get(made.path()))
    assert [content[128:] for _kind, content in every] == [content[128:] for content in made.files]
    assert [content for _kind, content in parts(doctor.get(made.path().partition("/series")[0]))] == [
        content for _kind, content in every
    ]
    assert doctor.get(made.path(), headers={"Accept": "application/dicom"}).status_code == 406


def test_an_object_in_another_syntax_is_refused(doctor, made):
    asked = {"Accept": f'multipart/related; type="application/dicom"; transfer-syntax={HTJ2K}'}
    assert doctor.get(made.path(), headers=asked).status_code == 406


@pytest.mark.django_db(transaction=True)
def test_what_is_still_being_prepared_says_when_to_ask_again(doctor, made):
    change_series(made, state="rendering", metadata_sha256="", pack_sha256="")
    waiting = doctor.get(made.path("/metadata"))
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (503, "5")
    change_series(made, state="failed")
    assert doctor.get(made.path("/metadata")).status_code == 404


def test_an_address_with_the_contents_mark_is_kept_for_good_and_privately(doctor, made):
    mark = made.series.pack_sha256[:12]
    kept = doctor.get(f"{made.frame()}?v={mark}")
    assert kept.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Accept" in kept.headers["Vary"].split(", ")
    assert doctor.get(f"{made.frame()}?v=000000000000").headers["Cache-Control"] == "private, no-cache"
    assert doctor.get(f"{made.frame()}?v={mark[:3]}").headers["Cache-Control"] == "private, no-cache"
    assert doctor.get(made.frame()).headers["Cache-Control"] == "private, no-cache"


def test_what_the_asker_has_already_is_not_sent_again(doctor, made):
    for where in (made.frame(), made.path("/metadata")):
        mark = doctor.get(where).headers["ETag"]
        again = doctor.get(where, headers={"If-None-Match": mark})
        assert (again.status_code, again.content) == (304, b"")
    other = doctor.get(made.frame(1)).headers["ETag"]
    assert doctor.get(made.frame(), headers={"If-None-Match": other}).status_code == 200


@pytest.mark.parametrize("who", ["chita_doctor", "nmic_dispatcher", "cniis_consultant"])
def test_whoever_does_not_see_the_request_finds_nothing(cast, client_as, row, made, who):
    stranger = client_as(cast.actor_of(who))
    instance = made.path(f"/instances/{made.instances[0].sop_uid}")
    for where in (
        root(row),
        root(row, "series"),
        root(row, "instances"),
        made.path(),
        made.path("/metadata"),
    ):
        assert stranger.get(where).status_code == 404
    for where in (made.frame(), instance, f"{instance}/metadata"):
        assert stranger.get(where).status_code == 404


def test_the_centre_does_not_see_an_unticked_series(cast, doctor, dispatcher, row, made):
    change_series(made, is_included=False)
    assert said(dispatcher.get(root(row))) == []
    for where in (made.path("/metadata"), made.frame(), made.path()):
        assert dispatcher.get(where).status_code == 404
        assert doctor.get(where).status_code == 200


def test_a_study_counts_only_what_its_reader_sees(cast, doctor, dispatcher, row, made):
    put_series(row, cast.omsk_doctor, study_uid=made.study.study_uid, count=5, is_included=False)
    assert value(said(doctor.get(root(row)))[0], "00201208") == 8
    assert value(said(dispatcher.get(root(row)))[0], "00201208") == 3


def test_what_has_names_on_it_is_not_there_for_the_centre_until_they_are_blacked_out(dispatcher, made):
    change_series(made, burned_in="yes")
    assert dispatcher.get(made.frame()).status_code == 404
    assert dispatcher.get(made.path()).status_code == 404
    change_series(made, burned_in="hidden")
    assert dispatcher.get(made.frame()).status_code == 200
    assert dispatcher.get(made.path()).status_code == 200


def test_a_document_that_was_taken_back_takes_its_pictures_along(doctor, made):
    with door(made.study.consultation_id):
        Document.objects.filter(pk=made.instances[0].document_id).update(state="removed")
    for where in (made.frame(), made.path(), made.path(f"/instances/{made.instances[0].sop_uid}/metadata")):
        assert doctor.get(where).status_code == 404


def test_a_study_is_logged_as_read_once_in_ten_minutes(cast, dispatcher, row, made):
    for where in (made.frame(0), made.frame(1), made.path("/metadata"), root(row)):
        body(dispatcher.get(where))
    with acting(cast.cniis_dispatcher):
        (viewing,) = Viewing.objects.filter(consultation=row)
    assert (viewing.subject, viewing.subject_id) == ("study", made.study.pk)
    assert viewing.person_id == cast.cniis_dispatcher.person_id


def test_a_frame_costs_one_query_beside_the_entry(cast, dispatcher, made):
    body(dispatcher.get(made.frame(0)))
    with acting(cast.cniis_dispatcher):
        bucket = Viewing.objects.get(subject_id=made.study.pk).bucket
    # As after the commit of the first.
    finding._remember((cast.cniis_dispatcher.person_id, made.study.pk, bucket))
    with CaptureQueriesContext(connection) as queries:
        body(dispatcher.get(made.frame(1)))
    asked = [one["sql"] for one in queries if "konsilium_instance" in one["sql"]]
    others = [
        one["sql"]
        for one in queries
        if "konsilium_" in one["sql"] and "konsilium_instance" not in one["sql"] and "enter" not in one["sql"]
    ]
    assert (len(asked), others) == (1, [])


def test_what_came_can_be_read_by_pydicom(doctor, made):
    answer = doctor.get(
        made.path(f"/instances/{made.instances[2].sop_uid}"), headers={"Accept": "application/dicom"}
    )
    data = dcmread(io.BytesIO(body(answer)))
    assert (data.pixel_array == made.objects[2].pixel_array).all()

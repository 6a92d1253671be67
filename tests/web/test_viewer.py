"""The viewer's page: what its script is told, previews, marks as JSON, key images."""

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from konsilium.actions import concluding, marking
from konsilium.actions.marking import Drawing
from konsilium.models import KeyImage, Viewing
from konsilium.models.access import acting
from konsilium.web.dicomweb import finding
from tests import requests
from tests.cast import NOW, sign_in
from tests.factories import Way
from tests.imaging_rows import change_series, put_series

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20
POINTS = {"points": [[1.5, 2.0, 3.25], [4.0, 5.0, 6.0]]}


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


def viewer(made, more=""):
    return reverse("viewer:show", args=[made.study.consultation_id, made.study.pk]) + more


def told(response):
    """What the page tells its script."""
    assert response.status_code == 200
    found = re.search(
        r'<script id="viewer-config" type="application/json">(.*?)</script>',
        response.content.decode(),
        re.DOTALL,
    )
    return json.loads(found[1])


def send(client, where, said):
    return client.post(where, json.dumps(said), content_type="application/json")


def drawn(row, made, actor, **given):
    drawing = Drawing(**{"kind": "length", "data": POINTS, "series_id": made.series.pk, **given})
    with acting(actor):
        return marking.add(row, drawing, actor=actor, at=NOW)


def image(made, **more):
    return {
        "image": SimpleUploadedFile("shot.png", PNG, "image/png"),
        "series": str(made.series.pk),
        "instance": made.instances[0].sop_uid,
        "frame": "1",
        "view": json.dumps({"zoom": 2}),
        **more,
    }


def test_every_address_that_the_script_is_told_leads_to_what_it_says(doctor, made):
    config = told(doctor.get(viewer(made)))
    (series,) = config["series"]
    assert doctor.get(f"{config['dicomweb']}/studies").status_code == 200
    assert len(doctor.get(series["metadata"]).json()) == 3
    place = series["frames"].replace("{instance}", made.instances[1].sop_uid).replace("{frame}", "1")
    frame = doctor.get(place, headers={"Accept": "application/octet-stream"})
    assert frame.content == made.frames[1]
    assert "immutable" in frame.headers["Cache-Control"]
    preview = doctor.get(series["previews"]["thumbnail"]["url"])
    assert preview.content == b"RIFF....WEBP"
    assert doctor.get(config["marks"]["url"]).json() == {"marks": []}


def test_the_script_is_told_what_kind_of_series_it_is(doctor, made):
    change_series(made, why_not_volume="gantry", layout={"tiles": 4}, facts={"spacing": [0.4, 0.4, 0.6]})
    (series,) = told(doctor.get(viewer(made)))["series"]
    assert (series["isVolume"], series["whyNot"]) == (False, "gantry")
    assert (series["layout"], series["facts"]["spacing"]) == ({"tiles": 4}, [0.4, 0.4, 0.6])
    assert (series["uid"], series["count"], series["modality"]) == (made.series.series_uid, 3, "CT")


def test_the_page_says_its_words_in_the_readers_language(doctor, made):
    assert told(doctor.get(viewer(made)))["texts"]["not_diagnostic"].startswith("Для консультации")
    assert doctor.get(viewer(made)).headers["Content-Language"] == "ru"


def test_decoders_may_run_on_this_page_and_on_no_other(doctor, row, made):
    policy = doctor.get(viewer(made)).headers["Content-Security-Policy"]
    assert "'wasm-unsafe-eval'" in policy
    assert "worker-src 'self' blob:" in policy
    assert "unsafe-inline" not in policy
    other = doctor.get(reverse("consultation:show", args=[row.pk])).headers["Content-Security-Policy"]
    assert "wasm" not in other


def test_looking_is_logged_as_reading_the_study(cast, dispatcher, row, made):
    dispatcher.get(viewer(made))
    with acting(cast.cniis_dispatcher):
        assert Viewing.objects.filter(subject="study", subject_id=made.study.pk).count() == 1


def test_the_centre_is_told_nothing_of_an_unticked_series(cast, doctor, dispatcher, row, made):
    other = put_series(row, cast.omsk_doctor, study_uid=made.study.study_uid, is_included=False)
    assert len(told(doctor.get(viewer(made)))["series"]) == 2
    assert [one["uid"] for one in told(dispatcher.get(viewer(made)))["series"]] == [made.series.series_uid]
    preview = reverse("viewer:preview", args=[other.series.pk, "thumbnail"])
    assert dispatcher.get(preview).status_code == 404
    change_series(made, is_included=False)
    assert dispatcher.get(viewer(made)).status_code == 404


def test_a_study_of_another_request_is_not_shown_under_this_one(cast, doctor, row, made):
    other = put_series(requests.sent(cast), cast.omsk_doctor)
    assert doctor.get(reverse("viewer:show", args=[row.pk, other.study.pk])).status_code == 404


def test_other_studies_of_the_request_can_be_switched_to(cast, doctor, row, made):
    other = put_series(row, cast.omsk_doctor)
    places = {study["pk"]: study["url"] for study in told(doctor.get(viewer(made)))["studies"]}
    assert set(places) == {str(made.study.pk), str(other.study.pk)}
    assert told(doctor.get(places[str(other.study.pk)]))["study"]["uid"] == other.study.study_uid


def test_a_preview_runs_nothing_and_is_kept_for_good_under_its_mark(doctor, made):
    address = reverse("viewer:preview", args=[made.series.pk, "thumbnail"])
    kept = doctor.get(f"{address}?v={made.series.previews['thumbnail']['sha256'][:12]}")
    assert kept.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert kept.headers["Content-Type"] == "image/webp"
    assert kept.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert doctor.get(address).headers["Cache-Control"] == "private, no-cache"
    assert doctor.get(address, headers={"If-None-Match": kept.headers["ETag"]}).status_code == 304


def test_a_preview_that_a_browser_would_run_is_not_shown(doctor, made):
    page = made.series.previews["thumbnail"] | {"media_type": "text/html"}
    change_series(made, previews={"page": page})
    assert doctor.get(reverse("viewer:preview", args=[made.series.pk, "page"])).status_code == 404
    assert doctor.get(reverse("viewer:preview", args=[made.series.pk, "thumbnail"])).status_code == 404


def test_a_mark_is_added_listed_changed_and_removed(cast, doctor, dispatcher, row, made):
    marks = reverse("viewer:marks", args=[row.pk])
    said = {"kind": "length", "series": str(made.series.pk), "instance": "1.2.3", "frame": 1, "data": POINTS}
    added = send(doctor, marks, said | {"text": "12 мм"}).json()["mark"]
    assert (added["data"], added["text"], added["own"], added["edition"]) == (POINTS, "12 мм", True, 1)
    (seen,) = dispatcher.get(marks).json()["marks"]
    assert (seen["pk"], seen["own"]) == (added["pk"], False)
    assert cast.omsk_doctor.name in seen["author"]
    change = reverse("viewer:change_mark", args=[added["pk"]])
    changed = send(doctor, change, said | {"text": "13 мм"}).json()["mark"]
    assert (changed["text"], changed["edition"]) == ("13 мм", 2)
    assert doctor.post(reverse("viewer:remove_mark", args=[changed["pk"]])).status_code == 200
    assert doctor.get(marks).json() == {"marks": []}


def test_a_foreign_mark_is_neither_changed_nor_removed_and_the_reader_is_told_why(
    cast, dispatcher, row, made
):
    mark = drawn(row, made, cast.omsk_doctor)
    change = reverse("viewer:change_mark", args=[mark.pk])
    for response in (
        send(dispatcher, change, {"kind": "length", "data": POINTS}),
        dispatcher.post(reverse("viewer:remove_mark", args=[mark.pk])),
    ):
        assert response.status_code == 422
        assert "автор" in response.json()["refusal"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{",
        '{"kind": "length"}',
        '{"kind": "x", "data": {}}',
        "[" * 100_000,
        '{"kind": "length", "data": {}, "frame": 1e999}',
    ],
)
def test_what_is_no_mark_is_refused_in_words(doctor, row, made, body):
    marks = reverse("viewer:marks", args=[row.pk])
    response = doctor.post(marks, body, content_type="application/json")
    assert response.status_code == 422
    assert len(response.json()["refusal"]) > 10


def test_marks_are_kept_from_other_sites(cast, row, made):
    client = sign_in(Client(enforce_csrf_checks=True), cast.omsk_doctor)
    token = told(client.get(viewer(made)))["csrf"]
    marks = reverse("viewer:marks", args=[row.pk])
    said = {"kind": "length", "series": str(made.series.pk), "data": POINTS}
    assert send(client, marks, said).status_code == 403
    given = client.post(
        marks, json.dumps(said), content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert given.status_code == 200


def test_a_key_image_is_kept_and_leads_back_to_its_slice(doctor, dispatcher, row, made):
    where = reverse("viewer:keep_image", args=[row.pk])
    kept = dispatcher.post(where, image(made)).json()
    start = told(doctor.get(kept["back"]))["start"]
    assert start == {
        "series": str(made.series.pk),
        "instance": made.instances[0].sop_uid,
        "frame": 1,
        "view": {"zoom": 2},
    }


def test_a_link_to_a_mark_leads_to_its_slice(cast, doctor, row, made):
    mark = drawn(row, made, cast.omsk_doctor, sop_uid=made.instances[2].sop_uid, frame=1)
    start = told(doctor.get(viewer(made, f"?mark={mark.pk}")))["start"]
    assert (start["instance"], start["view"]) == (made.instances[2].sop_uid, {"mark": str(mark.pk)})
    assert told(doctor.get(viewer(made, "?mark=nonsense&image=1")))["start"] is None


def test_a_key_image_with_words_is_a_message(doctor, row, made):
    where = reverse("viewer:keep_image", args=[row.pk])
    doctor.post(where, image(made, text="Посмотрите сюда."))
    assert "Посмотрите сюда." in doctor.get(reverse("consultation:show", args=[row.pk])).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": ""},
        {"image": SimpleUploadedFile("x.png", b"<svg/>")},
        {"series": "x"},
        {"frame": "0"},
        {"frame": "9" * 5000},
        {"instance": "1.2\x00"},
        {"view": '{"a": NaN}'},
        {"view": "["},
    ],
)
def test_what_is_no_key_image_is_refused_in_words(cast, doctor, row, made, wrong):
    response = doctor.post(reverse("viewer:keep_image", args=[row.pk]), image(made, **wrong))
    assert response.status_code == 422
    assert len(response.json()["refusal"]) > 10
    with acting(cast.omsk_doctor):
        assert not KeyImage.objects.filter(consultation=row).exists()


@pytest.mark.parametrize("who", ["chita_doctor", "nmic_dispatcher", "cniis_consultant"])
def test_whoever_does_not_see_the_request_finds_nothing(cast, client_as, row, made, who):
    mark = drawn(row, made, cast.omsk_doctor)
    stranger = client_as(cast.actor_of(who))
    marks = reverse("viewer:marks", args=[row.pk])
    preview = reverse("viewer:preview", args=[made.series.pk, "thumbnail"])
    assert [stranger.get(where).status_code for where in (viewer(made), marks, preview)] == [404] * 3
    keep = reverse("viewer:keep_image", args=[row.pk])
    change, remove = (reverse(f"viewer:{name}_mark", args=[mark.pk]) for name in ("change", "remove"))
    assert [stranger.post(where).status_code for where in (marks, keep, change, remove)] == [404] * 4


def test_a_key_image_leads_back_from_the_thread_the_documents_and_the_conclusion(cast, client_as):
    way = Way(cast).drafted()
    made = put_series(way.row, cast.omsk_doctor)
    consultant = client_as(way.consultant)
    where = reverse("viewer:keep_image", args=[way.row.pk])
    back = consultant.post(where, image(made, text="Посмотрите сюда.")).json()["back"]
    way.at += timedelta(days=4000)
    draft = way.do(way.consultant, concluding.draft_of)
    with acting(way.consultant):
        key = KeyImage.objects.get(consultation=way.row).document_id
        shown = concluding.Parts(pictures=((key, "Линия перелома"),))
        concluding.save_draft(draft, {}, {}, shown, actor=way.consultant, at=way.at)
    way.do(way.consultant, concluding.place)
    page = client_as(way.doctor).get(reverse("consultation:show", args=[way.row.pk])).content.decode()
    # In the thread, among the documents, and with the conclusion.
    assert page.count(f'href="{back}"') == 3
    assert "Ключевой снимок 1.png" in page
    assert client_as(way.doctor).get(back).status_code == 200


def test_a_key_image_taken_later_is_not_said_to_belong_to_the_conclusion(cast, client_as):
    way = Way(cast).completed()
    made = put_series(way.row, cast.omsk_doctor)
    back = (
        client_as(way.doctor)
        .post(reverse("viewer:keep_image", args=[way.row.pk]), image(made))
        .json()["back"]
    )
    page = client_as(way.doctor).get(reverse("consultation:show", args=[way.row.pk])).content.decode()
    assert page.count(f'href="{back}"') == 1


def test_the_centre_finds_no_way_to_a_slice_it_is_not_shown(cast, doctor, dispatcher, row, made):
    back = doctor.post(reverse("viewer:keep_image", args=[row.pk]), image(made)).json()["back"]
    assert back in dispatcher.get(reverse("consultation:show", args=[row.pk])).content.decode()
    change_series(made, is_included=False)
    assert back not in dispatcher.get(reverse("consultation:show", args=[row.pk])).content.decode()

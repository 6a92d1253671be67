"""Rendered pictures: ordered by whoever asks first, made by the inspector in the sandbox, sent by ranges."""

import io
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image

from konsilium.actions import inspecting, picturing
from konsilium.models import Instance, Reading, Series
from konsilium.models.access import acting, as_inspector, as_worker
from tests import requests
from tests.cast import NOW
from tests.imaging_rows import change_series, put_series

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(days=400)


@pytest.fixture
def row(cast):
    return requests.sent(cast)


@pytest.fixture
def made(cast, row):
    return put_series(row, cast.omsk_doctor, frames=2)


@pytest.fixture
def dispatcher(cast, client_as):
    return client_as(cast.cniis_dispatcher)


def rendered(made, number=0, numbers=""):
    frames = f"/frames/{numbers}" if numbers else ""
    return made.path(f"/instances/{made.instances[number].sop_uid}{frames}/rendered")


def waiting():
    with as_worker():
        return Reading.objects.filter(task=picturing.TASK, done_at=None).count()


def test_asking_orders_the_pictures_once_and_says_when_to_ask_again(dispatcher, made):
    for _ in range(2):
        answer = dispatcher.get(rendered(made))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "готовятся" in answer.content.decode()
    assert waiting() == 1


def test_the_inspector_makes_a_jpeg_of_every_frame(cast, dispatcher, made):
    dispatcher.get(rendered(made))
    assert inspecting.run_pending(at=LATER) == 1
    for number in range(3):
        for frame in (1, 2):
            answer = dispatcher.get(rendered(made, number, str(frame)), headers={"Accept": "image/jpeg"})
            assert answer.headers["Content-Type"] == "image/jpeg"
            grey = np.asarray(Image.open(io.BytesIO(answer.content)), dtype=int)
            assert grey.shape == (16, 16)
            # The voxels grow along each row and each column.
            assert grey[-1].mean() > grey[0].mean()
    assert dispatcher.get(rendered(made)).content == dispatcher.get(rendered(made, 0, "1")).content
    with acting(cast.cniis_dispatcher):
        assert Series.objects.get(pk=made.series.pk).state == Series.READY


def test_a_series_that_was_rendered_anew_meanwhile_keeps_no_older_picture(dispatcher, made, monkeypatch):
    dispatcher.get(rendered(made))
    keep = picturing.keep

    def blacken_meanwhile(path):
        change_series(made, pack_sha256="0" * 64)
        return keep(path)

    monkeypatch.setattr(picturing, "keep", blacken_meanwhile)
    inspecting.run_pending(at=LATER)
    assert dispatcher.get(rendered(made)).status_code == 503


def test_what_can_not_be_decoded_is_said_once_and_the_series_stays(cast, dispatcher, made, monkeypatch):
    dispatcher.get(rendered(made))
    monkeypatch.setattr(inspecting, "TRIES", 1)
    for instance in made.instances:
        instance.file_length = 140
    with as_inspector(made.study.consultation_id):
        Instance.objects.bulk_update(made.instances, ["file_length"])
    inspecting.run_pending(at=LATER)
    assert dispatcher.get(rendered(made)).status_code == 404
    assert waiting() == 0
    assert dispatcher.get(made.frame()).status_code == 200


@pytest.mark.parametrize(
    ("numbers", "accept", "status"),
    [("1", "image/png", 406), ("1,2", "image/jpeg", 406), ("9", "image/jpeg", 404), ("x", "image/jpeg", 400)],
)
def test_what_can_not_be_rendered_is_refused_in_words(dispatcher, made, numbers, accept, status):
    answer = dispatcher.get(rendered(made, 0, numbers), headers={"Accept": accept})
    assert answer.status_code == status
    assert len(answer.content) > 10
    assert waiting() == 0


def test_a_stranger_orders_nothing(cast, client_as, made):
    assert client_as(cast.nmic_dispatcher).get(rendered(made)).status_code == 404
    assert waiting() == 0

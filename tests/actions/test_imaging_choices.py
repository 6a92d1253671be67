"""Who decides about pictures, and until when; what is asked of the inspector."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, transaction

from konsilium.actions import drafting, imaging_choices
from konsilium.actions._step import NotThere
from konsilium.actions.imaging_choices import Box, NoBoxes
from konsilium.models import Consultation, Document, Event, Reading, Series
from konsilium.models.access import acting, as_inspector
from konsilium.workflow.machine import NotNow, NotYours
from tests import pictures
from tests.cast import NOW
from tests.factories import Way
from tests.requests import draft

pytestmark = pytest.mark.django_db


@contextmanager
def as_seen(actor):
    """The request's one series as the actor reads it."""
    with acting(actor):
        yield Series.objects.select_related("consultation").get()


def with_series(way):
    """Let the first document of the request bring a series."""
    with as_inspector(way.row.pk):
        document = Document.objects.filter(consultation=way.row).first()
    pictures.series(pictures.study(way.row), document, rows=60, columns=100)
    return way


def test_the_requesting_side_chooses_while_the_request_is_written_or_asked_about(cast):
    for way in (Way(cast).written(), Way(cast).asked()):
        with_series(way)
        with acting(cast.omsk_doctor):
            one = Series.objects.select_related("consultation").get(consultation=way.row)
            imaging_choices.include(one, False, actor=cast.omsk_doctor, at=NOW)
            assert not Series.objects.get(pk=one.pk).is_included
            assert Event.objects.filter(kind="series_left_out", consultation=way.row).count() == 1


def test_choosing_the_same_again_is_no_event(cast):
    with_series(Way(cast).written())
    with as_seen(cast.omsk_doctor) as one:
        imaging_choices.include(one, True, actor=cast.omsk_doctor, at=NOW)
        assert Event.objects.filter(subject="series").count() == 0


@pytest.mark.parametrize("state", ["submitted", "assigned", "completed"])
def test_what_was_sent_stays_as_it_was_sent(cast, state):
    with_series(getattr(Way(cast), state)())
    with as_seen(cast.omsk_doctor) as one:
        for choose in (
            lambda **who: imaging_choices.include(one, False, **who),
            lambda **who: imaging_choices.answer_names(one, True, **who),
            lambda **who: imaging_choices.black_out(one, [Box(0, 0, 9, 9)], **who),
        ):
            with pytest.raises(NotNow):
                choose(actor=cast.omsk_doctor, at=NOW)


def test_the_centre_chooses_nothing_even_while_it_has_asked(cast):
    with_series(Way(cast).asked())
    with as_seen(cast.cniis_consultant) as one:
        with pytest.raises(NotYours):
            imaging_choices.include(one, False, actor=cast.cniis_consultant, at=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            Series.objects.filter(pk=one.pk).update(is_included=False)


def test_a_stranger_finds_no_series_and_no_request(cast):
    with_series(Way(cast).written())
    with as_seen(cast.omsk_doctor) as one:
        pass
    with acting(cast.chita_doctor), pytest.raises(NotThere):
        imaging_choices.include(one, False, actor=cast.chita_doctor, at=NOW)


def test_boxes_are_cut_to_the_picture_and_never_more_than_twenty(cast):
    with_series(Way(cast).written())
    boxes = [Box(-5, -5, 15, 10), Box(90, 50, 100, 100), Box(200, 0, 5, 5), *[Box(1, 1, 2, 2)] * 40]
    with as_seen(cast.omsk_doctor) as one:
        imaging_choices.black_out(one, boxes, actor=cast.omsk_doctor, at=NOW)
        kept = Reading.objects.get(task="black_out").arguments["boxes"]
    assert kept[:2] == [[0, 0, 10, 5], [90, 50, 10, 10]]
    assert len(kept) == 19


def test_no_box_on_the_picture_changes_nothing(cast):
    with_series(Way(cast).written())
    with as_seen(cast.omsk_doctor) as one, pytest.raises(NoBoxes):
        imaging_choices.black_out(one, [Box(100, 0, 5, 5), Box(1, 1, 0, 5)], actor=cast.omsk_doctor, at=NOW)
    with acting(cast.omsk_doctor):
        assert Reading.objects.filter(task="black_out").count() == 0


def test_a_photograph_of_a_request_that_is_over_keeps_its_name(cast):
    way = Way(cast).withdrawn()
    with acting(cast.omsk_doctor):
        photograph = Document.objects.select_related("consultation").get(kind="face_photo")
        with pytest.raises(NotNow):
            imaging_choices.name_view(photograph, "face_front", actor=cast.omsk_doctor, at=NOW)
        assert Consultation.objects.get(pk=way.row.pk).state == "withdrawn"


def test_a_draft_deleted_takes_its_studies_and_orders_along(cast):
    row = draft(cast)
    way = with_series(Way(cast).written())
    with as_seen(cast.omsk_doctor) as one:
        imaging_choices.black_out(one, [Box(0, 0, 9, 9)], actor=cast.omsk_doctor, at=NOW)
    with acting(cast.omsk_doctor):
        drafting.delete_draft(way.row, actor=cast.omsk_doctor, at=NOW)
        assert Series.objects.count() == 0
        assert Reading.objects.filter(task="black_out").count() == 0
        assert Consultation.objects.filter(pk=row.pk).exists()

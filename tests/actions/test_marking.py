"""Marks: kept, shared, changed by new editions of their author alone; key images with their way back."""

import pytest

from konsilium.actions import documents, marking
from konsilium.actions._step import NotThere
from konsilium.actions.marking import BadMark, Drawing, Slice, TooManyMarks
from konsilium.models import Document, Event, KeyImage, Mark, Message
from konsilium.models.access import acting
from konsilium.workflow import marks as rules
from konsilium.workflow.machine import NotNow, NotYours, Stale
from konsilium.workflow.words import KEY_IMAGE
from tests import requests
from tests.cast import NOW
from tests.factories import in_state, upload
from tests.imaging_rows import change_series, put_series

pytestmark = pytest.mark.django_db
POINTS = {"points": [[1.5, 2.0, 3.25], [4.0, 5.0, 6.0]]}
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20


@pytest.fixture
def row(cast):
    return requests.sent(cast)


@pytest.fixture
def made(cast, row):
    return put_series(row, cast.omsk_doctor)


def nested(depth):
    inner = {}
    for _ in range(depth):
        inner = {"a": inner}
    return inner


def drawing(made, **given):
    return Drawing(**{"kind": "length", "data": POINTS, "series_id": made.series.pk, **given})


def draw(row, actor, drawing):
    with acting(actor):
        return marking.add(row, drawing, actor=actor, at=NOW)


def marks_for(row, actor):
    with acting(actor):
        return list(Mark.objects.visible_to(actor).filter(consultation=row).present())


def picture(content=PNG):
    return documents.Upload(documents.store().receive([content], 1_000_000), "Снимок")


def take(row, actor, made, content=PNG, **given):
    taken = Slice(made.series.pk, made.instances[0].sop_uid, 1, {"zoom": 2})
    with acting(actor):
        return marking.keep_image(row, taken, picture(content), actor=actor, at=NOW, **given)


def test_a_mark_is_seen_by_both_sides_with_its_points_and_its_author(cast, row, made):
    draw(row, cast.omsk_doctor, drawing(made, text="12 мм"))
    (mark,) = marks_for(row, cast.cniis_dispatcher)
    assert (mark.data, mark.text, mark.edition) == (POINTS, "12 мм", 1)
    assert mark.author_name == cast.omsk_doctor.name


def test_a_change_is_a_new_edition_and_the_older_one_stays_in_the_record(cast, row, made):
    first = draw(row, cast.omsk_doctor, drawing(made, sop_uid="1.2.3", frame=2))
    with acting(cast.omsk_doctor):
        other = Drawing("angle", {"points": []}, "30°")
        newer = marking.change(first, other, actor=cast.omsk_doctor, at=NOW)
        old = Mark.objects.get(pk=first.pk)
    assert (newer.edition, newer.replaces_id, newer.kind) == (2, first.pk, "angle")
    assert (newer.series_id, newer.sop_uid, newer.frame) == (made.series.pk, "1.2.3", 2)
    assert (old.removed_at, old.data) == (NOW, POINTS)
    assert [mark.pk for mark in marks_for(row, cast.omsk_doctor)] == [newer.pk]


def test_the_same_edition_is_changed_once(cast, row, made):
    mark = draw(row, cast.omsk_doctor, drawing(made))
    with acting(cast.omsk_doctor):
        marking.change(mark, drawing(made), actor=cast.omsk_doctor, at=NOW)
        with pytest.raises(Stale):
            marking.change(mark, drawing(made), actor=cast.omsk_doctor, at=NOW)
        with pytest.raises(Stale):
            marking.remove(mark, actor=cast.omsk_doctor, at=NOW)
    assert len(marks_for(row, cast.omsk_doctor)) == 1


def test_nobody_else_changes_or_removes_a_mark(cast, row, made):
    mark = draw(row, cast.omsk_doctor, drawing(made))
    with acting(cast.cniis_dispatcher):
        with pytest.raises(NotYours):
            marking.change(mark, drawing(made), actor=cast.cniis_dispatcher, at=NOW)
        with pytest.raises(NotYours):
            marking.remove(mark, actor=cast.cniis_dispatcher, at=NOW)
    assert [one.pk for one in marks_for(row, cast.omsk_doctor)] == [mark.pk]


def test_the_database_itself_keeps_a_mark_its_authors(cast, row, made):
    mark = draw(row, cast.omsk_doctor, drawing(made))
    with acting(cast.cniis_dispatcher):
        assert Mark.objects.filter(pk=mark.pk).update(removed_at=NOW) == 0


def test_a_removed_mark_is_not_shown_and_stays_in_the_record(cast, row, made):
    mark = draw(row, cast.omsk_doctor, drawing(made))
    with acting(cast.omsk_doctor):
        marking.remove(mark, actor=cast.omsk_doctor, at=NOW)
        assert Mark.objects.filter(pk=mark.pk).exists()
    assert marks_for(row, cast.omsk_doctor) == []


def test_a_stranger_draws_nothing(cast, row, made):
    with pytest.raises(NotThere):
        draw(row, cast.chita_doctor, drawing(made))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "graffiti"},
        {"data": [1, 2]},
        {"data": {"points": [float("nan")]}},
        {"data": {"text": "a\x00b"}},
        {"data": {"points": ["x" * rules.LARGEST_MARK]}},
        {"text": "x" * (rules.LONGEST_TEXT + 1)},
        {"text": "a\x00b"},
        {"sop_uid": "1" * 65},
        {"sop_uid": "1.2\x00"},
        {"text": "\ud800"},
        {"data": {"label": "\ud800"}},
        {"data": nested(2000)},
        {"frame": 2**31},
        {"frame": 0},
        {"series_id": None},
    ],
)
def test_what_is_no_mark_is_refused(cast, row, made, wrong):
    with pytest.raises(BadMark):
        draw(row, cast.omsk_doctor, drawing(made, **wrong))
    assert marks_for(row, cast.omsk_doctor) == []


def test_a_mark_lies_on_a_picture_of_this_very_request(cast, row, made):
    other = put_series(requests.sent(cast), cast.omsk_doctor)
    with pytest.raises(BadMark):
        draw(row, cast.omsk_doctor, drawing(other))
    with pytest.raises(BadMark):
        draw(row, cast.omsk_doctor, drawing(made, document_id=made.instances[0].document_id))
    on_document = drawing(made, series_id=None, document_id=made.instances[0].document_id)
    assert draw(row, cast.omsk_doctor, on_document).document_id == made.instances[0].document_id


def test_the_centre_neither_draws_on_an_unticked_series_nor_sees_its_marks(cast, row, made):
    draw(row, cast.omsk_doctor, drawing(made))
    change_series(made, is_included=False)
    assert marks_for(row, cast.cniis_dispatcher) == []
    assert len(marks_for(row, cast.omsk_doctor)) == 1
    with pytest.raises(BadMark):
        draw(row, cast.cniis_dispatcher, drawing(made))


def test_there_is_an_end_to_marks(cast, row, made, monkeypatch):
    monkeypatch.setattr(marking, "MOST_MARKS", 1)
    draw(row, cast.omsk_doctor, drawing(made))
    with pytest.raises(TooManyMarks):
        draw(row, cast.omsk_doctor, drawing(made))


def test_a_request_that_is_over_takes_no_mark_and_no_key_image(cast):
    row = in_state(cast, "closed")
    made = put_series(row, cast.omsk_doctor)
    with pytest.raises(NotNow):
        draw(row, cast.omsk_doctor, drawing(made))
    with pytest.raises(NotNow):
        take(row, cast.omsk_doctor, made)


def test_a_mark_leaves_no_event(cast, row, made):
    with acting(cast.omsk_doctor):
        before = Event.objects.count()
    draw(row, cast.omsk_doctor, drawing(made, text="Зайцева"))
    with acting(cast.omsk_doctor):
        assert Event.objects.count() == before


def test_a_key_image_is_a_document_with_the_way_back(cast, row, made):
    key = take(row, cast.cniis_dispatcher, made)
    with acting(cast.omsk_doctor):
        document = Document.objects.visible_to(cast.omsk_doctor).get(pk=key.document_id)
        back = KeyImage.objects.get(document=document)
    assert (document.kind, document.media_type) == (KEY_IMAGE, "image/png")
    assert document.file_name == "Снимок 1.png"
    assert (back.series_id, back.sop_uid, back.view) == (
        made.series.pk,
        made.instances[0].sop_uid,
        {"zoom": 2},
    )


def test_with_words_a_key_image_goes_into_the_thread(cast, row, made):
    key = take(row, cast.omsk_doctor, made, text="Посмотрите на этот срез.")
    with acting(cast.cniis_dispatcher):
        message = Message.objects.get(consultation=row)
        assert message.text == "Посмотрите на этот срез."
        assert [document.pk for document in message.documents.all()] == [key.document_id]


@pytest.mark.parametrize("content", [b"%PDF-1.4\n", b"<svg/>", b"\xff\xd8\xff\xe0" + b"0" * 100])
def test_a_key_image_is_a_png(cast, row, made, content):
    with pytest.raises(BadMark):
        take(row, cast.omsk_doctor, made, content)
    with acting(cast.omsk_doctor):
        assert not KeyImage.objects.filter(consultation=row).exists()


def test_the_centre_takes_no_key_image_of_an_unticked_series(cast, row, made):
    change_series(made, is_included=False)
    with pytest.raises(BadMark):
        take(row, cast.cniis_dispatcher, made)


def test_what_is_refused_by_the_thread_keeps_no_image(cast):
    row = requests.draft(cast)
    made = put_series(row, cast.omsk_doctor)
    with pytest.raises(NotNow):
        take(row, cast.omsk_doctor, made, text="Черновик.")
    with acting(cast.omsk_doctor):
        assert not KeyImage.objects.filter(consultation=row).exists()
    assert upload("x").stored.size > 0

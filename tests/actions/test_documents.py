"""Received bytes become documents: told by their content, checked, taken back before sending, swept."""

from datetime import timedelta

import pytest
from django.utils import timezone

from konsilium.actions import documents, drafting
from konsilium.actions._step import NotThere
from konsilium.adapters.storage import NotStored
from konsilium.models import Document, Event
from konsilium.models.access import acting
from konsilium.workflow.consultation import State
from konsilium.workflow.machine import Missing, NotNow, Refused
from tests.cast import NOW
from tests.factories import Way, in_state, upload

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def put(row, actor, name="paper", kind="extract", at=NOW, **given):
    with acting(actor):
        return documents.add(row, upload(name, **given), kind=kind, actor=actor, at=at)


def found(document, actor):
    with acting(actor):
        return Document.objects.visible_to(actor).filter(pk=document.pk).first()


def take_back(document, actor, at=LATER):
    with acting(actor):
        documents.remove(document, actor=actor, at=at)


def draft(cast):
    with acting(cast.omsk_doctor):
        return drafting.begin(actor=cast.omsk_doctor, at=NOW)


def test_without_a_scanner_a_document_is_there_at_once_and_says_that_nobody_checked_it(cast):
    document = put(draft(cast), cast.omsk_doctor)
    assert (document.state, document.verdict, document.media_type) == (
        "available",
        "not_checked",
        "application/pdf",
    )
    assert b"".join(documents.store().open_range(document.sha256)).startswith(b"%PDF")


def test_a_file_of_no_allowed_kind_is_refused_in_words(cast):
    row = draft(cast)
    with pytest.raises(documents.KindRefused) as refusal:
        put(row, cast.omsk_doctor, content=b"<html><script>alert(1)</script></html>")
    assert len(str(refusal.value)) > 10
    with acting(cast.omsk_doctor):
        assert not Document.objects.filter(consultation=row).exists()


def test_the_same_bytes_again_are_told_by_the_name_they_have(cast):
    row = draft(cast)
    first = put(row, cast.omsk_doctor)
    with pytest.raises(documents.AlreadyThere) as told:
        put(row, cast.omsk_doctor, kind="consent")
    assert told.value.params == {"name": first.file_name}
    take_back(first, cast.omsk_doctor)
    assert put(row, cast.omsk_doctor).pk != first.pk


def test_an_unknown_kind_a_stranger_and_a_finished_request_are_refused(cast):
    row = draft(cast)
    with pytest.raises(Refused):
        put(row, cast.omsk_doctor, kind="nonsense")
    for who in (cast.chita_doctor, cast.omsk_doctor2, cast.cniis_dispatcher):
        with pytest.raises(NotThere):
            put(row, who)
    with pytest.raises(NotNow):
        put(in_state(cast, State.WITHDRAWN), cast.omsk_doctor, name="late")


def test_the_requesting_side_places_no_conclusions_scan(cast):
    with pytest.raises(NotNow):
        put(in_state(cast, State.CONCLUSION), cast.omsk_doctor, name="scan", kind="conclusion_scan")


def test_a_document_added_on_the_way_is_an_event_and_seen_by_the_centre(cast):
    row = in_state(cast, State.SUBMITTED)
    document = put(row, cast.omsk_doctor, name="later", at=LATER)
    assert found(document, cast.cniis_dispatcher) is not None
    assert found(document, cast.nmic_dispatcher) is None
    with acting(cast.omsk_doctor):
        assert Event.objects.filter(kind="document_added", subject_id=document.pk).count() == 1


def test_a_document_is_taken_back_only_before_it_is_sent(cast):
    row = draft(cast)
    document = put(row, cast.omsk_doctor)
    take_back(document, cast.omsk_doctor)
    assert found(document, cast.omsk_doctor).state == "removed"
    sent = in_state(cast, State.SUBMITTED)
    with acting(cast.omsk_doctor):
        stays = Document.objects.filter(consultation=sent).first()
    with pytest.raises(Missing):
        take_back(stays, cast.omsk_doctor)
    assert found(stays, cast.omsk_doctor).state == "available"


def test_in_a_clarification_only_what_was_added_since_is_taken_back(cast):
    way = Way(cast).asked()
    with acting(way.doctor):
        old = Document.objects.filter(consultation=way.row).first()
    fresh = way.do(way.doctor, documents.add, upload("fresh"), kind="other")
    way.do(way.doctor, lambda row, **who: documents.remove(fresh, **who))
    with pytest.raises(Missing):
        way.do(way.doctor, lambda row, **who: documents.remove(old, **who))


def test_nobody_takes_back_what_another_added(cast):
    way = Way(cast).submitted()
    with acting(way.doctor):
        document = Document.objects.filter(consultation=way.row).first()
    for who in (cast.cniis_dispatcher, cast.chita_doctor, cast.omsk_admin):
        with pytest.raises(NotThere):
            take_back(document, who)


def test_files_without_a_row_are_swept_after_a_day_and_others_stay(cast):
    row = draft(cast)
    kept = put(row, cast.omsk_doctor, name="kept")
    lost = upload("lost").stored
    now = timezone.now()
    documents.sweep_orphans(at=now)
    assert b"".join(documents.store().open_range(lost.sha256))
    documents.sweep_orphans(at=now + timedelta(days=2))
    with pytest.raises(NotStored):
        b"".join(documents.store().open_range(lost.sha256))
    assert b"".join(documents.store().open_range(kept.sha256))

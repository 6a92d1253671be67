"""A doctor writes a request, sends it when it may be sent, deletes a draft, copies what was refused."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from konsilium.actions import documents, drafting
from konsilium.actions._record import mark_read
from konsilium.actions._step import NotThere
from konsilium.models import Consultation, Document, Event, Question
from konsilium.models.access import acting
from konsilium.workflow.consultation import State
from konsilium.workflow.machine import Missing, NotNow, Refused, Stale
from tests.cast import NOW
from tests.factories import KINDS, QUESTIONS, Way, in_state, upload
from tests.requests import seen

pytestmark = pytest.mark.django_db


def begun(cast, at=NOW):
    with acting(cast.omsk_doctor):
        return drafting.begin(actor=cast.omsk_doctor, at=at)


def tried(actor, action, row, *args, at=NOW, **given):
    with acting(actor):
        return action(row, *args, actor=actor, at=at, **given)


def lacking(way):
    with acting(way.doctor):
        return {lack.field for lack in drafting.missing(way.row, actor=way.doctor, at=NOW)}


def test_a_draft_begins_with_what_is_known_of_the_doctor(cast):
    row = begun(cast)
    assert (row.requesting_name, row.requesting_time_zone, row.state) == ("Омская ОКБ", "Asia/Omsk", "draft")
    assert (row.requester_snils, row.requester_department) == ("11223344595", "Отделение")
    assert row.requester_email == "omsk_doctor@example.org"


def test_numbers_follow_each_other_in_the_organisations_own_year(cast):
    new_year = datetime(2026, 12, 31, 19, 0, tzinfo=UTC)
    first, second = begun(cast, new_year), begun(cast, new_year)
    assert first.number.startswith("2027-")
    assert int(second.number[5:]) == int(first.number[5:]) + 1


def test_what_is_saved_stays_and_questions_keep_their_numbers(cast):
    row = begun(cast)
    tried(
        cast.omsk_doctor,
        drafting.save,
        row,
        {"anamnesis": "Болеет.", "state": "closed"},
        ["Один?", " ", "Два?"],
    )
    kept = seen(row, cast.omsk_doctor)
    assert (kept.anamnesis, kept.state, kept.version) == ("Болеет.", "draft", row.version + 1)
    with acting(cast.omsk_doctor):
        assert list(Question.objects.filter(consultation=row).values_list("number", "text")) == [
            (1, "Один?"),
            (2, "Два?"),
        ]
    tried(cast.omsk_doctor, drafting.save, row, {}, ["Другой?"])
    with acting(cast.omsk_doctor):
        assert list(kept.questions.values_list("number", "text")) == [(1, "Другой?")]


def test_the_second_of_two_windows_is_told_and_changes_nothing(cast):
    row = begun(cast)
    tried(cast.omsk_doctor, drafting.save, row, {"anamnesis": "Первое окно."}, version=row.version)
    with pytest.raises(Stale):
        tried(cast.omsk_doctor, drafting.save, row, {"anamnesis": "Второе."}, version=row.version)
    assert seen(row, cast.omsk_doctor).anamnesis == "Первое окно."


@pytest.mark.parametrize("who", ["omsk_doctor2", "chita_doctor", "cniis_dispatcher", "coordinator"])
def test_somebody_elses_draft_is_not_there(cast, who):
    row = begun(cast)
    for action in (drafting.submit, drafting.delete_draft, drafting.copy):
        with pytest.raises(NotThere):
            tried(getattr(cast, who), action, row)
    with pytest.raises(NotThere):
        tried(getattr(cast, who), drafting.save, row, {"anamnesis": "Чужое."})
    assert seen(row, cast.omsk_doctor).anamnesis == ""


def test_a_sent_request_cannot_be_rewritten_unless_more_was_asked(cast):
    row = in_state(cast, State.SUBMITTED)
    with pytest.raises(NotNow):
        tried(cast.omsk_doctor, drafting.save, row, {"anamnesis": "Позже."})
    asked = in_state(cast, State.CLARIFICATION)
    tried(cast.omsk_doctor, drafting.save, asked, {"anamnesis": "Дополнено."})
    assert seen(asked, cast.omsk_doctor).anamnesis == "Дополнено."


def test_a_complete_draft_goes_to_its_centre_and_the_clock_starts(cast):
    way = Way(cast).submitted(urgency="urgent", place_of_care="1", severity="1")
    row = way.row
    assert (row.state, row.turn, row.centre_name, row.centre_time_zone) == (
        "submitted",
        "dispatcher",
        "ЦНИИСиЧЛХ",
        "Europe/Moscow",
    )
    assert (row.submitted_at, row.due_at) == (way.at, way.at + timedelta(hours=8))
    assert seen(row, cast.cniis_dispatcher) is not None
    assert seen(row, cast.nmic_dispatcher) is None


def test_no_centre_sees_a_draft(cast):
    assert seen(Way(cast).written().row, cast.cniis_dispatcher) is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"goal": ""}, "goal"),
        ({"patient_snils": ""}, "patient_snils"),
        ({"complaints": ""}, "complaints"),
        ({"patient_birth_date": datetime(2012, 1, 1, tzinfo=UTC).date()}, "representative"),
        ({"urgency": "urgent"}, "severity"),
        ({"patient_unknown": True}, "patient_unknown"),
        ({"consent_by": ""}, "consent_by"),
    ],
)
def test_an_incomplete_draft_is_not_sent_and_says_what_is_missing(cast, values, field):
    way = Way(cast).written(**values)
    assert field in lacking(way)
    with pytest.raises(Missing):
        way.do(way.doctor, drafting.submit)
    assert seen(way.row, cast.omsk_doctor).state == "draft"


@pytest.mark.parametrize("kind", KINDS)
def test_every_demanded_document_is_demanded(cast, kind):
    way = Way(cast).written(kinds=[one for one in KINDS if one != kind])
    assert lacking(way) == {"documents"}
    with pytest.raises(Missing):
        way.do(way.doctor, drafting.submit)


def test_an_emergency_goes_incomplete_only_with_a_reason_and_a_question(cast):
    given = {"urgency": "emergency", "anamnesis": ""}
    with pytest.raises(Missing):
        Way(cast).written(kinds=(), **given).do(cast.omsk_doctor, drafting.submit)
    given["incomplete_reason"] = "Больной без сознания."
    with pytest.raises(Missing):
        Way(cast).written(questions=("Как?",), kinds=(), **given).do(cast.omsk_doctor, drafting.submit)
    way = Way(cast).written(kinds=(), **given)
    way.do(way.doctor, drafting.submit)
    assert way.row.due_at == way.at + timedelta(hours=2)


def test_no_route_no_sending(cast):
    way = Way(cast, who="pskov_doctor").written()
    with pytest.raises(Missing):
        way.do(way.doctor, drafting.submit)
    with acting(way.doctor):
        assert drafting.centres_for(way.row) == []


def test_the_centres_offered_take_the_profile_from_this_level(cast):
    way = Way(cast).written()
    with acting(way.doctor):
        assert {name for _, name in drafting.centres_for(way.row)} == {"ЦНИИСиЧЛХ", "НМИЦ нейрохирургии"}


def test_a_draft_is_deleted_whole_and_a_sent_request_never(cast):
    row = Way(cast).written().row
    with acting(cast.omsk_doctor):
        mark_read(row, actor=cast.omsk_doctor, at=NOW)
    tried(cast.omsk_doctor, drafting.delete_draft, row)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert seen(row, cast.omsk_doctor) is None
    with acting(cast.omsk_doctor):
        assert not Document.objects.filter(consultation_id=row.pk).exists()
        assert not Question.objects.filter(consultation_id=row.pk).exists()
    with pytest.raises(NotNow):
        tried(cast.omsk_doctor, drafting.delete_draft, in_state(cast, State.SUBMITTED))


def test_a_rejected_request_becomes_a_new_draft_with_its_documents_but_not_its_consent(cast):
    old = in_state(cast, State.REJECTED)
    new = tried(cast.omsk_doctor, drafting.copy, old)
    assert new.number != old.number
    kept = seen(new, cast.omsk_doctor)
    assert (kept.state, kept.patient_family, kept.consent_kind, kept.centre_id) == (
        "draft",
        "Зайцева",
        "",
        None,
    )
    with acting(cast.omsk_doctor):
        assert tuple(kept.questions.values_list("text", flat=True)) == QUESTIONS
        files = [
            set(
                Document.objects.filter(consultation=row)
                .exclude(kind="consent")
                .values_list("sha256", flat=True)
            )
            for row in (old, new)
        ]
        assert files[0] == files[1] != set()
        assert not Document.objects.filter(consultation=new, kind="consent").exists()
        assert Event.objects.filter(consultation=new, kind="copied", text=old.number).exists()


def test_a_request_that_still_goes_on_is_not_copied(cast):
    row = in_state(cast, State.SUBMITTED)
    with acting(cast.omsk_doctor):
        before = Consultation.objects.count()
    with pytest.raises(NotNow):
        tried(cast.omsk_doctor, drafting.copy, row)
    with acting(cast.omsk_doctor):
        assert Consultation.objects.count() == before


def test_an_own_document_is_no_document_of_another_draft(cast):
    row = begun(cast)
    tried(cast.omsk_doctor, documents.add, row, upload("extract"), kind="extract")
    with pytest.raises(Refused):
        tried(cast.omsk_doctor, documents.add, row, upload("extract"), kind="nonsense")
    other = begun(cast)
    with acting(cast.omsk_doctor):
        assert drafting.facts_of(other, cast.omsk_doctor, NOW).documents == frozenset()

"""A conclusion is drafted along the questions, placed with its scan, corrected; nobody outside sees a draft."""

from datetime import timedelta

import pytest
from django.db import connection

from konsilium.actions import (
    closing,
    concluding,
    consulting,
    conversation,
    documents,
    drafting,
    sessions,
    triage,
)
from konsilium.actions._step import NotThere
from konsilium.models import Answer, Conclusion, Document, Event, Question
from konsilium.models.access import acting, door
from konsilium.workflow.machine import Missing, NotNow, NotYours, Stale
from konsilium.workflow.words import CONCLUSION_SCAN
from tests.actions.test_triage import kinds
from tests.factories import QUESTIONS, Way, confirmed_session, upload
from tests.requests import seen

pytestmark = pytest.mark.django_db
OTHER_TEXT = "Операция не показана."


def draft(way, who=None):
    return way.do(who or way.consultant, concluding.draft_of)


def save(way, paper, values, answers=None, *, who=None, **given):
    who = who or way.consultant
    with acting(who):
        return concluding.save_draft(paper, values, answers or {}, actor=who, at=way.at, **given)


def questions(way):
    with acting(way.doctor):
        return list(Question.objects.filter(consultation=way.row).order_by("number"))


def answers(paper, who):
    with acting(who):
        rows = Answer.objects.filter(conclusion=paper).order_by("question__number")
        return [(answer.question.number, answer.text) for answer in rows]


def scans(way, who, name="scan2"):
    return way.do(who, documents.add, upload(name), kind=CONCLUSION_SCAN, conclusion=draft(way, who))


def conclusions(way, who):
    with acting(who):
        return list(Conclusion.objects.visible_to(who).filter(consultation=way.row).order_by("edition"))


def everything_drafted(way, **values):
    """A corrected draft that may be placed."""
    paper = draft(way)
    save(way, paper, {"text": OTHER_TEXT, "correction": "Получены новые снимки.", **values})
    way.do(way.consultant, documents.add, upload("новый скан"), kind=CONCLUSION_SCAN, conclusion=paper)
    return paper


def test_a_draft_follows_the_questions_and_takes_over_what_the_request_says(cast):
    way = Way(cast).concluding()
    paper = draft(way)
    assert (paper.edition, paper.placed_at) == (1, None)
    assert (paper.kind, paper.mode, paper.goal) == ("consultation", "deferred", "tactics")
    assert (paper.diagnosis_code, paper.diagnosis_certainty) == ("K07.1", "clinical")
    assert paper.diagnosis_text == "Аномалия соотношения челюстей"
    assert (paper.author_name, paper.author_position, paper.author_specialty) == (
        "Соколов Андрей",
        "Врач",
        "Хирургия",
    )
    assert paper.author_organization == "ЦНИИСиЧЛХ, полное наименование"
    assert answers(paper, way.consultant) == [(1, ""), (2, "")]
    assert draft(way).pk == paper.pk


def test_looking_at_the_paper_writes_nothing(cast):
    way = Way(cast).concluding()
    paper = way.do(way.consultant, concluding.paper_of)
    assert [(question.text, text) for question, text in paper.answers] == [(text, "") for text in QUESTIONS]
    assert paper.draft.diagnosis_code == "K07.1"
    assert conclusions(way, way.consultant) == []


def test_what_was_written_is_kept_and_counts_versions(cast):
    way = Way(cast).concluding()
    paper, (first, second) = draft(way), questions(way)
    saved = save(way, paper, {"text": " Показана. "}, {first.pk: " Да. "}, version=paper.version)
    assert (saved.text, saved.version, saved.diagnosis_code) == ("Показана.", paper.version + 1, "K07.1")
    assert answers(paper, way.consultant) == [(1, "Да."), (2, "")]
    with pytest.raises(Stale):
        save(way, paper, {"text": "Другое окно."}, {second.pk: "Нет."}, version=paper.version)
    assert answers(paper, way.consultant) == [(1, "Да."), (2, "")]
    [now] = conclusions(way, way.consultant)
    assert now.text == "Показана."


def test_an_answer_to_a_question_of_another_request_is_not_kept(cast):
    way, other = Way(cast).concluding(), Way(cast).concluding()
    paper, foreign = draft(way), questions(other)[0]
    save(way, paper, {}, {foreign.pk: "Не сюда."})
    assert answers(paper, way.consultant) == [(1, ""), (2, "")]


def test_only_the_assigned_consultant_writes(cast):
    way = Way(cast).concluding()
    paper = draft(way)
    for who in (way.dispatcher, way.doctor, cast.omsk_admin):
        with pytest.raises(NotYours):
            draft(way, who)
        with pytest.raises(NotYours):
            save(way, paper, {"text": "Чужое."}, who=who)
        with pytest.raises(NotYours), acting(who):
            concluding.attach_scan(paper, upload("чужой"), actor=who, at=way.at)
    for stranger in (cast.cniis_consultant2, cast.nmic_consultant, cast.chita_doctor):
        with pytest.raises(NotThere), acting(stranger):
            concluding.draft_of(way.row, actor=stranger, at=way.at)
        with pytest.raises(NotThere):
            save(way, paper, {"text": "Чужое."}, who=stranger)


def test_nothing_is_written_before_its_time(cast):
    way = Way(cast).assigned()
    with pytest.raises(NotNow):
        draft(way)
    assert conclusions(way, way.consultant) == []


def test_nothing_of_a_draft_is_seen_outside_before_it_is_placed(cast):
    way = Way(cast).drafted()
    [paper] = conclusions(way, way.consultant)
    for who in (way.doctor, cast.omsk_admin):
        with acting(who):
            assert Conclusion.objects.count() == 0
            assert Answer.objects.count() == 0
            assert Document.objects.filter(kind=CONCLUSION_SCAN).count() == 0
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM konsilium_answer")
                assert cursor.fetchone() == (0,)
    assert conclusions(way, way.dispatcher) == []
    before = seen(way.row, way.doctor)
    assert "document_added" not in kinds(way.row, way.doctor)
    way.do(way.consultant, concluding.place)
    # The control: what was hidden is there now.
    assert [one.pk for one in conclusions(way, way.doctor)] == [paper.pk]
    with acting(way.doctor):
        assert Document.objects.visible_to(way.doctor).filter(kind=CONCLUSION_SCAN).count() == 1
        assert Answer.objects.filter(conclusion=paper).count() == 2
    assert seen(way.row, way.doctor).stirred_at > before.stirred_at


def test_a_scan_taken_back_before_placing_is_seen_inside_the_centre_only(cast):
    way = Way(cast).drafted()
    with acting(way.consultant):
        scan = Document.objects.get(kind=CONCLUSION_SCAN, consultation=way.row)
        documents.remove(scan, actor=way.consultant, at=way.at)
        event = Event.objects.get(consultation=way.row, kind="document_remove")
    assert event.audience == Event.CENTRE
    assert "document_remove" not in kinds(way.row, way.doctor)
    assert "document_remove" in kinds(way.row, way.dispatcher)


def test_placing_stops_the_clock_and_shows_the_conclusion_with_its_scan(cast):
    way = Way(cast).completed()
    now = seen(way.row, way.doctor)
    assert (now.state, now.turn, now.answered_at) == ("completed", "requester", way.at)
    [placed] = conclusions(way, way.doctor)
    assert (placed.placed_at, placed.superseded_at) == (way.at, None)
    assert answers(placed, way.doctor) == [(1, "Да, показана."), (2, "Да, показана.")]
    with acting(way.doctor):
        [scan] = Document.objects.visible_to(way.doctor).filter(conclusion=placed)
    assert (scan.kind, scan.placed_at) == (CONCLUSION_SCAN, way.at)
    assert kinds(way.row, way.doctor)[-1] == "place"


def missing_text(way, paper):
    save(way, paper, {"text": "  "})


def missing_answer(way, paper):
    save(way, paper, {}, {questions(way)[1].pk: " "})


def missing_scan(way, paper):
    with acting(way.consultant):
        documents.remove(Document.objects.get(conclusion=paper), actor=way.consultant, at=way.at)


@pytest.mark.parametrize(
    ("take_away", "lack"),
    [
        (missing_text, "The conclusion's text"),
        (missing_answer, "An answer to every question"),
        (missing_scan, "The scan of the signed paper"),
    ],
)
def test_a_conclusion_is_placed_only_when_it_is_whole(cast, take_away, lack):
    way = Way(cast).drafted()
    paper = draft(way)
    take_away(way, paper)
    with acting(way.consultant):
        assert concluding.lacking(Conclusion.objects.get(pk=paper.pk)) == [lack]
    with pytest.raises(Missing, match="conclusion is not ready"):
        way.do(way.consultant, concluding.place)
    now = seen(way.row, way.doctor)
    assert (now.state, now.answered_at) == ("conclusion", None)
    assert conclusions(way, way.doctor) == []


def test_a_scan_that_is_still_being_checked_holds_the_conclusion_up(cast):
    way = Way(cast).drafted()
    with acting(way.consultant), door(way.row.pk):
        Document.objects.filter(consultation=way.row, kind=CONCLUSION_SCAN).update(state="quarantined")
    with acting(way.consultant):
        assert concluding.lacking(draft(way)) == ["The end of the scan's check"]
    with pytest.raises(Missing, match="conclusion is not ready"):
        way.do(way.consultant, concluding.place)


def test_without_a_draft_there_is_nothing_to_place(cast):
    way = Way(cast).concluding()
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)


def test_only_the_consultant_places_and_only_once(cast):
    way = Way(cast).drafted()
    version = way.row.version
    for who in (way.dispatcher, way.doctor):
        with pytest.raises(NotYours):
            way.do(who, concluding.place)
    with pytest.raises(NotThere), acting(cast.nmic_consultant):
        concluding.place(way.row, actor=cast.nmic_consultant, at=way.at)
    way.do(way.consultant, concluding.place, version=version)
    with pytest.raises(Stale):
        way.do(way.consultant, concluding.place, version=version)
    with pytest.raises(NotNow):
        way.do(way.consultant, concluding.place)


def test_a_placed_conclusion_never_changes(cast):
    way = Way(cast).drafted()
    paper = draft(way)
    way.do(way.consultant, concluding.place)
    with pytest.raises(Stale):
        save(way, paper, {"text": OTHER_TEXT})
    with pytest.raises(Stale), acting(way.consultant):
        concluding.attach_scan(paper, upload("поздний"), actor=way.consultant, at=way.at)
    with pytest.raises(Stale), acting(way.consultant):
        concluding.discard(paper, actor=way.consultant, at=way.at)
    with acting(way.consultant):
        assert Conclusion.objects.filter(pk=paper.pk).update(text=OTHER_TEXT) == 0
        assert Answer.objects.filter(conclusion=paper).update(text=OTHER_TEXT) == 0
        assert Answer.objects.filter(conclusion=paper).delete()[0] == 0
    assert conclusions(way, way.doctor)[0].text == "Операция показана."


def test_a_correction_is_a_new_edition_and_the_earlier_one_stays_readable(cast):
    way = Way(cast).completed()
    first_answer = way.row.answered_at
    paper = draft(way)
    assert (paper.edition, paper.text, paper.correction) == (2, "Операция показана.", "")
    assert answers(paper, way.consultant) == [(1, "Да, показана."), (2, "Да, показана.")]
    assert len(conclusions(way, way.doctor)) == 1
    everything_drafted(way)
    way.do(way.consultant, concluding.correct)
    old, new = conclusions(way, way.doctor)
    assert (old.text, old.superseded_at) == ("Операция показана.", way.at)
    assert (new.text, new.correction, new.superseded_at, new.placed_at) == (
        OTHER_TEXT,
        "Получены новые снимки.",
        None,
        way.at,
    )
    now = seen(way.row, way.doctor)
    assert (now.state, now.answered_at) == ("completed", first_answer)
    with acting(way.doctor):
        event = Event.objects.visible_to(way.doctor).get(consultation=way.row, kind="correct")
    assert event.text == "Получены новые снимки."


def test_a_corrected_conclusion_is_to_be_confirmed_again(cast):
    way = Way(cast).completed()
    way.do(way.doctor, closing.acknowledge)
    everything_drafted(way)
    way.do(way.consultant, concluding.correct)
    assert seen(way.row, way.doctor).acknowledged_at is None
    way.do(way.doctor, closing.acknowledge)
    assert seen(way.row, way.doctor).acknowledged_at == way.at


def test_a_correction_says_what_it_changes_and_has_its_own_scan(cast):
    way = Way(cast).completed()
    paper = draft(way)
    with acting(way.consultant):
        assert concluding.lacking(paper) == [
            "What the correction changes, and why",
            "The scan of the signed paper",
        ]
    everything_drafted(way, correction=" ")
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.correct)
    assert [one.superseded_at for one in conclusions(way, way.doctor)] == [None]


def test_a_draft_can_be_thrown_away_with_its_scan(cast):
    way = Way(cast).completed()
    paper = everything_drafted(way)
    with acting(way.consultant):
        concluding.discard(paper, actor=way.consultant, at=way.at)
        [scan] = Document.objects.filter(consultation=way.row, kind=CONCLUSION_SCAN, placed_at=None)
    assert (scan.state, scan.conclusion_id) == ("removed", None)
    assert [one.edition for one in conclusions(way, way.consultant)] == [1]
    assert draft(way).edition == 2


def test_whoever_takes_over_is_the_author_and_lays_an_own_scan_to_it(cast):
    way = Way(cast).drafted()
    way.do(way.dispatcher, triage.reassign, cast.cniis_consultant2.membership_id)
    other = cast.cniis_consultant2
    paper = draft(way, other)
    assert paper.text == "Операция показана."
    with pytest.raises(Missing):
        way.do(other, concluding.place)
    own = scans(way, other)
    way.do(other, concluding.place)
    [placed] = conclusions(way, way.doctor)
    assert placed.author_name == "Ершова Инна"
    with acting(way.doctor):
        shown = Document.objects.visible_to(way.doctor).filter(kind=CONCLUSION_SCAN)
        assert [scan.pk for scan in shown] == [own.pk]


def test_the_requester_takes_a_question_back_and_adds_one_while_a_draft_waits(cast):
    way = Way(cast).drafted()
    way.do(way.consultant, consulting.reconsider)
    way.do(way.consultant, consulting.ask_back, "Уточните вопросы.")
    way.do(way.doctor, drafting.save, {}, [QUESTIONS[0]])
    # The foreign keys are checked at the end of a transaction: now.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    way.do(way.doctor, drafting.save, {}, [QUESTIONS[0], "Когда можно приехать на осмотр?"])
    way.do(way.doctor, conversation.answer, "Уточнил.")
    way.do(way.consultant, consulting.no_video)
    paper = way.do(way.consultant, concluding.paper_of)
    assert [text for _question, text in paper.answers] == ["Да, показана.", ""]
    with pytest.raises(Missing):
        way.do(way.consultant, concluding.place)
    save(way, paper.draft, {}, {questions(way)[1].pk: "На следующей неделе."})
    way.do(way.consultant, concluding.place)
    assert answers(paper.draft, way.doctor) == [(1, "Да, показана."), (2, "На следующей неделе.")]


def test_a_held_session_makes_the_conclusion_a_real_time_one(cast):
    way = Way(cast).on_video()
    session = confirmed_session(way)
    way.at += timedelta(days=1, hours=1)
    with acting(way.consultant):
        sessions.hold(session, ended_at=way.at, actor=way.consultant, at=way.at)
    assert draft(way).mode == "real_time"

"""Both sides write in a request's thread; the answer gives the request back to whom the question came from."""

from datetime import timedelta
from uuid import uuid4

import pytest

from konsilium.actions import conversation, triage
from konsilium.actions._step import NotThere
from konsilium.actions.conversation import Letter, NoSuchQuestion, NotAttachable, NothingWritten
from konsilium.models import Document, Event, Message, ReadMark
from konsilium.models.access import acting
from konsilium.workflow.machine import Missing, NotNow, NotYours, Stale
from tests.actions.test_triage import LATER, assigned, kinds, moved
from tests.cast import NOW
from tests.requests import draft, seen, sent

pytestmark = pytest.mark.django_db


def asked(cast, **given):
    row = sent(cast, **given)
    moved(row, cast.cniis_dispatcher, triage.ask, "Пришлите КТ.")
    return row


def letters(row, actor):
    with acting(actor):
        return [
            (m.kind, m.text, m.author_name)
            for m in Message.objects.visible_to(actor).filter(consultation=row)
        ]


def test_an_answer_gives_the_request_back_and_the_clock_runs_later_by_the_time_it_stood(cast):
    row = asked(cast)
    message = moved(
        row, cast.omsk_doctor, conversation.answer, " КТ приложена. ", at=LATER + timedelta(hours=7)
    )
    now = seen(row, cast.cniis_dispatcher)
    assert (now.state, now.turn, now.paused_at, now.asked_at, now.asked_from) == (
        "submitted",
        "dispatcher",
        None,
        None,
        "",
    )
    assert now.due_at == NOW + timedelta(hours=24 + 7)
    with acting(cast.omsk_doctor):
        assert (message.text, message.kind, message.answers.text) == (
            "КТ приложена.",
            "answer",
            "Пришлите КТ.",
        )


def test_the_organisations_administrator_answers_for_the_doctor(cast):
    row = asked(cast)
    moved(row, cast.omsk_admin, conversation.answer, "КТ приложена.")
    assert seen(row, cast.cniis_dispatcher).state == "submitted"


def test_an_answer_needs_words_a_question_and_the_requesting_side(cast):
    row = asked(cast)
    with pytest.raises(Missing, match="in words"):
        moved(row, cast.omsk_doctor, conversation.answer, " ")
    with pytest.raises(NotYours):
        moved(row, cast.cniis_dispatcher, conversation.answer, "Сам отвечу.")
    with pytest.raises(NotThere):
        moved(row, cast.chita_doctor, conversation.answer, "Не моё.")
    with pytest.raises(Stale):
        moved(row, cast.omsk_doctor, conversation.answer, "КТ.", version=1)
    with pytest.raises(NotNow):
        moved(sent(cast), cast.omsk_doctor, conversation.answer, "Не спрашивали.")
    assert letters(row, cast.omsk_doctor) == [("question", "Пришлите КТ.", "Котова Мария")]


def test_both_sides_write_and_the_other_side_is_told(cast):
    row = assigned(cast)
    moved(row, cast.omsk_doctor, conversation.post, Letter("Добрый день."))
    moved(row, cast.cniis_consultant, conversation.post, Letter("Когда сделана КТ?", "question"))
    assert letters(row, cast.omsk_admin) == [
        ("message", "Добрый день.", "Петров Илья"),
        ("question", "Когда сделана КТ?", "Соколов Андрей"),
    ]
    assert kinds(row, cast.omsk_doctor)[-2:] == ["message_posted", "message_posted"]
    assert seen(row, cast.omsk_doctor).state == "assigned"


def test_an_event_of_a_message_carries_no_word_of_it(cast):
    row = sent(cast)
    moved(row, cast.omsk_doctor, conversation.post, Letter("Температура 39."))
    with acting(cast.omsk_doctor):
        event = Event.objects.get(consultation=row, kind="message_posted")
    assert (event.text, event.subject) == ("", "message")


def test_an_answer_in_the_thread_names_its_question(cast):
    row, other = sent(cast), sent(cast)
    question = moved(row, cast.omsk_doctor, conversation.post, Letter("Можно ли ждать?", "question"))
    reply = moved(row, cast.cniis_dispatcher, conversation.post, Letter("Да.", "answer", question.pk))
    assert reply.answers_id == question.pk
    for wrong in (uuid4(), reply.pk):
        with pytest.raises(NoSuchQuestion):
            moved(row, cast.cniis_dispatcher, conversation.post, Letter("Да.", "answer", wrong))
    with pytest.raises(NoSuchQuestion):
        moved(other, cast.cniis_dispatcher, conversation.post, Letter("Да.", "answer", question.pk))


def test_nothing_is_posted_without_words_or_by_strangers(cast):
    row = sent(cast)
    with pytest.raises(NothingWritten):
        moved(row, cast.omsk_doctor, conversation.post, Letter(" \n"))
    for stranger in (cast.chita_doctor, cast.omsk_doctor2, cast.nmic_dispatcher, cast.cniis_consultant):
        with pytest.raises(NotThere):
            moved(row, stranger, conversation.post, Letter("Читаю чужое."))
    assert letters(row, cast.omsk_doctor) == []


def test_a_draft_has_no_thread_and_a_finished_request_only_one_to_read(cast):
    with pytest.raises(NotNow, match="not sent yet"):
        moved(draft(cast), cast.omsk_doctor, conversation.post, Letter("Кто здесь?"))
    row = sent(cast)
    moved(row, cast.omsk_doctor, conversation.post, Letter("До решения."))
    moved(row, cast.cniis_dispatcher, triage.reject, "duplicate")
    with pytest.raises(NotNow, match="only be read"):
        moved(row, cast.omsk_doctor, conversation.post, Letter("После решения."))
    assert letters(row, cast.omsk_doctor) == [("message", "До решения.", "Петров Илья")]


def test_what_somebody_writes_is_unread_for_the_other_side_alone(cast):
    row = sent(cast)
    moved(row, cast.cniis_dispatcher, conversation.post, Letter("Смотрим."))

    def unread(actor):
        with acting(actor):
            mark = ReadMark.objects.filter(consultation=row, person_id=actor.person_id).first()
        return mark is None or seen(row, actor).stirred_at > mark.read_at

    assert (unread(cast.cniis_dispatcher), unread(cast.omsk_doctor)) == (False, True)


def add_file(row, actor, name="кт.pdf"):
    with acting(actor):
        document = Document(
            consultation=row,
            state="available",
            kind="other",
            file_name=name,
            media_type="application/pdf",
            size=3,
            sha256="0" * 64,
            added_at=LATER,
            author_id=actor.person_id,
            author_name=actor.name,
            author_role=actor.role,
        )
        document.save(force_insert=True)
    return document


def test_files_go_along_with_an_answer(cast):
    row = asked(cast)
    document = add_file(row, cast.omsk_doctor)
    message = moved(row, cast.omsk_doctor, conversation.answer, "Вот.", documents=[document.pk])
    with acting(cast.cniis_dispatcher):
        assert Document.objects.visible_to(cast.cniis_dispatcher).get(message=message).file_name == "кт.pdf"


def test_a_file_of_somebody_else_or_of_another_request_can_not_be_attached(cast):
    row, other = asked(cast), sent(cast)
    for document in (add_file(row, cast.omsk_admin), add_file(other, cast.omsk_doctor)):
        with pytest.raises(NotAttachable):
            moved(row, cast.omsk_doctor, conversation.answer, "Вот.", documents=[document.pk])
    assert seen(row, cast.omsk_doctor).state == "clarification"
    assert len(letters(row, cast.omsk_doctor)) == 1

"""What stands on the request page, for whom."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from konsilium.actions import consulting, conversation, sessions, triage
from konsilium.actions._record import record
from konsilium.actions.conversation import Letter
from konsilium.models import Document, Message, Question, Viewing
from konsilium.models.access import acting
from konsilium.web.consultation import moves, story
from konsilium.workflow.consultation import MACHINE, MOVE_LABELS
from konsilium.workflow.document import DOCUMENT_MACHINE
from konsilium.workflow.roles import Role
from konsilium.workflow.session import SESSION_MOVE_LABELS
from tests.actions.test_closing import completed
from tests.actions.test_triage import assigned, moved
from tests.requests import sent

pytestmark = pytest.mark.django_db
ROLES = ("omsk_doctor", "omsk_admin", "cniis_dispatcher", "cniis_consultant")


@pytest.fixture
def past():
    return timezone.now() - timedelta(hours=2)


def page_of(client_as, actor, row, address="requests/{}/"):
    answer = client_as(actor).get("/" + address.format(row.pk))
    assert answer.status_code == 200
    return answer.content.decode()


def turn_of(page):
    block = re.search(r'<div class="turn.*?</div>\s*(<div class="row">.*?</div>)?\s*</div>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", block[0]).split())


def test_whose_turn_it_is_stands_first_with_the_one_main_button(cast, client_as, past):
    row = sent(cast, at=past)
    dispatcher = page_of(client_as, cast.cniis_dispatcher, row)
    doctor = page_of(client_as, cast.omsk_doctor, row)
    assert turn_of(dispatcher) == (
        "Ваш ход Назначьте консультанта, запросите недостающее, передайте в другой центр или отклоните."
        " Назначить консультанта"
    )
    assert turn_of(doctor) == "Ход диспетчера Запрос у диспетчера центра."
    assert dispatcher.count("button primary") == 1
    assert doctor.count("button primary") == 0


def test_the_page_gives_everybody_who_has_a_part_in_it_the_whole_request(cast, client_as, past):
    row = assigned(cast, at=past, complaints="Боль при жевании.", patient_snils="11223344595")
    for who in ROLES:
        page = page_of(client_as, getattr(cast, who), row)
        for text in (
            row.number,
            "Зайцева Ольга Петровна",
            "Показана ли операция сейчас?",
            "K07.1 Аномалия соотношения челюстей",
            "Боль при жевании.",
            "112-233-445 95",
            "Омская ОКБ",
            "ЦНИИСиЧЛХ",
            "Соколов Андрей",
            "МСК+3",
        ):
            assert text in page, (who, text)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("omsk_doctor2", 404),
        ("chita_doctor", 404),
        ("chita_admin", 404),
        ("nmic_dispatcher", 404),
        ("nmic_consultant", 404),
        ("cniis_consultant2", 404),
        ("coordinator", 403),
        ("sysadmin", 403),
        ("omsk_technician", 403),
    ],
)
def test_a_stranger_gets_the_answer_of_a_request_that_never_was(cast, client_as, past, who, status):
    row = assigned(cast, at=past)
    client = client_as(getattr(cast, who))
    for address in ("", "thread/", "timeline/", "assign/", "reject/", "answer/", "withdraw/", "close/"):
        assert client.get(f"/requests/{row.pk}/{address}").status_code == status
        assert client.post(f"/requests/{row.pk}/{address}", {"text": "чужое"}).status_code == status


def test_moves_of_another_role_are_refused_and_those_of_another_state_explained(cast, client_as, past):
    row = assigned(cast, at=past)
    doctor, dispatcher = client_as(cast.omsk_doctor), client_as(cast.cniis_dispatcher)
    for address in ("assign", "reassign", "ask", "reject", "pass-on"):
        assert doctor.get(f"/requests/{row.pk}/{address}/").status_code == 403
        assert doctor.post(f"/requests/{row.pk}/{address}/", {"text": "Я"}).status_code == 403
    assert dispatcher.get(f"/requests/{row.pk}/withdraw/").status_code == 403
    back = dispatcher.get(f"/requests/{row.pk}/assign/", follow=True)
    assert back.redirect_chain == [(f"/requests/{row.pk}/", 302)]
    assert "В нынешнем состоянии это действие невозможно." in back.content.decode()


def test_each_role_sees_its_moves_and_no_others(cast, client_as, past):
    new, given, done = sent(cast, at=past), assigned(cast, at=past), completed(cast, at=past)

    def open_moves(row, who):
        page = page_of(client_as, getattr(cast, who), row)
        known = (
            "assign",
            "reassign",
            "ask",
            "reject",
            "pass-on",
            "answer",
            "withdraw",
            "acknowledge",
            "close",
        )
        return {move for move in known if f"/requests/{row.pk}/{move}/" in page}

    assert open_moves(new, "cniis_dispatcher") == {"assign", "ask", "reject", "pass-on"}
    assert open_moves(new, "omsk_doctor") == open_moves(new, "omsk_admin") == {"withdraw"}
    assert open_moves(given, "cniis_dispatcher") == {"reassign"}
    assert open_moves(given, "omsk_doctor") == {"withdraw"}
    assert open_moves(done, "omsk_doctor") == {"acknowledge", "close"}
    assert open_moves(done, "cniis_dispatcher") == set()


def test_confirmed_reading_takes_its_button_away(cast, client_as, past):
    row = completed(cast, at=past)
    client = client_as(cast.omsk_doctor)
    answer = client.post(f"/requests/{row.pk}/acknowledge/", {"once_key": "k"}, follow=True)
    page = answer.content.decode()
    assert "центр увидит, что вы ознакомились" in page
    assert f"/requests/{row.pk}/acknowledge/" not in page
    again = client.post(f"/requests/{row.pk}/acknowledge/", {"once_key": "k2"}, follow=True)
    assert "Ознакомление уже подтверждено." in again.content.decode()


def test_the_requester_never_sees_that_a_consultant_handed_it_back(cast, client_as, past):
    row = assigned(cast, at=past)
    moved(row, cast.cniis_consultant, consulting.hand_back, "no_specialist", "Меня не будет.", at=past)
    inside = page_of(client_as, cast.cniis_dispatcher, row)
    assert "Консультант вернул запрос диспетчеру (видно только внутри центра)" in inside
    assert "Меня не будет." in inside
    for who in ("omsk_doctor", "omsk_admin"):
        page = page_of(client_as, getattr(cast, who), row) + page_of(
            client_as, getattr(cast, who), row, "requests/{}/timeline/"
        )
        assert "вернул запрос" not in page
        assert "Меня не будет." not in page


def test_why_a_request_ended_is_said_to_its_requester(cast, client_as, past):
    row = sent(cast, at=past)
    moved(row, cast.cniis_dispatcher, triage.reject, "examination_incomplete", "Нужна КЛКТ.", at=past)
    page = page_of(client_as, cast.omsk_doctor, row)
    for text in ("Почему отклонён", "Обследование неполное", "Нужна КЛКТ.", "Действий не требуется"):
        assert text in page, text
    assert "переписку можно только читать" in page


def test_a_look_is_logged_once_and_shown_to_the_requesting_side_alone(cast, client_as, past):
    row = sent(cast, at=past)
    for _ in range(3):
        page_of(client_as, cast.cniis_dispatcher, row)
    with acting(cast.omsk_doctor):
        looks = Viewing.objects.filter(consultation=row, person_id=cast.cniis_dispatcher.person_id).count()
    assert looks == 1
    section = page_of(client_as, cast.omsk_admin, row).split("Кто просматривал")[1]
    assert "Котова Мария" in section
    assert "Диспетчер, ЦНИИСиЧЛХ" in section
    assert "Кто просматривал" not in page_of(client_as, cast.cniis_dispatcher, row)


def test_what_came_since_the_last_look_is_marked_new_until_it_is_seen(cast, client_as, past):
    row = sent(cast, at=past)
    page_of(client_as, cast.cniis_dispatcher, row)
    moved(row, cast.omsk_doctor, conversation.post, Letter("Добавляю."), at=timezone.now())
    own = page_of(client_as, cast.omsk_doctor, row)
    first, second = (page_of(client_as, cast.cniis_dispatcher, row) for _ in range(2))
    assert ("1 новое сообщение" in first, "1 новое сообщение" in second) == (True, False)
    assert "новое сообщение" not in own
    assert first.count('class="message new"') == 1


def grow(row, cast, count, at):
    with acting(cast.omsk_doctor):
        for number in range(count):
            moment = at + timedelta(seconds=number)
            message = Message(
                consultation=row,
                text=f"Сообщение {number}.",
                at=moment,
                author_id=cast.omsk_doctor.person_id,
                author_name="Петров Илья",
                author_role="requester",
                author_organization="Омская ОКБ",
            )
            message.save(force_insert=True)
            record(row, "message_posted", actor=cast.omsk_doctor, at=moment)
            Document(
                consultation=row,
                state="available",
                kind="other",
                file_name=f"файл {number}.pdf",
                media_type="application/pdf",
                size=3,
                sha256=f"{number:064}",
                added_at=moment,
                author_id=cast.omsk_doctor.person_id,
                author_name="Петров Илья",
                author_role="requester",
                message=message,
            ).save(force_insert=True)


def test_the_page_costs_the_same_queries_with_1_3_and_300_of_everything(cast, client_as, past):
    row = assigned(cast, at=past)
    client = client_as(cast.cniis_consultant)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/requests/{row.pk}/").status_code == 200
        return len(caught)

    counts = []
    for more in (1, 2, 297):
        grow(row, cast, more, past + timedelta(minutes=1 + len(counts)))
        queries()
        counts.append(queries())
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 30


def test_long_threads_and_timelines_go_on_at_earlier_without_gap_or_repeat(cast, client_as, past):
    row = sent(cast, at=past)
    grow(row, cast, 120, past + timedelta(minutes=1))
    client = client_as(cast.cniis_dispatcher)

    def walk(pattern, text):
        page, found = client.get(f"/requests/{row.pk}/").content.decode(), []
        while True:
            found += re.findall(text, page)
            further = re.search(pattern, page)
            if not further:
                return found
            page = client.get(further[1]).content.decode()

    messages = walk(rf'href="(/requests/{row.pk}/thread/\?before=[^"]+)"', r"Сообщение (\d+)\.")
    assert sorted(map(int, messages)) == list(range(120))
    events = walk(rf'href="(/requests/{row.pk}/timeline/\?before=[^"]+)"', "Новое сообщение в переписке")
    assert len(events) == 120


def test_an_emergency_sent_incomplete_says_why(cast, client_as, past):
    row = sent(
        cast, at=past, urgency="emergency", incomplete_reason="Пациент без сознания.", patient_unknown=True
    )
    page = page_of(client_as, cast.cniis_dispatcher, row)
    assert "Отправлен неполным" in page
    assert "Пациент без сознания." in page
    assert "Неизвестный пациент" in page


def test_hostile_text_is_shown_as_text(cast, client_as, past):
    evil = "<script>alert(1)</script>"
    row = assigned(cast, at=past, anamnesis=evil, questions=(evil + " вопрос подлиннее",))
    moved(row, cast.omsk_doctor, conversation.post, Letter(evil), at=past)
    page = page_of(client_as, cast.cniis_consultant, row)
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3


def test_every_move_of_the_machines_has_its_words_in_the_timeline():
    kinds = {
        *MOVE_LABELS,
        *(f"session_{move}" for move in SESSION_MOVE_LABELS),
        *(f"document_{move}" for move in DOCUMENT_MACHINE.labels),
    }
    assert kinds - set(story.HAPPENED) == set()


def test_questions_stand_with_their_numbers(cast, client_as, past):
    row = sent(cast, at=past, questions=("Первый вопрос консультанту?", "Второй вопрос консультанту?"))
    page = page_of(client_as, cast.cniis_dispatcher, row)
    assert '<li value="2" class="text">Второй вопрос консультанту?</li>' in page
    with acting(cast.cniis_dispatcher):
        assert Question.objects.filter(consultation=row).count() == 2


def test_every_move_of_a_person_has_a_page_or_a_button():
    made_elsewhere = {"submit", "session_held"}
    rows = {(row.move, row.role) for row in MACHINE.rows if row.role is not Role.SYSTEM}
    assert {(move, role) for move, role in rows if move not in made_elsewhere} == set(moves.PAGES)
    for page in moves.PAGES.values():
        assert reverse(page.name, args=[uuid4()]).startswith("/requests/")


def test_while_a_session_is_agreed_on_the_main_button_leads_to_it(cast, client_as, past):
    row = assigned(cast, at=past)
    consultant, doctor = cast.cniis_consultant, cast.omsk_doctor
    moved(row, consultant, consulting.need_video, at=past)
    assert turn_of(page_of(client_as, consultant, row)).endswith("Предложить время")
    time = timezone.now() + timedelta(days=1)
    session = moved(row, consultant, sessions.propose, [time], at=past)
    assert turn_of(page_of(client_as, doctor, row)).endswith("Выбрать время")
    assert turn_of(page_of(client_as, consultant, row)).startswith("Ход врача-заявителя")
    with acting(doctor):
        option = sessions.options_on_the_table(session)[0]
        sessions.confirm(session, option.pk, actor=doctor, at=past)
    for who in (consultant, doctor):
        assert turn_of(page_of(client_as, who, row)).startswith("Обе стороны ждут сеанса")
        assert turn_of(page_of(client_as, who, row)).endswith("К сеансу")

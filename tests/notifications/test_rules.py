"""Who is told of what: each side of a request, nobody of their own doing, nobody without a part in it."""

from datetime import timedelta

import pytest

from konsilium.actions import closing, consulting, conversation, onboarding, sessions, triage
from konsilium.models import Notice, Organization
from konsilium.models.access import acting, as_worker, signing_in
from konsilium.notifications import deliver
from konsilium.notifications.rules import DESK_RULES, MINE, RULES, SENTENCES, sentence
from konsilium.workflow.consultation import MACHINE
from konsilium.workflow.session import SESSION_MACHINE
from tests.cast import NOW
from tests.factories import Way, confirmed_session, upload

pytestmark = pytest.mark.django_db

# Of these nobody is told: they change nothing for anybody else yet, or the move they belong to tells.
SILENT = {
    "need_video",
    "no_video",
    "reconsider",
    "give_up_video",
    "session_held",
    "session_start",
    "session_hold",
}


def told(cast, way, kind):
    """Tell everything pending; return who was told of this, by login, and whether it is theirs to act."""
    deliver.tell_pending(at=way.at)
    names = {actor.person_id: login for login, actor in cast.actors.items()}
    with as_worker():
        rows = Notice.objects.filter(kind=kind, path=f"/requests/{way.row.pk}/")
        return {(names[row.person_id], row.needs_action) for row in rows}


def test_every_move_has_a_rule_or_is_silent_on_purpose():
    moves = {row.move for row in MACHINE.rows} | {f"session_{row.move}" for row in SESSION_MACHINE.rows}
    assert moves - set(RULES) == SILENT
    assert set(RULES) | set(DESK_RULES) == set(SENTENCES)
    assert set(MINE) <= set(SENTENCES)


def test_a_new_request_is_told_to_the_centres_dispatchers(cast):
    way = Way(cast).submitted()
    assert told(cast, way, "submit") == {("cniis_dispatcher", True), ("cniis_dispatcher2", True)}


def test_an_administrator_who_writes_for_a_doctor_lets_the_doctor_know(cast):
    way = Way(cast).submitted()
    way.do(cast.omsk_admin, closing.withdraw, "not_needed")
    assert told(cast, way, "withdraw") == {
        ("cniis_dispatcher", False),
        ("cniis_dispatcher2", False),
        ("omsk_doctor", False),
    }


def test_an_assignment_is_the_consultants_to_act_and_news_to_the_doctor(cast):
    way = Way(cast).assigned()
    assert told(cast, way, "assign") == {("cniis_consultant", True), ("omsk_doctor", False)}
    way.do(way.dispatcher, triage.reassign, cast.cniis_consultant2.membership_id)
    assert told(cast, way, "reassign") == {("cniis_consultant2", True), ("omsk_doctor", False)}


def test_a_question_is_told_to_the_doctor_and_its_answer_to_who_asked(cast):
    way = Way(cast).asked()
    assert told(cast, way, "ask") == {("omsk_doctor", True)}
    way.do(way.doctor, conversation.answer, "Вот снимок.")
    assert told(cast, way, "answer") == {("cniis_consultant", True)}


def test_what_a_consultant_hands_back_stays_in_the_centre(cast):
    way = Way(cast).assigned()
    way.do(way.consultant, consulting.hand_back, "wrong_profile")
    assert told(cast, way, "hand_back") == {("cniis_dispatcher", True), ("cniis_dispatcher2", True)}


def test_a_request_passed_on_is_told_to_the_other_centre(cast):
    way = Way(cast).submitted()
    way.do(way.dispatcher, triage.pass_on, cast.house("nmic"))
    assert told(cast, way, "pass_on") == {("nmic_dispatcher", True), ("omsk_doctor", False)}


def test_times_go_to_the_doctor_and_come_back_to_the_consultant(cast):
    way = Way(cast).on_video()
    session = way.do(way.dispatcher, sessions.propose, [NOW + timedelta(days=1)])
    assert told(cast, way, "session_propose") == {("omsk_doctor", True), ("cniis_consultant", False)}
    with acting(way.doctor):
        sessions.counter(session, [NOW + timedelta(days=2)], actor=way.doctor, at=way.at)
    assert told(cast, way, "session_counter") == {("cniis_consultant", True)}
    with acting(way.dispatcher):
        option = sessions.options_on_the_table(session)[0]
        session.refresh_from_db()
        sessions.accept(session, option.pk, actor=way.dispatcher, at=way.at)
    assert told(cast, way, "session_accept") == {("omsk_doctor", False), ("cniis_consultant", False)}


def test_a_confirmed_time_is_told_to_the_consultant(cast):
    way = Way(cast).on_video()
    confirmed_session(way)
    assert told(cast, way, "session_confirm") == {("cniis_consultant", False)}


def test_a_placed_conclusion_is_the_doctors_to_act(cast):
    way = Way(cast).completed()
    assert told(cast, way, "place") == {("omsk_doctor", True)}
    way.do(way.doctor, closing.close, "improved")
    assert told(cast, way, "close") == {("cniis_consultant", False)}


def test_a_message_and_a_document_are_told_to_the_other_side(cast):
    from konsilium.actions import documents

    way = Way(cast).assigned()
    way.do(way.doctor, conversation.post, conversation.Letter("Когда ждать ответа?"))
    assert told(cast, way, "message_posted") == {("cniis_consultant", False)}
    way.do(way.doctor, documents.add, upload("xray"), kind="xray")
    assert told(cast, way, "document_added") == {("cniis_consultant", False)}


def test_when_a_doctors_access_has_ended_the_administrator_is_told(cast, owner):
    way = Way(cast).assigned()
    active = "UPDATE konsilium_membership SET is_active = %s WHERE id = %s"
    owner.execute(active, [False, cast.omsk_doctor.membership_id])
    try:
        assert told(cast, way, "assign") == {("cniis_consultant", True), ("omsk_admin", False)}
    finally:
        owner.execute(active, [True, cast.omsk_doctor.membership_id])


def test_nobody_is_told_of_a_draft_and_nothing_stays_pending(cast):
    way = Way(cast).written()
    assert told(cast, way, "begin") == set()
    with as_worker():
        from konsilium.models import Delivery

        assert not Delivery.objects.filter(done_at=None).exists()


def test_a_new_application_is_told_to_the_coordinators(cast):
    values = dict.fromkeys(onboarding.APPLICATION_FIELDS, "x") | {
        "full_name": "Тувинская РБ", "short_name": "Тувинская РБ", "oid": "1.2.643.5.1.13.13.12.2.17.4711",
        "inn": "7707083893", "ogrn": "1027700132195", "region": "17", "time_zone": "Asia/Krasnoyarsk", "level": 3,
        "responsible_email": "a@example.org",
    }  # fmt: skip
    house, application, _ = onboarding.apply(values, [{"name": "Ооржак А.", "phone": "1"}], at=NOW)
    deliver.tell_pending(at=NOW)
    with as_worker():
        notice = Notice.objects.get(kind="application_submitted")
    assert (notice.person_id, notice.needs_action) == (cast.coordinator.person_id, True)
    assert (notice.number, notice.path) == (application.number, f"/organizations/{house.pk}/")


def test_somebody_whose_password_was_changed_is_told(cast):
    from konsilium.actions import account
    from konsilium.models import Person

    with signing_in():
        person = Person.objects.get(pk=cast.omsk_doctor.person_id)
        account.record_of_account(person, "password_changed", at=NOW)
        account.record_of_account(person, "signed_in", at=NOW)
    deliver.tell_pending(at=NOW)
    with as_worker():
        assert list(Notice.objects.values_list("kind", "person_id", "membership_id", "path")) == [
            ("password_changed", cast.omsk_doctor.person_id, None, "/me/security/")
        ]


def test_no_sentence_says_anything_but_the_number(cast):
    way = Way(cast).submitted()
    with acting(cast.omsk_doctor):
        patient, house = way.row.patient_family, Organization.objects.get(pk=cast.house("omsk")).short_name
    for kind in SENTENCES:
        for mine in (True, False):
            words = sentence(kind, way.row.number, needs_action=mine)
            assert patient not in words
            assert house not in words
            assert "%" not in words


def waiting(cast, way):
    """Who still reads that something of this request is theirs to act."""
    names = {actor.person_id: login for login, actor in cast.actors.items()}
    with as_worker():
        rows = Notice.objects.filter(path=f"/requests/{way.row.pk}/", needs_action=True)
        return {names[row.person_id] for row in rows}


def test_what_one_dispatcher_has_done_does_not_wait_for_the_other(cast):
    way, other = Way(cast).submitted(), Way(cast).submitted()
    told(cast, way, "submit")
    assert waiting(cast, way) == {"cniis_dispatcher", "cniis_dispatcher2"}
    way.do(way.dispatcher, triage.assign, way.consultant.membership_id)
    told(cast, way, "assign")
    assert waiting(cast, way) == {"cniis_consultant"}
    assert waiting(cast, other) == {"cniis_dispatcher", "cniis_dispatcher2"}


def test_a_message_takes_nobodys_turn_away(cast):
    way = Way(cast).asked()
    way.do(way.consultant, conversation.post, conversation.Letter("И ещё заключение ЛОР-врача."))
    told(cast, way, "message_posted")
    assert waiting(cast, way) == {"omsk_doctor"}


def test_whoever_acts_on_a_request_has_read_what_they_were_told_of_it(cast):
    way = Way(cast).submitted()
    told(cast, way, "submit")
    way.do(way.dispatcher, triage.assign, way.consultant.membership_id)
    told(cast, way, "assign")
    with as_worker():
        unread = Notice.objects.filter(path=f"/requests/{way.row.pk}/", read_at=None)
        people = set(unread.values_list("person_id", flat=True))
    assert way.dispatcher.person_id not in people
    assert cast.cniis_dispatcher2.person_id in people


def test_a_notice_bears_the_time_of_what_happened_not_of_the_telling(cast):
    way = Way(cast).submitted()
    deliver.tell_pending(at=way.at + timedelta(hours=5))
    with as_worker():
        assert {notice.at for notice in Notice.objects.all()} == {way.at}

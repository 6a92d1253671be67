"""Pending happenings become notices, notices become letters: at least once, told apart, parked in the end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from konsilium.adapters.mail import MailRefused, MailUnavailable, NullMail
from konsilium.models import Delivery, Notice
from konsilium.models._base import uuid7
from konsilium.models.access import as_worker
from konsilium.notifications import deliver
from konsilium.notifications.channels import email
from tests.cast import NOW
from tests.factories import in_state

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def mail(settings):
    """A mail server that takes everything."""
    settings.SMTP_URL = "null://"
    return NullMail()


class Broken(NullMail):
    """A mail server that takes nothing."""

    def __init__(self, error):
        super().__init__()
        self.error, self.asked = error, 0

    def send(self, message):
        self.asked += 1
        raise self.error


def notices():
    with as_worker():
        return list(Notice.objects.order_by("at", "id"))


def test_a_happening_is_told_once_however_often_it_is_delivered(cast):
    in_state(cast, "submitted")
    assert deliver.tell_pending(at=LATER) > 0
    before = len(notices())
    assert before == 2
    with as_worker():
        Delivery.objects.update(done_at=None)
    deliver.tell_pending(at=LATER)
    assert len(notices()) == before
    assert deliver.tell_pending(at=LATER) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_what_is_pending_and_tell_nothing_twice(cast):
    for _ in range(3):
        in_state(cast, "assigned")
    with as_worker():
        pending = Delivery.objects.filter(done_at=None).count()
    gate = threading.Barrier(2)

    def work(_):
        gate.wait()
        try:
            return deliver.tell_pending(at=LATER)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(work, range(2)))
    assert sum(taken) == pending
    assert len(notices()) == 3 * 4


def test_what_fails_is_tried_later_and_later_and_parked_with_an_alarm(cast, monkeypatch, caplog):
    in_state(cast, "submitted")
    monkeypatch.setattr(deliver, "_tell", lambda pending, at: 1 / 0)
    with as_worker():
        Delivery.objects.exclude(pk=Delivery.objects.order_by("id").last().pk).update(done_at=NOW)
    at, pauses = LATER, []
    for _ in range(deliver.TRIES):
        assert deliver.tell_pending(at=at) == 1
        assert deliver.tell_pending(at=at) == 0
        with as_worker():
            row = Delivery.objects.get(done_at=None)
        pauses.append(row.next_try_at - at)
        at = row.next_try_at
    assert pauses == sorted(pauses)
    assert (row.tries, row.parked_at, row.trouble) == (10, at - pauses[-1], "ZeroDivisionError")
    assert "is parked after 10 tries" in caplog.text
    assert deliver.tell_pending(at=at + timedelta(days=9)) == 0


def test_one_broken_happening_does_not_hold_up_the_next(cast, monkeypatch):
    row = in_state(cast, "submitted")
    real, broken = deliver._tell, []

    def first_fails(pending, at):
        if not broken:
            broken.append(pending.pk)
            raise ValueError
        real(pending, at)

    monkeypatch.setattr(deliver, "_tell", first_fails)
    deliver.tell_pending(at=LATER)
    assert {notice.number for notice in notices()} == {row.number}


def test_a_letter_says_the_number_and_the_link_and_nothing_of_the_case(cast, mail, settings):
    settings.PUBLIC_URL = "https://konsilium.example"
    row = in_state(cast, "submitted")
    deliver.tell_pending(at=LATER)
    assert email.send_pending(mail, at=LATER) == 2
    letter = next(one for one in mail.sent if one.to == "cniis_dispatcher@example.org")
    assert letter.subject == f"Запрос № {row.number}: нужно ваше действие"
    assert f"https://konsilium.example/requests/{row.pk}/" in letter.text
    for secret in (
        row.patient_family,
        row.patient_given,
        row.diagnosis_code,
        row.anamnesis,
        row.requesting_name,
    ):
        assert secret not in letter.text + letter.subject
    assert email.send_pending(mail, at=LATER) == 0


def test_a_letter_of_mere_news_does_not_even_say_what_happened(cast, mail):
    row = in_state(cast, "rejected")
    deliver.tell_pending(at=LATER)
    email.send_pending(mail, at=LATER)
    assert [one.subject for one in mail.sent if one.to == "omsk_doctor@example.org"] == [
        f"Запрос № {row.number}: есть новости"
    ]


def test_a_letter_speaks_its_readers_language(cast, mail, owner):
    language = "UPDATE konsilium_person SET language = %s WHERE login = 'cniis_dispatcher'"
    owner.execute(language, ["en"])
    try:
        in_state(cast, "submitted")
        deliver.tell_pending(at=LATER)
        email.send_pending(mail, at=LATER)
    finally:
        owner.execute(language, ["ru"])
    subjects = {one.to: one.subject for one in mail.sent}
    assert "needs your action" in subjects["cniis_dispatcher@example.org"]
    assert "нужно ваше действие" in subjects["cniis_dispatcher2@example.org"]


def test_without_a_mail_server_nothing_waits_to_be_mailed(cast):
    in_state(cast, "submitted")
    deliver.tell_pending(at=LATER)
    assert {(notice.mail_to, notice.mail_due_at) for notice in notices()} == {("", None)}


def test_a_mail_server_that_is_down_is_asked_once_a_round_and_later_again(cast, mail):
    in_state(cast, "submitted")
    deliver.tell_pending(at=LATER)
    down = Broken(MailUnavailable("ConnectionRefusedError"))
    assert (email.send_pending(down, at=LATER), down.asked) == (0, 1)
    assert email.send_pending(mail, at=LATER) == 1
    assert email.send_pending(mail, at=LATER + timedelta(minutes=2)) == 1
    assert {notice.mail_trouble for notice in notices()} == {"", "ConnectionRefusedError"}


def test_a_letter_is_parked_after_ten_tries_and_a_refused_one_at_once(cast, mail, caplog):
    in_state(cast, "submitted")
    deliver.tell_pending(at=LATER)
    with as_worker():
        Notice.objects.exclude(pk=notices()[0].pk).update(mail_due_at=None)
    down, at = Broken(MailUnavailable("x")), LATER
    for _ in range(email.TRIES):
        email.send_pending(down, at=at)
        at += timedelta(days=1)
    assert (down.asked, notices()[0].mail_parked_at is not None) == (10, True)
    with as_worker():
        Notice.objects.update(mail_due_at=LATER, mail_parked_at=None, mail_tries=0)
    no = Broken(MailRefused("550"))
    assert (email.send_pending(no, at=LATER), no.asked) == (0, 2)
    assert all(notice.mail_parked_at == LATER for notice in notices())
    assert "is parked after 1 tries" in caplog.text


def test_a_worker_that_dies_while_sending_leaves_the_letter_to_the_next(cast, mail):
    in_state(cast, "submitted")
    deliver.tell_pending(at=LATER)

    class Dies(NullMail):
        def send(self, message):
            super().send(message)
            raise SystemExit

    dying = Dies()
    with pytest.raises(SystemExit):
        email.send_pending(dying, at=LATER)
    taken = dying.sent[0]
    assert email.send_pending(mail, at=LATER) == 1
    assert taken.to not in {one.to for one in mail.sent}
    assert email.send_pending(mail, at=LATER + email.LEASE) == 1
    assert (mail.sent[-1].key, mail.sent[-1].to) == (taken.key, taken.to)


def test_an_unknown_event_is_closed_without_a_word(cast):
    with as_worker():
        assert not Notice.objects.exists()
    in_state(cast, "draft")
    missing = uuid7()
    from konsilium.models.access import door

    with door(missing):
        Delivery(event_id=missing, created_at=NOW, next_try_at=NOW).save(force_insert=True)
    deliver.tell_pending(at=LATER)
    with as_worker():
        assert Delivery.objects.get(event_id=missing).done_at == LATER
    assert notices() == []

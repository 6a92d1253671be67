"""The worker: everything that happens because time passes."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from konsilium import worker
from konsilium.actions import sweeping
from konsilium.models import Consultation, Delivery, Notice, OnceKey, SignInAttempt, WebSession
from konsilium.models.access import acting, as_worker, signing_in
from tests.cast import NOW
from tests.factories import in_state

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=31)


def state_of(cast, row):
    with acting(cast.omsk_doctor):
        return Consultation.objects.get(pk=row.pk).state


def test_a_round_tells_what_is_pending(cast):
    in_state(cast, "submitted")
    worker.run_once(NOW + timedelta(hours=1))
    with as_worker():
        assert Notice.objects.count() == 2
        assert not Delivery.objects.filter(done_at=None).exists()


def test_what_nobody_closes_is_closed_after_thirty_days_and_its_doctor_told(cast):
    row = in_state(cast, "completed")
    worker.run_once(NOW + timedelta(days=29))
    assert state_of(cast, row) == "completed"
    worker.run_once(NOW + MONTH)
    assert state_of(cast, row) == "closed"
    worker.run_once(NOW + MONTH)
    with as_worker():
        assert list(Notice.objects.filter(kind="expire").values_list("person_id", flat=True)) == [
            cast.omsk_doctor.person_id
        ]


def test_old_keys_tries_sessions_and_deliveries_are_forgotten_and_new_ones_kept(cast, client_as):
    client_as(cast.omsk_doctor)
    in_state(cast, "submitted")
    worker.run_once(NOW)
    with acting(cast.omsk_doctor):
        for days in (0, 3):
            key = OnceKey(
                person_id=cast.omsk_doctor.person_id, key=f"k{days}", fingerprint="", at=NOW - timedelta(days)
            )
            key.save(force_insert=True)
    with signing_in():
        for days in (0, 31):
            SignInAttempt.objects.create(
                account_hash="", network="", at=NOW - timedelta(days), succeeded=False
            )
    with as_worker():
        Delivery.objects.update(done_at=NOW - MONTH)
        kept = Notice.objects.count()
    sweeping.forget(at=NOW)
    with as_worker():
        assert list(OnceKey.objects.values_list("key", flat=True)) == ["k0"]
        assert (Delivery.objects.count(), Notice.objects.count()) == (0, kept)
    with signing_in():
        assert SignInAttempt.objects.count() == 1
        WebSession.objects.update(expire_date=timezone.now() - timedelta(hours=1))
    sweeping.forget(at=timezone.now())
    with signing_in():
        assert WebSession.objects.count() == 0


def test_a_chore_that_fails_lets_the_others_go_on(cast, monkeypatch, caplog):
    in_state(cast, "submitted")
    monkeypatch.setattr(worker.closing, "expire_due", lambda at: 1 / 0)
    worker.run_once(NOW + timedelta(hours=1))
    with as_worker():
        assert Notice.objects.count() == 2
    assert "ZeroDivisionError" in caplog.text


def test_it_stops_within_a_breath_of_being_told(cast, monkeypatch):
    stop, rounds = threading.Event(), []
    quiet = worker.Chore("quiet", timedelta(0), lambda at: rounds.append(at) or 0)
    monkeypatch.setattr(worker, "chores", lambda: [quiet])
    threading.Timer(0.2, stop.set).start()
    before = timezone.now()
    worker.run(stop)
    assert timezone.now() - before < timedelta(seconds=worker.LOOK_EVERY)
    assert rounds

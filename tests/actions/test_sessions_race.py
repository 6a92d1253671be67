"""Many confirm overlapping times of one consultant at once: exactly one wins, nobody waits for ever, nothing is left."""

import random
import threading
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, connections

from konsilium.actions import sessions
from konsilium.models import Event, Session
from konsilium.models.access import acting
from konsilium.workflow.machine import Missing
from tests.actions.test_sessions import TOMORROW, proposed, table
from tests.cast import NOW
from tests.requests import seen

MINUTE = timedelta(minutes=1)
DOCTORS = ("omsk_doctor", "omsk_doctor2", "chita_doctor")


def at_once(jobs):
    """Run the jobs in threads that start together, each with a connection of its own; return what each got."""
    gate, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(number, job):
        try:
            gate.wait(timeout=20)
            results[number] = job() or "done"
        except Exception as trouble:  # noqa: BLE001  whatever it is, the test looks at it
            results[number] = trouble
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number, job)) for number, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def offers(cast, times, doctors=DOCTORS):
    """One proposed session a time, all of the same consultant, each of a request of its own."""
    return [proposed(cast, time, who=doctors[number % len(doctors)]) for number, time in enumerate(times)]


def confirming(way, session):
    option = table(way, session)[0].pk

    def job():
        with acting(way.doctor):
            sessions.confirm(session, option, actor=way.doctor, at=way.at)

    return job


def booked(cast):
    with acting(cast.cniis_dispatcher):
        rows = Session.objects.filter(state="confirmed").order_by("starts_at")
        return [(row.consultation_id, row.during) for row in rows]


def overlapping(spans):
    ordered = sorted(spans, key=lambda span: span.lower)
    return [one for one, after in pairwise(ordered) if one.upper > after.lower]


def race(cast, seed, count):
    """Offer overlapping times within an hour, confirm all at once, and look at what stands afterwards."""
    dice = random.Random(seed)
    times = [TOMORROW + dice.randrange(-14, 15) * MINUTE for _ in range(count)]
    given = offers(cast, times)
    results = at_once([confirming(way, session) for way, session in given])
    words = [result if isinstance(result, str) else type(result).__name__ for result in results]
    assert Counter(words) == {"done": 1, "Missing": count - 1}, (seed, results)
    for (way, session), result in zip(given, results, strict=True):
        won = result == "done"
        with acting(way.doctor):
            row = Session.objects.get(pk=session.pk)
            events = Event.objects.filter(consultation=way.row, kind="session_confirm").count()
        assert (row.state, row.version, events) == (("confirmed", 2, 1) if won else ("proposed", 1, 0)), seed
        assert seen(way.row, way.doctor).turn == ("both" if won else "requester"), seed


@pytest.mark.django_db(transaction=True)
def test_of_many_overlapping_confirmations_at_once_exactly_one_wins(cast):
    race(cast, seed=1, count=12)


@pytest.mark.prove
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(20))
def test_of_many_overlapping_confirmations_one_wins_in_race_after_race(cast, seed):
    race(cast, seed=seed, count=16)


@pytest.mark.django_db(transaction=True)
def test_a_days_worth_of_confirmations_at_once_books_nobody_twice(cast):
    dice = random.Random(7)
    times = [TOMORROW + dice.randrange(0, 32) * 15 * MINUTE for _ in range(24)]
    given = offers(cast, times)
    results = at_once([confirming(way, session) for way, session in given])
    assert {type(result) for result in results} == {str, Missing}, results
    spans = [span for _, span in booked(cast)]
    assert len(spans) == results.count("done")
    assert overlapping(spans) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_people_of_one_hospital_who_confirm_the_same_session_one_wins(cast):
    [(way, session)] = offers(cast, [TOMORROW])
    option = table(way, session)[0].pk

    def by(who):
        def job():
            with acting(who):
                sessions.confirm(session, option, actor=who, at=way.at, version=1)

        return job

    results = at_once([by(who) for who in (cast.omsk_doctor, cast.omsk_admin) * 4])
    words = Counter(result if isinstance(result, str) else type(result).__name__ for result in results)
    assert words == {"done": 1, "Stale": 7}


@pytest.mark.django_db(transaction=True)
def test_a_session_that_starts_and_an_overlapping_confirmation_do_not_wait_for_each_other(cast):
    [(way, session), (other, rival)] = offers(cast, [NOW + 30 * MINUTE, NOW + 45 * MINUTE], DOCTORS[1:])
    confirming(way, session)()
    at = NOW + 31 * MINUTE

    def starting():
        with acting(way.consultant):
            sessions.start(session, actor=way.consultant, at=at)

    started, refused = at_once([starting, confirming(other, rival)])
    assert (started, type(refused)) == ("done", Missing)


@pytest.mark.django_db(transaction=True)
def test_without_the_constraint_the_same_race_books_twice(cast, owner):
    """The control run: what forbids it is the constraint, neither luck nor the order of the locks."""
    owner.execute("ALTER TABLE konsilium_session DROP CONSTRAINT no_double_booking")
    try:
        given = offers(cast, [TOMORROW] * 4)
        results = at_once([confirming(way, session) for way, session in given])
        assert results == ["done"] * 4
        assert len(overlapping([span for _, span in booked(cast)])) == 3
    finally:
        owner.execute("TRUNCATE konsilium_session CASCADE")
        owner.execute(
            "ALTER TABLE konsilium_session ADD CONSTRAINT no_double_booking EXCLUDE USING gist (consultant_id WITH =,"
            " during WITH &&) WHERE (state IN ('confirmed', 'held', 'in_progress'))"
        )


@pytest.mark.django_db
def test_the_constraint_covers_exactly_the_states_that_take_time(owner):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'no_double_booking'"
        )
        definition = cursor.fetchone()[0]
    assert "EXCLUDE USING gist (consultant_id WITH =, during WITH &&)" in definition
    for state in ("confirmed", "in_progress", "held"):
        assert f"'{state}'" in definition
    assert definition.count("'") == 6

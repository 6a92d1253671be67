"""Several dispatchers reach for one request at once: one wins, the others are told; a fault leaves nothing between."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections

from konsilium.actions import triage
from konsilium.models import Delivery, Event, Message
from konsilium.models.access import acting, as_worker
from konsilium.workflow.machine import NotNow, Refused, Stale
from tests.cast import NOW
from tests.requests import seen, sent

LATER = NOW + timedelta(hours=1)


def race(cast, row, version):
    """Let four dispatchers assign the same request at the same moment; return what each got."""
    gate, results = threading.Barrier(4), []

    def run(number):
        dispatcher = (cast.cniis_dispatcher, cast.cniis_dispatcher2)[number % 2]
        consultant = (cast.cniis_consultant, cast.cniis_consultant2)[number // 2]
        try:
            gate.wait(timeout=10)
            with acting(dispatcher):
                triage.assign(row, consultant.membership_id, actor=dispatcher, at=LATER, version=version)
            results.append(consultant.person_id)
        except Refused as refusal:
            results.append(type(refusal))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def races(cast, rounds):
    for number in range(rounds):
        row = sent(cast)
        version = seen(row, cast.cniis_dispatcher).version if number % 2 else None
        results = race(cast, row, version)
        winners = [result for result in results if not isinstance(result, type)]
        assert len(results) == 4
        assert len(winners) == 1
        assert set(results) - set(winners) == {Stale if version else NotNow}
        assert seen(row, cast.cniis_dispatcher).consultant_id == winners[0]
        with acting(cast.cniis_dispatcher):
            assert Event.objects.filter(consultation=row, kind="assign").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_four_dispatchers_at_once_one_assigns_and_three_are_told(cast):
    races(cast, 6)


@pytest.mark.prove
@pytest.mark.django_db(transaction=True)
def test_of_four_dispatchers_at_once_one_assigns_in_a_hundred_races(cast):
    races(cast, 100)


class FaultError(OperationalError):
    """What the test throws between two statements."""


def fault_before(count):
    """Let `count` statements pass, then fail once, before the next one that the action sends."""
    left = [count]

    def wrapper(execute, sql, params, many, context):
        left[0] -= 1
        if left[0] == -1:
            raise FaultError
        return execute(sql, params, many, context)

    return wrapper


MOVES = {
    "assign": lambda cast, row: triage.assign(
        row, cast.cniis_consultant.membership_id, actor=cast.cniis_dispatcher, at=LATER
    ),
    "ask": lambda cast, row: triage.ask(row, "Пришлите КТ.", actor=cast.cniis_dispatcher, at=LATER),
    "pass_on": lambda cast, row: triage.pass_on(
        row, cast.house("nmic"), actor=cast.cniis_dispatcher, at=LATER
    ),
}


def trace(cast, row):
    """Everything a move leaves, wherever the request stands now."""
    found = seen(row, cast.omsk_doctor)
    with acting(cast.omsk_doctor):
        events = list(Event.objects.filter(consultation=row).values_list("pk", flat=True))
        messages = Message.objects.filter(consultation=row).count()
    with as_worker():
        pending = Delivery.objects.filter(event_id__in=events).count()
    return (found.state, found.version, found.centre_id, len(events), messages, pending)


def failed(cast, move, row, faults):
    with acting(cast.cniis_dispatcher):
        try:
            with connection.execute_wrapper(fault_before(faults)):
                move(cast, row)
        except FaultError:
            return True
    return False


@pytest.mark.django_db
@pytest.mark.parametrize("move", MOVES)
def test_a_fault_before_any_statement_of_a_move_leaves_all_as_it_was(cast, move):
    row = sent(cast)
    mine, before = seen(row, cast.cniis_dispatcher), trace(cast, row)
    faults = 0
    while failed(cast, MOVES[move], mine, faults):
        # The action undoes itself: the page around it has not been rolled back.
        assert trace(cast, row) == before, faults
        faults += 1
    after = trace(cast, row)
    assert faults > 10
    assert (after[1], after[3], after[5]) == (before[1] + 1, before[3] + 1, before[5] + 1)

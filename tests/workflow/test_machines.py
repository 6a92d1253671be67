"""Every state, role and move of every machine against its table, and walks that never leave it."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from konsilium.workflow.consultation import FINAL, MACHINE, State, Turn, turn_of
from konsilium.workflow.council import COUNCIL_MACHINE
from konsilium.workflow.document import DOCUMENT_MACHINE
from konsilium.workflow.machine import Missing, NotNow, NotYours
from konsilium.workflow.onboarding import ORGANIZATION_MACHINE
from konsilium.workflow.roles import Role
from konsilium.workflow.session import SESSION_MACHINE

MACHINES = {
    "request": MACHINE,
    "session": SESSION_MACHINE,
    "document": DOCUMENT_MACHINE,
    "organisation": ORGANIZATION_MACHINE,
    "council": COUNCIL_MACHINE,
}


class Everything:
    """Facts of which each is true."""

    def __getattr__(self, name):
        return True


class Nothing:
    """Facts of which none is true."""

    def __getattr__(self, name):
        return False


def cases():
    for name, machine in MACHINES.items():
        for move in machine.labels:
            for state in machine.states:
                for role in Role:
                    yield pytest.param(machine, move, state, role, id=f"{name}-{move}-{state}-{role}")


@pytest.mark.parametrize(("machine", "move", "state", "role"), cases())
def test_the_answer_is_the_tables(machine, move, state, role):
    here = [row for row in machine.rows if row.move == move and row.from_state == state]
    mine = [row for row in here if row.role == role]
    if mine:
        assert machine.find(move, state=state, roles=[role], facts=Everything()) == mine[0]
        if all(row.needs for row in mine):
            with pytest.raises(Missing):
                machine.find(move, state=state, roles=[role], facts=Nothing())
        return
    with pytest.raises(NotYours if here else NotNow):
        machine.find(move, state=state, roles=[role], facts=Everything())


@pytest.mark.parametrize("name", MACHINES)
@given(data=st.data())
def test_a_random_walk_stays_in_the_table_and_ends_where_nothing_is_left(name, data):
    machine = MACHINES[name]
    state = machine.initial
    for _ in range(30):
        move = data.draw(st.sampled_from(sorted(machine.labels)))
        role = data.draw(st.sampled_from(list(Role)))
        try:
            row = machine.find(move, state=state, roles=[role], facts=Everything())
        except (NotNow, NotYours):
            assert move not in machine.open_to(state, [role])
            continue
        assert move in machine.open_to(state, [role])
        state = row.to_state
    assert state in set(machine.states)


def test_each_need_alone_stops_its_move():
    for machine in MACHINES.values():
        for row in machine.rows:
            for need in row.needs:
                others = [
                    one for one in machine.rows if (one.move, one.from_state) == (row.move, row.from_state)
                ]
                facts = SimpleNamespace(
                    **{one.fact: True for other in others for one in other.needs} | {need.fact: False}
                )
                if any(
                    all(getattr(facts, one.fact) for one in other.needs)
                    for other in others
                    if other.role == row.role
                ):
                    continue
                with pytest.raises(Missing) as stopped:
                    machine.find(row.move, state=row.from_state, roles=[row.role], facts=facts)
                assert stopped.value.message == stopped.value.need.label


def test_nobodys_turn_comes_after_the_end_and_somebodys_before():
    for state in State:
        assert (turn_of(state) is Turn.NOBODY) == (state in FINAL)


def test_an_open_session_says_whose_turn_it_is():
    answers = {"proposed": Turn.REQUESTER, "counter_proposed": Turn.CONSULTANT, "confirmed": Turn.BOTH}
    assert {state: turn_of(State.SESSION, state) for state in answers} == answers


def test_a_refusal_may_not_be_shown_as_a_rejection_to_the_requester():
    back = [row for row in MACHINE.rows if row.move == "hand_back"]
    assert [row.to_state for row in back] == [State.SUBMITTED]

"""What stands in the tables of rights is what the machines, the code and the database hold to."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from konsilium.management.commands.rights import MACHINES
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.roles import RIGHTS, Role, actions_of

SOURCE = Path(__file__).resolve().parents[2] / "src" / "konsilium"
ACCESS = import_module("konsilium.migrations.0002_access")
MACHINE_BY_NAME = {name: machine for name, machine, _labels in MACHINES}
# The verbs of a query that write rows past the door.
WRITING = {"update", "bulk_update", "update_or_create", "bulk_create"}
# How far a series' pictures or an upload's bytes are is no state of any machine: nobody moves it by a right.
NO_MACHINE = {"actions/printing.py", "actions/probing.py", "actions/reading_dicom.py", "actions/receiving.py"}


def reached_from(machine, state):
    """Return every state that some way from here leads to, this one included."""
    reached, fresh = set(), {str(state)}
    while fresh:
        reached |= fresh
        fresh = {str(row.to_state) for row in machine.rows if row.from_state in fresh} - reached
    return reached


def columns_of(owner, role, name, right="SELECT"):
    """Return which columns of a table the role has the right to, in the database's own words."""
    rows = owner.execute(
        "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 "
        "AND NOT a.attisdropped AND has_column_privilege(%s, a.attrelid, a.attnum, %s)",
        [f"konsilium_{name}", role, right],
    ).fetchall()
    return {column for (column,) in rows}


def named(columns):
    return {column.strip() for column in columns.split(",")}


@pytest.mark.parametrize("name", MACHINE_BY_NAME)
def test_some_way_leads_from_the_first_state_to_every_other(name):
    machine = MACHINE_BY_NAME[name]
    assert reached_from(machine, machine.initial) == {str(state) for state in machine.states}


@pytest.mark.parametrize("name", MACHINE_BY_NAME)
def test_some_way_leads_from_every_state_to_where_it_should_end(name):
    machine = MACHINE_BY_NAME[name]
    ends = {str(state) for state in machine.states} - {str(row.from_state) for row in machine.rows}
    goals = ends | {str(OrganizationState.ACTIVE)}
    trapped = {str(state) for state in machine.states if not reached_from(machine, state) & goals}
    assert ends != set()
    assert trapped == set()


@pytest.mark.parametrize("name", MACHINE_BY_NAME)
def test_every_move_has_its_words_and_every_word_its_move(name):
    machine = MACHINE_BY_NAME[name]
    assert {row.move for row in machine.rows} == set(machine.labels)


@pytest.mark.parametrize("name", MACHINE_BY_NAME)
def test_a_move_that_needs_nothing_never_stands_beside_another_of_the_same_role(name):
    """Otherwise the first row would always win, and the second could never be reached."""
    rows = [(row.move, row.from_state, row.role) for row in MACHINE_BY_NAME[name].rows if not row.needs]
    every = [(row.move, row.from_state, row.role) for row in MACHINE_BY_NAME[name].rows]
    assert [row for row in rows if every.count(row) > 1] == []


def test_time_itself_has_no_right_to_any_page():
    assert list(actions_of(Role.SYSTEM)) == []
    assert len({right.action for right in RIGHTS}) == len(RIGHTS)


def test_no_query_writes_a_state_past_the_door():
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            written = {keyword.arg for keyword in node.keywords} if called in WRITING else set()
            if called == "setattr" and isinstance(node.args[1], ast.Constant):
                written = {node.args[1].value}
            if "state" in written and str(path.relative_to(SOURCE)) not in NO_MACHINE:
                found.add(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert found == set()


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["k_coordinator", "k_technician", "k_worker"])
def test_the_timetables_people_read_the_timetable_of_a_session_and_no_words(owner, role):
    assert columns_of(owner, role, "session") == named(ACCESS.TIMETABLE)
    assert named(ACCESS.TIMETABLE).isdisjoint(
        {"note", "reason", "reason_text", "requesting_pin", "consulting_pin"}
    )


@pytest.mark.django_db
def test_time_reads_a_requests_way_and_never_what_stands_in_it(owner):
    assert columns_of(owner, "k_worker", "consultation") == named(ACCESS.WAY)
    assert columns_of(owner, "k_worker", "event") == named(ACCESS.EVENT_WAY)
    for name in ("question", "message", "conclusion", "answer"):
        assert columns_of(owner, "k_worker", name) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["k_requester", "k_org_admin"])
def test_the_requesting_side_writes_its_draft_and_never_its_way(owner, role):
    assert columns_of(owner, role, "consultation", "UPDATE") == named(ACCESS.DRAFT)
    assert columns_of(owner, "k_requester", "consultation", "SELECT") > named(ACCESS.DRAFT)


@pytest.mark.django_db
def test_the_passwords_are_nobodys_but_the_sign_ins(owner):
    readers = {
        (role, name)
        for role in (*ACCESS.ROLES, "konsilium_app")
        for name in ("credential", "recoverycode", "websession", "signinattempt")
        if columns_of(owner, role, name)
    }
    assert {role for role, _name in readers} == {"k_account"}


@pytest.mark.django_db
def test_the_login_itself_may_read_no_table_of_ours(owner):
    names = owner.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'konsilium\\_%'"
    ).fetchall()
    # What it may become is not what it is: without a context there is nothing.
    readable = {
        name for (name,) in names if columns_of(owner, "konsilium_app", name.removeprefix("konsilium_"))
    }
    assert len(names) > 20
    assert readable == set()


@pytest.mark.django_db
def test_every_policy_names_its_roles_and_none_asks_for_the_role_in_its_condition(owner):
    """An OR over roles in one policy costs every reader; each side has its own."""
    policies = owner.execute(
        "SELECT tablename, policyname FROM pg_policies WHERE coalesce(qual, '') LIKE '%app.role%' "
        "OR coalesce(qual, '') LIKE '%current_user%' OR roles = '{public}'"
    ).fetchall()
    assert policies == []

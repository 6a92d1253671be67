"""The house checks itself: rights as printed, states reachable, one door, no registry in the locks."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.urls import URLPattern, get_resolver

from konsilium.management.commands.messages import missing
from konsilium.management.commands.rights import MACHINES, page
from konsilium.web.access import PUBLIC, SIGNED_IN
from konsilium.workflow.consultation import FINAL
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.roles import RIGHTS
from konsilium.workflow.session import OPEN_SESSION

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "konsilium"
ENDS = {
    "Запрос / Request": set(FINAL),
    "Документ / Document": {"refused", "removed", "superseded"},
    "Организация / Organisation": {OrganizationState.DECLINED},
}


def addresses(patterns=None):
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from addresses(pattern.url_patterns)


def test_the_page_of_rights_is_what_the_rules_say():
    assert (ROOT / "docs" / "who-may-do-what.md").read_text() == page()


@pytest.mark.parametrize("name", [name for name, _machine, _labels in MACHINES])
def test_every_state_can_be_reached_and_left_unless_it_is_an_end(name):
    machine = next(machine for title, machine, _ in MACHINES if title == name)
    ends = ENDS.get(name, set(machine.states) - OPEN_SESSION)
    reached = {machine.initial} | {row.to_state for row in machine.rows}
    stuck = set(machine.states) - {row.from_state for row in machine.rows}
    assert set(machine.states) - reached == set()
    assert stuck <= ends


def test_every_address_declares_a_right_that_is_in_the_table():
    known = {right.action for right in RIGHTS} | {PUBLIC, SIGNED_IN}
    declared = {pattern.name: getattr(pattern.callback, "action", None) for pattern in addresses()}
    assert {name: action for name, action in declared.items() if action not in known} == {}


def test_only_the_door_writes_a_state():
    doors = {"actions/_step.py"}
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(target, ast.Attribute) and target.attr == "state" for target in targets):
                found.add(str(path.relative_to(SOURCE)))
    assert found == doors


def test_the_door_of_the_database_is_opened_in_few_places():
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if re.search(r"\bdoor\(", path.read_text()) and path.name != "access.py"
    }
    assert found <= {
        "actions/_step.py",
        "actions/_record.py",
        "actions/concluding.py",
        "actions/_council.py",
        "actions/printing.py",
        "actions/signing.py",
        "actions/onboarding.py",
    }


def test_the_rules_import_no_framework_and_read_no_clock():
    for path in (SOURCE / "workflow").glob("*.py"):
        text = path.read_text()
        assert not re.search(r"^(from|import) (django|os|time|socket|psycopg)", text, re.MULTILINE), path
        assert ".now(" not in text, path


def test_locks_name_no_registry_and_nothing_is_vendored():
    for path in [*ROOT.glob("requirements*.lock"), ROOT / "frontend" / "package-lock.json"]:
        assert not re.search(r"https?://\S+\.(whl|tar\.gz|tgz)|\"resolved\"", path.read_text()), path
    assert list(ROOT.glob("src/**/*.min.js")) == []


def test_every_text_has_its_russian():
    assert missing() == []


def test_the_tables_are_what_the_migrations_make():
    loader = MigrationLoader(None)
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    assert "konsilium" not in changes.changes(graph=loader.graph)


@pytest.mark.django_db
def test_the_login_owns_nothing_and_every_table_has_row_level_security(owner):
    facts = owner.execute(
        "SELECT rolsuper, rolbypassrls, rolinherit FROM pg_roles WHERE rolname = 'konsilium_app'"
    ).fetchone()
    assert facts == (False, False, False)
    owned = owner.execute(
        "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'konsilium_app'"
    ).fetchone()
    assert owned == (0,)
    bare = owner.execute(
        "SELECT relname FROM pg_class WHERE relname LIKE 'konsilium\\_%' AND relkind = 'r' AND NOT relrowsecurity"
    ).fetchall()
    assert bare == []


CLINICAL = (
    "consultation question document message readmark conclusion answer event viewing sessionoption".split()
)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "role", ["k_coordinator", "k_technician", "k_sysadmin", "k_public", "k_person", "k_account"]
)
def test_roles_without_patients_have_no_grant_on_any_clinical_table(owner, role):
    rows = owner.execute(
        "SELECT DISTINCT table_name FROM information_schema.column_privileges WHERE grantee = %s", [role]
    ).fetchall()
    seen = {name.removeprefix("konsilium_") for (name,) in rows}
    assert seen.isdisjoint(CLINICAL)


@pytest.mark.django_db
def test_only_the_door_may_write_a_requests_state(owner):
    rows = owner.execute(
        "SELECT DISTINCT grantee FROM information_schema.column_privileges WHERE privilege_type = 'UPDATE' "
        "AND table_name = 'konsilium_consultation' AND column_name IN ('state', 'centre_id', 'consultant_id', 'due_at')"
    ).fetchall()
    assert {name for (name,) in rows} - {"konsilium_owner"} == {"k_door"}

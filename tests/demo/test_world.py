"""The demonstration is alive: every state is there, everybody signs in, and every document is what was stored."""

import hashlib
import stat
from collections import Counter
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.utils import timezone

from konsilium.actions import account, documents
from konsilium.demo import world
from konsilium.workflow.consultation import State
from konsilium.workflow.onboarding import OrganizationState
from konsilium.workflow.session import SessionState
from tests.conftest import _empty

# The world is built once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("demo")]

IS_EMPTY = "SELECT count(*) FROM konsilium_organization"


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker, owner_url):
    """The world, committed once for all tests here; taken away after them."""
    with django_db_blocker.unblock(), psycopg.connect(owner_url, autocommit=True) as connection:
        _empty(connection)
        assert world.is_needed()
        world.build()
        yield timezone.now()
        _empty(connection)
        (Path(settings.DATA) / world.CAST_FILE).unlink(missing_ok=True)


def _column(owner, query):
    return [value for (value,) in owner.execute(query).fetchall()]


def test_a_request_stands_in_every_state(built, owner):
    assert set(_column(owner, "SELECT state FROM konsilium_consultation")) == set(State)


def test_an_organisation_stands_in_every_state(built, owner):
    assert set(_column(owner, "SELECT state FROM konsilium_organization")) == set(OrganizationState)


def test_hospitals_that_ask_stand_in_four_time_zones(built, owner):
    zones = _column(
        owner,
        "SELECT DISTINCT o.time_zone FROM konsilium_organization o"
        " JOIN konsilium_consultation c ON c.requesting_organization_id = o.id",
    )
    assert set(zones) >= {"Europe/Kaliningrad", "Asia/Omsk", "Asia/Chita", "Asia/Vladivostok"}


def test_three_centres_each_take_requests_with_two_consultants(built, owner):
    people = Counter(
        owner.execute(
            "SELECT o.short_name, m.role FROM konsilium_membership m"
            " JOIN konsilium_organization o ON o.id = m.organization_id WHERE o.is_consulting"
        ).fetchall()
    )
    centres = {name for name, _ in people}
    assert len(centres) == 3
    assert all(people[name, "consultant"] == 2 and people[name, "dispatcher"] >= 1 for name in centres)
    asked = set(
        _column(owner, "SELECT DISTINCT centre_name FROM konsilium_consultation WHERE centre_name <> ''")
    )
    assert asked == centres


def test_sessions_are_proposed_countered_and_confirmed_with_both_sides(built, owner):
    states = set(_column(owner, "SELECT state FROM konsilium_session"))
    assert states >= {SessionState.PROPOSED, SessionState.COUNTER_PROPOSED, SessionState.CONFIRMED}


def test_a_rooms_door_is_open_one_session_was_held_with_its_people_and_one_failed(built, owner):
    soon = _column(owner, "SELECT starts_at FROM konsilium_session WHERE state = 'confirmed'")
    assert any(built - timedelta(minutes=30) < time < built + timedelta(minutes=30) for time in soon)
    assert {"held", "failed"} <= set(_column(owner, "SELECT state FROM konsilium_session"))
    assert owner.execute("SELECT count(*) FROM konsilium_attendance").fetchone()[0] == 2


def test_equipment_was_tested_by_the_protocol_or_still_is(built, owner):
    verdicts = Counter(_column(owner, "SELECT verdict FROM konsilium_equipmenttest"))
    assert all(verdicts[verdict] for verdict in ("passed", "failed", ""))
    assert owner.execute("SELECT count(*) FROM konsilium_teststep").fetchone()[0] > 50


def test_time_left_is_alive(built, owner):
    due = _column(
        owner,
        "SELECT due_at FROM konsilium_consultation WHERE paused_at IS NULL"
        " AND state IN ('submitted', 'assigned', 'session', 'conclusion')",
    )
    assert any(time < built for time in due)
    assert any(built < time < built + timedelta(hours=1) for time in due)
    assert any(time > built + timedelta(hours=4) for time in due)


def test_an_emergency_came_incomplete_and_says_why(built, owner):
    why = _column(owner, "SELECT incomplete_reason FROM konsilium_consultation WHERE urgency = 'emergency'")
    assert any(why)


def test_stored_bytes_are_what_each_document_says(built, owner):
    rows = owner.execute("SELECT sha256, size FROM konsilium_document").fetchall()
    assert len(rows) > 50
    for address, size in rows:
        data = b"".join(documents.store().open_range(address))
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (address, size)


def test_people_write_and_get_notices(built, owner):
    assert owner.execute("SELECT count(*) FROM konsilium_message").fetchone()[0] > 5
    assert owner.execute("SELECT count(*) FROM konsilium_notice").fetchone()[0] > 10


def test_everybody_of_the_cast_signs_in(built):
    cast = world.cast_list()
    assert len({person["login"] for person in cast}) == len(cast) > 20
    for number, person in enumerate(cast):
        assert len(person["password"]) >= 15
        checked = account.check_sign_in(
            login=person["login"], password=person["password"], network=f"10.0.{number}.0/24", at=built
        )
        assert checked.refusal is None, person["login"]
        assert account.first_membership(checked.person.pk), person["login"]


def test_roles_of_the_cast_are_named_in_russian(built):
    assert {"Диспетчер", "Врач-консультант", "Врач-заявитель"} <= {
        person["role"] for person in world.cast_list()
    }


def test_only_its_owner_reads_the_cast(built):
    mode = (Path(settings.DATA) / world.CAST_FILE).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_world_is_built_once(built):
    assert not world.is_needed()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_build_that_breaks_leaves_nothing_and_can_be_tried_again(owner, monkeypatch):
    _empty(owner)

    def broken(_world):
        raise RuntimeError

    monkeypatch.setattr(world, "tell", broken)
    with pytest.raises(RuntimeError):
        world.build()
    assert owner.execute(IS_EMPTY).fetchone()[0] == 0
    assert owner.execute("SELECT count(*) FROM konsilium_person").fetchone()[0] == 0
    assert world.is_needed()
    assert not world.cast_list()


@pytest.mark.django_db(transaction=True)
def test_a_house_that_is_there_already_is_left_alone(cast, owner):
    owner.execute("DELETE FROM konsilium_route")
    assert not world.is_needed()
    assert owner.execute(IS_EMPTY).fetchone()[0] == len(cast.houses)

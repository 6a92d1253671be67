"""The coordinator's board: what can't be relied upon, the worst first, at the same cost however much there is."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from konsilium.actions import equipment, testing
from konsilium.actions.equipment import Measured
from konsilium.models import Endpoint, Organization, Probe
from konsilium.models._base import uuid7
from konsilium.models.access import acting, as_prober, as_worker
from konsilium.web.equipment import board
from tests.cast import sign_in

pytestmark = pytest.mark.django_db
STATES = ["look", "red", "expired", "address", "never", "soon", "yellow"]


def now():
    return timezone.now()


def endpoint(cast, name, *, address=""):
    with acting(cast.coordinator):
        house = Organization.objects.get(pk=cast.house("omsk"))
        kind = "sip" if address else "room"
        values = {"kind": kind, "name": name, "is_active": True, "address": address}
        return equipment.add_endpoint(house, values, actor=cast.coordinator, at=now())


def judge(cast, row, verdict, *, days=200):
    until = now().date() + timedelta(days=days)
    with acting(cast.coordinator):
        found = Measured("", verdict, reason="Причина.", valid_until=until)
        equipment.record_test(row, found, actor=cast.coordinator, at=now())


def look(row, answer):
    moment = now()
    with as_worker():
        probe = Probe(endpoint=row, session_id=uuid7(), kind="options", asked_at=moment, not_before=moment)
        probe.save(force_insert=True)
    with as_prober():
        Probe.objects.filter(pk=probe.pk).update(state="done", done_at=moment, answer=answer)


def one_of_each(cast):
    rows = {state: endpoint(cast, f"кодек {state}") for state in STATES if state != "address"}
    rows["address"] = endpoint(cast, "кодек address", address="codec.omsk.example")
    rows["good"] = endpoint(cast, "кодек good")
    judge(cast, rows["red"], "failed")
    judge(cast, rows["expired"], "passed", days=-1)
    judge(cast, rows["soon"], "passed", days=30)
    judge(cast, rows["yellow"], "limited")
    for state in ("look", "address", "good"):
        judge(cast, rows[state], "passed")
    look(rows["look"], "silent")
    look(rows["good"], "answers")
    return rows


def shown(client, **given):
    return client.get("/equipment/", given).context


def names(client, **given):
    return [row.name for row in shown(client, **given)["rows"]]


def test_what_is_wrong_stands_the_worst_first_and_what_is_well_is_left_out(cast, client):
    one_of_each(cast)
    sign_in(client, cast.coordinator)
    assert names(client) == [f"кодек {state}" for state in STATES]


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_a_list_of_its_own_and_says_so(cast, client, state):
    one_of_each(cast)
    sign_in(client, cast.coordinator)
    page = shown(client, state=state)
    assert [row.name for row in page["rows"]] == [f"кодек {state}"]
    assert len(page["rows"][0].badges) == 1
    assert [tab["count"] for tab in page["tabs"]] == ["7", *["1"] * 7]


def test_a_changed_address_comes_back_until_it_is_approved(cast, client):
    row = one_of_each(cast)["address"]
    sign_in(client, cast.coordinator)
    with acting(cast.coordinator):
        testing.approve(row, actor=cast.coordinator, at=now())
    assert names(client, state="address") == []
    with acting(cast.omsk_technician):
        equipment.change_endpoint(row, {"address": "new.example"}, actor=cast.omsk_technician, at=now())
    assert names(client, state="address") == ["кодек address"]


def test_a_new_test_settles_a_failed_look_and_what_is_out_of_use_is_left_out(cast, client):
    rows = one_of_each(cast)
    sign_in(client, cast.coordinator)
    judge(cast, rows["look"], "passed")
    assert names(client, state="look") == []
    with acting(cast.coordinator):
        equipment.change_endpoint(rows["red"], {"is_active": False}, actor=cast.coordinator, at=now())
    assert names(client, state="red") == []


def test_pages_follow_each_other_without_a_gap_at_the_same_cost(cast, client, monkeypatch):
    sign_in(client, cast.coordinator)
    client.get("/equipment/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/equipment/")
    one_of_each(cast)
    with CaptureQueriesContext(connection) as many:
        client.get("/equipment/")
    assert len(many) == len(few)
    monkeypatch.setattr(board, "PAGE", 2)
    found, url = [], "/equipment/"
    while url:
        page = client.get(url).context
        found += [row.name for row in page["rows"]]
        url = page["next_url"]
    assert found == [f"кодек {state}" for state in STATES]


@pytest.mark.parametrize("after", ["x", "1,2,3", "1", "9999999,,", "-1,x"])
def test_a_made_up_place_shows_the_beginning(cast, client, after):
    endpoint(cast, "кодек")
    sign_in(client, cast.coordinator)
    assert names(client, after=after) == ["кодек"]


def test_nobody_but_a_coordinator_sees_the_board(cast, client):
    sign_in(client, cast.omsk_technician)
    assert client.get("/equipment/").status_code in (403, 404)
    with acting(cast.nmic_dispatcher):
        assert not Endpoint.objects.filter(organization_id=cast.house("omsk")).exists()

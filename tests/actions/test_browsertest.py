"""A computer's check is kept for its organisation, shown to the coordinator, and a hint for its person."""

from datetime import timedelta

import pytest
from django.conf import settings

from konsilium.actions import browsertest, equipment
from konsilium.adapters.turn import Turn
from konsilium.models import BrowserTest, Organization
from konsilium.models.access import acting
from konsilium.workflow.machine import NotYours, Refused
from tests.cast import NOW

pytestmark = pytest.mark.django_db
FINE = {"camera": "ok", "microphone": "ok", "speakers": "heard", "line": "ok", "line_kbits": 700}


def kept(actor, said=FINE, *, at=NOW, **more):
    with acting(actor):
        return browsertest.keep(said, actor=actor, at=at, **more)


def room(cast, house="omsk"):
    with acting(cast.coordinator):
        own = Organization.objects.get(pk=cast.house(house))
        values = {"kind": "room", "name": "Ноутбук", "is_active": True}
        return equipment.add_endpoint(own, values, actor=cast.coordinator, at=NOW)


def test_a_check_is_kept_with_what_follows_from_it(cast):
    row = kept(cast.omsk_doctor, computer="  Ноутбук ")
    with acting(cast.coordinator):
        seen = BrowserTest.objects.visible_to(cast.coordinator).get()
    assert (seen.pk, seen.band, seen.mode, seen.computer) == (row.pk, "sd", "full", "Ноутбук")


def test_another_house_sees_nothing_of_it(cast):
    kept(cast.omsk_doctor)
    for actor in (cast.chita_admin, cast.cniis_consultant):
        with acting(actor):
            assert not BrowserTest.objects.exists()


def test_it_stands_in_the_passport_of_an_own_computer_only(cast):
    own, foreign = room(cast), room(cast, "chita")
    assert kept(cast.omsk_doctor, endpoint_id=own.pk).endpoint == own
    with pytest.raises(Refused):
        kept(cast.omsk_doctor, endpoint_id=foreign.pk)


def test_a_role_that_meets_nobody_checks_no_computer(cast):
    for actor in (cast.coordinator, cast.sysadmin):
        with acting(actor):
            with pytest.raises(NotYours):
                browsertest.keep(FINE, actor=actor, at=NOW)
            with pytest.raises(NotYours):
                browsertest.relays(actor=actor, at=NOW)


def test_the_newest_own_check_is_the_hint_until_it_is_old(cast):
    kept(cast.omsk_doctor, FINE | {"line_kbits": 150}, at=NOW - timedelta(minutes=5))
    mine = kept(cast.omsk_doctor)
    kept(cast.omsk_admin, FINE | {"line_kbits": 20})
    with acting(cast.omsk_doctor):
        assert browsertest.newest(cast.omsk_doctor, at=NOW) == mine
        later = NOW + browsertest.HINTS + timedelta(minutes=1)
        assert browsertest.newest(cast.omsk_doctor, at=later) is None


def test_each_check_gets_relays_under_a_name_of_its_own(cast, monkeypatch):
    monkeypatch.setattr(settings, "TURN", Turn(("turn:turn.example.org",), "x" * 16))
    names = {browsertest.relays(actor=cast.omsk_doctor, at=NOW)[0]["username"] for _ in range(3)}
    assert len(names) == 3
    assert not any(str(cast.omsk_doctor.person_id) in name for name in names)

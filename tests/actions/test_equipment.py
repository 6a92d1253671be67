"""Equipment is entered and set up by its people; only a coordinator says that it was tested."""

from datetime import date

import pytest
from django.db import ProgrammingError, transaction

from konsilium.actions import equipment
from konsilium.adapters.sealing import open_sealed
from konsilium.models import Endpoint, EndpointSecret, EquipmentTest, GuideTick, Organization
from konsilium.models.access import acting, as_prober
from konsilium.workflow.machine import NotYours, Refused
from tests.cast import NOW

pytestmark = pytest.mark.django_db

CODEC = {"kind": "sip", "name": "Зал", "address": "sip:hall@omsk.example"}


def entered(cast, actor=None, **changes):
    actor = actor or cast.omsk_technician
    with acting(actor):
        own = Organization.objects.get(pk=cast.house("omsk"))
        return equipment.add_endpoint(own, CODEC | changes, actor=actor, at=NOW)


def found(verdict="passed", **more):
    return equipment.Measured(participants="Гусев П.", verdict=verdict, **more)


def test_a_technician_enters_and_corrects_own_equipment(cast):
    endpoint = entered(cast)
    with acting(cast.omsk_technician):
        equipment.change_endpoint(endpoint, {"name": "Зал 2"}, actor=cast.omsk_technician, at=NOW)
        assert Endpoint.objects.visible_to(cast.omsk_technician).get().name == "Зал 2"


def test_nobody_enters_another_houses_equipment(cast):
    endpoint = entered(cast)
    for actor in (cast.chita_technician, cast.chita_admin, cast.omsk_doctor, cast.cniis_dispatcher):
        with acting(actor):
            with pytest.raises(NotYours):
                equipment.add_endpoint(endpoint.organization, CODEC, actor=actor, at=NOW)
            with pytest.raises(NotYours):
                equipment.tick(endpoint, "sip", actor=actor, at=NOW)
    with acting(cast.coordinator):
        assert Endpoint.objects.count() == 1
        assert not GuideTick.objects.exists()


def test_an_unknown_kind_is_refused(cast):
    with pytest.raises(Refused):
        entered(cast, kind="teapot")


def test_a_step_ticked_twice_stays_the_first_ones(cast):
    endpoint = entered(cast)
    with acting(cast.omsk_technician):
        equipment.tick(endpoint, "sip", actor=cast.omsk_technician, at=NOW)
    with acting(cast.coordinator):
        equipment.tick(endpoint, "sip", actor=cast.coordinator, at=NOW)
        assert GuideTick.objects.get().person_name == cast.omsk_technician.name
        equipment.untick(endpoint, "sip", actor=cast.coordinator, at=NOW)
        assert not GuideTick.objects.exists()
        with pytest.raises(Refused):
            equipment.tick(endpoint, "gatekeeper", actor=cast.coordinator, at=NOW)


def test_another_kind_begins_its_own_guide(cast):
    endpoint = entered(cast)
    with acting(cast.omsk_technician):
        equipment.tick(endpoint, "sip", actor=cast.omsk_technician, at=NOW)
        equipment.change_endpoint(endpoint, {"kind": "vinteo"}, actor=cast.omsk_technician, at=NOW)
        assert not GuideTick.objects.exists()


def test_a_test_keeps_what_was_measured_and_how_long_it_holds(cast):
    endpoint = entered(cast)
    measured = {"loss": 0.4, "jitter": 12, "unknown": 1}
    with acting(cast.coordinator):
        result = found(measurements=measured, checks={"heard": True, "second_video": False}, codec="H.264")
        equipment.record_test(endpoint, result, actor=cast.coordinator, at=NOW)
        row = EquipmentTest.objects.get()
    assert row.measurements == {"loss": 0.4, "jitter": 12}
    assert row.checks == {"heard": True, "second_video": False}
    assert row.valid_until == date(2027, 11, 23)


def test_a_failed_test_needs_a_reason_and_never_holds(cast):
    endpoint = entered(cast)
    with acting(cast.coordinator):
        for verdict in ("failed", "limited"):
            with pytest.raises(Refused):
                equipment.record_test(endpoint, found(verdict), actor=cast.coordinator, at=NOW)
        row = equipment.record_test(endpoint, found("failed", reason="Эхо"), actor=cast.coordinator, at=NOW)
        assert row.valid_until is None
        assert not equipment.holds(row, NOW.date())


def test_only_a_coordinator_records_a_test_and_nobody_changes_one(cast):
    endpoint = entered(cast)
    with acting(cast.omsk_technician), pytest.raises(NotYours):
        equipment.record_test(endpoint, found(), actor=cast.omsk_technician, at=NOW)
    with acting(cast.coordinator):
        equipment.record_test(endpoint, found(), actor=cast.coordinator, at=NOW)
        assert EquipmentTest.objects.update(verdict="failed") == 0
        assert EquipmentTest.objects.get().verdict == "passed"


def test_a_password_goes_in_and_comes_out_to_nobody_but_the_prober(cast):
    endpoint = entered(cast)
    with acting(cast.omsk_technician):
        equipment.set_password(endpoint, "секрет", actor=cast.omsk_technician, at=NOW)
    for actor in (cast.coordinator, cast.omsk_technician, cast.omsk_admin):
        with acting(actor):
            with pytest.raises(ProgrammingError), transaction.atomic():
                list(EndpointSecret.objects.values_list("sealed"))
            assert EndpointSecret.objects.values_list("set_by").get() == (cast.omsk_technician.name,)
    with as_prober():
        sealed = bytes(EndpointSecret.objects.get().sealed)
    assert "секрет".encode() not in sealed
    assert open_sealed(sealed).decode() == "секрет"
    with acting(cast.chita_technician), pytest.raises(NotYours):
        equipment.set_password(endpoint, "чужой", actor=cast.chita_technician, at=NOW)
    with acting(cast.omsk_technician):
        equipment.set_password(endpoint, "", actor=cast.omsk_technician, at=NOW)
        assert not EndpointSecret.objects.values_list("id").exists()

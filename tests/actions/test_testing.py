"""A test of equipment by its protocol: filled in together, decided by the coordinator, never changed after."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction

from konsilium.actions import equipment, probing, testing
from konsilium.models import Endpoint, EquipmentTest, Organization, Probe, TestParticipant, TestStep
from konsilium.models.access import acting
from konsilium.workflow.machine import NotNow, NotYours, Refused
from konsilium.workflow.protocol import NUMBERS, STEPS, proposed, steps_of
from tests.factories import NOW

pytestmark = pytest.mark.django_db
CODEC = {"kind": "sip", "name": "Кодек", "address": "codec.omsk.example", "transport": "tls"}


@pytest.fixture
def endpoint(cast):
    with acting(cast.omsk_technician):
        house = Organization.objects.get(pk=cast.house("omsk"))
        return equipment.add_endpoint(house, CODEC, actor=cast.omsk_technician, at=NOW)


@pytest.fixture
def opened(cast, endpoint):
    with acting(cast.coordinator):
        return testing.open_test(endpoint, actor=cast.coordinator, at=NOW)


def answer(cast, test, who="omsk_technician", **outcomes):
    actor = cast.actor_of(who)
    with acting(actor):
        row = EquipmentTest.objects.select_related("endpoint").get(pk=test.pk)
        for code, outcome in outcomes.items():
            testing.mark(row, code, outcome, actor=actor, at=NOW)


def all_passed():
    return {step.code: "passed" for step in steps_of("sip")}


def conclude(cast, test, verdict, reason="", **named):
    with acting(cast.coordinator):
        return testing.conclude(test, verdict, reason, actor=cast.coordinator, at=NOW, **named)


def test_both_sides_answer_steps_and_both_stand_in_the_protocol(cast, opened):
    answer(cast, opened, reach="passed")
    answer(cast, opened, who="coordinator", sound_out="limited")
    with acting(cast.coordinator):
        assert {step.code: step.person_name for step in TestStep.objects.all()} == {
            "reach": cast.omsk_technician.name,
            "sound_out": cast.coordinator.name,
        }
        assert TestParticipant.objects.count() == 2


def test_a_clean_protocol_passes_for_a_year_and_is_never_changed_again(cast, opened):
    answer(cast, opened, **all_passed())
    row = conclude(cast, opened, "passed")
    assert row.valid_until == (NOW + timedelta(days=365)).date()
    assert cast.omsk_technician.name in row.participants
    with pytest.raises(NotNow):
        answer(cast, opened, reach="failed")
    with pytest.raises(NotNow):
        conclude(cast, opened, "failed", "Передумали.")
    with acting(cast.coordinator):
        assert EquipmentTest.objects.update(verdict="failed") == 0
        assert TestStep.objects.update(outcome="failed") == 0
    with acting(cast.omsk_technician), pytest.raises(ProgrammingError), transaction.atomic():
        TestStep(test=opened, code="x", outcome="passed", at=NOW).save(force_insert=True)


def test_numbers_say_the_outcome_by_their_bands_and_the_worst_stays_in_the_record(cast, opened):
    with acting(cast.omsk_technician):
        row = EquipmentTest.objects.select_related("endpoint").get(pk=opened.pk)
        numbers = {"loss": 0.4, "jitter": 45.0, "mos": 4.1}
        step = testing.mark(row, "sound_out", "", numbers, actor=cast.omsk_technician, at=NOW)
        testing.mark(row, "sound_in", "", {"loss": 2.5}, actor=cast.omsk_technician, at=NOW)
    assert step.outcome == "limited"
    row = conclude(cast, opened, "failed", "Не довели до конца.")
    assert (row.measurements["loss"], row.measurements["mos"]) == (2.5, 4.1)
    assert row.valid_until is None


def test_a_pass_needs_its_steps_and_a_failure_of_one_fails(cast, opened):
    with pytest.raises(Refused):
        conclude(cast, opened, "passed")
    answer(cast, opened, **(all_passed() | {"light": "failed"}))
    with pytest.raises(Refused):
        conclude(cast, opened, "passed")
    conclude(cast, opened, "passed", "Свет поправили во время проверки.")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "passed"),
        ({"second_video": "failed"}, "limited"),
        ({"sound_in": "limited"}, "limited"),
        ({"light": "skipped"}, "limited"),
        ({"picture_in": "failed"}, "failed"),
        ({"picture_in": ""}, "open"),
        ({"tls": ""}, "passed"),
    ],
)
def test_the_verdict_is_proposed_by_the_steps(change, told):
    outcomes = {step.code: "passed" for step in steps_of("sip")} | change
    assert proposed("sip", outcomes) == told


def test_every_number_of_a_step_has_its_band_and_every_kind_its_steps():
    assert all(set(step.numbers) <= set(NUMBERS) for step in STEPS)
    assert {kind: len(steps_of(kind)) for kind in ("sip", "h323", "room")} == {
        "sip": 14,
        "h323": 12,
        "room": 11,
    }


@pytest.mark.parametrize(
    ("code", "outcome", "numbers", "note"),
    [
        ("unknown", "passed", {}, ""),
        ("reach_h323", "passed", {}, ""),
        ("light", "", {}, ""),
        ("light", "perfect", {}, ""),
        ("light", "passed", {"loss": 1.0}, ""),
        ("sound_in", "", {"loss": -1.0}, ""),
        ("light", "skipped", {}, " "),
        ("light", "passed", {}, "ж" * 500),
    ],
)
def test_a_wrong_answer_is_refused_and_leaves_nothing(cast, opened, code, outcome, numbers, note):
    with acting(cast.omsk_technician):
        row = EquipmentTest.objects.select_related("endpoint").get(pk=opened.pk)
        with pytest.raises(Refused):
            testing.mark(row, code, outcome, numbers, note, actor=cast.omsk_technician, at=NOW)
        assert not TestStep.objects.exists()


def test_one_test_of_an_endpoint_is_open_at_a_time_and_only_a_coordinator_opens(cast, endpoint, opened):
    with acting(cast.coordinator):
        assert testing.open_test(endpoint, actor=cast.coordinator, at=NOW).pk == opened.pk
    with acting(cast.omsk_technician), pytest.raises(NotYours):
        testing.open_test(endpoint, actor=cast.omsk_technician, at=NOW)
    with acting(cast.omsk_technician), pytest.raises(NotYours):
        testing.conclude(opened, "passed", actor=cast.omsk_technician, at=NOW)


def test_a_stranger_sees_neither_test_nor_steps(cast, opened):
    answer(cast, opened, reach="passed")
    with acting(cast.chita_technician):
        assert not EquipmentTest.objects.exists()
        assert not TestStep.objects.exists()


# --- Approval


def test_nothing_is_probed_before_a_coordinator_approved_the_address(cast, endpoint):
    with acting(cast.omsk_technician), pytest.raises(NotNow):
        probing.ask(endpoint, "options", actor=cast.omsk_technician, at=NOW)
    with acting(cast.coordinator):
        testing.approve(endpoint, actor=cast.coordinator, at=NOW)
        row = Endpoint.objects.get()
        first = probing.ask(row, "options", actor=cast.coordinator, at=NOW)
        assert probing.ask(row, "options", actor=cast.coordinator, at=NOW).pk == first.pk
        assert Probe.objects.count() == 1
        with pytest.raises(Refused):
            probing.ask(row, "portscan", actor=cast.coordinator, at=NOW)


@pytest.mark.parametrize(
    ("change", "stays"),
    [({"address": "10.0.0.1"}, False), ({"transport": "udp"}, False), ({"note": "x"}, True)],
)
def test_a_change_of_the_address_asks_for_the_approval_again(cast, endpoint, change, stays):
    with acting(cast.coordinator):
        testing.approve(endpoint, actor=cast.coordinator, at=NOW)
    with acting(cast.omsk_technician):
        equipment.change_endpoint(endpoint, change, actor=cast.omsk_technician, at=NOW)
        assert (Endpoint.objects.get().approved_at is not None) == stays


def test_nobody_but_a_coordinator_approves_also_not_below_the_actions(cast, endpoint):
    with acting(cast.omsk_technician):
        with pytest.raises(NotYours):
            testing.approve(endpoint, actor=cast.omsk_technician, at=NOW)
        Endpoint.objects.update(approved_at=NOW, approved_by="Я сам")
        assert Endpoint.objects.get().approved_at is None

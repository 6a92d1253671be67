"""The demonstration's equipment: a first test that failed, then a protocol that passed, or one that still is open."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from konsilium.actions import equipment, testing
from konsilium.models import Endpoint, EquipmentTest, Organization
from konsilium.workflow.protocol import steps_of
from konsilium.workflow.roles import Actor

TECHNICIAN, PHONE = "Смирнов А. А.", "+7 495 123-45-68"
NUMBERS: Mapping[str, Mapping[str, float]] = {
    "reach": {"connect_ms": 140},
    "call": {"round_trip": 62},
    "sound_out": {"loss": 0.2, "jitter": 9, "mos": 4.2},
    "sound_in": {"loss": 0.3, "jitter": 11, "mos": 4.1},
    "picture_out": {"width": 1280, "fps": 25},
    "picture_in": {"width": 1280, "fps": 25},
    "bandwidth": {"rate_in": 2048, "rate_out": 1984},
}
DONE_SO_FAR = 5


def equip(house: Organization, actor: Actor, at: datetime, *, passed: bool) -> None:
    """Give a house its codec and a test that failed; after it one that passed, or one in which steps are missing."""
    values = {
        "kind": "sip", "name": "Конференц-зал", "model": "Polycom Group 500", "address": f"sip:hall@{house.oid[-4:]}.example.org",
        "dial_string": f"{house.oid[-4:]}@vks.example.org", "place": "Корпус 1, 2 этаж", "technician": TECHNICIAN,
        "reserve_phone": PHONE, "is_active": True,
    }  # fmt: skip
    endpoint = equipment.add_endpoint(house, values, actor=actor, at=at)
    for step in ("power", "network", "address"):
        equipment.tick(endpoint, step, actor=actor, at=at)
    _failed(endpoint, actor, at)
    later = at + timedelta(hours=2)
    if passed:
        test = _steps(endpoint, actor, later)
        testing.conclude(test, "passed", actor=actor, at=later + timedelta(minutes=40))
    else:
        _steps(endpoint, actor, later, most=DONE_SO_FAR)


def _failed(endpoint: Endpoint, actor: Actor, at: datetime) -> None:
    failed = equipment.Measured(
        TECHNICIAN, "failed", reachable=True, codec="H.264", resolution="640×360",
        measurements={"loss": 6, "jitter": 55, "round_trip": 180}, checks={"heard": True, "seen": False},
        reason="Потери пакетов: закрыты порты медиа на межсетевом экране.",
    )  # fmt: skip
    equipment.record_test(endpoint, failed, actor=actor, at=at)


def _steps(endpoint: Endpoint, actor: Actor, at: datetime, *, most: int = 99) -> EquipmentTest:
    test = testing.open_test(endpoint, actor=actor, at=at)
    for number, step in enumerate(steps_of(endpoint.kind)[:most]):
        moment, numbers = at + timedelta(minutes=2 * number), NUMBERS.get(step.code)
        note = "" if step.is_needed else "Проверено вместе с инженером больницы."
        testing.mark(test, step.code, "passed", numbers, note, actor=actor, at=moment)
    return test

"""The picture that a test call received: on the test's page, for those alone who see the equipment."""

import pytest
from django.utils import timezone

from konsilium.actions import equipment, testing
from konsilium.actions.documents import store
from konsilium.models import EquipmentTest, Organization
from konsilium.models.access import acting, as_prober
from tests.cast import sign_in

pytestmark = pytest.mark.django_db
PICTURE = b"\x89PNG as the program drew it"


def drawn(content=PICTURE):
    return store().receive([content], len(content)).sha256


@pytest.fixture
def test(cast):
    """A codec's open test with a picture."""
    technician, at = cast.omsk_technician, timezone.now()
    with acting(technician):
        house = Organization.objects.get(pk=cast.house("omsk"))
        values = {"kind": "sip", "name": "Кодек", "address": "codec.omsk.example"}
        row = equipment.add_endpoint(house, values, actor=technician, at=at)
    with acting(cast.coordinator):
        opened = testing.open_test(row, actor=cast.coordinator, at=at)
    with as_prober():
        EquipmentTest.objects.filter(pk=opened.pk).update(picture_sha256=drawn())
    return opened


def address(test):
    return f"/organization/tests/{test.pk}/seen/"


@pytest.mark.parametrize("who", ["coordinator", "omsk_technician"])
def test_whoever_sees_the_equipment_sees_what_the_call_received(client, cast, test, who):
    sign_in(client, cast.actor_of(who))
    assert address(test) in client.get(f"/organization/tests/{test.pk}/protocol/").content.decode()
    answer = client.get(address(test))
    assert b"".join(answer.streaming_content) == PICTURE
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_nobody_elses_technician_sees_it(client, cast, test):
    sign_in(client, cast.chita_technician)
    assert client.get(address(test)).status_code == 404


def test_a_test_without_a_picture_has_none(client, cast, test):
    with as_prober():
        EquipmentTest.objects.filter(pk=test.pk).update(picture_sha256="")
    sign_in(client, cast.coordinator)
    assert address(test) not in client.get(f"/organization/tests/{test.pk}/protocol/").content.decode()
    assert client.get(address(test)).status_code == 404

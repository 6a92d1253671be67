"""A specialist and a coordinator test an endpoint together: each sees what the other writes, as it is written."""

import pytest
from django.utils import timezone

from konsilium.actions import equipment
from konsilium.models import EquipmentTest, Organization
from konsilium.models.access import acting
from tests.live.pages import key_of

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page, site, actor):
    page.context.add_cookies([{"name": "konsilium", "value": key_of(actor), "url": site}])


@pytest.mark.chiefly("wide")
def test_a_coordinator_and_a_specialist_test_a_codec_together(people, cast, site):
    technician = cast.omsk_technician
    with acting(technician):
        house = Organization.objects.get(pk=cast.house("omsk"))
        values = {"kind": "sip", "name": "Кодек в конференц-зале", "address": "codec.omsk.example"}
        endpoint = equipment.add_endpoint(house, values, actor=technician, at=timezone.now())
    ours, theirs = people("coordinator"), people("omsk_technician")
    sign_in(ours, site, cast.coordinator)
    sign_in(theirs, site, technician)

    ours.goto(f"/organization/equipment/{endpoint.pk}/")
    ours.get_by_role("button", name="Одобрить адрес").click()
    ours.get_by_text("Орлова").first.wait_for()
    ours.get_by_role("button", name="Начать проверку").click()
    ours.wait_for_url("**/protocol/")
    theirs.goto(f"/organization/equipment/{endpoint.pk}/")
    theirs.get_by_role("link", name="Продолжить проверку").click()
    theirs.wait_for_url("**/protocol/")
    for page in (ours, theirs):
        page.locator("#protocol[data-watching]").wait_for()

    # What one answers, the other sees without doing anything.
    theirs.locator("#step-light summary").click()
    theirs.locator("#step-light [name=note]").fill("Шторы закрыты")
    theirs.locator("#step-light button[value=passed]").click()
    ours.locator("#step-light").get_by_text("Шторы закрыты").wait_for()
    hands_are_spared(ours, theirs)
    ours.locator("#step-sound_in summary").click()
    ours.locator("#step-sound_in [name=loss]").fill("0,4")
    ours.locator("#step-sound_in [name=mos]").fill("4,2")
    ours.get_by_role("button", name="По числам").locator("visible=true").click()
    theirs.locator("#step-sound_in .badge.good").first.wait_for()
    theirs.get_by_text(cast.coordinator.name).first.wait_for()

    ours.locator("[name=verdict][value=failed]").check()
    ours.locator("[name=reason]").fill("Картинка не пришла, повторим завтра.")
    ours.get_by_role("button", name="Завершить проверку").click()
    theirs.get_by_text("Картинка не пришла, повторим завтра.").wait_for()
    with acting(cast.coordinator):
        row = EquipmentTest.objects.get()
        assert (row.verdict, row.steps.count(), row.took_part.count()) == ("failed", 4, 2)


def hands_are_spared(ours, theirs):
    """What others changed waits for an open answer, also when it was on its way as the answer was opened."""
    under_way = []

    def hold(route):
        under_way.append(route)
        if len(under_way) > 1:
            route.continue_()

    theirs.route("**/protocol/", hold)
    ours.locator("#step-room summary").click()
    ours.locator("#step-room [name=note]").fill("Эхо слабое")
    ours.locator("#step-room button[value=passed]").click()
    soon(theirs, lambda: under_way)
    note = theirs.locator("#step-reserve_phone [name=note]")
    theirs.locator("#step-reserve_phone summary").click()
    note.fill("Телефон на столе")
    with theirs.expect_response("**/protocol/"):
        under_way[0].continue_()
    theirs.unroute("**/protocol/")
    theirs.locator("#protocol[data-stale]").wait_for()
    assert note.is_visible()
    assert note.input_value() == "Телефон на столе"
    assert not theirs.get_by_text("Эхо слабое").count()

    # One's own answer to another step shows what others wrote and leaves this one open.
    theirs.locator("#step-reach summary").click()
    theirs.locator("#step-reach button[value=passed]").click()
    theirs.get_by_text("Эхо слабое").wait_for()
    assert note.is_visible()
    assert note.input_value() == "Телефон на столе"
    assert not theirs.locator("#step-reach details[open]").count()

    # Closing it without an answer fetches what came meanwhile.
    ours.locator("#step-room summary").click()
    ours.locator("#step-room [name=note]").fill("Эхо пропало")
    ours.locator("#step-room button[value=passed]").click()
    theirs.locator("#protocol[data-stale]").wait_for()
    theirs.locator("#step-reserve_phone summary").click()
    theirs.get_by_text("Эхо пропало").wait_for()


def soon(page, said):
    for _ in range(200):
        if said():
            return
        page.wait_for_timeout(50)
    raise AssertionError("nothing came")

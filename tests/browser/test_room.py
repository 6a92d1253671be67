"""The session's room in a real Chromium: who sees and hears whom, who is out, and what a broken line does."""

import os
import shutil
import signal
import statistics
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from konsilium.actions import people as staff
from konsilium.models import Attendance, Membership
from konsilium.models.access import acting
from tests.browser.conftest import FLAGS, SIZES
from tests.browser.rooms import MEDIA_FLAGS, Somebody
from tests.live.conftest import Server
from tests.live.pages import key_of, meeting
from tests.playing import driver

pytestmark = pytest.mark.django_db(transaction=True)
CAST = {
    "red": "omsk_doctor",
    "green": "cniis_consultant",
    "blue": "cniis_dispatcher",
    "yellow": "omsk_admin",
}


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium")
    assert path, "chromium is missing: run make test, which installs it"
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"]
    browser = driver().chromium.launch(
        executable_path=path, chromium_sandbox=False, args=[*flags, *MEDIA_FLAGS]
    )
    yield browser
    browser.close()


@pytest.fixture
def server(django_db_setup):
    server = Server().start()
    yield server
    server.end(signal.SIGTERM)


@pytest.fixture
def somebody(browser, server, cast):
    """Open a browser of one's own for a colour."""
    opened = []

    def open_for(colour, size="wide"):
        context = browser.new_context(viewport=SIZES[size], locale="ru-RU", base_url=server.address)
        context.set_default_timeout(20_000)
        one = Somebody(context, colour, key_of(cast.actor_of(CAST[colour])), server.address)
        opened.append(one)
        return one

    yield open_for
    folder = os.environ.get("KONSILIUM_SCREENSHOTS")
    for one in opened:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            one.page.screenshot(path=f"{folder}/room-{one.colour}.png")
        one.context.close()
    assert [trouble for one in opened for trouble in one.troubles] == []


def together(*people):
    """Wait until each sees each other in their colour."""
    for one in people:
        for other in people:
            if one is not other:
                one.soon(lambda one=one, other=other: one.sees(other) == other.colour)


def test_two_see_and_hear_each_other_and_what_they_show_of_themselves(cast, somebody):
    _, session = meeting(cast)
    red = somebody("red").come(session)
    green = somebody("green", "narrow")
    green.come(session)
    together(red, green)
    red.hears_soon(green)
    green.hears_soon(red)
    red.press("mic")
    green.soon(lambda: green.hears(red) is None)
    green.page.get_by_text("Микрофон выключен").first.wait_for()
    red.press("hand")
    green.page.get_by_text("Рука поднята").wait_for()
    red.page.get_by_label("Написать всем").fill("Видно ли отломок?")
    red.page.get_by_role("button", name="Отправить").click()
    green.page.get_by_text("Видно ли отломок?").wait_for()
    red.press("leave")
    red.page.get_by_text("Вы вышли с сеанса").wait_for()
    green.soon(lambda: not green.page.locator(f"[data-person='{red.me}']").count(), seconds=10)
    with acting(cast.omsk_doctor):
        assert Attendance.objects.filter(left_at=None).count() == 1


def test_sound_only_sends_stills_by_button_and_the_picture_comes_back(cast, somebody):
    _, session = meeting(cast)
    red, green = somebody("red").come(session), somebody("green").come(session)
    together(red, green)
    red.press("sound_only")
    green.page.locator(f"[data-person='{red.me}'] .still:not([hidden])").wait_for()
    green.hears_soon(red)
    red.press("sound_only")
    green.page.locator(f"[data-person='{red.me}'] .still[hidden]").wait_for(state="attached")
    green.soon(lambda: green.sees(red) == "red")


def test_three_are_together_one_comes_late_one_is_put_out_one_loses_access(cast, somebody):
    _, session = meeting(cast)
    red, green = somebody("red").come(session), somebody("green").come(session)
    together(red, green)
    blue = somebody("blue").come(session)
    together(red, green, blue)
    red.hears_soon(blue)
    blue.hears_soon(green)
    green.page.once("dialog", lambda dialog: dialog.accept())
    green.page.locator(f"[data-person='{blue.me}']").hover()
    green.page.locator(f"[data-person='{blue.me}'] .danger").click()
    blue.page.get_by_text("Вас удалили с сеанса").wait_for()
    red.soon(lambda: not red.page.locator(f"[data-person='{blue.me}']").count())
    green.page.get_by_role("button", name="Допустить снова").click()
    blue.come(session)
    together(green, blue)
    with acting(cast.omsk_admin):
        row = Membership.objects.get(pk=cast.omsk_doctor.membership_id)
        staff.end_access(row, actor=cast.omsk_admin, at=timezone.now())
    begun = time.monotonic()
    red.page.get_by_text("Вы больше не можете участвовать").wait_for()
    assert time.monotonic() - begun < 5
    green.soon(lambda: not green.page.locator(f"[data-person='{red.me}']").count())


def test_media_goes_on_while_the_server_is_killed_and_everybody_is_back_in_their_seats(
    cast, somebody, server
):
    _, session = meeting(cast)
    red, green = somebody("red").come(session), somebody("green").come(session)
    together(red, green)
    server.end(signal.SIGKILL)
    red.page.locator("#room[data-line=lost]").wait_for(state="attached")
    assert red.sees(green) == "green"
    red.hears_soon(green)
    server.start()
    for one in (red, green):
        one.page.locator("#room[data-line=open]").wait_for(state="attached")
    red.page.wait_for_timeout(1000)
    assert red.sees(green) == "green"
    green.hears_soon(red)
    with acting(cast.omsk_doctor):
        assert [row.interruptions for row in Attendance.objects.all()] == [1, 1]


def test_a_page_that_was_loaded_again_is_the_same_person(cast, somebody):
    _, session = meeting(cast)
    red, green = somebody("red").come(session), somebody("green").come(session)
    together(red, green)
    before = red.me
    red.come(session)
    assert red.me == before
    together(red, green)
    assert green.page.locator("[data-person]").count() == 2


def test_before_its_time_the_page_says_when_the_room_opens(cast, somebody):
    _, session = meeting(cast, after=timedelta(hours=5))
    red = somebody("red")
    red.page.goto(f"/sessions/{session.pk}/room/")
    red.page.get_by_text("Комната открывается за полчаса до сеанса").wait_for()


@pytest.mark.prove
def test_four_are_together_and_media_is_up_within_two_seconds(cast, somebody):
    _, session = meeting(cast)
    here, took = [], []
    for colour in CAST:
        one = somebody(colour).come(session)
        begun = time.monotonic()
        for other in here:
            one.soon(lambda one=one, other=other: one.sees(other) == other.colour)
        if here:
            took.append(time.monotonic() - begun)
        here.append(one)
    together(*here)
    for one in here:
        assert {one.hears(other) for other in here if other is not one} == set(CAST) - {one.colour}
    assert statistics.median(took) < 2

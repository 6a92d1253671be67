"""The room on a media server: the same page, larger rooms, and a recording that everybody agreed to."""

import os
import signal
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from konsilium.actions import recorded
from konsilium.adapters.video import read_choice
from konsilium.models import Recording
from konsilium.models.access import as_room
from tests.bed.janus import janus
from tests.browser.conftest import SIZES
from tests.browser.rooms import Somebody
from tests.browser.test_room import CAST, browser, together  # noqa: F401
from tests.live.conftest import Server
from tests.live.pages import key_of, meeting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    with janus(tmp_path_factory.mktemp("janus")) as running:
        yield running


@pytest.fixture
def server(django_db_setup, media):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**media.environment, "KONSILIUM_RECORDING": "1"}.items():
            patch.setenv(name, value)
        server = Server().start()
    yield server
    server.end(signal.SIGTERM)


@pytest.fixture
def somebody(browser, server, cast):  # noqa: F811
    """Open a browser of one's own for a colour."""
    opened = []

    def open_for(colour, size="wide"):
        context = browser.new_context(viewport=SIZES[size], locale="ru-RU", base_url=server.address)
        context.set_default_timeout(20_000)
        opened.append(Somebody(context, colour, key_of(cast.actor_of(CAST[colour])), server.address))
        return opened[-1]

    yield open_for
    for one in opened:
        picture(one, "end")
        one.context.close()
    assert [trouble for one in opened for trouble in one.troubles] == []


def picture(one, name):
    folder = os.environ.get("KONSILIUM_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        one.page.screenshot(path=f"{folder}/janus-{name}-{one.colour}.png")


def test_three_are_together_through_the_media_server_and_one_is_put_out(cast, somebody):
    _, session = meeting(cast)
    red, green, blue = people = [somebody(colour).come(session) for colour in ("red", "green", "blue")]
    together(*people)
    red.hears_soon(blue)
    blue.hears_soon(green)
    red.press("mic")
    green.soon(lambda: green.hears(red) is None)
    green.page.once("dialog", lambda dialog: dialog.accept())
    green.page.locator(f"[data-person='{blue.me}']").hover()
    green.page.locator(f"[data-person='{blue.me}'] .danger").click()
    blue.page.get_by_text("Вас удалили с сеанса").wait_for()
    red.soon(lambda: not red.page.locator(f"[data-person='{blue.me}']").count())


@pytest.mark.prove
def test_after_a_crash_of_the_media_server_they_see_each_other_again(cast, somebody, media):
    _, session = meeting(cast)
    people = [somebody(colour).come(session) for colour in ("red", "green")]
    together(*people)
    media.kill()
    media.start()
    together(*people)


def test_it_is_recorded_after_everybodys_yes_and_heard_by_whom_the_consultant_gave_it_to(
    cast, somebody, media, settings
):
    _, session = meeting(cast)
    red, green = people = somebody("red", "narrow").come(session), somebody("green").come(session)
    together(*people)
    assert not red.page.locator("[data-name=record]").count()
    green.press("record")
    red.page.get_by_text("просит записать сеанс").wait_for()
    picture(red, "asked")
    red.press("record_yes")
    for one in people:
        one.page.locator("[data-name=record_on]").wait_for()
    together(*people)
    picture(green, "recorded")
    green.page.wait_for_timeout(3000)
    green.press("record")
    red.page.locator("[data-name=record_on]").wait_for(state="detached")
    together(*people)
    settings.VIDEO = read_choice(media.environment)
    green.soon(lambda: len(list(media.recordings.glob("*.mjr"))) == 4)
    assert recorded.gather(at=timezone.now()) == 4
    with as_room(session.pk):
        assert {row.kind for row in Recording.objects.filter(state="kept")} == {"audio", "video"}
    green.page.goto(reverse("recordings:show", args=[session.pk]))
    green.page.get_by_label("Открыть участнику на две недели").select_option(label=cast.omsk_doctor.name)
    green.page.get_by_role("button", name="Открыть доступ").click()
    red.page.goto(reverse("recordings:show", args=[session.pk]))
    red.page.locator("video.track").first.wait_for()
    played = red.page.evaluate(PLAYED)
    assert sorted(kind for kind, _ in played) == ["AUDIO", "AUDIO", "VIDEO", "VIDEO"]
    assert all(1.5 < seconds < 20 for _, seconds in played), played
    picture(red, "listening")


PLAYED = """async () => {
  const all = [...document.querySelectorAll(".track")];
  return Promise.all(all.map(async one => {
    one.preload = "metadata";
    one.load();
    await new Promise((go, fail) => { one.onloadedmetadata = go; one.onerror = () => fail(one.error.message); });
    return [one.tagName, one.duration];
  }));
}"""

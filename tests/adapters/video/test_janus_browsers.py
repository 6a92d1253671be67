"""Chromium in real Janus rooms: who sees and hears whom, putting out, a killed server, a recorded room."""

from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from konsilium.adapters.tracks import playable, read_head, read_origin
from konsilium.adapters.video import Party as Somebody
from konsilium.adapters.video import Place, connect, read_choice
from tests.adapters.video.browsers import TONES, Party, chromium, until
from tests.bed.janus import janus

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with janus(tmp_path_factory.mktemp("janus")) as running:
        yield running


@pytest.fixture(scope="module")
def browser(server):
    with chromium() as made:
        yield made


class Hall:
    """A room with its engine, and parties that come into it by colour."""

    def __init__(self, server, browser):
        self.browser = browser
        self.engine = connect(
            "janus", read_choice(server.environment), key=b"a key", servers=lambda name, at: []
        )
        self.place = Place(uuid4().hex[:24])
        self.engine.open_room(self.place)
        self.parties = {}

    def grant(self, person):
        return self.engine.join_grant(self.place, Somebody(person), at=datetime.now(UTC))

    def come(self, colour, cheat=None):
        self.parties[colour] = party = Party(*self.browser, colour)
        party.page.evaluate("cheat => { party.cheat = cheat; }", cheat)
        return party.come(self.grant(uuid4()))

    def close(self):
        for party in self.parties.values():
            assert party.trouble == []
            party.page.context.close()
        self.engine.close_room(self.place)


@pytest.fixture
def hall(server, browser):
    made = Hall(server, browser)
    yield made
    made.close()


def test_three_see_and_hear_each_other_and_each_only_whom_it_should(hall):
    people = [hall.come(colour) for colour in ("red", "green", "blue")]
    pairs = [(one, other) for one in people for other in people if one is not other]
    for one, other in pairs:
        until(lambda one=one, other=other: one.sees(other), other.colour)
    for one, other in pairs:
        assert one.hears(other) == pytest.approx(TONES[other.colour], abs=15)


@pytest.mark.prove
def test_media_is_there_within_two_seconds_of_joining(hall):
    red = hall.come("red")
    green = hall.come("green")
    assert until(lambda: green.sees(red), "red") < 2.5
    assert green.page.evaluate("party.took") < 2000


@pytest.mark.prove
def test_what_goes_up_and_down_and_who_speaks_is_told_of_each(hall):
    red, green, blue = (hall.come(colour) for colour in ("red", "green", "blue"))
    for other in (green, blue):
        until(lambda other=other: red.sees(other), other.colour)
    stats = red.page.evaluate("party.engine.stats().then(found => Object.fromEntries(found))")
    assert set(stats) == {green.id, blue.id}
    for one in stats.values():
        assert one["in"]["audio"]["came"] > 0
        assert one["in"]["video"]["frames"] > 0
    assert sorted(one["out"]["audio"]["bytes"] > 0 for one in stats.values()) == [False, True]
    until(lambda: min(red.page.evaluate("party.loudness()").values()) > 0.05)


@pytest.mark.prove
def test_whoever_leaves_is_gone_for_the_others_and_may_come_back(hall):
    red, green = hall.come("red"), hall.come("green")
    until(lambda: red.sees(green), "green")
    green.page.evaluate("party.engine.leave()")
    until(lambda: ("gone", green.id) in red.events())
    blue = hall.come("blue")
    until(lambda: red.sees(blue), "blue")
    until(lambda: blue.sees(red), "red")


def test_whoever_is_put_out_sends_nothing_any_more(hall):
    red, green = hall.come("red"), hall.come("green")
    until(lambda: red.sees(green), "green")
    hall.engine.remove(hall.place, green.id)
    until(lambda: ("removed",) in green.events())
    until(lambda: ("gone", green.id) in red.events())


@pytest.mark.prove
def test_whoever_is_muted_by_the_server_is_not_heard(hall):
    red, green = hall.come("red"), hall.come("green")
    until(lambda: abs(red.hears(green) - TONES["green"]) < 15)
    hall.engine.mute(hall.place, green.id)
    until(lambda: ("muted",) in green.events())
    until(lambda: red.hears(green), 0)


@pytest.mark.prove
def test_the_picture_begins_small_and_grows_on_a_line_that_loses_nothing(hall):
    red, green = hall.come("red"), hall.come("green")
    until(lambda: red.width(green), 320)
    until(lambda: red.width(green), 640, seconds=30)
    red.page.evaluate("party.take(2)")
    until(lambda: red.width(green), 320)


@pytest.mark.prove
def test_without_pictures_the_sound_goes_on(hall):
    red, green = hall.come("red"), hall.come("green")
    until(lambda: red.sees(green), "green")
    red.page.evaluate("party.take(0)")
    red.page.wait_for_timeout(1000)
    before = red.frames()
    red.page.wait_for_timeout(1500)
    assert red.frames() == before
    assert red.hears(green) == pytest.approx(TONES["green"], abs=15)


@pytest.mark.prove
def test_after_a_crash_of_the_server_everybody_is_back_by_themselves(hall, server):
    red, green = hall.come("red"), hall.come("green")
    until(lambda: red.sees(green), "green")
    server.kill()
    server.start()
    hall.engine.open_room(hall.place)
    until(lambda: ("state", "lost", green.id) in red.events())
    until(lambda: red.sees(green), "green")
    until(lambda: green.sees(red), "red")
    before = red.frames()
    until(lambda: red.frames() > before + 10)


def test_a_page_that_asks_janus_for_a_recording_by_itself_gets_none(hall, server):
    sneaked = server.recordings / "sneaked"
    red = hall.come("red", cheat={"record": True, "filename": str(sneaked)})
    green = hall.come("green")
    until(lambda: green.sees(red), "red")
    green.page.wait_for_timeout(1000)
    assert list(server.recordings.iterdir()) == []


def test_everybody_moves_into_a_recorded_room_and_their_tracks_are_kept(hall, server):
    people = red, green = hall.come("red"), hall.come("green")
    until(lambda: red.sees(green), "green")
    hall.place = hall.engine.start_recording(hall.place)
    for party in people:
        party.renew(hall.grant(party.id))
    until(lambda: red.sees(green), "green")
    until(lambda: green.sees(red), "red")
    red.page.wait_for_timeout(4000)
    hall.place = hall.engine.stop_recording(hall.place)
    until(lambda: len(list(server.recordings.glob("*.mjr"))), 4)
    kinds = set()
    for file in server.recordings.glob("*.mjr"):
        origin, head = read_origin(file.name), read_head(file)
        kinds.add((str(origin.party), head.kind))
        content = b"".join(playable(file).chunks)
        assert len(content) > 10_000
        if head.kind == "video":
            shown = red.page.evaluate(PLAY, list(content))
            colour = "red" if str(origin.party) == red.id else "green"
            assert (shown["strongest"], shown["width"]) == (colour, 640)
            assert 3 < shown["lasts"] < 12
    assert kinds == {(party.id, kind) for party in people for kind in ("audio", "video")}


PLAY = """async bytes => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)], {type: "video/webm"}));
  await new Promise((go, fail) => { video.onloadeddata = go; video.onerror = () => fail(video.error.message); });
  video.currentTime = 2;
  await new Promise(go => { video.onseeked = go; });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const brush = canvas.getContext("2d");
  brush.drawImage(video, 0, 0);
  const [r, g, b] = brush.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data;
  const strongest = r > g && r > b ? "red" : g > b ? "green" : "blue";
  return {strongest, width: video.videoWidth, lasts: video.duration};
}"""


def sound_lost(party, seconds):
    """The share of the sound's packets that were lost in so many seconds, of the worst of the others."""
    ask = "party.engine.stats().then(found => [...found.values()].map(one => one.in.audio))"
    before = party.page.evaluate(ask)
    party.page.wait_for_timeout(seconds * 1000)
    after = party.page.evaluate(ask)
    lost = [later["lost"] - earlier["lost"] for earlier, later in zip(before, after, strict=True)]
    came = [later["came"] - earlier["came"] for earlier, later in zip(before, after, strict=True)]
    return max(some / max(some + others, 1) for some, others in zip(lost, came, strict=True))


@contextmanager
def narrowed(space, kbits):
    """Let no more than so much come from Janus, to all browsers together."""
    wire = ("dev", space._there)
    space.run(
        "tc", "qdisc", "add", *wire, "root", "tbf", "rate", f"{kbits}kbit", "burst", "6kb", "latency", "150ms"
    )
    try:
        yield
    finally:
        space.run("tc", "qdisc", "del", *wire, "root")


@pytest.mark.prove
def test_on_a_thin_line_the_ladder_saves_the_sound(hall, server):
    """Two large pictures want 1.4 Mbit/s; the line carries 500 kbit/s, and Janus itself would send on."""
    red, green, blue = (hall.come(colour) for colour in ("red", "green", "blue"))
    for sender in (green, blue):
        sender.page.evaluate("party.isNoisy = true; party.take(0)")
    for sender in (green, blue):
        until(lambda sender=sender: red.width(sender), 640, seconds=40)
    red.page.evaluate("party.isStubborn = true")
    with narrowed(server.space, 500):
        assert sound_lost(red, 6) > 0.05
        red.page.evaluate("party.isStubborn = false")
        red.page.wait_for_timeout(8000)
        assert sound_lost(red, 10) <= 0.01
        assert red.page.evaluate("party.engine.step") != "high"

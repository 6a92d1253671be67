"""The room on a thin line, emulated: sound comes first, the picture goes by itself and comes back with the line.

`python -m bench.line` runs the measurements at full length and prints them; the others are a slice of each.
"""

import pytest

from tests.browser.thin import gathered
from tests.line.between import heard, totals

pytestmark = pytest.mark.django_db(transaction=True)
# Of the packets with sound, what may get lost.
MOST = 0.01


def worst(found):
    return max(one.audio_loss for one in found)


def test_sound_alone_passes_whole_over_128_kbits_and_the_other_sees_stills(chromium, cast):
    with gathered(chromium, cast) as held:
        held.line.set(kbits=128)
        held.sound_alone()
        held.wait(5)
        found = heard(held.pages, 8000)
        assert worst(found) <= MOST
        assert min(one.audio_packets for one in found) > 150
        assert max(one.frames for one in found) == 0
        held.pages[1].locator(".still:not([hidden])").first.wait_for()


@pytest.mark.prove
def test_the_picture_goes_by_itself_and_comes_back_with_the_line(chromium, cast):
    with gathered(chromium, cast) as held:
        # Too little for any picture; the sound has to be whole on what an only just usable line carries.
        held.line.set(kbits=55)
        assert held.until(lambda: held.step() == "sound", seconds=40) is not None
        held.line.set(kbits=128)
        held.wait(6)
        assert worst(heard(held.pages, 6000)) <= MOST
        before = totals(held.pages[1])
        held.line.set(kbits=2000)
        assert held.until(lambda: held.sees(held.pages[1], before), seconds=150) is not None


def say(words, holds):
    print(f"{'holds ' if holds else 'MISSED'}  {words}", flush=True)


def described(found):
    return ", ".join(f"{one.audio_loss:.2%} of the sound lost, {one.frames} pictures" for one in found)


@pytest.mark.prove
@pytest.mark.parametrize("people", [2, 3])
@pytest.mark.parametrize("kbits", [200, 128])
def test_with_the_designed_mode_on_at_most_one_percent_is_lost(chromium, cast, kbits, people, capsys):
    with gathered(chromium, cast, people) as held:
        held.line.set(kbits=kbits)
        held.sound_alone()
        held.wait(8)
        found = heard(held.pages, 30_000)
        with capsys.disabled():
            say(f"{kbits} kbit/s, {people} people, sound alone: {described(found)}", worst(found) <= MOST)
        assert worst(found) <= MOST


@pytest.mark.prove
@pytest.mark.parametrize("kbits", [1500, 512, 200, 128])
def test_by_itself_the_room_finds_what_the_line_carries(chromium, cast, kbits, capsys):
    with gathered(chromium, cast) as held:
        held.line.set(kbits=kbits)
        first = heard(held.pages, 15_000)
        held.wait(15)
        found = heard(held.pages, 30_000)
        with capsys.disabled():
            say(f"{kbits} kbit/s by itself, first 15 s: {described(first)}", True)
            say(f"{kbits} kbit/s by itself, then ({held.step()}): {described(found)}", worst(found) <= MOST)
        assert worst(found) <= MOST


@pytest.mark.prove
def test_when_the_line_breaks_down_sound_is_back_in_seconds_and_the_picture_with_the_line(
    chromium, cast, capsys
):
    with gathered(chromium, cast) as held:
        held.until(lambda: held.step() == "full", seconds=60)
        held.line.set(kbits=128)
        bad = [worst(heard(held.pages, 2000)) for _ in range(8)]
        before = totals(held.pages[1])
        held.line.set(kbits=2000)
        back = held.until(lambda: held.sees(held.pages[1], before), seconds=120)
        with capsys.disabled():
            lost = " ".join(f"{loss:.0%}" for loss in bad)
            say(f"from full pictures down to 128 kbit/s, sound lost every 2 s: {lost}", bad[-1] <= MOST)
            say(f"the picture was back {back} s after the line", back is not None)
        assert back is not None

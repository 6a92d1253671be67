import random
import struct
from datetime import timedelta
from itertools import pairwise

import pytest

from konsilium.adapters.tracks import BadTrack, playable, read_head, read_origin
from konsilium.adapters.tracks.mjr import packets
from konsilium.adapters.tracks.webm import frames
from tests.adapters.tracks.making import key_frame, mjr, rtp, sound, vp8

NAME = "videoroom-0123456789abcdef01234567-2-user-0193f5a0-0000-7000-8000-000000000001-1700000000-video-1.mjr"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "track.mjr"


def framed(path):
    return [(frame.at, frame.content, frame.is_key) for frame in frames(read_head(path), packets(path))]


def test_a_tracks_name_says_whose_it_is():
    origin = read_origin(NAME)
    assert (origin.room, str(origin.party)) == (
        "0123456789abcdef01234567-2",
        "0193f5a0-0000-7000-8000-000000000001",
    )


@pytest.mark.parametrize("name", ["", "a.mjr", NAME.replace("user", "other"), "../" + NAME, NAME + ".tmp"])
def test_another_name_is_nobodys(name):
    with pytest.raises(BadTrack):
        read_origin(name)


def test_sound_goes_on_past_the_overflow_of_its_numbers_and_times(path):
    sound(path, seconds=2)
    times = [at for at, _, _ in framed(path)]
    assert [later - earlier for earlier, later in pairwise(times)] == [20] * 99
    assert playable(path).lasts == timedelta(milliseconds=1980)


def test_packets_that_overtook_each_other_are_put_in_order_and_doubles_are_dropped(path):
    parts = [rtp(i, i * 960, bytes([i])) for i in range(200)]
    dice = random.Random(3)
    shuffled = [part for start in range(0, 200, 10) for part in dice.sample(parts[start : start + 10], 10)]
    mjr(path, "opus", [*shuffled[:50], shuffled[20], *shuffled[50:]])
    assert [content[0] for _, content, _ in framed(path)] == list(range(200))


def test_a_packets_extension_and_padding_are_not_its_content(path):
    mjr(path, "opus", [rtp(1, 0, b"sound", extension=b"\x10\xff\x00\x00", padding=4)])
    assert framed(path)[0][1] == b"sound"


def test_a_picture_is_put_together_and_begins_with_one_that_stands_by_itself(path):
    key = key_frame(more=b"rest")
    mjr(
        path,
        "vp8",
        [
            rtp(1, 0, vp8(b"\x31before"), marked=True),
            rtp(2, 3000, vp8(key[:8])),
            rtp(3, 3000, vp8(key[8:], first=False), marked=True),
            rtp(4, 6000, vp8(b"\x31next"), marked=True),
        ],
    )
    assert [(content, is_key) for _, content, is_key in framed(path)] == [(key, True), (b"\x31next", False)]


def test_a_picture_that_lost_a_packet_is_left_out(path):
    mjr(
        path,
        "vp8",
        [
            rtp(1, 0, vp8(key_frame()), marked=True),
            rtp(2, 3000, vp8(b"\x31aa")),
            rtp(4, 3000, vp8(b"cc", first=False), marked=True),
            rtp(5, 6000, vp8(b"\x31dd"), marked=True),
        ],
    )
    assert [content for _, content, _ in framed(path)] == [key_frame(), b"\x31dd"]


def test_the_picture_s_size_stands_in_the_file(path):
    mjr(path, "vp8", [rtp(1, 0, vp8(key_frame(640, 360)), marked=True)])
    made = b"".join(playable(path).chunks)
    assert b"\xb0" + (2 | 1 << 56).to_bytes(8) + struct.pack("!H", 640) in made
    assert b"V_VP8" in made


def test_a_file_that_broke_off_is_played_up_to_there(path):
    sound(path, seconds=1)
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    assert len(framed(path)) == 49


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MJR00002",
        b"MJR00001" + b"\x00\x02{}",
        b"MJR00002\xff\xff" + b"{" * 70_000,
        b"MJR00002\x00\x02{}",
        b'MJR00002\x00\x24{"t":"a","c":"vp8","s":1,"u":1}      ',
        b'MJR00002\x00\x24{"t":"v","c":"h264","s":1,"u":1}     ',
        b'MJR00002\x00\x28{"t":"a","c":"opus","s":1e400,"u":null}  ',
        b'MJR00002\x00\x20{"t":[],"c":"opus","s":1,"u":1} ',
    ],
)
def test_what_is_no_recording_of_ours_is_refused_by_name(path, content):
    path.write_bytes(content)
    with pytest.raises(BadTrack):
        playable(path)


def test_a_recording_without_anything_to_play_is_refused(path):
    mjr(path, "vp8", [rtp(1, 0, vp8(b"\x31never a key frame"), marked=True)])
    with pytest.raises(BadTrack):
        playable(path)


def test_nothing_that_a_browser_may_send_stops_the_reading(path):
    """Random packets, cut and changed: the reading ends, with or without frames."""
    dice = random.Random(11)
    for turn in range(300):
        codec = dice.choice(["opus", "vp8"])
        parts = []
        for i in range(30):
            part = bytearray(rtp(dice.randrange(65536), dice.randrange(2**32), vp8(dice.randbytes(9))))
            for _ in range(dice.randrange(4)):
                part[dice.randrange(len(part))] = dice.randrange(256)
            parts.append(bytes(part[: dice.randrange(len(part) + 1)]) if i % 3 else bytes(part))
        mjr(path, codec, parts)
        try:
            b"".join(playable(path).chunks)
        except BadTrack:
            assert codec, turn

"""What a computer's check means: which form of session makes sense there, and what to do."""

import pytest

from konsilium.workflow.computer import ADVICE, STATES, advice, band_found, cleaned, mode_found
from konsilium.workflow.line import Band, LineMode
from konsilium.workflow.machine import Refused

FINE = {"camera": "ok", "microphone": "ok", "speakers": "heard", "line": "ok", "line_kbits": 1500}


def found(**said):
    return cleaned(FINE | said)


@pytest.mark.parametrize(
    ("kbits", "loss", "band", "mode"),
    [
        (1500, 0, Band.HD, LineMode.FULL),
        (600, 2, Band.SD, LineMode.FULL),
        (260, 0, Band.ONE, LineMode.AUDIO_FIRST),
        (120, 0, Band.AUDIO, LineMode.AUDIO_FIRST),
        (60, 0, Band.PHONE, LineMode.DEFERRED),
        # The loop crosses the line twice: 8 % there and back are 4 % one way.
        (1500, 8, Band.ONE, LineMode.AUDIO_FIRST),
        (1500, 14, Band.AUDIO, LineMode.AUDIO_FIRST),
        (60, 14, Band.PHONE, LineMode.DEFERRED),
    ],
)
def test_rate_and_loss_give_the_band_and_the_band_the_mode(kbits, loss, band, mode):
    one = found(line_kbits=kbits, line_loss=loss)
    assert (band_found(one), mode_found(one)) == (band, mode)


def test_without_a_microphone_a_session_makes_no_sense_on_the_best_line():
    assert mode_found(found(microphone="none")) is LineMode.DEFERRED


@pytest.mark.parametrize("camera", ["none", "denied", "black", "frozen"])
def test_without_a_picture_sound_comes_first(camera):
    assert mode_found(found(camera=camera)) is LineMode.AUDIO_FIRST


def test_a_line_that_was_not_measured_proposes_nothing_and_says_so():
    one = found(line="no_relay", line_kbits=None)
    assert (band_found(one), mode_found(one)) == (None, None)
    assert any("not known" in text for text in advice(one))


def test_a_relay_that_is_not_reached_leaves_the_telephone():
    one = found(line="blocked", line_kbits=None)
    assert (band_found(one), mode_found(one)) == (Band.PHONE, LineMode.DEFERRED)


def test_each_trouble_has_its_own_words_and_its_advice():
    for part in ("camera", "microphone"):
        assert len(set(STATES[part].values())) == len(STATES[part])
        assert set(STATES[part]) - {"ok", "untested"} == {state for name, state in ADVICE if name == part}


def test_advice_names_loss_and_lateness():
    assert len(advice(found(line_loss=9, line_round_trip=500))) == len(advice(found())) + 2


@pytest.mark.parametrize(
    "said",
    [
        {"camera": "exploded"},
        {"camera": ["ok"]},
        {"line_kbits": "many"},
        {"line_kbits": -1},
        {"line_loss": 101},
        {"camera_fps": True},
        {"line_kbits": float("nan")},
    ],
)
def test_nonsense_is_refused(said):
    with pytest.raises(Refused):
        found(**said)


def test_what_is_not_known_is_dropped_and_names_are_cut():
    one = found(patient="Иванов", camera_label="x" * 500)
    assert "patient" not in one
    assert len(one["camera_label"]) == 120

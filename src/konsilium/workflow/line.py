"""What a line carries: its bands, and the mode of a session each of them is good for."""

from enum import StrEnum

from konsilium.workflow.words import N_


class Band(StrEnum):
    """How much gets through, by the sum of both directions' worse one."""

    HD = "hd"
    SD = "sd"
    ONE = "one"
    AUDIO = "audio"
    PHONE = "phone"


class LineMode(StrEnum):
    """In which form a session makes sense on a line."""

    FULL = "full"
    AUDIO_FIRST = "audio_first"
    DEFERRED = "deferred"


BAND_LABELS = {
    Band.HD: N_("Sound and a sharp picture of everybody"),
    Band.SD: N_("Sound and a picture of everybody"),
    Band.ONE: N_("Sound and the picture of whoever speaks"),
    Band.AUDIO: N_("Sound with still pictures"),
    Band.PHONE: N_("A telephone"),
}
LINE_MODE_LABELS = {
    LineMode.FULL: N_("Video session"),
    LineMode.AUDIO_FIRST: N_("Sound first, with still pictures"),
    LineMode.DEFERRED: N_("Deferred, without a session"),
}

# The least rate of each band, kbit/s (measured; see docs/measurements.md).
LEAST = ((Band.HD, 1200), (Band.SD, 512), (Band.ONE, 200), (Band.AUDIO, 100))


def band_of(kbits: float) -> Band:
    """Return the best band that a rate in kbit/s, the smaller of both directions, is enough for."""
    return next((band for band, least in LEAST if kbits >= least), Band.PHONE)


def mode_of(band: Band) -> LineMode:
    """Return the mode of a session that a band is good for."""
    if band in (Band.HD, Band.SD):
        return LineMode.FULL
    return LineMode.AUDIO_FIRST if band in (Band.ONE, Band.AUDIO) else LineMode.DEFERRED

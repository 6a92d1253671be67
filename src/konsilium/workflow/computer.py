"""What a computer's own check finds of its camera, microphone, loudspeakers and line, and what follows from it."""

from collections.abc import Mapping
from typing import Any

from konsilium.workflow.line import Band, LineMode, band_of, mode_of
from konsilium.workflow.machine import Refused
from konsilium.workflow.words import N_

PARTS = {
    "camera": N_("Camera"),
    "microphone": N_("Microphone"),
    "speakers": N_("Loudspeakers or headset"),
    "line": N_("Line"),
}
STATES: dict[str, dict[str, str]] = {
    "camera": {
        "ok": N_("The picture is fine"),
        "dark": N_("The picture is very dark"),
        "black": N_("The picture is black"),
        "frozen": N_("The picture stands still"),
        "none": N_("No camera was found"),
        "denied": N_("The camera is not allowed for this page"),
        "busy": N_("Another program holds the camera"),
        "insecure": N_("The browser gives no camera to this address"),
        "untested": N_("Not checked"),
    },
    "microphone": {
        "ok": N_("The sound is fine"),
        "silent": N_("No sound comes from the microphone"),
        "clipping": N_("The sound is too loud and breaks up"),
        "none": N_("No microphone was found"),
        "denied": N_("The microphone is not allowed for this page"),
        "busy": N_("Another program holds the microphone"),
        "insecure": N_("The browser gives no microphone to this address"),
        "untested": N_("Not checked"),
    },
    "speakers": {
        "heard": N_("The tone was heard"),
        "not_heard": N_("The tone was not heard"),
        "untested": N_("Not checked"),
    },
    "line": {
        "ok": N_("Measured through the relay"),
        "no_relay": N_("Not measured: this deployment has no relay"),
        "blocked": N_("The relay can't be reached"),
        "untested": N_("Not checked"),
    },
}
ADVICE: dict[tuple[str, str], str] = {
    ("camera", "dark"): N_("Put a lamp before you, not behind you; close the blinds behind you."),
    ("camera", "black"): N_("Open the camera's cover or shutter, or take another camera."),
    ("camera", "frozen"): N_("Unplug the camera and plug it in again, then repeat the check."),
    ("camera", "none"): N_(
        "Connect a camera. Without one you see and hear the others, and they only hear you."
    ),
    ("camera", "denied"): N_(
        "Press the sign left of the page's address, allow the camera and repeat the check."
    ),
    ("camera", "busy"): N_("Close other programs that hold the camera, then repeat the check."),
    ("camera", "insecure"): N_("Open Konsilium by its https address; ask your administrator for it."),
    ("microphone", "silent"): N_(
        "Look whether the microphone is muted or another one is chosen, and speak during the check."
    ),
    ("microphone", "clipping"): N_("Move away from the microphone or turn its level down."),
    ("microphone", "none"): N_("Connect a headset. Without a microphone a session makes no sense."),
    ("microphone", "denied"): N_(
        "Press the sign left of the page's address, allow the microphone and repeat the check."
    ),
    ("microphone", "busy"): N_("Close other programs that hold the microphone, then repeat the check."),
    ("microphone", "insecure"): N_("Open Konsilium by its https address; ask your administrator for it."),
    ("speakers", "not_heard"): N_("Turn the volume up, choose another output, or take a headset."),
    ("line", "no_relay"): N_(
        "Whether other hospitals can be reached from here is not known. Hold a short call before the first session."
    ),
    ("line", "blocked"): N_(
        "A firewall stops the media. Ask your network's administrator to open UDP to the relay; until then "
        "take the telephone or a room codec."
    ),
}
BAND_ADVICE = {
    Band.HD: N_("The line carries everybody's picture."),
    Band.SD: N_("The line carries pictures of ordinary sharpness. Close other programs during a session."),
    Band.ONE: N_("The line carries one picture at a time. Use a cable instead of Wi-Fi."),
    Band.AUDIO: N_(
        "The line carries sound and still pictures: send documents and studies ahead of the session."
    ),
    Band.PHONE: N_("The line carries no live sound reliably. Hold a reserve telephone ready."),
}
LOSSY = N_("Packets get lost on the way: use a cable instead of Wi-Fi, and ask your provider.")
LATE = N_("Answers come late: let each other finish speaking.")

# Of what a page may say: least and most. Loss and lateness are of the line, not of the loop over it.
NUMBERS = {
    "camera_ms": (0, 120_000),
    "camera_fps": (0, 240),
    "camera_width": (0, 16_384),
    "camera_height": (0, 16_384),
    "camera_brightness": (0, 255),
    "camera_spread": (0, 255),
    "microphone_peak": (-120, 0),
    "microphone_rms": (-120, 0),
    "line_kbits": (0, 1_000_000),
    "line_loss": (0, 100),
    "line_round_trip": (0, 60_000),
    "line_jitter": (0, 60_000),
}
LABELS = ("camera_label", "microphone_label")
LONGEST_LABEL = 120

# The loop crosses the line twice, so these are twice what one direction may lose, in percent.
LOSS_FAIR, LOSS_BAD = 6, 10
ROUND_TRIP_LATE = 300
_UNHEARD = ("none", "denied", "busy", "insecure")
_UNSEEN = (*_UNHEARD, "black", "frozen")
_ORDER = tuple(Band)


def cleaned(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page said of its computer, by the codes known here. Raises Refused for anything that can't be."""
    found: dict[str, Any] = {}
    for part, states in STATES.items():
        found[part] = said.get(part, "untested")
        if not isinstance(found[part], str) or found[part] not in states:
            raise Refused(N_("The result of the check can't be read. Repeat it."))
    for name, (least, most) in NUMBERS.items():
        value = said.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise Refused(N_("The result of the check can't be read. Repeat it."))
        found[name] = round(value, 1)
    labels = {name: str(said[name])[:LONGEST_LABEL] for name in LABELS if said.get(name)}
    return found | labels


def band_found(found: Mapping[str, Any]) -> Band | None:
    """Return how much gets through, lowered where too much is lost; None where the line wasn't measured."""
    if found["line"] == "blocked":
        return Band.PHONE
    if found["line"] != "ok" or "line_kbits" not in found:
        return None
    loss = found.get("line_loss", 0)
    most = Band.AUDIO if loss > LOSS_BAD else Band.ONE if loss > LOSS_FAIR else Band.HD
    return max(band_of(found["line_kbits"]), most, key=_ORDER.index)


def mode_found(found: Mapping[str, Any]) -> LineMode | None:
    """Return the form of a session that makes sense on this computer; None where its line wasn't measured."""
    if found["microphone"] in _UNHEARD:
        return LineMode.DEFERRED
    band = band_found(found)
    if band is None:
        return None
    mode = mode_of(band)
    return LineMode.AUDIO_FIRST if mode is LineMode.FULL and found["camera"] in _UNSEEN else mode


def advice(found: Mapping[str, Any]) -> list[str]:
    """Return what to do, the most important first, as message ids."""
    texts = [ADVICE[key] for key in ((part, found[part]) for part in PARTS) if key in ADVICE]
    band = band_found(found)
    if band is not None and found["line"] == "ok":
        texts.append(BAND_ADVICE[band])
    if found.get("line_loss", 0) > LOSS_FAIR:
        texts.append(LOSSY)
    if found.get("line_round_trip", 0) > ROUND_TRIP_LATE:
        texts.append(LATE)
    return texts

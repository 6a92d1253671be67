"""What a check of a computer found, as pages show it."""

from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext

from konsilium.models import BrowserTest
from konsilium.web.clockface import local
from konsilium.workflow.computer import PARTS, STATES, advice
from konsilium.workflow.line import BAND_LABELS, LINE_MODE_LABELS, Band, LineMode
from konsilium.workflow.roles import Actor

# How many earlier checks a page lists.
LISTED = 10
_FINE = ("ok", "heard")
_UNKNOWN = ("untested", "no_relay")
_TONES = {LineMode.FULL: "good", LineMode.AUDIO_FIRST: "warn", LineMode.DEFERRED: "bad"}


class Part(NamedTuple):
    """One part of a computer: what was found of it, with its numbers."""

    label: str
    words: str
    tone: str
    detail: str


class Kept(NamedTuple):
    """A check in a list."""

    pk: str
    when: str
    who: str
    computer: str
    mode: str
    tone: str


def listed(rows: QuerySet[BrowserTest], actor: Actor) -> list[Kept]:
    """Return the newest of these checks (one query)."""
    return [_kept(row, actor) for row in rows.order_by("-at", "-id")[:LISTED]]


def _kept(row: BrowserTest, actor: Actor) -> Kept:
    words, tone = proposed(row)
    return Kept(str(row.pk), local(row.at, actor.time_zone), row.person_name, row.computer, words, tone)


def proposed(row: BrowserTest) -> tuple[str, str]:
    """Return the mode that a check proposes, in words, and its tone."""
    if not row.mode:
        return gettext("The line was not measured"), "warn"
    mode = LineMode(row.mode)
    return gettext(LINE_MODE_LABELS[mode]), _TONES[mode]


def result(row: BrowserTest, actor: Actor) -> dict[str, Any]:
    """Return everything the page of a check shows."""
    words, tone = proposed(row)
    return {
        "row": row,
        "when": local(row.at, actor.time_zone),
        "mode": words,
        "tone": tone,
        "band": gettext(BAND_LABELS[Band(row.band)]) if row.band else "",
        "parts": [_part(name, row.measured) for name in PARTS],
        "advice": [gettext(text) for text in advice(row.measured)],
    }


def _part(name: str, found: dict[str, Any]) -> Part:
    state = found[name]
    tone = "good" if state in _FINE else "" if state in _UNKNOWN else "bad"
    if state in ("dark", "clipping", "silent"):
        tone = "warn"
    return Part(gettext(PARTS[name]), gettext(STATES[name][state]), tone, _detail(name, found))


def _detail(name: str, found: dict[str, Any]) -> str:
    return " · ".join(text for text in _DETAILS[name](found) if text)


def _camera(found: dict[str, Any]) -> tuple[str, ...]:
    size = "camera_width" in found and f"{found['camera_width']:g} × {found.get('camera_height', 0):g}"
    return (
        found.get("camera_label", ""),
        size or "",
        _with_unit(found, "camera_fps", gettext("frames a second")),
        _with_unit(found, "camera_ms", gettext("ms until the first picture")),
    )


def _microphone(found: dict[str, Any]) -> tuple[str, ...]:
    peak = _with_unit(found, "microphone_peak", gettext("dB at most"))
    return found.get("microphone_label", ""), peak


def _line(found: dict[str, Any]) -> tuple[str, ...]:
    return (
        _with_unit(found, "line_kbits", gettext("kbit/s at least, each way")),
        _with_unit(found, "line_loss", gettext("% lost there and back")),
        _with_unit(found, "line_round_trip", gettext("ms there and back")),
    )


def _with_unit(found: dict[str, Any], name: str, unit: str) -> str:
    return f"{found[name]:g} {unit}" if name in found else ""


_DETAILS = {
    "camera": _camera,
    "microphone": _microphone,
    "speakers": lambda found: (),
    "line": _line,
}

"""Which photographs a jaw surgeon and an orthodontist look at: the views, what each shows, and which are there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from konsilium.workflow.words import N_


@dataclass(frozen=True)
class View:
    """One view: its code (the example's file is named after it), its name, and what the photograph has to show."""

    code: str
    label: str
    shows: str


@dataclass(frozen=True)
class Part:
    """The views of one kind of document."""

    kind: str
    views: tuple[View, ...]


FACE = Part(
    "face_photo",
    (
        View(
            "face_front",
            N_("Face, front"),
            N_("Head upright, eyes to the camera, lips relaxed; from the hair to the neck."),
        ),
        View(
            "face_smile",
            N_("Face, smile"),
            N_("As the front view, with a broad smile: teeth and gum line are seen."),
        ),
        View(
            "profile_right",
            N_("Profile, right"),
            N_("Turned by a right angle, nose to the right; ear, chin and neck are seen, lips relaxed."),
        ),
        View(
            "profile_left",
            N_("Profile, left"),
            N_("Turned by a right angle, nose to the left; ear, chin and neck are seen, lips relaxed."),
        ),
        View(
            "oblique_right",
            N_("Three quarters, right"),
            N_("Turned by 45° to the right: the line of the cheek and of the jaw's angle is seen."),
        ),
        View(
            "oblique_left",
            N_("Three quarters, left"),
            N_("Turned by 45° to the left: the line of the cheek and of the jaw's angle is seen."),
        ),
    ),
)
MOUTH = Part(
    "intraoral_photo",
    (
        View(
            "bite_front",
            N_("Bite, front"),
            N_("Teeth closed in their usual bite, lips held wide, camera level with the bite."),
        ),
        View(
            "bite_right",
            N_("Bite, right side"),
            N_("Teeth closed, right cheek held away: from the canine to the last molar."),
        ),
        View(
            "bite_left",
            N_("Bite, left side"),
            N_("Teeth closed, left cheek held away: from the canine to the last molar."),
        ),
        View(
            "arch_upper", N_("Upper arch"), N_("In a mirror, at a right angle: the whole upper row of teeth.")
        ),
        View(
            "arch_lower",
            N_("Lower arch"),
            N_("In a mirror, at a right angle: the whole lower row, tongue back."),
        ),
    ),
)
PARTS = (FACE, MOUTH)
PART_LABELS = {FACE.kind: N_("Face"), MOUTH.kind: N_("Mouth")}
_BY_CODE: Mapping[str, View] = {view.code: view for part in PARTS for view in part.views}
_OF_KIND = {part.kind: part for part in PARTS}


@dataclass(frozen=True)
class Lack:
    """Which views of a kind are there, and which are missing, in the protocol's order."""

    part: Part
    there: tuple[View, ...]
    missing: tuple[View, ...]


def asked(kinds: Iterable[str]) -> tuple[Part, ...]:
    """Return the parts that concern a request: those whose kind its profile names or somebody has added."""
    named = set(kinds)
    return tuple(part for part in PARTS if part.kind in named)


def lacking(part: Part, named: Iterable[str]) -> Lack:
    """Tell a part's views by the codes that photographs were given."""
    codes = set(named)
    return Lack(
        part,
        there=tuple(view for view in part.views if view.code in codes),
        missing=tuple(view for view in part.views if view.code not in codes),
    )


def views_of(kind: str) -> tuple[View, ...]:
    """Return the views a document of this kind may be named as."""
    return _OF_KIND[kind].views if kind in _OF_KIND else ()


def is_view_of(kind: str, code: str) -> bool:
    """Say whether the code is a view of this kind of document."""
    return any(view.code == code for view in views_of(kind))


def label_of(code: str) -> str:
    """Return a view's name, or nothing for none."""
    return _BY_CODE[code].label if code in _BY_CODE else ""

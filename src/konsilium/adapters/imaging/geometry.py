"""Where pictures lie in the patient: their order, and whether they make a volume that may be cut in other planes.

DICOM's patient coordinates in mm: x to the left, y to the back, z to the head (PS3.3 C.7.6.2.1.1).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

# Slices may lie this far from where even spacing puts them, as a part of the spacing.
UNEVEN = 0.05
# Directions that differ by less than about a fifth of a degree are the same.
PARALLEL = 0.9999
FEWEST = 3

Vector = NDArray[np.float64]


@dataclass
class Frame:
    """One picture: which frame of which instance, and where it lies; nothing where the header doesn't say."""

    instance: int
    number: int
    rows: int
    columns: int
    position: Vector | None
    row_direction: Vector | None
    column_direction: Vector | None
    spacing: tuple[float, float] | None

    @property
    def normal(self) -> Vector | None:
        """The direction across the picture."""
        if self.row_direction is None or self.column_direction is None:
            return None
        return np.cross(self.row_direction, self.column_direction)


@dataclass(frozen=True)
class Verdict:
    """Whether pictures make a volume; if not, a code why: few_slices, no_position, mixed_sizes, mixed_orientation,
    gantry_tilt, uneven_spacing, colour. `step` is the distance between slices in mm.
    """

    is_volume: bool
    why_not: str = ""
    step: float = 0.0


def frames_of(header: Dataset, instance: int) -> list[Frame]:
    """Return the frames of an instance, each with its own place where the functional groups give one."""
    total = _whole(header.get("NumberOfFrames")) or 1
    shared = _first(header.get("SharedFunctionalGroupsSequence"))
    groups = header.get("PerFrameFunctionalGroupsSequence") or []
    return [
        _frame(header, shared, groups[number] if number < len(groups) else None, instance, number)
        for number in range(total)
    ]


def _frame(header: Dataset, shared: Dataset | None, own: Dataset | None, instance: int, number: int) -> Frame:
    position = _found(own, shared, "PlanePositionSequence", "ImagePositionPatient")
    direction = _found(own, shared, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _found(own, shared, "PixelMeasuresSequence", "PixelSpacing")
    directions = _numbers(direction or header.get("ImageOrientationPatient"), 6)
    # A plain multi-frame's one position is its first frame's alone.
    lies = position or (header.get("ImagePositionPatient") if own is None and number == 0 else None)
    apart = _numbers(spacing or header.get("PixelSpacing") or header.get("ImagerPixelSpacing"), 2)
    return Frame(
        instance=instance,
        number=number,
        rows=_whole(header.get("Rows")) or 0,
        columns=_whole(header.get("Columns")) or 0,
        position=_numbers(lies, 3),
        row_direction=None if directions is None else directions[:3],
        column_direction=None if directions is None else directions[3:],
        spacing=None if apart is None else (float(apart[0]), float(apart[1])),
    )


def _first(sequence: Any) -> Dataset | None:
    return sequence[0] if sequence else None


def _found(own: Dataset | None, shared: Dataset | None, sequence: str, name: str) -> Any:
    for group in (own, shared):
        inner = _first(group.get(sequence)) if group is not None else None
        if inner is not None and inner.get(name):
            return inner.get(name)
    return None


def _numbers(values: Any, size: int) -> Vector | None:
    try:
        numbers = np.array([float(value) for value in values or ()])
    except (TypeError, ValueError):
        return None
    return numbers if numbers.shape == (size,) and bool(np.isfinite(numbers).all()) else None


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def ordered(frames: list[Frame], numbers: list[int | None]) -> list[Frame]:
    """Return frames along their normal, from feet to head where it points so; else by instance number, then as given.

    `numbers` are the instances' own, by `Frame.instance`.
    """
    normal = frames[0].normal if frames else None
    if normal is None or any(
        not _parallel(frame.normal, normal) or frame.position is None for frame in frames
    ):
        return sorted(
            frames, key=lambda frame: (_number(numbers[frame.instance]), frame.instance, frame.number)
        )
    return sorted(frames, key=lambda frame: (_along(frame, normal), frame.instance, frame.number))


def _number(number: int | None) -> float:
    return float("inf") if number is None else number


def _along(frame: Frame, normal: Vector) -> float:
    return 0.0 if frame.position is None else float(frame.position @ normal)


def _parallel(one: Vector | None, other: Vector) -> bool:
    return one is not None and float(one @ other) > PARALLEL


def judge(frames: list[Frame]) -> Verdict:
    """Say whether ordered frames make a volume. Refused wherever cutting it would show what isn't so."""
    first = frames[0]
    if len(frames) < FEWEST:
        return Verdict(is_volume=False, why_not="few_slices")
    if any(frame.position is None or frame.spacing is None or frame.normal is None for frame in frames):
        return Verdict(is_volume=False, why_not="no_position")
    if any(
        (frame.rows, frame.columns, frame.spacing) != (first.rows, first.columns, first.spacing)
        for frame in frames
    ):
        return Verdict(is_volume=False, why_not="mixed_sizes")
    if any(not _same_directions(frame, first) for frame in frames):
        return Verdict(is_volume=False, why_not="mixed_orientation")
    return _judge_steps(np.array([frame.position for frame in frames]), first.normal)


def _same_directions(frame: Frame, first: Frame) -> bool:
    pairs = ((frame.row_direction, first.row_direction), (frame.column_direction, first.column_direction))
    return all(other is not None and _parallel(one, other) for one, other in pairs)


def _judge_steps(positions: Vector, normal: Vector | None) -> Verdict:
    """Judge the way from the first slice to the last: straight across them, and in even steps."""
    if normal is None:
        return Verdict(is_volume=False, why_not="no_position")
    along = positions @ normal
    steps = np.diff(along)
    mean = float(steps.mean())
    if mean <= 0 or bool((np.abs(steps - mean) > UNEVEN * mean).any()):
        return Verdict(is_volume=False, why_not="uneven_spacing")
    aside = positions - positions[0] - np.outer(along - along[0], normal)
    if float(np.linalg.norm(aside, axis=1).max()) > UNEVEN * mean * len(positions) ** 0.5 + 0.1:
        return Verdict(is_volume=False, why_not="gantry_tilt")
    return Verdict(is_volume=True, step=mean)

"""Where a sheet of paper lies in a photograph: bright, large, with four corners."""

from typing import Any

import numpy as np
from PIL import Image, ImageFilter

Point = tuple[float, float]
# The sheet is looked for in a small copy, whose print is wiped away first.
SMALL = 360
PRINT = 9
# Less of the picture than this is no sheet that somebody wanted to take; more has no edge to find.
LEAST, MOST = 0.15, 0.98
# How much of the four corners' field the bright patch has to fill, and the other way round.
ALIKE = 0.85
HALVES = 2


def corners(picture: Image.Image) -> tuple[Point, Point, Point, Point] | None:
    """Return the sheet's corners, from the upper left one clockwise, in the picture's points; None: none found."""
    scale = max(picture.size) / SMALL
    small = picture.convert("L").resize((round(picture.width / scale), round(picture.height / scale)))
    bright = np.asarray(small.filter(ImageFilter.MaxFilter(PRINT)).filter(ImageFilter.MinFilter(PRINT)))
    patch = _largest(bright > _threshold(bright))
    share = patch.mean()
    if not LEAST < share < MOST:
        return None
    found = _extremes(patch)
    if abs(_area(found) / (share * patch.size) - 1) > 1 - ALIKE:
        return None
    return tuple((x * scale, y * scale) for x, y in found)  # type: ignore[return-value]


def _threshold(grey: Any) -> int:
    """Return the level that best parts dark from bright (Otsu's)."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(float)
    below = np.cumsum(counts)
    sums = np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return int(np.nanargmax(np.nan_to_num(between)))


def _largest(mask: Any) -> Any:
    """Return the largest connected patch of a mask."""
    labels = np.zeros(mask.shape, dtype=np.int32)
    best, most, number = 0, 0, 0
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start]:
            continue
        number += 1
        size = _flood(mask, labels, start, number)
        if size > most:
            best, most = number, size
    return labels == best if best else np.zeros_like(mask)


def _flood(mask: Any, labels: Any, start: tuple[int, int], number: int) -> int:
    """Label what hangs together with a point. Returns how many points those are."""
    height, width = mask.shape
    labels[start] = number
    waiting, size = [start], 0
    while waiting:
        y, x = waiting.pop()
        size += 1
        for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= near[0] < height and 0 <= near[1] < width
            if inside and mask[near] and not labels[near]:
                labels[near] = number
                waiting.append(near)
    return size


def _extremes(patch: Any) -> list[Point]:
    """Return the patch's utmost points towards the picture's four corners."""
    ys, xs = np.nonzero(patch)
    both, apart = xs + ys, xs - ys
    utmost = (both.argmin(), apart.argmax(), both.argmax(), apart.argmin())
    return [(float(xs[at]), float(ys[at])) for at in utmost]


def _area(points: list[Point]) -> float:
    following = [*points[1:], points[0]]
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(points, following, strict=True))) / HALVES


def straightened(
    picture: Image.Image, sheet: tuple[Point, Point, Point, Point], size: tuple[int, int]
) -> Image.Image:
    """Return what lies between the corners as a right-angled picture of a size."""
    width, height = size
    targets = ((0, 0), (width, 0), (width, height), (0, height))
    return picture.transform(
        size, Image.Transform.PERSPECTIVE, _coefficients(targets, sheet), Image.Resampling.BICUBIC
    )


def _coefficients(targets: Any, sources: Any) -> list[float]:
    """Solve the eight numbers of the perspective that carries the targets to the sources."""
    rows, values = [], []
    for (x, y), (u, v) in zip(targets, sources, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows, float), np.array(values, float))]

"""The pictures of a series: every frame packed without loss, and small previews that come first on a thin line.

One frame is in memory at a time, beside what grows with the previews: a third of each slice, and one row and one
column of it.
"""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import ceil, sqrt
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset

from konsilium.adapters.imaging.bytes import part
from konsilium.adapters.imaging.geometry import Frame, Verdict, frames_of, judge, ordered
from konsilium.adapters.imaging.pixels import (
    Kind,
    describe,
    in_units,
    kind_of,
    packed,
    read,
    shown,
    windows_of,
)
from konsilium.adapters.imaging.study import read_header, whole
from konsilium.adapters.sandbox_child import progress

THUMBNAIL = 160
LARGEST_PLANE = 2048
MOSAIC_PART = 3
MOSAIC_TILES = 144
QUALITY = 60
WINDOW_NAMES = ("bone", "soft")
LONGEST_VALUE = 2048
_OPEN_AT_ONCE = 64
# Each costs another beginning.
MOST_LEFT_OUT = 10


class Undecodable(Exception):
    """A frame of this instance (its place among those given) can't be decoded."""

    def __init__(self, instance: int) -> None:
        super().__init__(instance)
        self.instance = instance


@dataclass
class _Gathered:
    """What the way through all frames leaves for the previews."""

    windows: dict[str, tuple[float, float]]
    small: list[NDArray[np.float32]] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    columns: list[NDArray[np.float32]] = field(default_factory=list)
    # Of pictures that are no volume, the middle one whole: on it a doctor looks for names.
    picture: NDArray[Any] | None = None


def render_series(scratch: Path, *, instances: list[dict[str, Any]]) -> dict[str, Any]:
    """Pack the frames of a series and make its previews. `instances` are {"sop_uid", "path", "offset", "length"}.

    Writes into scratch `pack` (each frame's bytes, one after the other), `metadata.json` (a list of DICOM JSON objects
    without pixels, as WADO-RS gives it) and previews as WebP. Returns {"instances": [{"sop_uid", "ranges"}] in the
    order to be shown, "pack", "metadata", "transfer_syntax", "is_volume", "why_not", "facts", "previews", "layout",
    "left_out"}; `ranges` are [offset, length] of each frame in the pack. An instance that can't be decoded is left out by
    its "sop_uid" and the rest begun anew, as long as they are few. Raises Undecodable when they are not.
    """
    given = list(instances)
    left_out: list[str] = []
    while True:
        try:
            return {**_rendered(scratch, given), "left_out": left_out}
        except Undecodable as broken:
            if len(given) == 1 or len(left_out) == MOST_LEFT_OUT:
                raise
            left_out.append(given.pop(broken.instance)["sop_uid"])
            (scratch / "pack").unlink()


def _rendered(scratch: Path, instances: list[dict[str, Any]]) -> dict[str, Any]:
    headers = [read_header(one["path"], one["offset"], one["length"]) for one in instances]
    frames = ordered(
        [frame for number, header in enumerate(headers) for frame in frames_of(header, number)],
        [whole(header.get("InstanceNumber")) for header in headers],
    )
    kind = _common_kind(headers)
    verdict = judge(frames) if kind.is_grey else Verdict(is_volume=False, why_not="colour")
    gathered, ranges = _pack(scratch / "pack", instances, headers, frames, kind, verdict)
    order = list(dict.fromkeys(frame.instance for frame in frames))
    _write_metadata(scratch / "metadata.json", [headers[number] for number in order])
    previews, layout = _previews(scratch, headers, frames, gathered, verdict)
    return {
        "instances": [
            {"sop_uid": instances[number]["sop_uid"], "ranges": ranges[number]} for number in order
        ],
        "pack": "pack",
        "metadata": "metadata.json",
        "transfer_syntax": kind.transfer_syntax,
        "is_volume": verdict.is_volume,
        "why_not": verdict.why_not,
        "facts": _facts(headers[frames[0].instance], frames, verdict, gathered.windows),
        "previews": previews,
        "layout": layout,
    }


def _common_kind(headers: list[Dataset]) -> Kind:
    """A series is packed in one way; mixed kinds as plain as their plainest."""
    kinds = [kind_of(header) for header in headers]
    return kinds[0] if all(kind == kinds[0] for kind in kinds) else Kind(is_grey=False, bits=8)


class _Sources:
    """The instances' files, opened as they are needed, so many at once."""

    def __init__(self, instances: list[dict[str, Any]], stack: ExitStack) -> None:
        self._instances, self._stack = instances, stack
        self._open: dict[int, tuple[ExitStack, BinaryIO]] = {}

    def file(self, number: int) -> BinaryIO:
        if number not in self._open:
            if len(self._open) >= _OPEN_AT_ONCE:
                self._open.pop(next(iter(self._open)))[0].close()
            one, own = self._instances[number], self._stack.enter_context(ExitStack())
            self._open[number] = own, own.enter_context(part(one["path"], one["offset"], one["length"]))
        return self._open[number][1]


def _decoded(sources: _Sources, headers: list[Dataset], frame: Frame) -> NDArray[Any]:
    try:
        return read(sources.file(frame.instance), headers[frame.instance], frame.number)
    except MemoryError:
        raise
    except Exception as broken:  # each decoder has exceptions of its own
        raise Undecodable(frame.instance) from broken


def _pack(
    path: Path,
    instances: list[dict[str, Any]],
    headers: list[Dataset],
    frames: list[Frame],
    kind: Kind,
    verdict: Verdict,
) -> tuple[_Gathered, list[list[list[int]]]]:
    """Write the pack in the order of the frames; returns what the previews need, and the ranges by instance."""
    ranges: list[list[list[int]]] = [
        [[0, 0]] * (whole(header.get("NumberOfFrames")) or 1) for header in headers
    ]
    with ExitStack() as stack, path.open("xb") as pack:
        sources = _Sources(instances, stack)
        middle = frames[len(frames) // 2]
        first = _decoded(sources, headers, middle)
        gathered = _Gathered(windows_of(headers[middle.instance], first))
        if not verdict.is_volume:
            gathered.picture = _values(first, headers[middle.instance])
        chosen = set(_mosaic_numbers(len(frames)))
        for number, frame in enumerate(frames):
            header = headers[frame.instance]
            pixels = _decoded(sources, headers, frame)
            data = packed(pixels, kind.transfer_syntax)
            ranges[frame.instance][frame.number] = [pack.tell(), len(data)]
            pack.write(data)
            _gather(gathered, pixels, header, is_volume=verdict.is_volume, is_chosen=number in chosen)
            describe(header, pixels)
            progress((number + 1) / (len(frames) + 1))
    return gathered, ranges


def _gather(
    gathered: _Gathered, pixels: NDArray[Any], header: Dataset, *, is_volume: bool, is_chosen: bool
) -> None:
    values = _values(pixels, header)
    if is_chosen:
        gathered.small.append(_smaller(values))
    if is_volume:
        gathered.rows.append(values[values.shape[0] // 2].astype(np.float32))
        gathered.columns.append(values[:, values.shape[1] // 2].astype(np.float32))


def _values(pixels: NDArray[Any], header: Dataset) -> NDArray[Any]:
    return pixels if pixels.ndim == 3 else in_units(pixels, header)  # noqa: PLR2004


def _smaller(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the mean of each block of MOSAIC_PART × MOSAIC_PART, a quarter of a megapixel at most."""
    step = max(MOSAIC_PART, ceil(max(values.shape[:2]) / 512))
    height, width = (max(side // step, 1) for side in values.shape[:2])
    step_down, step_across = values.shape[0] // height, values.shape[1] // width
    cut = values[: height * step_down, : width * step_across].astype(np.float32)
    blocks = cut.reshape(height, step_down, width, step_across, *values.shape[2:])
    small: NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return small


def _mosaic_numbers(total: int) -> list[int]:
    """Return which frames stand in the mosaic: every third of a long series, and never more than fit."""
    step = max(1, min(MOSAIC_PART, total // 24), ceil(total / MOSAIC_TILES))
    return list(range(0, total, step))


def _previews(
    scratch: Path, headers: list[Dataset], frames: list[Frame], gathered: _Gathered, verdict: Verdict
) -> tuple[dict[str, Any], dict[str, Any]]:
    previews: dict[str, Any] = {}

    def save(name: str, image: Image.Image) -> None:
        image.save(scratch / f"{name}.webp", "WEBP", quality=QUALITY, method=4)
        previews[name] = {"file": f"{name}.webp", "media_type": "image/webp", "size": list(image.size)}

    header = headers[frames[len(frames) // 2].instance]
    default = gathered.windows["bone" if verdict.is_volume and "bone" in gathered.windows else "default"]
    middle = gathered.small[len(gathered.small) // 2]
    save("thumbnail", _fitted(_image(middle, header, default), THUMBNAIL))
    if gathered.picture is not None:
        save("picture", _fitted(_image(gathered.picture, header, default), LARGEST_PLANE))
    if verdict.is_volume:
        _save_planes(save, header, frames[0], gathered, verdict.step, default)
    layout = _save_mosaics(save, header, gathered, len(frames))
    return previews, layout


def _save_planes(
    save: Any, header: Dataset, first: Frame, gathered: _Gathered, step: float, window: tuple[float, float]
) -> None:
    """Save the planes across the slices, head up, at the true proportions."""
    down, across = first.spacing or (1.0, 1.0)
    for name, lines, spacing in (("coronal", gathered.rows, across), ("sagittal", gathered.columns, down)):
        plane = np.flipud(np.stack(lines))
        image = _image(plane, header, window)
        height = max(1, round(plane.shape[0] * step / spacing))
        save(name, _fitted(image.resize((plane.shape[1], min(height, LARGEST_PLANE))), LARGEST_PLANE))


def _save_mosaics(save: Any, header: Dataset, gathered: _Gathered, total: int) -> dict[str, Any]:
    """Save all small slices in one picture for each window; returns where each of them stands."""
    tiles = gathered.small
    shapes = {tile.shape for tile in tiles}
    if len(shapes) > 1:
        tiles = [tile for tile in tiles if tile.shape == tiles[0].shape]
    columns = ceil(sqrt(len(tiles)))
    rows = ceil(len(tiles) / columns)
    height, width = tiles[0].shape[:2]
    for name in [name for name in WINDOW_NAMES if name in gathered.windows] or ["default"]:
        sheet = Image.new("RGB" if tiles[0].ndim == 3 else "L", (columns * width, rows * height))  # noqa: PLR2004
        for number, tile in enumerate(tiles):
            place = (number % columns * width, number // columns * height)
            sheet.paste(_image(tile, header, gathered.windows[name]), place)
        save(f"mosaic_{name}", sheet)
    numbers = _mosaic_numbers(total)[: len(tiles)]
    return {
        "columns": columns,
        "rows": rows,
        "width": width,
        "height": height,
        "slices": numbers,
        "total": total,
    }


def _image(values: NDArray[Any], header: Dataset, window: tuple[float, float]) -> Image.Image:
    """Return values that are in units already through a window, as a picture."""
    plain = Dataset()
    plain.PhotometricInterpretation = header.get("PhotometricInterpretation", "MONOCHROME2")
    return Image.fromarray(shown(values, plain, window))


def _fitted(image: Image.Image, most: int) -> Image.Image:
    image.thumbnail((most, most))
    return image


def _facts(
    header: Dataset, frames: list[Frame], verdict: Verdict, windows: dict[str, tuple[float, float]]
) -> dict[str, Any]:
    """Return what the pages show and the viewer needs before the metadata is there; spacing in mm."""
    first = frames[0]
    return {
        "frames": len(frames),
        "spacing": [*first.spacing, verdict.step] if first.spacing else [],
        "position": [] if first.position is None else first.position.tolist(),
        "row_direction": [] if first.row_direction is None else first.row_direction.tolist(),
        "column_direction": [] if first.column_direction is None else first.column_direction.tolist(),
        "photometric": str(header.get("PhotometricInterpretation", "")),
        "windows": {name: [round(number, 2) for number in window] for name, window in windows.items()},
    }


def _write_metadata(path: Path, headers: list[Dataset]) -> None:
    """Write the headers as WADO-RS metadata: no pixels, no private tags, no long values."""
    with path.open("x", encoding="utf-8") as file:
        file.write("[")
        for number, header in enumerate(headers):
            header.remove_private_tags()
            said = header.to_json_dict(
                bulk_data_threshold=LONGEST_VALUE,
                bulk_data_element_handler=lambda element: "",
                suppress_invalid_tags=True,
            )
            file.write("," * (number > 0) + json.dumps(said, ensure_ascii=False, separators=(",", ":")))
        file.write("]")

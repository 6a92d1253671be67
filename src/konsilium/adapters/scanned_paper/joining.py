"""Photographs of paper become one PDF: each sheet found, straightened, turned upright, its shadows lifted."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from konsilium.adapters.inspection import pictures
from konsilium.adapters.inspection.reasons import REASONS, Refused
from konsilium.adapters.kinds import HEAD, HEIC, JPEG, PNG, TIFF, NotAllowed, kind_of
from konsilium.adapters.sandbox_child import progress
from konsilium.adapters.scanned_paper.codes import codes_of
from konsilium.adapters.scanned_paper.edges import Point, corners, straightened

# A4 at this many points an inch.
DPI = 180
SHORT, LONG = 1488, 2105
QUALITY = 78
NAME = "joined.pdf"
# Larger photographs are read smaller: print stays readable.
READ_AT = 4000
SHADOW, WHITE = 61, 255
QUARTER = 90
TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def join(scratch: Path, paths: list[str], turns: list[int]) -> dict[str, Any]:
    """Make one PDF of photographs in their order, each turned clockwise by its quarter turns.

    Returns file, pages, found (in how many a sheet was found) and codes; or refused: a message id with its params, and
    number: of which photograph.
    """
    sheets, codes, found = [], [], 0
    for number, (path, quarters) in enumerate(zip(paths, turns, strict=True)):
        try:
            photo = _photo(Path(path))
        except NotAllowed as refused:
            return {"refused": str(refused), "params": {}, "number": number + 1}
        except Refused as refused:
            return {"refused": REASONS[refused.reason], "params": refused.params, "number": number + 1}
        sheet, is_found = _sheet(_turned(photo, quarters * QUARTER))
        said = codes_of(sheet)
        codes += [text for text, _ in said if text not in codes]
        upright = _turned(sheet, _upright(said))
        sheets.append(_lightened(upright))
        found += is_found
        progress((number + 1) / (len(paths) + 1))
    title = "Скан бумажного оригинала"
    sheets[0].save(
        scratch / NAME,
        "PDF",
        save_all=True,
        append_images=sheets[1:],
        resolution=DPI,
        quality=QUALITY,
        title=title,
        subject=title,
    )
    return {"file": NAME, "pages": len(sheets), "found": found, "codes": codes}


def _photo(path: Path) -> Image.Image:
    """Return a photograph upright, as its camera meant it. Raises NotAllowed or Refused."""
    size = path.stat().st_size
    with path.open("rb") as file:
        media_type = kind_of(path.name, file.read(HEAD), size)
    if media_type not in (JPEG, PNG, TIFF, HEIC):
        raise Refused("damaged")
    pictures.judge(path, size, media_type)
    with pictures.opened(path, media_type) as picture:
        picture.draft("RGB", (READ_AT, READ_AT))
        return ImageOps.exif_transpose(picture).convert("RGB")


def _sheet(photo: Image.Image) -> tuple[Image.Image, bool]:
    """Return the sheet alone; the whole photograph where no sheet is found in it."""
    found = corners(photo)
    if found is None:
        whole = photo.copy()
        whole.thumbnail((LONG, LONG))
        return whole, False
    lies = _length(found[0], found[1]) > _length(found[1], found[2])
    return straightened(photo, found, (LONG, SHORT) if lies else (SHORT, LONG)), True


def _length(a: Point, b: Point) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def _upright(said: list[tuple[str, int]]) -> int:
    """Return by how much to turn a sheet so that its code stands upright."""
    return -round(said[0][1] / QUARTER) * QUARTER if said else 0


def _turned(picture: Image.Image, degrees: int) -> Image.Image:
    """Return the picture turned clockwise."""
    turn = TURNS.get(degrees % 360)
    return picture.transpose(turn) if turn is not None else picture


def _lightened(sheet: Image.Image) -> Image.Image:
    """Make paper white where a shadow lies; ink and stamps keep their colours."""
    small = sheet.convert("L").resize((max(1, sheet.width // 4), max(1, sheet.height // 4)))
    ground = small.filter(ImageFilter.MaxFilter(15)).filter(ImageFilter.BoxBlur(SHADOW // 4))
    light = np.asarray(ground.resize(sheet.size), dtype=np.float32)[..., None].clip(40)
    lifted = np.asarray(sheet, dtype=np.float32) * (WHITE / light)
    return Image.fromarray(lifted.clip(0, WHITE).astype(np.uint8))

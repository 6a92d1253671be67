"""Copies for looking: upright, of a size for screens, and without place, device and names of the original.

The original is only read. Files are written to the scratch folder and named in the answer.
"""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from PIL import ExifTags, Image, ImageCms

from konsilium.adapters.inspection import pictures, surfaces
from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import HEIC, JPEG, PDF, PLY, PNG, STL, TIFF
from konsilium.adapters.sandbox_child import progress

VIEW = 2560
THUMBNAIL = 320
# Pages of a scan beyond these are in the original only.
VIEWED_PAGES = 30
_QUALITY = 88
_DEEP = 255
_FULL = {"1": "L", "P": "RGBA", "PA": "RGBA"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def derive(scratch: Path, path: str, media_type: str) -> dict[str, Any]:
    """Make what a kind is looked at by, and say what can be told of it.

    Returns copies: [{file, purpose, media_type, facts: {width, height}}] with the purposes "thumbnail" (WebP),
    "view" (JPEG) and, for the further pages of a scan, "view-2", "view-3" …; and facts. Other kinds have
    none. What can't be drawn is simply not there.
    """
    file = Path(path)
    try:
        if media_type in (JPEG, PNG, TIFF, HEIC):
            return _of_picture(scratch, file, media_type)
        if media_type == PDF:
            return {"copies": [_of_pdf(scratch, file)], "facts": {}}
        if media_type in (STL, PLY):
            return {"copies": [], "facts": surfaces.judge(file, file.stat().st_size, media_type)}
    except (Refused, pypdfium2.PdfiumError):
        pass
    return {"copies": [], "facts": {}}


def _of_picture(scratch: Path, file: Path, media_type: str) -> dict[str, Any]:
    copies = []
    with pictures.opened(file, media_type) as picture:
        for number in pictures.each_page(picture, media_type):
            if number >= VIEWED_PAGES:
                break
            needs_view = _needs_view(picture, media_type)
            page = _shown(picture)
            if number == 0:
                copies.append(_thumbnail(scratch, page))
            if needs_view:
                copies.append(_view(scratch, page, number))
            progress((number + 1) / min(getattr(picture, "n_frames", 1), VIEWED_PAGES))
    return {"copies": copies, "facts": {}}


def _needs_view(picture: Image.Image, media_type: str) -> bool:
    """Say whether the original isn't shown itself: not by browsers, too large, turned, or telling a place."""
    is_large = max(picture.size) > VIEW
    return media_type in (TIFF, HEIC) or is_large or "exif" in picture.info or _turn(picture) != 1


def _shown(picture: Image.Image) -> Image.Image:
    """Return the picture as eyes should see it: small enough, upright, in the screen's colours, on white."""
    picture.draft(None, (VIEW, VIEW))
    picture.load()
    shown = _smaller(_eight_bit(picture), VIEW)
    if (how := _TURNS.get(_turn(picture))) is not None:
        shown = shown.transpose(how)
    colours = picture.info.get("icc_profile")
    return _on_white(_in_screen_colours(shown, colours) if colours else shown)


def _turn(picture: Image.Image) -> int:
    """Return how the camera was held (1 to 8); 1 when its note can't be read."""
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except (SyntaxError, ValueError, TypeError, OSError, struct.error):
        return 1


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        # Smaller first: numbers of more than eight bits take much memory.
        deep = picture if picture.mode == "F" else picture.convert("I").convert("F")
        values = np.asarray(_smaller(deep, VIEW))
        least, most = float(values.min()), float(values.max())
        if most > _DEEP or least < 0 or picture.mode == "F":
            values = (values - least) * (_DEEP / ((most - least) or 1))
        return Image.fromarray(values.astype(np.uint8))
    # These can't be made smaller without edges; bits become greys, a palette its colours.
    return picture.convert(_FULL[picture.mode]) if picture.mode in _FULL else picture


def _smaller(picture: Image.Image, most: int) -> Image.Image:
    """Return a copy whose longer side is `most` at most; the large one is held in memory only once."""
    scale = min(1, most / max(picture.size))
    if scale == 1:
        return picture.copy()
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2)


def _in_screen_colours(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert from the camera's colours; a profile that doesn't fit the picture is passed over."""
    if picture.mode not in ("RGB", "CMYK", "L"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, target, outputMode="RGB") or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGB", "L"):
        return picture
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        below = Image.new("RGBA", above.size, "white")
        return Image.alpha_composite(below, above).convert("RGB")
    return picture.convert("RGB")


def _thumbnail(scratch: Path, page: Image.Image) -> dict[str, Any]:
    small = _smaller(page, THUMBNAIL)
    small.info.clear()
    small.save(scratch / "thumbnail.webp", "WEBP", quality=80)
    return _copy("thumbnail.webp", "thumbnail", "image/webp", small)


def _view(scratch: Path, page: Image.Image, number: int) -> dict[str, Any]:
    purpose = f"view-{number + 1}" if number else "view"
    page.info.clear()
    page.save(scratch / f"{purpose}.jpg", "JPEG", quality=_QUALITY, progressive=True, optimize=True)
    return _copy(f"{purpose}.jpg", purpose, JPEG, page)


def _copy(file: str, purpose: str, media_type: str, picture: Image.Image) -> dict[str, Any]:
    facts = {"width": picture.width, "height": picture.height}
    return {"file": file, "purpose": purpose, "media_type": media_type, "facts": facts}


def _of_pdf(scratch: Path, file: Path) -> dict[str, Any]:
    """Draw the first page small; forms and annotations aren't run."""
    document = pypdfium2.PdfDocument(file)
    try:
        page = document[0]
        scale = THUMBNAIL / max(*page.get_size(), 1)
        drawn = page.render(scale=scale).to_pil().convert("RGB")
    finally:
        document.close()
    return _thumbnail(scratch, drawn)

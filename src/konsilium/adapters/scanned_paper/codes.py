"""The QR codes on paper: read from a scan's pages or from photographs."""

from pathlib import Path
from typing import Any

import pypdfium2
import zxingcpp
from PIL import Image, ImageOps

from konsilium.adapters.inspection import pictures
from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import PDF

# The code stands on each page of a print form: these suffice.
PAGES = 5
# Points an inch of a drawn page, and the side beyond which a picture is made smaller.
DPI, LARGEST = 200, 3000
INCH = 72


def read_codes(scratch: Path, path: str, media_type: str) -> dict[str, Any]:
    """Return {"codes": [text]}: what the QR codes of a scan's first pages say, each once. Nothing is raised for content."""
    del scratch
    found: list[str] = []
    try:
        for page in _pages(Path(path), media_type):
            found += [text for text, _ in codes_of(page) if text not in found]
    except (Refused, OSError, ValueError, pypdfium2.PdfiumError):
        pass
    return {"codes": found}


def _pages(path: Path, media_type: str) -> Any:
    if media_type == PDF:
        with pypdfium2.PdfDocument(path) as document:
            for number in range(min(len(document), PAGES)):
                yield document[number].render(scale=DPI / INCH, grayscale=True).to_pil()
        return
    with pictures.opened(path, media_type) as picture:
        for number in pictures.each_page(picture, media_type):
            if number >= PAGES:
                return
            yield ImageOps.exif_transpose(picture).convert("L")


def codes_of(picture: Image.Image) -> list[tuple[str, int]]:
    """Return each QR's text, and by how many degrees it is turned."""
    grey = picture.convert("L")
    sizes = [LARGEST] if max(grey.size) <= LARGEST else [LARGEST, LARGEST // 2]
    for size in sizes:
        smaller = grey.copy()
        smaller.thumbnail((size, size))
        read = zxingcpp.read_barcodes(
            smaller, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
        )
        if read:
            return [(code.text, round(code.orientation)) for code in read]
    return []

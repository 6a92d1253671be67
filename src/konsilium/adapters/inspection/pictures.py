"""JPEG, PNG, TIFF and HEIC: whole up to the exact end, not too large to unpack, and decoded once."""

import mmap
import struct
import zlib
from pathlib import Path
from typing import Any

import pi_heif
from PIL import Image, UnidentifiedImageError

from konsilium.adapters.inspection import jpeg
from konsilium.adapters.inspection.boxes import Damaged, walk_bytes
from konsilium.adapters.inspection.reasons import Refused
from konsilium.adapters.kinds import HEIC, JPEG, PNG, TIFF

MEGAPIXELS = 150
PAGES = 200
LARGEST_MB = 512
FORMATS = {JPEG: "JPEG", PNG: "PNG", TIFF: "TIFF", HEIC: "HEIF"}
_HEIC_BOXES = {
    b"ftyp", b"meta", b"mdat", b"free", b"skip", b"wide", b"uuid", b"idat", b"moov", b"mpvd", b"sefd",
}  # fmt: skip
_MILLION = 1_000_000
# What the libraries raise for pictures that aren't whole or aren't what they say.
_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError,
           OverflowError, EOFError, RuntimeError, struct.error, zlib.error, ZeroDivisionError)  # fmt: skip

pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)
# The size is looked at before anything is unpacked, in `opened`.
Image.MAX_IMAGE_PIXELS = None


def judge(path: Path, size: int, media_type: str) -> dict[str, Any]:
    """Return width, height and pages. Raises `Refused`."""
    if size > LARGEST_MB * 1024**2:
        raise Refused("too_large", most=LARGEST_MB)
    _explain_whole(path, media_type)
    try:
        return _decoded(path, media_type)
    except _BROKEN as error:
        if "out of memory" in str(error):
            raise MemoryError from None
        raise Refused("damaged") from None


def _explain_whole(path: Path, media_type: str) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if media_type == JPEG:
            jpeg.explain(data)
        elif media_type == PNG:
            _explain_png(data)
        elif media_type == HEIC:
            _explain_heic(data)


def _explain_png(data: mmap.mmap) -> None:
    at, size = 8, len(data)
    while at < size:
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > size or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise Refused("damaged")
        at = end
        if kind == b"IEND":
            break
    else:
        raise Refused("damaged")
    if at != size:
        raise Refused("rest_behind")


def _explain_heic(data: mmap.mmap) -> None:
    try:
        kinds = [box.kind for box in walk_bytes(data, 0, len(data))]
    except Damaged:
        raise Refused("damaged") from None
    if not _HEIC_BOXES.issuperset(kinds):
        raise Refused("rest_behind")


def opened(path: Path, media_type: str) -> Image.Image:
    """Open a picture without unpacking it. Raises `Refused` when it has too many points."""
    picture = Image.open(path, formats=[FORMATS[media_type]])
    try:
        _refuse_bomb(picture)
    except Refused:
        picture.close()
        raise
    return picture


def _refuse_bomb(picture: Image.Image) -> None:
    points = picture.width * picture.height
    if points > MEGAPIXELS * _MILLION:
        raise Refused("too_many_points", found=round(points / _MILLION), most=MEGAPIXELS)


def _decoded(path: Path, media_type: str) -> dict[str, Any]:
    with opened(path, media_type) as picture:
        width, height, pages = picture.width, picture.height, 0
        for _ in each_page(picture, media_type):
            # An eighth of a JPEG reads all of it and needs little memory.
            picture.draft(None, (width // 8 or 1, height // 8 or 1))
            picture.load()
            pages += 1
    return {"width": width, "height": height, "pages": pages}


def each_page(picture: Image.Image, media_type: str) -> Any:
    """Yield the numbers of a TIFF's pages, each made the picture's current one; one page for the others.

    Raises `Refused` for too many pages, and for a page with too many points before it is unpacked.
    """
    yield 0
    if media_type != TIFF:
        return
    for number in range(1, PAGES + 2):
        try:
            picture.seek(number)
        except EOFError:
            return
        if number > PAGES - 1:
            raise Refused("too_many_pages", most=PAGES)
        _refuse_bomb(picture)
        yield number

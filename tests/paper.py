"""Paper as a phone sees it: a sheet with a QR on a dark table, askew, in perspective, half in shadow."""

import io

import numpy as np
import segno
from PIL import Image, ImageDraw

from konsilium.adapters.scanned_paper.edges import _coefficients

SIZE = (1240, 1754)


def sheet(text):
    """Return a white A4 sheet with lines of ink and a QR at its lower left, as print forms have it; "" for none."""
    page = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(page)
    for line in range(28):
        pen.rectangle((140, 140 + line * 45, 1100 - (line % 4) * 120, 152 + line * 45), fill=(30, 30, 30))
    pen.ellipse((800, 1350, 1000, 1550), outline=(40, 60, 180), width=8)
    if text:
        out = io.BytesIO()
        segno.make(text, error="m").save(out, kind="png", scale=4, border=2)
        page.paste(Image.open(out).convert("RGB"), (130, 1520))
    return page


def photographed(page, corners=((420, 300), (2050, 480), (1930, 2700), (250, 2560)), size=(2400, 3000)):
    """Return the sheet as photographed: its corners there, on a dark table, with a shadow across."""
    width, height = page.size
    flat = ((0, 0), (width, 0), (width, height), (0, height))
    lain = page.transform(
        size, Image.Transform.PERSPECTIVE, _coefficients(corners, flat), Image.Resampling.BICUBIC
    )
    mask = Image.new("L", page.size, 255).transform(
        size, Image.Transform.PERSPECTIVE, _coefficients(corners, flat)
    )
    table = Image.new("RGB", size, (70, 50, 40))
    table.paste(lain, (0, 0), mask)
    light = np.linspace(0.62, 1.0, size[0])[None, :, None]
    noise = np.random.default_rng(7).normal(0, 4, (size[1], size[0], 1))
    return Image.fromarray((np.asarray(table) * light + noise).clip(0, 255).astype(np.uint8))


def as_jpeg(picture):
    """Return a picture's bytes."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()

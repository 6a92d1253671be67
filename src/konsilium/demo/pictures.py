"""Photographs that are drawings: shapes turned into relief and lit from the upper left.

Left and right are the patient's: what sits at the patient's left is at the right of the picture.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from konsilium.demo.lettering import REGULAR

Floats = NDArray[np.float32]
Colour = tuple[int, int, int]
Pen = Callable[[ImageDraw.ImageDraw], object]

_NOTE = "Рисунок для демонстрации, не фотография человека"
_SKIN, _LIP, _HAIR, _GUM = (226, 182, 156), (188, 104, 100), (74, 52, 40), (206, 112, 118)


@dataclass
class Picture:
    """A canvas of floats on which shapes are laid one over the other."""

    pixels: Floats

    @classmethod
    def of(cls, width: int, height: int, top: Colour, bottom: Colour) -> "Picture":
        """Begin with a background that goes from one colour to another."""
        fade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        colours = np.array(top, np.float32) * (1 - fade) + np.array(bottom, np.float32) * fade
        return cls(np.repeat(colours, width, axis=1))

    def lay(
        self, draw: Pen, colour: Colour, *, round_by: int = 0, edge: float = 1.5, strength: float = 1.0
    ) -> None:
        """Lay a shape: `round_by` is how far its sides bend away from the light, `edge` how soft it ends."""
        height, width = self.pixels.shape[:2]
        mask = Image.new("L", (width, height))
        draw(ImageDraw.Draw(mask))
        box = _around(mask, int(3 * edge) + 2)
        mask = mask.crop(box)
        light = _light(mask, round_by) if round_by else np.float32(1)
        cover = (
            np.asarray(mask.filter(ImageFilter.GaussianBlur(edge)), np.float32)[..., None] / 255 * strength
        )
        below = self.pixels[box[1] : box[3], box[0] : box[2]]
        below *= 1 - cover
        below += np.array(colour, np.float32) * np.atleast_3d(light) * cover

    def jpeg(self, chance: np.random.Generator, quality: int = 88) -> bytes:
        """Return the picture as a camera would give it: a little noise, and our note in the corner."""
        noise = chance.normal(0, 4.5, self.pixels.shape[:2]).astype(np.float32)[..., None]
        image = Image.fromarray(np.clip(self.pixels + noise, 0, 255).astype(np.uint8))
        font = ImageFont.truetype(REGULAR, 24)
        ImageDraw.Draw(image).text(
            (24, image.height - 44), _NOTE, (235, 235, 235), font, stroke_width=2, stroke_fill=(40, 40, 40)
        )
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()


def _around(mask: Image.Image, margin: int) -> tuple[int, int, int, int]:
    """Return the box of what was drawn with a margin; all the rest of the canvas need not be touched."""
    left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
    return (
        max(0, left - margin),
        max(0, top - margin),
        min(mask.width, right + margin),
        min(mask.height, bottom + margin),
    )


def _light(mask: Image.Image, round_by: int) -> Floats:
    """Take the blurred mask for heights, and light their slopes from the upper left."""
    # A quarter of the size is enough for something this smooth, and sixteen times as fast.
    small = mask.resize((max(2, mask.width // 4), max(2, mask.height // 4)), Image.Resampling.BOX)
    heights: Floats = np.asarray(small, np.float32) / np.float32(255)
    reach = round_by // 6 + 1
    for _ in range(3):
        heights = _mean(_mean(heights, reach).T, reach).T
    down, across = np.gradient(heights * round_by)
    shade = np.clip(1 + 0.55 * (across * 0.6 + down * 0.8), 0.35, 1.3)
    lit = Image.fromarray(shade.astype(np.float32)).resize(mask.size, Image.Resampling.BICUBIC)
    return np.asarray(lit, np.float32)


def _mean(rows: Floats, reach: int) -> Floats:
    """Average each value with its neighbours; in floats, since eight bits would show as contour lines."""
    padded = np.pad(rows, ((reach + 1, reach), (0, 0)), mode="edge")
    sums = np.cumsum(padded, axis=0, dtype=np.float64)
    width = 2 * reach + 1
    return ((sums[width:] - sums[:-width]) / width).astype(np.float32)


def _ellipse(x: float, y: float, across: float, down: float) -> Pen:
    return lambda draw: draw.ellipse((x - across, y - down, x + across, y + down), fill=255)


def _rounded(box: tuple[float, float, float, float]) -> Pen:
    return lambda draw: draw.rounded_rectangle(box, 30, fill=255)


def _polygon(points: Sequence[tuple[float, float]]) -> Pen:
    return lambda draw: draw.polygon([tuple(point) for point in points], fill=255)


def _both(first: Pen, second: Pen) -> Pen:
    return lambda draw: (first(draw), second(draw))


def face_photo_jpeg(seed: int = 0, view: str = "front") -> bytes:
    """Return a portrait with a swollen left cheek: "front", or "profile" for the patient's left side."""
    chance = np.random.default_rng(seed)
    picture = Picture.of(1200, 1500, (168, 186, 198), (120, 138, 152))
    skin = _tinted(_SKIN, chance, 14)
    (_profile if view == "profile" else _front)(picture, skin, _tinted(_HAIR, chance, 26))
    return picture.jpeg(chance)


def _tinted(colour: Colour, chance: np.random.Generator, by: int) -> Colour:
    shift = int(chance.integers(-by, by + 1))
    red, green, blue = (max(0, min(255, part + shift)) for part in colour)
    return red, green, blue


def _front(picture: Picture, skin: Colour, hair: Colour) -> None:
    picture.lay(_ellipse(600, 1620, 560, 330), (126, 158, 172), round_by=80)
    picture.lay(_polygon([(455, 1050), (745, 1050), (770, 1400), (430, 1400)]), skin, round_by=60, edge=6)
    picture.lay(_ellipse(600, 520, 400, 430), hair, round_by=60)
    for ear in (232, 968):
        picture.lay(_ellipse(ear, 690, 46, 100), skin, round_by=24)
    jaw = [
        (250, 620),
        (285, 860),
        (400, 1070),
        (520, 1165),
        (600, 1180),
        (680, 1165),
        (815, 1070),
        (945, 880),
        (950, 620),
    ]
    picture.lay(_both(_polygon(jaw), _ellipse(600, 610, 352, 400)), skin, round_by=90, edge=8)
    # The finding: the left cheek, which is at the right here.
    picture.lay(_ellipse(838, 925, 112, 135), skin, round_by=60, edge=18, strength=0.9)
    picture.lay(_ellipse(850, 930, 80, 95), (216, 120, 108), edge=46, strength=0.55)
    picture.lay(
        _polygon(
            [(215, 420), (330, 235), (600, 175), (870, 235), (985, 420), (840, 360), (600, 320), (360, 370)]
        ),
        hair,
        round_by=40,
        edge=10,
    )
    for eye in (450, 750):
        _eye(picture, eye, 640, hair)
    picture.lay(
        _polygon([(575, 640), (625, 640), (662, 830), (538, 830)]), skin, round_by=36, edge=12, strength=0.85
    )
    for nostril in (568, 632):
        picture.lay(_ellipse(nostril, 838, 17, 9), (120, 74, 66), edge=5, strength=0.8)
    picture.lay(_ellipse(604, 985, 112, 30), _LIP, round_by=24, edge=6)
    picture.lay(lambda draw: draw.arc((490, 950, 724, 1004), 15, 165, 255, 5), (112, 56, 58), edge=2)


def _eye(picture: Picture, x: int, y: int, brow: Colour) -> None:
    picture.lay(_ellipse(x, y, 62, 27), (238, 234, 230), round_by=12, edge=3)
    picture.lay(_ellipse(x, y, 25, 26), (92, 112, 118), edge=2)
    picture.lay(_ellipse(x, y, 11, 11), (24, 22, 24), edge=1.5)
    picture.lay(_ellipse(x - 8, y - 9, 5, 5), (250, 250, 250), edge=1)
    picture.lay(
        lambda draw: draw.arc((x - 74, y - 34, x + 74, y + 62), 198, 342, 255, 7), (96, 66, 58), edge=2
    )
    picture.lay(
        lambda draw: draw.arc((x - 98, y - 88, x + 98, y + 84), 214, 326, 255, 17),
        brow,
        edge=5,
        strength=0.85,
    )


def _profile(picture: Picture, skin: Colour, hair: Colour) -> None:
    """Draw the patient's left side: the face looks to the left of the picture."""
    picture.lay(_ellipse(700, 1640, 560, 330), (126, 158, 172), round_by=80)
    picture.lay(_polygon([(540, 1050), (850, 900), (900, 1420), (560, 1420)]), skin, round_by=60, edge=8)
    picture.lay(_ellipse(690, 530, 390, 410), hair, round_by=70)
    outline = [
        (380, 300), (322, 470), (330, 560), (312, 610), (238, 760), (252, 800), (318, 822), (316, 858), (278, 890),
        (290, 930), (276, 968), (318, 1008), (304, 1060), (330, 1130), (420, 1165), (640, 1075), (790, 900), (800, 560), (640, 300),
    ]  # fmt: skip
    picture.lay(_polygon(outline), skin, round_by=70, edge=9)
    picture.lay(_ellipse(560, 975, 125, 110), skin, round_by=70, edge=26, strength=0.9)
    picture.lay(_ellipse(556, 985, 84, 76), (216, 120, 108), edge=42, strength=0.55)
    picture.lay(_ellipse(770, 730, 58, 108), skin, round_by=26, edge=5)
    picture.lay(_ellipse(765, 735, 28, 66), (196, 144, 122), round_by=14, edge=8)
    picture.lay(_polygon([(392, 628), (330, 650), (392, 668)]), (238, 234, 230), round_by=8, edge=3)
    picture.lay(_ellipse(348, 649, 11, 17), (60, 74, 80), edge=2)
    picture.lay(lambda draw: draw.arc((320, 560, 470, 660), 190, 300, 255, 15), hair, edge=5, strength=0.85)
    picture.lay(
        _polygon([(278, 892), (292, 930), (276, 966), (318, 972), (372, 930), (318, 890)]),
        _LIP,
        round_by=16,
        edge=6,
    )
    picture.lay(
        _polygon([(372, 300), (520, 190), (760, 260), (800, 620), (720, 600), (640, 420), (480, 360)]),
        hair,
        round_by=40,
        edge=12,
    )


def intraoral_photo_jpeg(seed: int = 0) -> bytes:
    """Return both rows of teeth from the front, with a swollen gum at the lower left (right in the picture)."""
    chance = np.random.default_rng(seed)
    picture = Picture.of(1500, 1000, (64, 22, 24), (46, 14, 16))
    picture.lay(_ellipse(750, 500, 790, 560), (176, 84, 86), round_by=80, edge=20)
    picture.lay(_ellipse(750, 500, 640, 350), (52, 18, 20), edge=24)
    picture.lay(_ellipse(750, 285, 610, 160), _GUM, round_by=60, edge=12)
    picture.lay(_ellipse(750, 700, 580, 150), _GUM, round_by=60, edge=12)
    for side in (-1, 1):
        _quadrant(picture, chance, side, upper=True)
        _quadrant(picture, chance, side, upper=False)
    picture.lay(_ellipse(1000, 690, 95, 62), (182, 58, 70), round_by=46, edge=18, strength=0.92)
    picture.lay(_ellipse(978, 668, 22, 13), (250, 236, 230), edge=12, strength=0.7)
    return picture.jpeg(chance)


def _quadrant(picture: Picture, chance: np.random.Generator, side: int, *, upper: bool) -> None:
    """Lay the teeth of a quadrant from the middle outwards; they get narrower as they turn away."""
    widths = (104, 82, 86, 72, 62, 58) if upper else (66, 70, 80, 74, 66, 60)
    heights = (190, 165, 185, 150, 135, 120) if upper else (150, 152, 165, 145, 130, 115)
    edge = 750.0
    for place, (width, tall) in enumerate(zip(widths, heights, strict=True)):
        bite = 512 - 9 * place if upper else 500 - 7 * place
        top = bite - tall if upper else bite
        shade = int(chance.integers(-7, 8)) - 6 * place
        left = edge if side > 0 else edge - width
        tooth = _rounded((left + 2, top, left + width - 2, top + tall))
        picture.lay(tooth, (240 + shade, 230 + shade, 208 + shade), round_by=22, edge=2.5)
        edge += side * width

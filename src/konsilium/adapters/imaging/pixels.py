"""One frame's pixels: decoded by pydicom's decoders, and packed as HTJ2K or plain little endian."""

from dataclasses import dataclass
from math import isfinite
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

HTJ2K = "1.2.840.10008.1.2.4.201"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_WIDEST_PACKED = 16

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Kind:
    """How a series' frames are kept: grey as HTJ2K, everything else plain; `bits` are those allocated."""

    is_grey: bool
    bits: int

    @property
    def transfer_syntax(self) -> str:
        """The syntax of the pack."""
        return HTJ2K if self.is_grey and self.bits in (8, _WIDEST_PACKED) else EXPLICIT_LITTLE_ENDIAN


def kind_of(header: Dataset) -> Kind:
    """Say how an instance's frames are to be kept."""
    grey = str(header.get("PhotometricInterpretation", "")).startswith("MONOCHROME")
    bits = int(header.get("BitsAllocated", 0) or 0)
    return Kind(grey and int(header.get("SamplesPerPixel", 1) or 1) == 1, 8 if bits == 1 else bits)


def read(file: BinaryIO, header: Dataset, number: int) -> Pixels:
    """Return a frame (from 0): rows × columns as stored values, or rows × columns × 3 as RGB of 8 bits."""
    file.seek(0)
    pixels = pixel_array(file, index=number)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return _eight_bits(apply_color_lut(pixels, header))
    return pixels if pixels.ndim == 2 else _eight_bits(pixels)  # noqa: PLR2004


def _eight_bits(pixels: Pixels) -> Pixels:
    return (
        pixels if pixels.dtype == np.uint8 else (pixels >> (8 * (pixels.dtype.itemsize - 1))).astype(np.uint8)
    )


def packed(pixels: Pixels, transfer_syntax: str) -> bytes:
    """Return a frame's bytes in the pack; both ways without any loss."""
    if transfer_syntax == HTJ2K:
        return bytes(imagecodecs.htj2k_encode(np.ascontiguousarray(pixels), reversible=True))
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).tobytes()


def describe(header: Dataset, pixels: Pixels) -> None:
    """Let a header speak of the pixels as they are in the pack."""
    header.BitsAllocated = pixels.dtype.itemsize * 8
    header.BitsStored = min(int(header.get("BitsStored") or header.BitsAllocated), header.BitsAllocated)
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:  # noqa: PLR2004
        header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
        for name in ("Red", "Green", "Blue"):
            for part in ("Data", "Descriptor"):
                if f"{name}PaletteColorLookupTable{part}" in header:
                    delattr(header, f"{name}PaletteColorLookupTable{part}")


def shown(pixels: Pixels, header: Dataset, window: tuple[float, float]) -> NDArray[np.uint8]:
    """Return grey values of 8 bits through a window (centre, width) in the header's own units; colour as it is."""
    if pixels.ndim == 3:  # noqa: PLR2004
        return pixels.astype(np.uint8)
    values = in_units(pixels, header)
    centre, width = window
    grey = np.clip((values - (centre - width / 2)) / max(width, 1e-6), 0, 1) * 255
    result: NDArray[np.uint8] = grey.astype(np.uint8)
    return 255 - result if header.get("PhotometricInterpretation") == "MONOCHROME1" else result


def in_units(pixels: Pixels, header: Dataset) -> NDArray[np.float32]:
    """Return stored values rescaled: Hounsfield units for a CT."""
    slope = _number(header.get("RescaleSlope"), 1.0)
    return pixels.astype(np.float32) * (slope or 1.0) + _number(header.get("RescaleIntercept"), 0.0)


def _number(value: Any, otherwise: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return otherwise
    return number if isfinite(number) else otherwise


def windows_of(header: Dataset, middle: Pixels) -> dict[str, tuple[float, float]]:
    """Return windows by name as (centre, width): bone and soft tissue for a CT, and what the header or the values say."""
    if middle.ndim == 3:  # noqa: PLR2004
        return {"default": (127.5, 255.0)}
    values = in_units(middle, header)
    low, high = (float(value) for value in np.percentile(values, (1, 99.5)))
    centre, width = (_number(_first(header.get(name)), 0.0) for name in ("WindowCenter", "WindowWidth"))
    default = (centre, width) if width > 1 else ((low + high) / 2, max(high - low, 1.0))
    calibrated = str(header.get("Modality", "")).upper() == "CT" and low < -200  # noqa: PLR2004  there is air in it
    if calibrated:
        return {"bone": (600.0, 2800.0), "soft": (40.0, 400.0), "default": default}
    # A cone beam's grey values are not Hounsfield's: the upper part of what there is shows bone, the middle tissue.
    span = max(high - low, 1.0)
    return {
        "bone": (low + span * 0.6, span * 0.9),
        "soft": (low + span * 0.45, span * 0.35),
        "default": default,
    }


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue" else value

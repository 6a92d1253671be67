"""How far a surface reaches."""

from typing import Any

import numpy as np
import numpy.typing as npt

from konsilium.adapters.inspection.reasons import Refused


class Extent:
    """The box around all points so far."""

    def __init__(self) -> None:
        self._least = np.full(3, np.inf)
        self._most = np.full(3, -np.inf)

    def add(self, points: npt.NDArray[Any]) -> None:
        """Take points in, one a row. Raises `Refused` for what isn't a place."""
        if not np.isfinite(points).all():
            raise Refused("damaged")
        if len(points):
            self._least = np.minimum(self._least, points.min(axis=0))
            self._most = np.maximum(self._most, points.max(axis=0))

    def facts(self, triangles: int, vertices: int) -> dict[str, Any]:
        """Return what is told of the surface. Raises `Refused` when there was no point at all."""
        if not np.isfinite(self._least).all():
            raise Refused("damaged")
        box = [[round(float(value), 4) for value in corner] for corner in (self._least, self._most)]
        return {"triangles": triangles, "vertices": vertices, "box": box}

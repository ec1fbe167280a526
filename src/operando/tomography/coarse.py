"""Coarse points for quantities that are smooth, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def coarse_points(fine: Array, step: float) -> tuple[Array, Array]:
    """Points `step` apart that cover `fine`, and the matrix that interpolates linearly from them to `fine`."""
    size = max(int(np.ceil((fine[-1] - fine[0]) / step)) + 1, 2)
    points = fine[0] + step * np.arange(size)
    place = (fine - fine[0]) / step
    lower = np.minimum(place.astype(int), size - 2)
    share = place - lower
    matrix = np.zeros((fine.size, size), dtype=np.float32)
    matrix[np.arange(fine.size), lower] = 1 - share
    matrix[np.arange(fine.size), lower + 1] = share
    return points, matrix

"""What changes from one field map to the next: the sample moves under the sensor, the bias drifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import shift as shifted

from operando.errors import InputError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class MapDrift:
    """What changed from one map to another: the sample moved, the level rose.

    Attributes
    ----------
    y, x:
        By which structures of the second map lie farther along the axes than in the first [m].
    level:
        By which the second map is higher, in its units.
    y_var, x_var, level_var:
        Variances, from the scatter of what drift does not explain.
    """

    y: float
    x: float
    level: float
    y_var: float
    x_var: float
    level_var: float


def drift_between(first: xr.DataArray, second: xr.DataArray, *, rounds: int = 30) -> MapDrift:
    """Find how far a map moved and rose, by least squares on the gradient of the first.

    Shifts up to about the size of the structures are found. Noise in the first map's gradient is taken for structure:
    the maps should stand well out of their noise. Pixels within a few pixels of the frame are left out.

    Parameters
    ----------
    first, second:
        Dims y, x on the same pixels, without NaN.

    Raises
    ------
    InputError
        If the maps differ in shape, or the first has no structure to follow.
    """
    a, b = (np.asarray(m.transpose("y", "x").values, dtype=float) for m in (first, second))
    if a.shape != b.shape or min(a.shape) < 16:
        raise InputError("maps", must="of one shape, 16 pixels a side or more", received=(a.shape, b.shape))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("maps", must="finite everywhere", received="NaN", remedy="Fill masked pixels first.")
    edge = max(2, min(a.shape) // 8)
    inner = (slice(edge, -edge), slice(edge, -edge))
    moved = np.zeros(2)
    solution, inverse, rest = np.zeros(3), np.full((3, 3), np.nan), np.zeros(1)
    for _ in range(rounds):
        now = shifted(a, moved, order=3, mode="nearest")
        gy, gx = np.gradient(now)
        terms = np.stack([-gy[inner].ravel(), -gx[inner].ravel(), np.ones(now[inner].size)], axis=1)
        normal = terms.T @ terms
        if np.linalg.cond(normal / np.sqrt(np.outer(np.diag(normal), np.diag(normal)) + 1e-300)) > 1e8:
            raise InputError("first map", must="structured along y and x", received="a map without gradient")
        rest = (b - now)[inner].ravel()
        inverse = np.linalg.inv(normal)
        solution = inverse @ (terms.T @ rest)
        moved = moved + solution[:2]
        if np.abs(solution[:2]).max() < 1e-6:
            break
    left = rest - terms @ solution
    variance = np.diag(inverse) * (left @ left) / (left.size - 3)
    pixel = [float(np.diff(first.coords[axis].values).mean()) for axis in ("y", "x")]
    return MapDrift(
        y=float(moved[0]) * pixel[0],
        x=float(moved[1]) * pixel[1],
        level=float(solution[2]),
        y_var=float(variance[0]) * pixel[0] ** 2,
        x_var=float(variance[1]) * pixel[1] ** 2,
        level_var=float(variance[2]),
    )

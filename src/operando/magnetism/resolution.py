"""The resolution that an inversion reached: how it renders a point."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.inverse_system import Prior, SheetSystem

Array = npt.NDArray[Any]

TOLERANCE = 1e-2
"""Of the residual: the width at half maximum then changes by less than 1 %, and most steps are spared."""


def point_response(system: SheetSystem, prior: Prior, *, at: tuple[int, int], iterations: int) -> Array:
    """Estimate that noiseless maps of a unit point source would give, the prior held: a row of the resolution matrix.

    Parameters
    ----------
    at:
        Pixel of the frame ``(row, column)``.

    Returns
    -------
    ``(y, x)`` of the frame, against its mean along the border, since a constant is not seen; a perfect inversion
    returns 1 at the point and 0 elsewhere.
    """
    point = np.zeros(system.shape)
    point[system.frame[0].start + at[0], system.frame[1].start + at[1]] = 1.0
    seen = system.estimate(system.predict(point), prior, iterations=iterations, tolerance=TOLERANCE)
    response = system.crop(seen)
    return np.asarray(response - np.concatenate([response[:, [0, -1]].ravel(), response[[0, -1]].ravel()]).mean())


def width_at_half_maximum(*, response: Array, pixel: tuple[float, float]) -> float:
    """Diameter of the disc as large as the region around the peak where a response exceeds half its maximum [m].

    Parameters
    ----------
    response:
        ``(y, x)``, with a positive peak.
    pixel:
        Pixel size along ``(y, x)`` [m].

    Raises
    ------
    InputError
        If there is no positive peak.
    """
    peak = float(response.max())
    if not peak > 0:
        raise InputError("response", must="with a positive peak", received=peak)
    widths = [_crossing(line / peak) for line in _through_peak(response)]
    return float(np.sqrt(widths[0] * pixel[0] * widths[1] * pixel[1]))


def _through_peak(response: Array) -> tuple[Array, Array]:
    row, column = np.unravel_index(int(response.argmax()), response.shape)
    return response[:, column], response[row]


def _crossing(line: Array) -> float:
    """Distance between the half-maximum points on both sides of the peak [pixels], linear in between."""
    peak = int(line.argmax())
    reach = []
    for side in (line[peak:], line[peak::-1]):
        below = np.flatnonzero(side < 0.5)
        if below.size == 0:
            reach.append(float(side.size))
            continue
        i = int(below[0])
        reach.append(i - 1 + (side[i - 1] - 0.5) / (side[i - 1] - side[i]))
    return reach[0] + reach[1]

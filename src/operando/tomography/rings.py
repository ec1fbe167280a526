"""Rings: errors of single pixels that stay the same through all projections."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operando.errors import InputError

Array = npt.NDArray[Any]


def ring_errors_from_mean(*, mean: Array, rows: int, columns: int) -> Array:
    """Estimate each pixel's constant error from the mean of all line integrals.

    The error is what stands out of the mean's running median along the columns *and* out of the neighbouring rows:
    a coaxial shell is sharp along the columns but goes on from row to row, a layer of a cell is sharp along the rows
    only, and both are kept. The mean over each row is set to zero, so the attenuation summed over a slice is
    unchanged. Needs ``rows // 2`` rows of halo; a single row cannot tell a ring from a shell and is left as it is.

    Bias: coaxial detail smaller than half of both windows is taken for an error and removed. Errors wider than half a
    window, and those that grow with the signal, stay.

    Parameters
    ----------
    mean:
        Mean line integral ``(row, column)`` (dimensionless).
    rows, columns:
        Lengths of the running medians [pixels], odd.

    Returns
    -------
    Error to be subtracted from every projection, ``(row, column)``.

    Raises
    ------
    InputError
        If a window is even or below 3.
    """
    for name, length in (("ring rows", rows), ("ring columns", columns)):
        if length < 3 or length % 2 == 0:
            raise InputError(name, must="an odd number of pixels, 3 or more", received=length)
    sharp = mean - ndimage.median_filter(mean, size=(1, columns), mode="nearest")
    error = sharp - ndimage.median_filter(sharp, size=(rows, 1), mode="nearest")
    return np.asarray(error - error.mean(axis=1, keepdims=True))


def variance_left_by_ring_removal(*, rows: int, columns: int) -> float:
    """Share left of the variance of independent pixel errors: that of the medians, pi/2 (1/rows + 1/columns)."""
    return min(1.0, np.pi / 2 * (1 / rows + 1 / columns))

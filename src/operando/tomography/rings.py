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

    The error is what stands out of the mean's running median along the rows *and* out of that along the columns: the
    smaller of both differences where they agree in sign, else nothing. A coaxial shell stands out along the columns
    only, a layer of a cell along the rows only, and both are kept. The mean over each row is set to zero, so the
    attenuation summed over a slice is unchanged. Needs ``rows // 2`` rows of halo; a single row cannot tell a ring from
    a shell and is left as it is.

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
    over_rows = mean - ndimage.median_filter(mean, size=(rows, 1), mode="mirror")
    over_columns = mean - ndimage.median_filter(mean, size=(1, columns), mode="mirror")
    smaller = np.where(np.abs(over_rows) < np.abs(over_columns), over_rows, over_columns)
    error = np.where(over_rows * over_columns > 0, smaller, 0.0)
    return np.asarray(error - error.mean(axis=1, keepdims=True))


def variance_left_by_ring_removal(*, rows: int, columns: int) -> float:
    """Share left of the variance of independent pixel errors: the medians', pi/4 (1/rows + 1/columns)."""
    return min(1.0, np.pi / 4 * (1 / rows + 1 / columns))

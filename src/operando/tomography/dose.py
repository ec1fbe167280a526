"""Dose: how bright the beam was in each projection, from air beside the sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operando.errors import InputError

Array = npt.NDArray[Any]

_FEWEST = 8
"""Fewest air columns that make a dose trustworthy."""


def air_columns_from_frames(*, projections: Array, open_beam: Array, tolerance: float = 0.02) -> Array:
    """Find the columns that the sample covers in no projection.

    Each projection's transmission, averaged over the rows and smoothed over three columns, is divided by its 90th
    percentile; a column is air where this never falls more than `tolerance` below 1, nor that of the three columns on
    either side.

    Parameters
    ----------
    projections, open_beam:
        Counts above dark, ``(projection, row, column)`` and ``(row, column)``.
    tolerance:
        Largest loss that still counts as air (dimensionless).

    Returns
    -------
    True for air, ``(column,)``.

    Raises
    ------
    InputError
        If fewer than eight columns are air.
    """
    profile = projections.sum(axis=1, dtype=np.float64) / np.maximum(open_beam.sum(axis=0, dtype=np.float64), 1e-6)
    profile = ndimage.uniform_filter1d(profile, size=3, axis=1, mode="nearest")
    profile /= np.percentile(profile, 90, axis=1, keepdims=True)
    noise = 1.4826 * np.median(np.abs(np.diff(profile, axis=1))) / np.sqrt(2)
    clear = np.quantile(profile, 0.02, axis=0) > 1 - tolerance - 3 * noise
    air = ndimage.binary_erosion(clear, iterations=3, border_value=1)
    if air.sum() < _FEWEST:
        raise InputError(
            "air beside the sample",
            must=f"{_FEWEST} columns or more that no projection covers",
            received=f"{int(air.sum())} columns",
            remedy="Give air_columns, or switch the dose correction off.",
        )
    return np.asarray(air)


def air_columns_from_ranges(*, ranges: tuple[tuple[int, int], ...], index: Array) -> Array:
    """Mark the columns whose pixel index lies in one of the half-open `ranges`.

    Raises
    ------
    InputError
        If no column does.
    """
    air = np.zeros(index.shape, dtype=bool)
    for start, stop in ranges:
        air |= (index >= start) & (index < stop)
    if not air.any():
        raise InputError("air_columns", must=f"within columns {index[0]} to {index[-1]}", received=ranges)
    return air


def dose_from_air(*, frames: Array, reference: Array, air: Array) -> Array:
    """Brightness of each frame relative to `reference`, from the sum over the pixels `air` (dimensionless).

    Frames are ``(frame, row, column)``, reference and air ``(row, column)``.

    Raises
    ------
    InputError
        If a frame is dark in air: the shutter was closed.
    """
    dose = frames[..., air].sum(axis=-1, dtype=np.float64) / reference[..., air].sum(dtype=np.float64)
    if not np.all(dose > 0.01):
        dark = np.flatnonzero(~(np.atleast_1d(dose) > 0.01))
        raise InputError(
            "projections",
            must="brighter than 1 % of the open beam in air",
            received=f"{dark.size} dark frames, the first with index {dark[0]}",
            remedy="Leave out frames taken with the shutter closed.",
        )
    return np.asarray(dose)

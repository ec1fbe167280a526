"""How the sample moved under the sensor since an earlier map of it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.lithium.budget import Figure
from operando.magnetism.map_drift import MapDrift, drift_between

KEY = "magnetic.data.earlier"
LEAST_SIDE = 16
"""Pixels a side from which a drift is found."""

OFF = 1e-2
"""Largest distance of a pixel from its place in the other map, in pixels."""


def drift_since(earlier: xr.Dataset, now: xr.Dataset) -> MapDrift:
    """Find the drift from one map to another, by the component that varies most in the earlier one.

    Parameters
    ----------
    earlier, now:
        ``field`` ``(axis, y, x)`` [T] on the same pixels, without missing ones.

    Raises
    ------
    InputError
        If the maps are not so, are smaller than 16 pixels a side, or the earlier one has no structure.
    """
    a, b = earlier.field, now.field
    if a.shape != b.shape or not all(_same(a[d], b[d]) for d in ("y", "x")):
        sizes = [" x ".join(map(str, field.shape)) for field in (a, b)]
        must = "on the same pixels and of the same components as the later map"
        raise InputError(KEY, must=must, received=f"{sizes[0]} for {sizes[1]}, or pixels elsewhere")
    if min(a.shape[1:]) < LEAST_SIDE or not (np.isfinite(a.values).all() and np.isfinite(b.values).all()):
        must = f"of {LEAST_SIDE} pixels a side or more, without missing pixels in either map"
        raise InputError(KEY, must=must, received=f"{a.sizes['y']} x {a.sizes['x']} pixels, some missing or few")
    strongest = int(np.argmax(a.values.std(axis=(1, 2))))
    try:
        return drift_between(a.isel(axis=strongest), b.isel(axis=strongest))
    except InputError as error:
        raise InputError(KEY, must=error.must, received=error.received) from error


def drift_figures(drift: MapDrift, *, earlier: str) -> list[Figure]:
    """Numbers of a drift; none of them is corrected for."""
    moved = [
        Figure(f"moved along {axis} since {earlier}", 1e6 * value, "um", 1e6 * float(np.sqrt(variance)))
        for axis, value, variance in (("x", drift.x, drift.x_var), ("y", drift.y, drift.y_var))
    ]
    rise = Figure(f"rise of the level since {earlier}", 1e6 * drift.level, "uT", 1e6 * float(np.sqrt(drift.level_var)))
    return [*moved, rise]


def _same(a: xr.DataArray, b: xr.DataArray) -> bool:
    return bool(np.abs(a.values - b.values).max() < OFF * float(np.diff(b.values).mean()))

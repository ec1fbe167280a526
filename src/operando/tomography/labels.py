"""Checks of the labels and values of corrected projections."""

from __future__ import annotations

import numpy as np
import xarray as xr

from operando.errors import InputError

_DIMS: dict[str, tuple[str, ...]] = {
    "line_integral": ("projection", "row", "column"),
    "line_integral_var": ("projection", "row", "column"),
    "line_integral_shared_var": ("row", "column"),
}


def check_line_integrals(corrected: xr.Dataset) -> None:
    """Refuse a dataset that a reconstruction could not take.

    Raises
    ------
    InputError
        If a variable or coordinate is missing, has other dims, or holds a value that is not finite.
    """
    for name, dims in _DIMS.items():
        if name not in corrected or corrected[name].dims != dims:
            raise InputError("line integrals", must=f"a dataset with {name} {dims}", received=list(corrected))
        if not np.isfinite(corrected[name].values.sum()):
            raise InputError(name, must="finite everywhere", received="NaN or infinity")
    missing = {"angle", "row", "column"} - set(corrected.coords)
    if missing or corrected.sizes["column"] < 8:
        raise InputError(
            "line integrals", must="labelled with angle, row and column, 8 or more", received=dict(corrected.sizes)
        )


def pixel_of(corrected: xr.Dataset) -> float:
    """Distance between two columns [m]."""
    column = corrected.column.values
    return float((column[-1] - column[0]) / (column.size - 1))

"""Projections of a tilted rotation axis, resampled so that each row belongs to one slice."""

from __future__ import annotations

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.tomography.axis import RotationAxis

LARGEST = np.radians(3.0)
"""Largest tilt corrected [rad]: beyond, the cosine matters too and the instrument should be aligned."""
_NEGLIGIBLE = 0.02
"""Rows by which a slice may leave its row without a correction."""


def tilt_halo(axis: RotationAxis, *, columns: int) -> int:
    """Rows on either side of a block that a tilted slice of `columns` pixels reaches into."""
    reach = float(np.abs(np.tan(axis.tilt))) * max(abs(axis.centre), abs(columns - 1 - axis.centre))
    return int(np.ceil(reach)) if reach > _NEGLIGIBLE else 0


def untilted_from_line_integrals(corrected: xr.Dataset, axis: RotationAxis) -> xr.Dataset:
    """Bring the pixels that one slice falls on into one row, from ``row - tan(tilt) (column - axis)``.

    Linear between two rows, which shrinks the variance of the interpolated pixels; beyond the block its rim is
    repeated, so `tilt_halo` more rows are needed on either side. Each row keeps its own axis column.

    Raises
    ------
    InputError
        If the tilt exceeds 3 deg.
    """
    if not abs(axis.tilt) <= LARGEST:
        raise InputError(
            "tilt", must="at most 3 deg", received=f"{np.degrees(axis.tilt):.2f} deg", remedy="Rotate the frames first."
        )
    rows, columns = corrected.sizes["row"], corrected.sizes["column"]
    column = corrected.column.values / float(corrected.column.values[1] - corrected.column.values[0])
    if tilt_halo(axis, columns=int(np.ceil(column[-1])) + 1) == 0 or rows == 1:
        return corrected
    source = np.arange(rows)[:, None] - np.tan(axis.tilt) * (column - axis.centre)[None, :]
    source = np.clip(source, 0, rows - 1)
    lower = np.minimum(source.astype(int), rows - 2)
    share = (source - lower).astype(np.float32)
    place = np.arange(columns)
    resampled = corrected.copy()
    for name, power in (("line_integral", 1), ("line_integral_var", 2), ("line_integral_shared_var", 2)):
        values = corrected[name].values
        mixed = values[..., lower, place] * (1 - share) ** power + values[..., lower + 1, place] * share**power
        resampled[name] = corrected[name].copy(data=mixed)
    return resampled

"""What a user may hand to either solver of cells, checked in one place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from operando.errors import InputError
from operando.frames import Array


def lithiation_on_voxels(lithiation: Any, *, active: Array) -> Array:
    """Lithiation x of every voxel ``(z, y, x)`` from one number or a map.

    Parameters
    ----------
    active:
        Voxels with active material, where x counts.

    Raises
    ------
    InputError
        If it is neither a number nor a map of the voxels' shape, or not between 0 and 1 in active material.
    """
    try:
        x = np.asarray(lithiation, dtype=float)
    except (TypeError, ValueError):
        x = np.full(2, np.nan)
    if x.shape not in ((), active.shape):
        raise InputError("lithiation", must=f"one number or a map of shape {active.shape}", received=lithiation)
    x = np.broadcast_to(x, active.shape)
    within = x[active]
    if not ((within > 0) & (within < 1)).all():
        raise InputError("lithiation", must="between 0 and 1 in active material", received=(within.min(), within.max()))
    return np.asarray(x)


def require_tolerance(tolerance: Any) -> None:
    """Refuse what is no positive number."""
    number = isinstance(tolerance, int | float | np.number)
    if not number or not 0 < tolerance < math.inf:
        raise InputError("tolerance", must="a number above zero", received=tolerance)

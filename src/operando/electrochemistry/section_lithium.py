"""Prescribed lithium of a section's particles, until a solver tells it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.cell.microstructure.structure import Microstructure
from operando.errors import InputError

Array = npt.NDArray[Any]


def lithium_from_gradient(structure: Microstructure, *, near_separator: float, far_end: float) -> Array:
    """Lithium of each particle, which changes evenly with the position of its centre along x.

    Parameters
    ----------
    near_separator, far_end:
        x of LixCoO2 at the two ends of the positive electrode, 0 to 1; the first is lower in a fast charge.

    Returns
    -------
    In the order of the particles' numbers.

    Raises
    ------
    InputError
        If a value is not between 0 and 1, or there is no particle.
    """
    for name, value in (("near_separator", near_separator), ("far_end", far_end)):
        if not 0 <= value <= 1:
            raise InputError(name, must="x of LixCoO2, between 0 and 1", received=value)
    if structure.particles == 0:
        raise InputError("microstructure", must="one with particles of active material", received="none")
    x = np.broadcast_to(structure.grid.coordinate("x"), structure.grid.shape)
    active = structure.mask("active")
    counts = np.bincount(structure.particle[active], minlength=structure.particles + 1)[1:]
    centres = np.bincount(structure.particle[active], weights=x[active])[1:] / counts
    half = structure.grid.spacing[2] / 2
    start, end = x[active].min() - half, x[active].max() + half
    return np.asarray(near_separator + (far_end - near_separator) * (centres - start) / (end - start))


def lithium_on_voxels(structure: Microstructure, *, lithium: Array) -> xr.DataArray:
    """Write lithium per particle on voxels ``(z, y, x)``; NaN outside particles.

    Raises
    ------
    InputError
        If there is not one value for every particle.
    """
    if np.shape(lithium) != (structure.particles,):
        raise InputError(
            "lithium", must=f"one value for each of {structure.particles} particles", received=np.shape(lithium)
        )
    values = np.concatenate([[np.nan], lithium])[structure.particle]
    return structure.grid.array(values, name="lithium", units="")

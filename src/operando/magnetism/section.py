"""What a section is as a magnetic source: the susceptibility and the magnetisation of each of its phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from operando.cell.microstructure.structure import Microstructure
from operando.errors import InputError
from operando.magnetism.demagnetisation import magnetisation_from_susceptibility
from operando.materials.magnetic_lithiation import volume_from_lithium
from operando.materials.magnetic_table import magnetic_material_from_name

WITH_LITHIUM = "LiCoO2"
"""The material whose susceptibility is known against lithium."""


def susceptibility_of_section(
    structure: Microstructure, *, materials: Mapping[str, str], lithium: xr.DataArray | None = None
) -> xr.DataArray:
    """Volume susceptibility of every voxel; voids have none.

    Every phase counts: what makes a field is the difference between neighbours, and a diamagnetic electrolyte adds to
    the contrast of a paramagnetic metal in it.

    Parameters
    ----------
    materials:
        Name of each phase's material in the table of susceptibilities. A phase left out has none.
    lithium:
        x of LixCoO2 ``(z, y, x)``, where the active material is LiCoO2; whole where absent.

    Returns
    -------
    ``susceptibility`` ``(z, y, x)``, SI, dimensionless.

    Raises
    ------
    InputError
        If a material is not listed or is a ferromagnet, or lithium is given for another material, or not for all of it.
    """
    chi = np.zeros(structure.grid.shape)
    for phase, name in materials.items():
        volume = magnetic_material_from_name(name).volume
        if volume is None:
            raise InputError(f"material of {phase}", must="no ferromagnet, which has no susceptibility", received=name)
        chi[structure.mask(phase)] = volume
    if lithium is not None:
        active = structure.mask("active")
        name = magnetic_material_from_name(materials["active"]).name if "active" in materials else "none"
        if name != WITH_LITHIUM:
            raise InputError("lithium", must=f"given for {WITH_LITHIUM} alone", received=f"lithium of {name}")
        chi[active] = volume_from_lithium(lithium=lithium.transpose("z", "y", "x").values[active])
    return structure.grid.array(chi, name="susceptibility", units="")


def magnetisation_of_section(
    structure: Microstructure,
    *,
    materials: Mapping[str, str],
    applied_field: Sequence[float],
    lithium: xr.DataArray | None = None,
) -> xr.DataArray:
    """Magnetisation of every voxel in a uniform field ``(x, y, z)`` [T]: ``(component, z, y, x)`` [A/m]."""
    chi = susceptibility_of_section(structure, materials=materials, lithium=lithium)
    return magnetisation_from_susceptibility(chi, applied_field=applied_field)

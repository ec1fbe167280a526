"""A section as a magnetic source: the susceptibility of its phases, and the fields above its imaged surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from operando.cell.microstructure.structure import Microstructure
from operando.currents import FaceCurrents
from operando.errors import InputError
from operando.magnetism.circuit import TOLERANCE
from operando.magnetism.demagnetisation import magnetisation_from_susceptibility
from operando.magnetism.fields import Heights, oersted_field, stray_field
from operando.magnetism.walls import mirrored_currents, mirrored_grid, mirrored_scalar, own_piece
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


def stray_field_of_section(
    structure: Microstructure,
    *,
    materials: Mapping[str, str],
    applied_field: Sequence[float],
    stand_off: Heights,
    lithium: xr.DataArray | None = None,
    copies: int = 1,
) -> xr.DataArray:
    """Stray field over the imaged surface of a section that goes on beyond its side walls as its mirror image.

    Parameters
    ----------
    materials, lithium:
        As in `susceptibility_of_section`.
    applied_field:
        Uniform ``(x, y, z)`` [T]; it is not part of what is returned.
    stand_off:
        Above the surface [m], one or several.
    copies:
        Mirror images on either side; 0 for a piece with free walls.

    Returns
    -------
    ``magnetic_field`` ``(component, z, y, x)`` over the section itself [T]; without dim z for a single stand-off.
    """
    grid = structure.grid
    chi = susceptibility_of_section(structure, materials=materials, lithium=lithium)
    wide = mirrored_scalar(chi, grid=grid, copies=copies)
    magnetisation = magnetisation_from_susceptibility(wide, applied_field=applied_field)
    field = stray_field(magnetisation, heights=stand_off, grid=mirrored_grid(grid, copies=copies))
    return own_piece(field, grid=grid)


def oersted_field_of_section(
    currents: FaceCurrents, *, stand_off: Heights, copies: int = 3, tolerance: float = TOLERANCE
) -> xr.DataArray:
    """Oersted field over the imaged surface; what leaves through -x and +x goes straight on to infinity.

    Parameters
    ----------
    currents:
        Of a section whose side walls insulate [A/m^2].
    stand_off, copies:
        As in `stray_field_of_section`. The mean of By grows slowly with the width of the layer, to mu0 J T / 2.
    tolerance:
        Of the divergence; see `operando.magnetism.circuit.require_closed`.

    Returns
    -------
    ``magnetic_field`` ``(component, z, y, x)`` over the section itself [T].
    """
    wide = mirrored_currents(currents, copies=copies)
    field = oersted_field(wide, heights=stand_off, closed_by_leads=True, tolerance=tolerance)
    return own_piece(field, grid=currents.grid)

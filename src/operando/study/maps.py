"""Lithium in every voxel: Li-6 in the separator, lithiation in the cathode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.optics import host_cross_section_of, lithium_isotopes
from operando.lithium.isotopes import lithium6_fraction_from_attenuation, lithium6_var_from_attenuation_var
from operando.lithium.maps import lithiation_from_attenuation_change, lithiation_var_from_attenuation_var
from operando.lithium.profiles import disc_mask
from operando.materials.formula import AVOGADRO

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.study.quantities import Pristine
    from operando.study.structure import Structure


def lithium6_map(
    volume: xr.Dataset, *, structure: Structure, pristine: Pristine, cell: Cell, level: float
) -> xr.Dataset:
    """Li-6 fraction ``lithium6`` and its variance in the separator's voxels, NaN elsewhere."""
    inside = _inside(volume, "separator", structure)
    factor = level / pristine.scale
    electrolyte = cell.electrolyte.composition
    host = pristine.lithium_concentration / electrolyte.lithium * AVOGADRO * host_cross_section_of(electrolyte)
    sigma6, sigma7 = lithium_isotopes()
    common = {"lithium_concentration": pristine.lithium_concentration, "sigma6": sigma6, "sigma7": sigma7}
    cropped = volume.where(inside, drop=True)
    values = lithium6_fraction_from_attenuation(
        attenuation=np.nan_to_num(cropped.attenuation.values * factor), host_attenuation=host, **common
    )
    variance = lithium6_var_from_attenuation_var(
        attenuation_var=np.nan_to_num(cropped.attenuation_var.values * factor**2), **common
    )
    return _masked(cropped, {"lithium6": values, "lithium6_var": variance})


def lithiation_map(
    volume: xr.Dataset,
    *,
    base: xr.Dataset,
    structure: Structure,
    pristine: Pristine,
    level: float,
    leaving_fraction: float,
    initial_lithiation: float,
) -> xr.Dataset:
    """``lithiation`` and its variance in the cathode's voxels, NaN elsewhere.

    Parameters
    ----------
    base:
        Mean of the pristine scans.
    leaving_fraction:
        Li-6 fraction of the lithium that has left.
    """
    inside = _inside(volume, "cathode", structure)
    factor = level / pristine.scale
    now, before = volume.where(inside, drop=True), base.where(inside, drop=True)
    change = now.attenuation * factor - before.attenuation / pristine.scale
    variance = now.attenuation_var * factor**2 + before.attenuation_var / pristine.scale**2
    sigma6, sigma7 = lithium_isotopes()
    common = {
        "site_concentration": pristine.site_concentration,
        "leaving_fraction": leaving_fraction,
        "sigma6": sigma6,
        "sigma7": sigma7,
    }
    values = lithiation_from_attenuation_change(
        attenuation_change=np.nan_to_num(change.values), initial_lithiation=initial_lithiation, **common
    )
    spread = lithiation_var_from_attenuation_var(attenuation_var=np.nan_to_num(variance.values), **common)
    return _masked(now, {"lithiation": values, "lithiation_var": spread})


def _inside(volume: xr.Dataset, layer: str, structure: Structure) -> xr.DataArray:
    """Voxels of a layer that its neighbours do not shine into; the anode's indium shines furthest."""
    inside = disc_mask(volume=volume.attenuation, radius=structure.radius - structure.voxel)
    inside = inside & structure.within(layer, volume.z, margin=0.5 if layer == "cathode" else 1.0)
    clear: xr.DataArray = inside & (volume.z < structure.anode.position - 2.5 * structure.voxel)
    return clear


def _masked(cropped: xr.Dataset, values: dict[str, object]) -> xr.Dataset:
    outside = np.isnan(cropped.attenuation)
    made = {
        name: cropped.attenuation.copy(data=np.asarray(array, dtype=np.float32)).where(~outside)
        for name, array in values.items()
    }
    for array in made.values():
        array.attrs = {"units": ""}
    return xr.Dataset(made)

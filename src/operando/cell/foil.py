"""The anode: an indium foil on the separator, lithium behind it, and LiIn on both sides of the indium.

Lithium that comes through the separator makes LiIn at the indium's front; lithium of the foil has made LiIn at its
back. Both are uneven, because the foils wrinkle. LiIn takes half as much room again as the indium in it, so that the
anode grows towards its collector and fills the voids there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.cell.amounts import amounts_from_cell, area_from_cell
from operando.cell.surface import smooth_surface, weighted_mean
from operando.errors import InputError

if TYPE_CHECKING:
    from operando.cell.model import Cell, Material
    from operando.frames import Array, Grid

_WRINKLE = 0.08
"""Relative standard deviation of the foils' thickness over the area."""

_CONTACT = 0.2
"""Relative standard deviation of the current and of the early alloying over the area."""

_CORRELATION = 0.35e-3
"""Length over which wrinkles and contact are alike [m]."""


@dataclass(frozen=True)
class Foil:
    """The anode per area of the bore, each ``(y, x)``.

    Attributes
    ----------
    indium, lithium:
        As assembled [mol/m^2].
    alloyed:
        Lithium of the foil that became LiIn before the first scan [mol/m^2].
    contact:
        Current density relative to its mean.
    indium_density, lithium_density, alloy_density:
        Indium in indium, lithium in lithium, and either in LiIn [mol/m^3].
    """

    indium: Array
    lithium: Array
    alloyed: Array
    contact: Array
    indium_density: float
    lithium_density: float
    alloy_density: float


@dataclass(frozen=True)
class FoilLayers:
    """Thickness of the anode's layers from the separator to the collector, each ``(y, x)`` [m]."""

    front_alloy: Array
    indium: Array
    back_alloy: Array
    lithium: Array

    @property
    def total(self) -> Array:
        """Thickness of all of them [m]."""
        return self.front_alloy + self.indium + self.back_alloy + self.lithium


def foil_from_cell(*, cell: Cell, grid: Grid, seed: int, coverage: Array) -> Foil:
    """Lay the foils of a cell unevenly; the amounts over `coverage` are those of the cell."""
    amounts, area = amounts_from_cell(cell=cell), area_from_cell(cell=cell)

    def uneven(name: str, spread: float) -> Array:
        relief = np.exp(spread * smooth_surface(grid=grid, seed=seed, name=name, correlation=_CORRELATION))
        return relief / weighted_mean(relief, coverage)

    indium = amounts.indium / area * uneven("indium", _WRINKLE)
    lithium = amounts.lithium_foil / area * uneven("lithium", 2 * _WRINKLE)
    contact = uneven("contact", _CONTACT)
    anode = cell.anode
    return Foil(
        indium=indium,
        lithium=lithium,
        alloyed=np.minimum(anode.alloyed.value * contact, 1.0) * lithium,
        contact=contact,
        indium_density=molar_density_from_material(material=anode.indium),
        lithium_density=molar_density_from_material(material=anode.lithium),
        alloy_density=molar_density_from_material(material=anode.alloy),
    )


def layers_from_foil(*, foil: Foil, entered: float) -> FoilLayers:
    """Thickness of the anode's layers after lithium came through the separator.

    Where the indium is used up, lithium of the foil remains metal.

    Parameters
    ----------
    entered:
        Lithium that came through the separator, mean over the area [mol/m^2].

    Raises
    ------
    InputError
        If it is negative, or more than the indium of some place can take.
    """
    front = entered * foil.contact
    if entered < 0 or np.any(front > foil.indium):
        limit = float(np.min(foil.indium / foil.contact))
        raise InputError(
            "lithium entering the anode",
            must=f"between 0 and {limit:.3g} mol/m^2, which its indium can take",
            received=f"{entered:.3g} mol/m^2",
            remedy="Check the protocol's charge and the mass of indium.",
        )
    back = np.minimum(foil.alloyed, foil.indium - front)
    return FoilLayers(
        front_alloy=front / foil.alloy_density,
        indium=(foil.indium - front - back) / foil.indium_density,
        back_alloy=back / foil.alloy_density,
        lithium=(foil.lithium - back) / foil.lithium_density,
    )


def molar_density_from_material(*, material: Material) -> float:
    """Formula units per volume [mol/m^3], ``rho / M``."""
    return material.density.value / material.composition.molar_mass

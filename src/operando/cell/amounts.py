"""How much of what is in a cell, and what a charge does to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operando.errors import InputError
from operando.materials.mixture import checked_porosity, volume_fractions_from_weight
from operando.units import FARADAY

if TYPE_CHECKING:
    from operando.cell.model import Cell, Material


@dataclass(frozen=True)
class Amounts:
    """Amounts in a cell as assembled [mol]; lithium but for `indium`."""

    active: float
    cathode_electrolyte: float
    separator: float
    lithium_foil: float
    indium: float


def amounts_from_cell(*, cell: Cell) -> Amounts:
    """Lithium in each part of the cell, and its indium [mol], ``n = nu m / M``."""
    cathode, anode = cell.cathode, cell.anode
    active_mass = cathode.mass.value * cathode.active_weight.value
    indium_mass = area_from_cell(cell=cell) * anode.indium_thickness.value * anode.indium.density.value
    return Amounts(
        active=_lithium(cathode.active, active_mass),
        cathode_electrolyte=_lithium(cell.electrolyte, cathode.mass.value - active_mass),
        separator=_lithium(cell.electrolyte, cell.separator.mass.value),
        lithium_foil=_lithium(anode.lithium, anode.lithium_mass.value),
        indium=indium_mass / anode.indium.composition.molar_mass,
    )


def area_from_cell(*, cell: Cell) -> float:
    """Cross-section of the bore [m^2], ``pi d^2 / 4``."""
    return math.pi / 4 * cell.body.inner_diameter.value**2


def thickness_from_mass(*, mass: float, area: float, density: float, porosity: float = 0.0) -> float:
    """Thickness of a pressed layer [m], ``m / (A rho (1 - porosity))``.

    Parameters
    ----------
    mass, area:
        Of the layer [kg], [m^2].
    density:
        Of its solid, without pores [kg/m^3].
    """
    if min(mass, area, density) <= 0:
        raise InputError("mass, area and density", must="above zero", received=(mass, area, density))
    return mass / (area * density * (1 - checked_porosity(porosity)))


def composite_volume_fractions_from_cell(*, cell: Cell) -> tuple[float, float]:
    """Volume fractions of active material and electrolyte in the cathode's solid."""
    weight = cell.cathode.active_weight.value
    active, electrolyte = volume_fractions_from_weight(
        weight_fractions=(weight, 1 - weight),
        densities=(cell.cathode.active.density.value, cell.electrolyte.density.value),
    )
    return active, electrolyte


def cathode_thickness_from_cell(*, cell: Cell) -> float:
    """Thickness of the composite [m]."""
    active, electrolyte = composite_volume_fractions_from_cell(cell=cell)
    density = active * cell.cathode.active.density.value + electrolyte * cell.electrolyte.density.value
    return thickness_from_mass(
        mass=cell.cathode.mass.value,
        area=area_from_cell(cell=cell),
        density=density,
        porosity=cell.cathode.porosity.value,
    )


def separator_thickness_from_cell(*, cell: Cell) -> float:
    """Thickness of the separator [m]."""
    return thickness_from_mass(
        mass=cell.separator.mass.value,
        area=area_from_cell(cell=cell),
        density=cell.electrolyte.density.value,
        porosity=cell.separator.porosity.value,
    )


def specific_capacity_from_formula(*, material: Material) -> float:
    """Charge per mass if all of a material's lithium left it [C/kg], ``nu F / M``."""
    formula = material.composition
    return formula.lithium * FARADAY / formula.molar_mass


def areal_capacity_from_cell(*, cell: Cell) -> float:
    """Practical capacity of the cathode per area of the bore [C/m^2]."""
    active_mass = cell.cathode.mass.value * cell.cathode.active_weight.value
    return active_mass * cell.cathode.capacity.value / area_from_cell(cell=cell)


def hours_from_current_density(*, current_density: float, areal_capacity: float) -> float:
    """Hours ``n`` of a rate "C/n": the areal capacity [C/m^2] over the current density [A/m^2]."""
    return areal_capacity / current_density / 3600.0


def lithiation_from_charge(*, charge: float, capacity: float) -> float:
    """Lithiation of a cathode that began full, ``1 - Q / Q_full``, both [C]."""
    return 1.0 - charge / capacity


def full_charge_from_cell(*, cell: Cell) -> float:
    """Charge [C] that takes the cathode from full to empty, by the cell's definition of lithiation."""
    mass = cell.cathode.mass.value * cell.cathode.active_weight.value
    if cell.cathode.lithiation == "capacity":
        return mass * cell.cathode.capacity.value
    return mass * specific_capacity_from_formula(material=cell.cathode.active)


def _lithium(material: Material, mass: float) -> float:
    formula = material.composition
    return formula.lithium * mass / formula.molar_mass

"""What a cell as described should look like to a beam: attenuation and thickness of its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from operando.cell.amounts import (
    amounts_from_cell,
    area_from_cell,
    cathode_thickness_from_cell,
    composite_volume_fractions_from_cell,
    separator_thickness_from_cell,
)
from operando.materials.cross_sections import PAPER_ENERGY, PAPER_TABLE, CrossSections, periodictable_table
from operando.materials.formula import AVOGADRO, LITHIUM6, LITHIUM7, Formula, number_densities_from_formula
from operando.materials.xray import cross_section_from_energy

if TYPE_CHECKING:
    from operando.cell.model import Cell, Material


@dataclass(frozen=True)
class Layer:
    """One layer of the stack as assembled.

    Attributes
    ----------
    thickness:
        [m]; infinite for the pins.
    attenuation:
        For neutrons, pores included [1/m].
    """

    name: str
    thickness: float
    attenuation: float


def layers_from_cell(*, cell: Cell) -> tuple[Layer, ...]:
    """Stack along z as it should look to neutrons, from pin to pin."""
    area, amounts = area_from_cell(cell=cell), amounts_from_cell(cell=cell)
    indium = amounts.indium * cell.anode.indium.composition.molar_mass / cell.anode.indium.density.value / area
    lithium = cell.anode.lithium_mass.value / cell.anode.lithium.density.value / area
    pin = neutron_attenuation_of(cell.body.pins)
    return (
        Layer("cathode_collector", float("inf"), pin),
        Layer("cathode", cathode_thickness_from_cell(cell=cell), cathode_attenuation_from_cell(cell=cell)),
        Layer("separator", separator_thickness_from_cell(cell=cell), separator_attenuation_from_cell(cell=cell)),
        Layer("indium", indium, neutron_attenuation_of(cell.anode.indium)),
        Layer("lithium", lithium, neutron_attenuation_of(cell.anode.lithium)),
        Layer("anode_collector", float("inf"), pin),
    )


def cathode_attenuation_from_cell(*, cell: Cell) -> float:
    """Attenuation of the pristine composite for neutrons, pores included [1/m]."""
    return sum(share * neutron_attenuation_of(material) for material, share in composite_shares_from_cell(cell=cell))


def separator_attenuation_from_cell(*, cell: Cell) -> float:
    """Attenuation of the pristine separator for neutrons, pores included [1/m]."""
    return (1 - cell.separator.porosity.value) * neutron_attenuation_of(cell.electrolyte)


def composite_shares_from_cell(*, cell: Cell) -> tuple[tuple[Material, float], ...]:
    """Volume fraction of each solid in the cathode, pores included."""
    active, electrolyte = composite_volume_fractions_from_cell(cell=cell)
    solid = 1 - cell.cathode.porosity.value
    return (cell.cathode.active, solid * active), (cell.electrolyte, solid * electrolyte)


def neutron_attenuation_of(material: Material, *, table: CrossSections = PAPER_TABLE) -> float:
    """Attenuation of a solid without pores for neutrons [1/m].

    Elements that the table does not list, those of casing and pins, are taken from `periodictable`.
    """
    return cross_section_of(material.composition, table=table) * _formula_units(material)


def cross_section_of(formula: Formula, *, table: CrossSections = PAPER_TABLE) -> float:
    """Total neutron cross section of one formula unit [m^2]; see `neutron_attenuation_of`."""
    return sum(
        number * (table if table.covers({nuclide: number}) else periodictable_table()).total(nuclide, PAPER_ENERGY)
        for nuclide, number in formula.atoms.items()
    )


def host_cross_section_of(formula: Formula, *, table: CrossSections = PAPER_TABLE) -> float:
    """Total neutron cross section of all atoms but lithium of one formula unit [m^2]."""
    lithium = sum(number * table.total(nuclide) for nuclide, number in formula.atoms.items() if nuclide.symbol == "Li")
    return cross_section_of(formula, table=table) - lithium


def xray_attenuation_of(material: Material, *, energy: float) -> float:
    """Attenuation of a solid without pores for X-rays [1/m]; energy in eV."""
    atoms = number_densities_from_formula(formula=material.composition, density=material.density.value)
    return sum(n * float(cross_section_from_energy(nuclide=nuclide, energy=energy)) for nuclide, n in atoms.items())


def lithium_isotopes(*, table: CrossSections = PAPER_TABLE) -> tuple[float, float]:
    """Cross sections of Li-6 and Li-7 [m^2]."""
    return table.total(LITHIUM6), table.total(LITHIUM7)


def _formula_units(material: Material) -> float:
    """Formula units per volume [1/m^3]."""
    return material.density.value / material.composition.molar_mass * AVOGADRO

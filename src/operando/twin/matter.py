"""A cell's state as what beams meet: amounts of a few substances in every voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from operando.cell.amounts import composite_volume_fractions_from_cell
from operando.cell.phases import LABEL, PHASES
from operando.materials.cross_sections import CrossSections, periodictable_table
from operando.materials.formula import AVOGADRO, LITHIUM6, LITHIUM7, Nuclide, number_densities_from_formula
from operando.materials.xray import cross_section_from_energy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from operando.cell.model import Cell, Material
    from operando.materials.spectrum import Spectrum

Array = npt.NDArray[Any]
Atoms = dict[Nuclide, float]


@dataclass(frozen=True)
class Matter:
    """Atoms in one cubic metre of each solid as assembled, pores left out [1/m^3], by the name of the phase."""

    solid: Mapping[str, Atoms]

    def host(self, phase: str) -> Atoms:
        """Atoms of a phase other than lithium, which comes from the cell's state."""
        return {nuclide: number for nuclide, number in self.solid[phase].items() if nuclide.symbol != "Li"}


def matter_from_cell(cell: Cell) -> Matter:
    """Atoms of a cell's solids."""
    active, electrolyte = composite_volume_fractions_from_cell(cell=cell)
    cathode: Atoms = {}
    for material, share in ((cell.cathode.active, active), (cell.electrolyte, electrolyte)):
        for nuclide, number in _atoms(material).items():
            cathode[nuclide] = cathode.get(nuclide, 0.0) + share * number
    pins = _atoms(cell.body.pins)
    return Matter(
        solid={
            "casing": _atoms(cell.body.casing),
            "cathode_collector": pins,
            "cathode": cathode,
            "separator": _atoms(cell.electrolyte),
            "lithium": _atoms(cell.anode.lithium),
            "indium": _atoms(cell.anode.indium),
            "lithium_indium": _atoms(cell.anode.alloy),
            "anode_collector": pins,
        }
    )


def neutron_cross_sections_of(atoms: Atoms, table: CrossSections) -> tuple[float, float]:
    """Absorption at the table's energy and scattering of atoms per volume [1/m].

    Elements that the table does not list, those of casing and pins, are taken from `periodictable`.
    """
    absorption = scattering = 0.0
    for nuclide, number in atoms.items():
        known = table if table.covers({nuclide: number}) else periodictable_table()
        absorption += number * known.absorption(nuclide, table.energy)
        scattering += number * known.scattering(nuclide, table.energy)
    return absorption, scattering


def neutron_volumes(*, state: xr.Dataset, matter: Matter, table: CrossSections) -> Array:
    """Absorption at the table's energy and scattering in every voxel, float32 ``(y, x, 2, z)`` [1/m].

    ``mu = solid_fraction mu_host + N_A (c_6 sigma_6 + c_7 sigma_7)``, for absorption and scattering apart.
    """
    host = np.zeros((len(PHASES), 2))
    for name in matter.solid:
        if name != "casing":
            host[LABEL[name]] = neutron_cross_sections_of(matter.host(name), table)
    lithium = AVOGADRO * np.nan_to_num(state["lithium"].values)
    lithium6 = lithium * np.nan_to_num(state["lithium6_fraction"].values)
    phase, solid = state["phase"].values, state["solid_fraction"].values
    parts = []
    for part, cross_section in enumerate((table.absorption, table.scattering)):
        per_lithium6, per_lithium7 = cross_section(LITHIUM6), cross_section(LITHIUM7)
        parts.append(solid * host[phase, part] + lithium6 * per_lithium6 + (lithium - lithium6) * per_lithium7)
    return np.ascontiguousarray(np.stack(parts).transpose(2, 3, 0, 1), dtype=np.float32)


SUBSTANCES = ("cathode_collector", "cathode", "separator", "indium", "lithium", "anode_collector")
"""What X-rays meet in the bore, in layers."""


def xray_volumes(*, state: xr.Dataset, matter: Matter) -> Array:
    """Volume fraction of each of `SUBSTANCES` in every voxel, float32 ``(substance, z, y, x)``.

    An alloy counts as the indium and the lithium that it holds, as fractions of the metals' densities. Lithium that
    comes and goes in the cathode changes its attenuation by 0.3 % and is left as assembled.
    """
    share = np.zeros((len(SUBSTANCES), len(PHASES)), dtype=np.float32)
    alloy = matter.solid["lithium_indium"]
    for substance, phase, amount in (
        ("cathode_collector", "cathode_collector", 1.0),
        ("anode_collector", "anode_collector", 1.0),
        ("cathode", "cathode", 1.0),
        ("separator", "separator", 1.0),
        ("indium", "indium", 1.0),
        ("lithium", "lithium", 1.0),
        *((metal, "lithium_indium", _of_element(alloy, matter.solid[metal])) for metal in ("indium", "lithium")),
    ):
        share[SUBSTANCES.index(substance), LABEL[phase]] = amount
    solid = state["solid_fraction"].values.astype(np.float32)
    return share[:, state["phase"].values] * solid


def xray_attenuations(*, matter: Matter, spectrum: Spectrum) -> Array:
    """Attenuation of each of `SUBSTANCES`, then of the casing, at each energy, ``(substance, energy)`` [1/m]."""
    return np.stack(
        [
            sum(
                number * cross_section_from_energy(nuclide=nuclide, energy=spectrum.energy)
                for nuclide, number in matter.solid[phase].items()
            )
            for phase in (*SUBSTANCES, "casing")
        ]
    )


def _atoms(material: Material) -> Atoms:
    return number_densities_from_formula(formula=material.composition, density=material.density.value)


def _of_element(alloy: Atoms, metal: Atoms) -> float:
    """Atoms of a metal's element in an alloy over those in the metal."""
    symbols = {nuclide.symbol for nuclide in metal}
    return sum(number for nuclide, number in alloy.items() if nuclide.symbol in symbols) / sum(metal.values())

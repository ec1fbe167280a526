"""Neutron attenuation of compounds and mixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.materials.cross_sections import PAPER_TABLE, CrossSections, lithium_cross_sections
from operando.materials.formula import AVOGADRO, Formula, Nuclide, checked_density, number_densities_from_formula
from operando.materials.mixture import checked_fractions, checked_porosity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operando.materials.spectrum import Spectrum

Concentration = TypeVar("Concentration", float, npt.NDArray[Any], xr.DataArray)


def attenuation_from_number_densities(
    *, number_densities: Mapping[Nuclide, float], table: CrossSections = PAPER_TABLE, energy: float | None = None
) -> float:
    """Attenuation ``mu = sum_i N_i sigma_i`` [1/m].

    Equation 2 of doi:10.1016/j.xcrp.2026.103136.

    Parameters
    ----------
    number_densities:
        Atoms per volume of each nuclide [1/m^3].
    energy:
        Neutron energy [eV]; None for the table's own.
    """
    return sum(number * table.total(nuclide, energy) for nuclide, number in number_densities.items())


def attenuation_from_formula(
    *, formula: Formula, density: float, table: CrossSections = PAPER_TABLE, energy: float | None = None
) -> float:
    """Attenuation of a compound without pores [1/m], its density [kg/m^3]; `energy` in eV, None for the table's own.

    Equations 2 and 3 of doi:10.1016/j.xcrp.2026.103136.
    """
    return attenuation_from_number_densities(
        number_densities=number_densities_from_formula(formula=formula, density=density), table=table, energy=energy
    )


def attenuation_from_mixture(
    *,
    constituents: Sequence[tuple[Formula, float, float]],
    porosity: float = 0.0,
    table: CrossSections = PAPER_TABLE,
    energy: float | None = None,
) -> float:
    """Attenuation of a mixture of solids with pores [1/m], ``(1 - porosity) sum_j alpha_j mu_j``.

    Equation 4 of doi:10.1016/j.xcrp.2026.103136.

    Parameters
    ----------
    constituents:
        Formula, density without pores [kg/m^3] and volume fraction in the solid of each; the fractions sum to one.
    porosity:
        Volume fraction of pores in the whole.
    """
    checked_fractions([alpha for _, _, alpha in constituents], "volume fractions")
    solid = sum(
        alpha * attenuation_from_formula(formula=formula, density=density, table=table, energy=energy)
        for formula, density, alpha in constituents
    )
    return (1 - checked_porosity(porosity)) * solid


def host_attenuation_from_formula(
    *, formula: Formula, density: float, table: CrossSections = PAPER_TABLE, energy: float | None = None
) -> float:
    """Attenuation of all atoms but lithium [1/m], in the compound of that density [kg/m^3]."""
    atoms = number_densities_from_formula(formula=formula, density=density)
    host = {nuclide: number for nuclide, number in atoms.items() if nuclide.symbol != "Li"}
    return attenuation_from_number_densities(number_densities=host, table=table, energy=energy)


def attenuation_from_concentrations(
    *,
    lithium6: Concentration,
    lithium7: Concentration,
    host: Concentration,
    table: CrossSections = PAPER_TABLE,
    energy: float | None = None,
) -> Concentration:
    """Attenuation of voxels [1/m], ``mu = mu_host + N_A (c_6 sigma_6 + c_7 sigma_7)``.

    Parameters
    ----------
    lithium6, lithium7:
        Concentration of each isotope, pores included in the volume [mol/m^3].
    host:
        Attenuation of all other atoms [1/m]; see `host_attenuation_from_formula`.
    """
    sigma6, sigma7 = lithium_cross_sections(table, energy)
    return host + AVOGADRO * sigma6 * lithium6 + AVOGADRO * sigma7 * lithium7


def attenuation_slope_from_lithium6(
    *, formula: Formula, density: float, table: CrossSections = PAPER_TABLE, energy: float | None = None
) -> float:
    """Change of attenuation as one Li-7 per formula unit becomes Li-6 [1/m], ``rho N_A (sigma_6 - sigma_7) / M``.

    At fixed formula units per volume, so that only the isotope changes.
    """
    sigma6, sigma7 = lithium_cross_sections(table, energy)
    return checked_density(density) * AVOGADRO / formula.molar_mass * (sigma6 - sigma7)


def spectral_attenuation_from_formula(
    *, formula: Formula, density: float, spectrum: Spectrum, table: CrossSections = PAPER_TABLE
) -> npt.NDArray[np.float64]:
    """Attenuation at each energy of a neutron spectrum, shape ``(energy,)`` [1/m]."""
    atoms = number_densities_from_formula(formula=formula, density=density)
    return np.array(
        [attenuation_from_number_densities(number_densities=atoms, table=table, energy=e) for e in spectrum.energy]
    )

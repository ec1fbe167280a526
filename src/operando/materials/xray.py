"""X-ray attenuation of compounds and mixtures, and the beam of a tungsten tube."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.materials.formula import AVOGADRO, Formula, Nuclide, number_densities_from_formula
from operando.materials.mixture import checked_fractions, checked_porosity
from operando.materials.spectrum import Spectrum, spectrum_from_response

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = npt.NDArray[Any]

LOWEST, HIGHEST = 100.0, 800e3
"""Photon energies between which the Elam tables are reliable [eV]."""

HEAVIEST = 98
"""Atomic number of the last element in the Elam tables."""


def cross_section_from_energy(*, nuclide: Nuclide, energy: float | Array) -> Array:
    """Cross section of one atom for photons, photoelectric and scattering [m^2], shape of `energy` [eV].

    Source: Elam, Ravel and Sieber, Radiat. Phys. Chem. 63 (2002) 121, doi:10.1016/S0969-806X(01)00227-4, via `xraydb`.
    All isotopes of an element have the same.
    """
    import xraydb

    energies = np.asarray(energy, dtype=float)
    if not np.all((energies >= LOWEST) & (energies <= HIGHEST)):
        raise InputError("photon energy", must=f"from {LOWEST:g} to {HIGHEST:g} eV", received=energy)
    if xraydb.atomic_number(nuclide.symbol) > HEAVIEST:
        raise InputError("formula", must="made of elements up to californium", received=str(nuclide))
    mass_attenuation = 0.1 * np.asarray(xraydb.mu_elam(nuclide.symbol, energies.ravel()))  # cm^2/g to m^2/kg
    return mass_attenuation.reshape(energies.shape) * float(xraydb.atomic_mass(nuclide.symbol)) * 1e-3 / AVOGADRO


def attenuation_from_formula(*, formula: Formula, density: float, energy: float) -> float:
    """Attenuation of a compound without pores [1/m], its density in kg/m^3, for photons of `energy` [eV].

    ``mu = sum_i N_i sigma_i``, by the number of atoms, so that an isotope attenuates as its element does.
    """
    atoms = number_densities_from_formula(formula=formula, density=density)
    return sum(
        number * float(cross_section_from_energy(nuclide=nuclide, energy=energy)) for nuclide, number in atoms.items()
    )


def attenuation_from_mixture(
    *, constituents: Sequence[tuple[Formula, float, float]], porosity: float = 0.0, energy: float
) -> float:
    """Attenuation of a mixture of solids with pores [1/m], ``(1 - porosity) sum_j alpha_j mu_j``.

    Parameters
    ----------
    constituents:
        Formula, density without pores [kg/m^3] and volume fraction in the solid of each; the fractions sum to one.
    porosity:
        Volume fraction of pores in the whole.
    energy:
        Photon energy [eV].
    """
    checked_fractions([alpha for _, _, alpha in constituents], "volume fractions")
    solid = sum(
        alpha * attenuation_from_formula(formula=formula, density=density, energy=energy)
        for formula, density, alpha in constituents
    )
    return (1 - checked_porosity(porosity)) * solid


def spectral_attenuation_from_formula(*, formula: Formula, density: float, spectrum: Spectrum) -> Array:
    """Attenuation at each photon energy of a spectrum, shape ``(energy,)`` [1/m]."""
    attenuation = np.zeros_like(spectrum.energy)
    for nuclide, number in number_densities_from_formula(formula=formula, density=density).items():
        attenuation += number * cross_section_from_energy(nuclide=nuclide, energy=spectrum.energy)
    return attenuation


def spectrum_from_tube(
    *,
    voltage: float,
    filters: Sequence[tuple[Formula, float, float]] = (),
    lowest: float = 5e3,
    points: int = 100,
) -> Spectrum:
    """Photons of a tube with a thick target behind filters, ``N(E) ~ (eU - E) / E exp(-sum_f mu_f t_f)``.

    Kramers' bremsstrahlung, Phil. Mag. 46 (1923) 836, doi:10.1080/14786442308565244. Left out: the target's
    characteristic lines (for tungsten at 100 kV about a tenth of the photons, near 59 and 67 keV) and its own
    absorption, which hardens the beam as a filter of a few micrometres of tungsten would.

    Parameters
    ----------
    voltage:
        Of the tube [V].
    filters:
        Formula, density [kg/m^3] and thickness [m] of each, the tube's window among them.
    lowest:
        Photons below do not count [eV].
    points:
        Energies wanted, the centres of equal intervals.
    """
    if not LOWEST <= lowest < voltage <= HIGHEST:
        raise InputError(
            "tube voltage",
            must=f"above the lowest photon energy of {lowest:g} eV and at most {HIGHEST:g} V",
            received=f"{voltage!r} V",
        )
    edges = np.linspace(lowest, voltage, points + 1)
    energy = (edges[1:] + edges[:-1]) / 2
    photons = (voltage - energy) / energy
    beam = Spectrum(energy=energy, weight=photons / photons.sum())
    depth = np.zeros(points)
    for formula, density, thickness in filters:
        depth += thickness * spectral_attenuation_from_formula(formula=formula, density=density, spectrum=beam)
    # The shallowest depth is common to all and would only underflow.
    return spectrum_from_response(spectrum=beam, response=np.exp(depth.min() - depth))

"""Laws of magnetic susceptibility. SI throughout: M = chi H; molar means per mole of formula units, in m^3/mol.

Tables in cgs are converted once, where they are read: 1 emu/mol is 4 pi 1e-6 m^3/mol.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from scipy.constants import N_A, Boltzmann, mu_0, physical_constants

from operando.errors import InputError
from operando.materials.formula import Formula
from operando.materials.tables import rows_from_table

BOHR_MAGNETON: float = physical_constants["Bohr magneton"][0]
"""[A m^2]."""

EMU = 4e-6 * math.pi
"""One emu/mol, which is one cm^3/mol of cgs tables [m^3/mol]."""

ROOM_TEMPERATURE = 300.0
"""[K]."""


def si_from_cgs(*, molar: float) -> float:
    """Molar susceptibility in m^3/mol from emu/mol: ``4 pi 1e-6``."""
    return molar * EMU


def cgs_from_si(*, molar: float) -> float:
    """Molar susceptibility in emu/mol from m^3/mol."""
    return molar / EMU


def molar_volume_from_density(*, formula: Formula, density: float) -> float:
    """Volume of one mole of formula units, ``M / rho`` [m^3/mol], from a density [kg/m^3]."""
    return formula.molar_mass / _positive(density, "density")


def volume_from_molar(*, molar: float, molar_volume: float) -> float:
    """Volume susceptibility ``chi_v = chi_m / V_m``, dimensionless, from [m^3/mol] both."""
    return molar / _positive(molar_volume, "molar volume")


def curie_constant_from_moment(*, moment: float) -> float:
    """Curie constant ``C = mu0 N_A (mu_eff mu_B)^2 / (3 k_B)`` [m^3 K/mol] of one ion, `moment` in Bohr magnetons."""
    return float(mu_0 * N_A * (moment * BOHR_MAGNETON) ** 2 / (3 * Boltzmann))


def susceptibility_from_curie_weiss(
    *,
    curie_constant: float,
    temperature: float = ROOM_TEMPERATURE,
    weiss_temperature: float = 0.0,
    constant: float = 0.0,
) -> float:
    """Molar susceptibility ``chi = C / (T - theta) + chi0`` [m^3/mol].

    Parameters
    ----------
    curie_constant:
        Sum over the ions of a formula unit [m^3 K/mol].
    temperature:
        [K].
    weiss_temperature:
        Negative where neighbours oppose each other [K]; zero is Curie's law.
    constant:
        What does not change with temperature: Van Vleck, Pauli, diamagnetism [m^3/mol].

    Raises
    ------
    InputError
        At or below the Weiss temperature, where the law does not hold.
    """
    if temperature <= max(weiss_temperature, 0.0):
        raise InputError("temperature", must="above zero and above the Weiss temperature", received=f"{temperature} K")
    return curie_constant / (temperature - weiss_temperature) + constant


def susceptibility_from_van_vleck(*, gap: float, elements: float = 8.0) -> float:
    """Van Vleck's constant paramagnetism of a closed shell, ``2 mu0 N_A mu_B^2 m / gap`` [m^3/mol].

    Parameters
    ----------
    gap:
        Energy of the excited state [J].
    elements:
        Sum m of squared matrix elements of L along the field; 8 for low-spin d6 in an octahedron (1A1g to 1T1g)
        of free-ion orbitals.
    """
    return float(2 * mu_0 * N_A * BOHR_MAGNETON**2 * elements / _positive(gap, "gap"))


def susceptibility_from_pauli(*, density_of_states: float) -> float:
    """Pauli paramagnetism of conduction electrons, ``mu0 mu_B^2 N_A D(E_F)`` [m^3/mol].

    Parameters
    ----------
    density_of_states:
        At the Fermi energy, both spins, per formula unit [1/J].
    """
    return float(mu_0 * BOHR_MAGNETON**2 * N_A * density_of_states)


def diamagnetism_from_ions(*, ions: Mapping[str, float]) -> float:
    """Diamagnetism of closed shells as a sum of Pascal's constants [m^3/mol].

    Parameters
    ----------
    ions:
        Number per formula unit by name, such as ``{"Li+": 7, "La3+": 3, "Zr4+": 2, "O2-": 12}``.

    Raises
    ------
    InputError
        If an ion has no constant in the table; Bain and Berry, doi:10.1021/ed085p532.
    """
    known = pascal_constants()
    unknown = [ion for ion in ions if ion not in known]
    if unknown:
        raise InputError("ion", must=f"one of {', '.join(known)}", received=unknown[0])
    return sum(amount * known[ion] for ion, amount in ions.items())


@cache
def pascal_constants() -> dict[str, float]:
    """Pascal's constants of ions [m^3/mol]."""
    return {row["ion"]: si_from_cgs(molar=float(row["emu_1e-6_mol"]) * 1e-6) for row in rows_from_table("pascal")}


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise InputError(name, must="above zero", received=value)
    return value

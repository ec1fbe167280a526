"""3d electrons of transition-metal ions in octahedra of oxygen: how many, how arranged, with what moment."""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

from operando.errors import InputError
from operando.materials.tables import rows_from_table

Spin = Literal["high", "low"]

VALENCE_ELECTRONS = {
    symbol: 3 + i for i, symbol in enumerate(("Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn"))
}
"""3d and 4s electrons of the neutral atom."""

LANDE = 2.0
"""g of the spin-only moment; the free electron's 2.0023 makes 0.1 % more."""


def d_electrons_from_ion(*, element: str, oxidation_state: int) -> int:
    """Number of 3d electrons of an ion: those of the atom less its charge, since 4s electrons leave first.

    Parameters
    ----------
    element:
        Symbol, Sc to Zn.
    oxidation_state:
        Charge [e]; for example 3 for Co3+.

    Raises
    ------
    InputError
        If the element is no 3d metal, or the charge leaves less than 0 or more than 10 electrons.
    """
    if element not in VALENCE_ELECTRONS:
        raise InputError("element", must=f"one of {', '.join(VALENCE_ELECTRONS)}", received=element)
    left = VALENCE_ELECTRONS[element] - oxidation_state
    if oxidation_state < 1 or not 0 <= left <= 10:
        raise InputError(
            "oxidation state", must=f"an ion of {element} with 0 to 10 d electrons", received=oxidation_state
        )
    return left


def octahedral_orbitals_from_d_electrons(*, count: int, spin: Spin) -> tuple[int, int]:
    """Electrons in t2g and eg of an octahedron.

    High spin fills all five orbitals singly before it pairs; low spin fills t2g with six first. The two differ
    from four to seven electrons.

    Raises
    ------
    InputError
        If the count is not 0 to 10 or the spin neither high nor low.
    """
    if not 0 <= count <= 10:
        raise InputError("d electrons", must="0 to 10", received=count)
    if spin not in ("high", "low"):
        raise InputError("spin", must='"high" or "low"', received=spin)
    if spin == "low":
        return min(count, 6), max(count - 6, 0)
    single, paired = min(count, 5), max(count - 5, 0)
    return min(single, 3) + min(paired, 3), max(single - 3, 0) + max(paired - 3, 0)


def unpaired_from_d_electrons(*, count: int, spin: Spin) -> int:
    """Number of unpaired electrons in an octahedron; each set of orbitals pairs only when it is half full."""
    t2g, eg = octahedral_orbitals_from_d_electrons(count=count, spin=spin)
    return min(t2g, 6 - t2g) + min(eg, 4 - eg)


def moment_from_unpaired(*, unpaired: int, lande: float = LANDE) -> float:
    """Effective spin-only moment ``g sqrt(S (S + 1))`` with ``S = n / 2``, in Bohr magnetons."""
    if unpaired < 0:
        raise InputError("unpaired electrons", must="zero or more", received=unpaired)
    return lande * math.sqrt(unpaired / 2 * (unpaired / 2 + 1))


@cache
def usual_spins() -> dict[tuple[str, int], Spin]:
    """Spin state that each ion usually takes in the layered, olivine and spinel oxides of batteries."""
    return {
        (row["element"], int(row["oxidation_state"])): "low" if row["spin"] == "low" else "high"
        for row in rows_from_table("spin_states")
    }


def moment_from_ion(*, element: str, oxidation_state: int, spin: Spin | None = None) -> float:
    """Effective spin-only moment of an ion in an octahedron, in Bohr magnetons.

    Parameters
    ----------
    element, oxidation_state:
        As in `d_electrons_from_ion`.
    spin:
        High or low; None takes the usual one.

    Raises
    ------
    InputError
        If the spin is not given where both are possible and none is usual.
    """
    count = d_electrons_from_ion(element=element, oxidation_state=oxidation_state)
    chosen = spin or usual_spins().get((element, oxidation_state), "high" if not 4 <= count <= 7 else None)
    if chosen is None:
        raise InputError("spin", must=f'"high" or "low" for {element}{oxidation_state}+', received="nothing")
    return moment_from_unpaired(unpaired=unpaired_from_d_electrons(count=count, spin=chosen))

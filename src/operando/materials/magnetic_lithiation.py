"""Susceptibility of LixCoO2 against x at room temperature (Fig. 3b of Pollok et al. 2025).

From 1 to 0.6 it rises as lithium leaves, from Van Vleck's paramagnetism of an insulator to Pauli's of a metal; below
about 0.6 it is a plateau that tells nothing of x.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.materials.formula import Formula, density_from_substitution
from operando.materials.magnetic import volume_from_molar
from operando.materials.magnetic_table import MagneticMaterial, magnetic_material_from_name
from operando.materials.tables import rows_from_table

Array = npt.NDArray[Any]

FLAT = (0.0, 0.5)
"""x between which the susceptibility is taken as constant: lithium cannot be told."""


@cache
def lithium_cobalt_oxide_nodes() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Points of the curve: x, rising, and molar susceptibility [m^3/mol]."""
    rows = rows_from_table("licoo2_susceptibility")
    return tuple(float(row["lithium"]) for row in rows), tuple(float(row["m3_mol"]) for row in rows)


def molar_from_lithium(*, lithium: Array | float) -> Array:
    """Molar susceptibility of LixCoO2 at about 300 K, straight between the listed points [m^3/mol].

    Straight lines are exact where two phases coexist (x = 0.75 to 0.94) and a guess elsewhere.

    Parameters
    ----------
    lithium:
        x, 0 to 1; below 1/2 other phases form that the curve ignores.

    Raises
    ------
    InputError
        Outside 0 to 1.
    """
    x = _checked(lithium)
    return np.asarray(np.interp(x, *lithium_cobalt_oxide_nodes()))


def volume_from_lithium(*, lithium: Array | float) -> Array:
    """Volume susceptibility of dense LixCoO2, with the molar volume of LiCoO2 kept (true to about 3 %)."""
    whole = magnetic_material_from_name("LiCoO2")
    molar_volume = whole.formula.molar_mass / whole.density
    return np.asarray(molar_from_lithium(lithium=lithium) * volume_from_molar(molar=1.0, molar_volume=molar_volume))


def molar_slope_from_lithium(*, lithium: Array | float) -> Array:
    """Slope d chi / dx of the curve [m^3/mol]; zero on the plateau, at a corner that of the side of larger x."""
    x = _checked(lithium)
    nodes, values = (np.array(column) for column in lithium_cobalt_oxide_nodes())
    slopes = np.diff(values) / np.diff(nodes)
    return np.asarray(slopes[np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, slopes.size - 1)])


def unambiguous_lithium() -> tuple[float, float]:
    """Range of x whose susceptibility no other x shares: above the value that the peak's far side reaches."""
    nodes, values = lithium_cobalt_oxide_nodes()
    peak = int(np.argmax(values))
    return float(np.interp(-values[0], -np.array(values[peak:]), nodes[peak:])), nodes[-1]


def lithium_in_cobalt_oxide(formula: Formula) -> float | None:
    """Return x of LixCoO2, whatever the isotopes of the lithium; None for another material."""
    host = {str(nuclide): amount for nuclide, amount in formula.atoms.items() if nuclide.symbol != "Li"}
    return formula.lithium if host == {"Co": 1.0, "O": 2.0} and formula.lithium <= 1 else None


def cobalt_oxide_from_formula(formula: Formula, *, lithium: float) -> MagneticMaterial:
    """Describe LixCoO2 between the listed compositions, with the molar volume of LiCoO2 kept."""
    whole = magnetic_material_from_name("LiCoO2")
    note = "molar volume of LiCoO2 kept"
    return MagneticMaterial(
        name=str(formula),
        formula=formula,
        molar=float(molar_from_lithium(lithium=lithium)),
        density=density_from_substitution(formula=whole.formula, density=whole.density, substituted=formula),
        order="paramagnet",
        inferred=True,
        source="straight between the points of licoo2_susceptibility.csv",
        note=note if lithium >= FLAT[1] else f"{note}; below x = {FLAT[1]:g} other phases form",
    )


def _checked(lithium: Array | float) -> Array:
    x = np.asarray(lithium, dtype=float)
    if not ((x >= 0) & (x <= 1)).all():
        raise InputError("lithium", must="x of LixCoO2, between 0 and 1", received=lithium)
    return x

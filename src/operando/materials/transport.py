"""How fast lithium and electrons move in the materials of a cell at room temperature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from operando.errors import InputError
from operando.materials.curve import Curve, curve_from_points, namespace_of
from operando.materials.kinetics import GAS_CONSTANT, ROOM_TEMPERATURE
from operando.materials.open_circuit import open_circuit_slope_from_lithiation
from operando.materials.tables import rows_from_table
from operando.units import FARADAY


@dataclass(frozen=True)
class Constant:
    """One number of a material, in SI.

    Attributes
    ----------
    inferred:
        Whether the value is our reading, derivation or assumption, and not as its source prints it.
    """

    value: float
    unit: str
    inferred: bool
    source: str


@cache
def transport_constant(*, material: str, quantity: str) -> Constant:
    """Look up a number of the table `transport_constants`.

    Raises
    ------
    InputError
        If there is none; names those of the material, or the materials.
    """
    rows = rows_from_table("transport_constants")
    for row in rows:
        if (row["material"], row["quantity"]) == (material, quantity):
            return Constant(float(row["value"]), row["unit"], row["inferred"] == "yes", row["source"])
    known = [row["quantity"] for row in rows if row["material"] == material]
    if known:
        raise InputError("quantity", must=f"one of {', '.join(known)} for {material}", received=quantity)
    raise InputError("material", must=f"one of {', '.join(sorted({r['material'] for r in rows}))}", received=material)


def diffusivity_from_lithiation(*, lithiation: Any, material: str) -> Any:
    """Chemical diffusivity [m^2/s] of LixCoO2 or NCM83; straight in its logarithm beyond the table, never negative.

    That of LixCoO2 has minima on both sides of x = 1/2, where the vacancies order, and an effective value between
    0.75 and 0.94, where two phases coexist and Fick's law is an approximation.
    """
    return _from_logarithm("diffusivity", material, lithiation)


def electronic_conductivity_from_lithiation(*, lithiation: Any, material: str) -> Any:
    """Electronic conductivity [S/m] of LixCoO2 or NCM83: a semiconductor when full, a metal below x = 0.75."""
    return _from_logarithm("electronic_conductivity", material, lithiation)


def ionic_conductivity_from_lithiation(*, lithiation: Any, material: str) -> Any:
    """Conductivity [S/m] of the lithium in an active material, from its diffusivity and its open-circuit potential.

    ``sigma = F c_max D / |dU/dx|``, the Nernst-Einstein relation with the thermodynamic factor: a gradient of the
    lithium's electrochemical potential drives the same flux as Fick's law, so the two are never to be added. It
    varies by more than ten within LixCoO2 and falls to 1e-7 S/cm as x nears 1.
    """
    maximum = transport_constant(material=material, quantity="maximum_concentration").value
    xp = namespace_of(lithiation)
    slope = xp.abs(open_circuit_slope_from_lithiation(lithiation=lithiation, material=material))
    return FARADAY * maximum * diffusivity_from_lithiation(lithiation=lithiation, material=material) / slope


def tracer_diffusivity_from_conductivity(
    *, conductivity: Any, concentration: Any, haven_ratio: float = 1.0, temperature: float = ROOM_TEMPERATURE
) -> Any:
    """Tracer diffusivity [m^2/s] of the only mobile ion, ``D* = H sigma R T / (F^2 c)``.

    Parameters
    ----------
    conductivity, concentration:
        Of the electrolyte [S/m] and of lithium in it [mol/m^3]; effective values of a porous layer give its
        effective diffusivity.
    haven_ratio:
        H, below one where jumps are correlated.
    """
    return haven_ratio * conductivity * GAS_CONSTANT * temperature / (FARADAY**2 * concentration)


def drift_velocity_from_current_density(*, current_density: Any, concentration: Any) -> Any:
    """Mean velocity [m/s] of lithium that alone carries a current, ``v = i / (F c)``."""
    return current_density / (FARADAY * concentration)


def effective_conductivity_from_fraction(*, conductivity: Any, fraction: Any, exponent: float = 1.5) -> Any:
    """Conductivity [S/m] of a phase that fills `fraction` of a composite, ``sigma_eff = sigma epsilon^b``.

    Bruggeman's 3/2 holds for spheres; pressed solids measure more (tortuosity ``epsilon^(1-b)``).
    """
    return conductivity * fraction**exponent


@cache
def _logarithm(quantity: str, material: str) -> Curve:
    rows = [r for r in rows_from_table("transport_curves") if (r["quantity"], r["material"]) == (quantity, material)]
    if not rows:
        known = {r["material"] for r in rows_from_table("transport_curves") if r["quantity"] == quantity}
        raise InputError("material", must=f"one of {', '.join(sorted(known))}", received=material)
    return curve_from_points(x=[float(r["lithiation"]) for r in rows], y=[float(r["log10_si"]) for r in rows])


def _from_logarithm(quantity: str, material: str, lithiation: Any) -> Any:
    value = _logarithm(quantity, material)(lithiation)
    # Not a power of ten, which takes five times as long
    return namespace_of(value).exp(np.log(10.0) * value)

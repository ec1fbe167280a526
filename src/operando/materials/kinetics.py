"""Charge transfer between a solid and an electrolyte in which only lithium moves."""

from __future__ import annotations

from typing import Any

from operando.materials.curve import namespace_of
from operando.units import FARADAY

GAS_CONSTANT = 8.314462618
"""[J/(mol K)]."""

ROOM_TEMPERATURE = 298.15
"""[K]."""

_SOFT = 1e-6
_LARGEST_EXPONENT = 30.0


def thermal_voltage(*, temperature: float = ROOM_TEMPERATURE) -> float:
    """``R T / F`` [V]."""
    return GAS_CONSTANT * temperature / FARADAY


def exchange_current_density_from_lithiation(*, lithiation: Any, at_half: Any) -> Any:
    """Exchange current density [A/m^2], ``i0 = i_half 2 sqrt(x (1 - x))``.

    The concentration of the electrolyte is fixed and part of `at_half`. The product x (1 - x) is held above zero by
    ``(s + sqrt(s^2 + 1e-12)) / 2``: nothing changes between x = 0.001 and 0.999 (by more than 1e-6), the rate stays
    positive and differentiable at and beyond the ends.

    Parameters
    ----------
    at_half:
        Exchange current density at x = 1/2 [A/m^2].
    """
    xp = namespace_of(lithiation)
    product = lithiation * (1 - lithiation)
    return at_half * 2 * xp.sqrt((product + xp.sqrt(product**2 + _SOFT**2)) / 2)


def current_density_from_overpotential(
    *,
    overpotential: Any,
    exchange_current_density: Any,
    transfer_coefficient: float = 0.5,
    temperature: float = ROOM_TEMPERATURE,
) -> Any:
    """Butler-Volmer: ``i = i0 [exp(a F eta / R T) - exp(-(1 - a) F eta / R T)]`` [A/m^2].

    Positive when lithium leaves the solid (``eta = phi_solid - phi_electrolyte - U``). Beyond exponents of 30 the
    exponentials go on straight, so that no iterate of a solver overflows.
    """
    scaled = overpotential / thermal_voltage(temperature=temperature)
    anodic = _exponential(transfer_coefficient * scaled)
    cathodic = _exponential(-(1 - transfer_coefficient) * scaled)
    return exchange_current_density * (anodic - cathodic)


def overpotential_from_current_density(
    *, current_density: Any, exchange_current_density: Any, temperature: float = ROOM_TEMPERATURE
) -> Any:
    """Overpotential [V] of a symmetric reaction, ``eta = 2 R T / F asinh(i / 2 i0)``."""
    xp = namespace_of(current_density)
    scaled = xp.asarray(current_density / (2 * exchange_current_density))
    return 2 * thermal_voltage(temperature=temperature) * xp.asinh(scaled)


def exchange_current_density_from_resistance(*, resistance: Any, temperature: float = ROOM_TEMPERATURE) -> Any:
    """Exchange current density [A/m^2] of a charge-transfer resistance [Ohm m^2], ``i0 = R T / (F r)``.

    At rest as much lithium crosses the interface each way as `i0` carries: it is also the rate at which isotopes are
    exchanged.
    """
    return thermal_voltage(temperature=temperature) / resistance


def _exponential(exponent: Any) -> Any:
    xp = namespace_of(exponent)
    held = xp.minimum(exponent, _LARGEST_EXPONENT)
    return xp.exp(held) * (1 + exponent - held)

"""Weights, volumes and pores of a mixture of solids."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from operando.errors import InputError
from operando.materials.formula import checked_density

if TYPE_CHECKING:
    from collections.abc import Sequence


def volume_fractions_from_weight(*, weight_fractions: Sequence[float], densities: Sequence[float]) -> list[float]:
    """Volume fractions in the solid, ``alpha_j = (w_j / rho_j) / sum_k (w_k / rho_k)``.

    Parameters
    ----------
    weight_fractions:
        Of the solid, summing to one.
    densities:
        Of each constituent, without pores [kg/m^3].
    """
    checked_fractions(weight_fractions, "weight fractions")
    volumes = [w / checked_density(rho) for w, rho in zip(weight_fractions, densities, strict=True)]
    return [volume / sum(volumes) for volume in volumes]


def weight_fractions_from_volume(*, volume_fractions: Sequence[float], densities: Sequence[float]) -> list[float]:
    """Weight fractions, ``w_j = rho_j alpha_j / rho_mix``; below Equation 4 of doi:10.1016/j.xcrp.2026.103136."""
    checked_fractions(volume_fractions, "volume fractions")
    weights = [alpha * checked_density(rho) for alpha, rho in zip(volume_fractions, densities, strict=True)]
    return [weight / sum(weights) for weight in weights]


def density_from_volume_fractions(
    *, volume_fractions: Sequence[float], densities: Sequence[float], porosity: float = 0.0
) -> float:
    """Density of the mixture with its pores [kg/m^3], ``(1 - porosity) sum_j alpha_j rho_j``."""
    checked_fractions(volume_fractions, "volume fractions")
    solid = sum(alpha * checked_density(rho) for alpha, rho in zip(volume_fractions, densities, strict=True))
    return (1 - checked_porosity(porosity)) * solid


def porosity_from_density(*, density: float, dense: float) -> float:
    """Volume fraction of pores, ``1 - rho / rho_dense``, from the density with and without them [kg/m^3]."""
    porosity = 1 - checked_density(density) / checked_density(dense)
    if porosity < 0:
        raise InputError("density", must=f"at most the dense solid's {dense:g} kg/m^3", received=f"{density:g} kg/m^3")
    return porosity


def checked_fractions(fractions: Sequence[float], name: str) -> Sequence[float]:
    """Return `fractions` if each lies between 0 and 1 and they sum to one."""
    if not all(0 <= fraction <= 1 for fraction in fractions) or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise InputError(name, must="between 0 and 1 and sum to one", received=list(fractions))
    return fractions


def checked_porosity(porosity: float) -> float:
    """Return `porosity` if it is zero or more and below one."""
    if not 0 <= porosity < 1:
        raise InputError("porosity", must="zero or more and below one", received=repr(porosity))
    return porosity

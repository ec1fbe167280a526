"""Beams of many energies: their spectrum, what they let through, and how they harden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from operando.errors import InputError
from operando.materials.cross_sections import PAPER_ENERGY

Array = npt.NDArray[Any]

FASTEST = 5.0
"""Where a Maxwellian is cut off, in thermal speeds ``sqrt(2 kT / m)``; beyond lie 4e-10 of the neutrons."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A beam as discrete energies.

    Attributes
    ----------
    energy:
        Energies, shape ``(energy,)`` [eV].
    weight:
        Share of the particles at each energy, shape ``(energy,)``; sums to one.
    """

    energy: Array
    weight: Array

    def __post_init__(self) -> None:
        if self.energy.ndim != 1 or self.energy.shape != self.weight.shape or not self.energy.size:
            shapes = f"shapes {self.energy.shape} and {self.weight.shape}"
            raise InputError("spectrum", must="given as energies and as many weights", received=shapes)
        if not (np.all(np.isfinite(self.energy)) and np.all(self.energy > 0)):
            raise InputError("energies of the spectrum", must="above zero", received=self.energy)
        if not (np.all(self.weight >= 0) and np.isclose(self.weight.sum(), 1)):
            raise InputError("weights of the spectrum", must="zero or more and sum to one", received=self.weight)


def maxwellian_from_peak(*, peak: float = PAPER_ENERGY, points: int = 32) -> Spectrum:
    """Maxwellian flux spectrum, ``phi(E) ~ E exp(-E / kT)``, whose peak over energy lies at ``kT`` = `peak` [eV].

    Sampled by Gauss-Legendre quadrature over speed, in which transmission through 1/v absorbers is smooth.
    A detector that absorbs as 1/v sees softer neutrons: see `spectrum_from_response`.

    Parameters
    ----------
    points:
        Energies wanted, at least 8; 32 give averages to 1e-6.
    """
    if not 0 < peak < np.inf:
        raise InputError("peak of the spectrum", must="above zero", received=f"{peak!r} eV")
    if not 8 <= points <= 1000:
        raise InputError("points of the spectrum", must="between 8 and 1000", received=points)
    node, weight = np.polynomial.legendre.leggauss(points)
    speed = (node + 1) / 2 * FASTEST
    share = weight * speed**3 * np.exp(-(speed**2))
    return Spectrum(energy=peak * speed**2, weight=share / share.sum())


def spectrum_from_response(*, spectrum: Spectrum, response: Array) -> Spectrum:
    """Spectrum that a filter lets through or a detector sees, ``w_E r_E / sum w_E r_E``.

    Parameters
    ----------
    response:
        Transmission, efficiency or signal per particle at each energy, shape ``(energy,)``, in any unit.
    """
    if response.shape != spectrum.weight.shape or not (np.all(response >= 0) and spectrum.weight @ response > 0):
        raise InputError("response", must="zero or more at each energy, and not zero throughout", received=response)
    seen = spectrum.weight * response
    return Spectrum(energy=spectrum.energy, weight=seen / seen.sum())


def transmission_from_optical_depth(*, optical_depth: Array, spectrum: Spectrum) -> Array:
    """Share of the beam that passes, ``sum_E w_E exp(-tau_E)``.

    Parameters
    ----------
    optical_depth:
        Attenuation times path, summed over the materials on the way, shape ``(..., energy)`` (dimensionless).
    """
    return np.exp(-optical_depth) @ spectrum.weight


def effective_attenuation_from_spectrum(*, attenuation: Array, thickness: float, spectrum: Spectrum) -> float:
    """Attenuation that a thickness seems to have [1/m], ``-ln(T) / thickness``; falls with thickness (hardening).

    Parameters
    ----------
    attenuation:
        At each energy of the spectrum, shape ``(energy,)`` [1/m].
    thickness:
        Path [m]; zero gives the limit, the mean attenuation over the spectrum.
    """
    if not 0 <= thickness < np.inf:
        raise InputError("thickness", must="zero or more", received=f"{thickness!r} m")
    if thickness == 0:
        return float(attenuation @ spectrum.weight)
    return float(-logsumexp(-attenuation * thickness, b=spectrum.weight) / thickness)

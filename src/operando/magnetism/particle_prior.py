"""What is taken for granted of particles' susceptibilities before a map: independent values, or a smooth field of them.

A smooth prior is learnt from the map: its spread, and the distance over which neighbours are alike, by the greatest
probability of the data (empirical Bayes). Its mean level stays free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist, squareform

from operando.units import Measured

Array = npt.NDArray[Any]

SPREADS = np.geomspace(0.02, 2.0, 25)
"""Standard deviations that are tried, over that which was expected."""

FREE_MEAN = 10.0
"""Standard deviation of the mean of a smooth prior, over that which was expected of a single particle."""

_PART_ALONE = 0.05
"""Of the variance, what each particle has for itself beside the smooth field."""


@dataclass(frozen=True)
class Prior:
    """Gaussian, of all particles.

    Attributes
    ----------
    mean, covariance:
        ``(particle,)`` and ``(particle, particle)``.
    spread, length:
        Standard deviation about the mean level, and distance over which it changes [m]; 0 for independent particles.
    """

    mean: Array
    covariance: Array
    spread: float
    length: float


def independent_prior(*, expected: Measured, count: int) -> Prior:
    """Take every particle alone: ``chi_p ~ N(mean, sd^2)``."""
    return Prior(
        mean=np.full(count, expected.value),
        covariance=expected.sigma**2 * np.eye(count),
        spread=expected.sigma,
        length=0.0,
    )


def smooth_prior(*, expected: Measured, centres: Array, information: Array, weighted: Array) -> Prior:
    """Learn how alike neighbours are.

    ``cov(chi_p, chi_q) = s^2 ((1 - a) exp(-d_pq^2 / 2 L^2) + a delta_pq)`` plus a free common mean; s and L maximise
    the probability of the data, ``log p = -1/2 log|1 + A K| + 1/2 c' (K^-1 + A)^-1 c``.

    Parameters
    ----------
    centres:
        ``(particle, 3)`` [m].
    information, weighted:
        A and c of the data's likelihood, ``exp(-1/2 chi' A chi + c' chi)``, all else accounted for.
    """
    count = len(centres)
    distances = pdist(centres)
    apart = squareform(distances)
    lengths = [0.0, *np.geomspace(distances.min(), 2 * distances.max(), 12)] if count > 2 else [0.0]
    c = weighted - information @ np.full(count, expected.value)
    tried = []
    for length in lengths:
        alike = np.exp(-0.5 * (apart / length) ** 2) if length else np.eye(count)
        shape = (1 - _PART_ALONE) * alike + _PART_ALONE * np.eye(count)
        for spread in SPREADS * expected.sigma:
            covariance = spread**2 * shape + (FREE_MEAN * expected.sigma) ** 2
            tried.append((_log_evidence(covariance, information, c), spread, length, covariance))
    _, spread, length, covariance = max(tried, key=lambda t: t[0])
    return Prior(mean=np.full(count, expected.value), covariance=covariance, spread=float(spread), length=float(length))


def _log_evidence(covariance: Array, information: Array, c: Array) -> float:
    mixed = np.eye(len(c)) + information @ covariance
    return float(-0.5 * np.linalg.slogdet(mixed)[1] + 0.5 * c @ covariance @ np.linalg.solve(mixed, c))

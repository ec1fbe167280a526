"""What is taken for granted of particles' susceptibilities before a map: independent values, or a smooth field of them.

A smooth prior is learnt from the map: its spread, and the distance over which neighbours are alike, by the greatest
probability of the data (empirical Bayes). Its mean level stays free.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def independent_prior(*, expected: Sequence[Measured]) -> Prior:
    """Take every particle alone: ``chi_p ~ N(mean_p, sd_p^2)``."""
    sigma = np.array([e.sigma for e in expected])
    return Prior(
        mean=np.array([e.value for e in expected]),
        covariance=np.diag(sigma**2),
        spread=float(sigma.max()),
        length=0.0,
    )


def smooth_prior(*, start: Prior, alike: Array, centres: Array, information: Array, weighted: Array) -> Prior:
    """Learn how alike neighbours are.

    ``cov(chi_p, chi_q) = s^2 ((1 - a) exp(-d_pq^2 / 2 L^2) + a delta_pq)`` plus a free common mean; s and L maximise
    the probability of the data, ``log p = -1/2 log|1 + A K| + 1/2 c' (K^-1 + A)^-1 c``.

    Parameters
    ----------
    start:
        Independent prior; of particles that are not alike it is kept.
    alike:
        Which particles are one population with common mean and spread, bool ``(particle,)``.
    centres:
        ``(particle, 3)`` [m].
    information, weighted:
        A and c of the data's likelihood, ``exp(-1/2 chi' A chi + c' chi)``, all else accounted for.
    """
    distances = pdist(centres[alike])
    apart = squareform(distances)
    lengths = [0.0, *np.geomspace(distances.min(), 2 * distances.max(), 12)] if len(apart) > 2 else [0.0]
    c = weighted - information @ start.mean
    widest = start.spread
    best, learnt = -np.inf, start
    for length in lengths:
        near = np.exp(-0.5 * (apart / length) ** 2) if length else np.eye(len(apart))
        shape = (1 - _PART_ALONE) * near + _PART_ALONE * np.eye(len(apart))
        for spread in SPREADS * widest:
            covariance = start.covariance.copy()
            covariance[np.ix_(alike, alike)] = spread**2 * shape + (FREE_MEAN * widest) ** 2
            evidence = _log_evidence(covariance, information, c)
            if evidence > best:
                best = evidence
                learnt = Prior(mean=start.mean, covariance=covariance, spread=float(spread), length=float(length))
    return learnt


def _log_evidence(covariance: Array, information: Array, c: Array) -> float:
    mixed = np.eye(len(c)) + information @ covariance
    return float(-0.5 * np.linalg.slogdet(mixed)[1] + 0.5 * c @ covariance @ np.linalg.solve(mixed, c))

"""Gaussian mixtures fitted to a joint histogram, with what is known about the materials as a prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from operando.errors import InputError
from operando.frames import Array


@dataclass(frozen=True)
class Mixture:
    """Gaussian components over grey values of one or more volumes.

    Attributes
    ----------
    weights:
        Share of each component, (k,).
    means, covariances:
        Centre and covariance of each component, (k, d) and (k, d, d), in the volumes' units.
    """

    weights: Array
    means: Array
    covariances: Array

    def log_density(self, points: Array) -> Array:
        """Logarithm of each component's weighted density at points (n, d), (n, k)."""
        return _log_density(points, self.weights, self.means, self.covariances)


def mixture_from_histogram(
    *, points: Array, counts: Array, means: Array, sigmas: Array, noise: Array, floor: Array, iterations: int = 60
) -> Mixture:
    """Fit a Gaussian mixture to binned values by expectation-maximisation with Gaussian priors on the means.

    Parameters
    ----------
    points:
        Grey values at the bins' centres, (n, d).
    counts:
        Voxels in each bin, (n,).
    means, sigmas:
        Expected grey values of each component and how well they are known, (k, d). The prior counts as much as a
        hundredth of all voxels, so that a component without voxels stays where it is expected.
    noise, floor:
        Initial and smallest standard deviation along each axis, (d,).

    Raises
    ------
    InputError
        If the histogram is empty.
    """
    total = float(counts.sum())
    if total <= 0:
        raise InputError("histogram", must="one with voxels in it", received="no counts")
    used = counts > 0
    points, share = points[used], counts[used] / total
    components = len(means)
    weights = np.full(components, 1 / components)
    centres = means.astype(float).copy()
    covariances = np.tile(np.diag(noise**2), (components, 1, 1))
    prior = 0.01 / components * (noise / sigmas) ** 2
    for _ in range(iterations):
        log = _log_density(points, weights, centres, covariances)
        belongs = np.exp(log - log.max(axis=1, keepdims=True))
        belongs *= share[:, None] / belongs.sum(axis=1, keepdims=True)
        mass = belongs.sum(axis=0)
        updated = (belongs.T @ points + prior * means) / (mass[:, None] + prior)
        for k in range(components):
            apart = points - updated[k]
            scatter = (belongs[:, k, None] * apart).T @ apart + 0.01 / components * np.diag(noise**2)
            covariances[k] = scatter / (mass[k] + 0.01 / components) + np.diag(floor**2)
        weights = (mass + 1e-4) / (mass + 1e-4).sum()
        done = np.abs(updated - centres).max() < 1e-4 * np.min(noise)
        centres = updated
        if done:
            break
    return Mixture(weights, centres, covariances)


def _log_density(points: Array, weights: Array, means: Array, covariances: Array) -> Array:
    apart = points[:, None, :] - means
    solved = np.einsum("kij,nkj->nki", np.linalg.inv(covariances), apart)
    return np.asarray(
        np.log(weights) - 0.5 * ((apart * solved).sum(axis=-1) + np.linalg.slogdet(2 * np.pi * covariances)[1])
    )

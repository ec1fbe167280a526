"""Smooth random surfaces that are the same whatever the grid they are sampled on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from operando.frames import Array, Grid

_MODES = 32


def smooth_surface(*, grid: Grid, seed: int, name: str, correlation: float) -> Array:
    """Sample a random surface ``(y, x)`` of unit variance.

    A sum of cosines with Gaussian wave vectors, whose correlation falls as ``exp(-r^2 / (2 correlation^2))``.

    Parameters
    ----------
    name:
        Of the surface: one seed gives independent surfaces of different names.
    correlation:
        Length over which heights are alike [m].
    """
    rng = np.random.default_rng([seed, *name.encode()])
    k_y, k_x = rng.standard_normal((2, _MODES, 1)) / correlation
    phase = rng.uniform(0, 2 * np.pi, (_MODES, 1))
    along_y = 1j * (k_y * grid.coordinate("y") + phase)
    along_x = 1j * (k_x * grid.coordinate("x"))
    heights: Array = np.real(np.exp(along_y).T @ np.exp(along_x)) * np.sqrt(2 / _MODES)
    return heights


def weighted_mean(values: Array, weights: Array) -> float:
    """Mean of `values` where each counts as often as `weights` says."""
    return float(np.vdot(values, weights) / weights.sum())

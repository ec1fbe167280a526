"""Random packings: sizes drawn from a distribution, and centres that push each other apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import gamma

Array = npt.NDArray[Any]

STEPS = 400
"""Most rounds of pushing apart; a packing too dense for spheres ends with the overlaps that are left."""


def ball_volume(*, radius: Array | float, dimension: int) -> Array:
    """Volume of a ball: ``pi^(d/2) r^d / Gamma(d/2 + 1)``."""
    return np.asarray(np.pi ** (dimension / 2) * np.asarray(radius) ** dimension / gamma(dimension / 2 + 1))


def drawn_radii(*, volume: float, diameter: float, spread: float, dimension: int, rng: np.random.Generator) -> Array:
    """Draw radii, log-normal by number, until their balls fill a volume, as nearly as whole balls can.

    Parameters
    ----------
    volume:
        [m^d].
    diameter:
        Mean by number [m].
    spread:
        Standard deviation of the diameters over their mean.
    """
    width = np.sqrt(np.log1p(spread**2))
    median = diameter / 2 * np.exp(-(width**2) / 2)
    radii: list[float] = []
    filled = 0.0
    while filled < volume:
        radius = float(median * np.exp(width * rng.standard_normal()))
        added = float(ball_volume(radius=radius, dimension=dimension))
        if filled + added / 2 > volume and radii:
            break
        radii.append(radius)
        filled += added
    return np.array(radii)


def packed_centres(*, radii: Array, lower: Array, upper: Array, walls: Array, rng: np.random.Generator) -> Array:
    """Draw centres in a box and push overlapping balls apart by half their overlap each, round after round.

    Parameters
    ----------
    radii:
        ``(n,)`` [m].
    lower, upper:
        Corners of the box ``(d,)`` [m].
    walls:
        At which sides balls stay within the box whole; at the others their centres do. Bool ``(2, d)``: lower, upper.

    Returns
    -------
    ``(n, d)`` [m].
    """
    inset = np.minimum(np.where(walls[:, None], radii[:, None], 0.0), (upper - lower) / 2)
    low, high = lower + inset[0], upper - inset[1]
    centres: Array = low + (high - low) * rng.random((len(radii), len(lower)))
    for _ in range(STEPS):
        pairs = cKDTree(centres).query_pairs(2 * float(radii.max(initial=0.0)), output_type="ndarray")
        if len(pairs) == 0:
            break
        first, second = pairs.T
        offset = centres[second] - centres[first]
        distance = np.maximum(np.linalg.norm(offset, axis=1), 1e-3 * radii[first])
        overlap = np.maximum(radii[first] + radii[second] - distance, 0.0)
        if overlap.max() < 1e-3 * radii.mean():
            break
        push = (overlap / distance / 2)[:, None] * offset
        moved = centres.copy()
        np.add.at(moved, first, -push)
        np.add.at(moved, second, push)
        centres = np.asarray(np.clip(moved, low, high))
    return centres

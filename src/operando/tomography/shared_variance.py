"""Variance in a slice from errors that all projections share, such as the open beam's: they make rings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy import sparse

Array = npt.NDArray[Any]

_FINE = 4
"""Samples per pixel at which a point's path over the detector is drawn."""
_DIRECTIONS = 16
"""Directions around the axis in which the variance is evaluated."""


def shared_variance_from_pixels(
    *, variance: Array, rays: Callable[[float, float], tuple[Array, Array]], ramp: Array, x: Array, y: Array
) -> Array:
    """Propagate the variance of constant pixel errors into slices.

    ``var(x) = sum_j var_j (sum_k w_k h(x . n_k - s_j))^2`` with filter kernel h: the sum over projections k comes
    before the square, because their errors are the same. It is evaluated on rings about the axis, which lie dense
    near it, where the variance peaks, and is interpolated between them.

    Parameters
    ----------
    variance:
        Of each pixel's error, ``(row, column)`` (dimensionless).
    rays:
        Gives, for a point at a radius [pixels] and direction [rad] from the axis, the column on which each projection
        shows it [pixels] and the weight with which that projection counts.
    ramp:
        Transfer function of the filter on ``rfftfreq(length)``, length at least twice the columns.
    x, y:
        Voxel centres from the axis [pixels].

    Returns
    -------
    Variance ``(row, y, x)`` [1/pixel^2].
    """
    farthest = float(np.hypot(np.abs(x).max(), np.abs(y).max())) + 1
    radius = _radii(farthest)
    direction = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
    kernel = _ring_kernels(radius, direction, rays, variance.shape[1], ramp)
    nodes = variance.astype(np.float64) @ (kernel**2).T
    to_voxels = _polar_interpolation(radius, x, y)
    return np.stack([(to_voxels @ along.astype(np.float32)).reshape(y.size, x.size) for along in nodes])


def _radii(farthest: float) -> Array:
    """Half a pixel apart at the axis, four pixels apart from 24 pixels on."""
    return np.concatenate(
        [np.arange(0, 4, 0.5), np.arange(4, 12), np.arange(12, 24, 2), np.arange(24, farthest + 4, 4)]
    )


def _ring_kernels(
    radius: Array, direction: Array, rays: Callable[[float, float], tuple[Array, Array]], columns: int, ramp: Array
) -> Array:
    """Response of a point (radius, direction) to a constant error in each column, ``(point, column)``."""
    length = 2 * (ramp.size - 1)
    frequency = np.fft.rfftfreq(length)
    transfer = ramp / np.sinc(frequency / _FINE) ** 2
    samples = length * _FINE
    kernels = np.empty((radius.size * direction.size, columns))
    for i, (r, phi) in enumerate((r, phi) for r in radius for phi in direction):
        column, weight = rays(r, phi)
        path = np.mod(column * _FINE, samples)
        first = path.astype(int)
        share = path - first
        drawn = np.bincount(first, weight * (1 - share), samples + 1)
        drawn += np.bincount(first + 1, weight * share, samples + 1)
        drawn[0] += drawn[samples]
        spectrum = scipy.fft.rfft(drawn[:samples])[: ramp.size]
        kernels[i] = scipy.fft.irfft(spectrum * transfer, length)[:columns]
    return kernels


def _polar_interpolation(radius: Array, x: Array, y: Array) -> sparse.csr_array:
    """Matrix from values on rings ``(radius, direction)`` to voxels ``(y, x)``, bilinear."""
    distance = np.hypot(y[:, None], x[None, :]).ravel()
    turn = np.mod(np.arctan2(y[:, None], x[None, :]).ravel() / (2 * np.pi), 1) * _DIRECTIONS
    ring = np.clip(np.searchsorted(radius, distance, side="right") - 1, 0, radius.size - 2)
    out = (distance - radius[ring]) / (radius[ring + 1] - radius[ring])
    sector = np.floor(turn).astype(int)
    on = turn - sector
    corners = [(0, 0, (1 - out) * (1 - on)), (0, 1, (1 - out) * on), (1, 0, out * (1 - on)), (1, 1, out * on)]
    columns = np.stack([(ring + i) * _DIRECTIONS + (sector + j) % _DIRECTIONS for i, j, _ in corners], axis=1)
    values = np.stack([share for *_, share in corners], axis=1).astype(np.float32)
    starts = np.arange(0, 4 * distance.size + 1, 4)
    return sparse.csr_array((values.ravel(), columns.ravel(), starts), (distance.size, radius.size * _DIRECTIONS))

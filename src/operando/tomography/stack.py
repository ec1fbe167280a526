"""Layers along the cell's axis: found by what is known of their order, placed to a fraction of a voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.optimize import least_squares
from scipy.special import ndtr, ndtri

from operando.errors import InputError, RunError

Array = npt.NDArray[Any]

WANDER = 0.6
"""How far the stack's first border may move, in thicknesses of the first layer."""

SIGNIFICANT = 3.0
"""Standard deviations by which both sides of an interface must differ."""

LEAST_CORRELATION = 0.9
"""Correlation of the measured profile with the expected one below which the stack is taken to be another."""


@dataclass(frozen=True)
class Edge:
    """An interface in an axial profile.

    Attributes
    ----------
    position, position_sigma:
        z of the interface [m].
    blur, blur_sigma:
        Standard deviation of the Gaussian blur along z, without the voxel's own width [m].
    below, above:
        What the profile tends to on either side, in its unit.
    """

    position: float
    position_sigma: float
    blur: float
    blur_sigma: float
    below: float
    above: float


def stack_borders_from_profile(
    profile: xr.DataArray, *, thicknesses: Sequence[float], levels: Sequence[float]
) -> list[float]:
    """Find the borders of a stack of known layers in an axial profile [m], to about a voxel.

    The whole stack is placed where the profile correlates most with it as described. Layers may be thicker or thinner
    than that: each border is then moved, in turn, to where the levels on its two sides fit best. Values beyond twice
    the first layer's are cut off, so that one bright layer does not decide.

    Parameters
    ----------
    profile:
        Along ``z`` [m].
    thicknesses:
        Of the layers between the two pins [m].
    levels:
        Expected value in the first pin, each layer, and the last pin.

    Raises
    ------
    InputError
        If the stack is higher than the profile.
    RunError
        If nothing in the profile looks like the stack.
    """
    z = np.asarray(profile.z.values, dtype=float)
    step = z[1] - z[0]
    height = float(sum(thicknesses))
    places = np.arange(z[0] + 2 * step, z[-1] - height - step, step / 4)
    if not places.size:
        raise InputError(
            "cell",
            must=f"no higher than the {1e3 * (z[-1] - z[0]):.3g} mm that were reconstructed",
            received=f"a stack of {1e3 * height:.3g} mm",
            remedy="Check the masses and the pixel size.",
        )
    ceiling = 2 * levels[1]
    values, known = np.minimum(profile.values, ceiling), np.minimum(levels, ceiling)
    heights = np.concatenate([[0.0], np.cumsum(thicknesses)])
    expected = known[np.searchsorted(heights, z[None, :] - places[:, None])]
    correlation = [np.corrcoef(row, values)[0, 1] for row in expected]
    best = int(np.argmax(correlation))
    if not correlation[best] >= LEAST_CORRELATION:
        raise RunError(
            f"No stack as described was found along the axis: the best correlation is {correlation[best]:.2f}. "
            "Check cathode_at, the cell's description, and that neutron and X-ray data are not swapped."
        )
    return _settled(z, values, known, places[best] + heights)


def _settled(z: Array, values: Array, levels: Array, borders: Array) -> list[float]:
    """Move each border between its neighbours until none moves any more."""
    step = z[1] - z[0]
    for _ in range(10):
        before = borders.copy()
        for k in range(borders.size):
            low = borders[k - 1] if k else borders[k] - WANDER * (borders[k + 1] - borders[k])
            high = borders[k + 1] if k + 1 < borders.size else borders[k] + step
            tried = np.arange(low + step / 2, high - step / 4, step / 4)
            if not tried.size:
                continue
            near = (z > low - 3 * step) & (z < high + 3 * step)
            side = np.where(z[near] < tried[:, None], levels[k], levels[k + 1])
            borders[k] = tried[int(np.argmin(((side - values[near]) ** 2).sum(axis=1)))]
        if np.array_equal(before, borders):
            break
    return [float(border) for border in borders]


def edge_from_profile(
    profile: xr.DataArray, profile_var: xr.DataArray, *, near: float, reach: float, blur: float | None = None
) -> Edge:
    """Place an interface: a blurred step between two straight lines, averaged over voxels.

    Parameters
    ----------
    profile, profile_var:
        Along ``z`` [m], noise independent from voxel to voxel.
    near, reach:
        Where it is expected and how far around it is fitted [m].
    blur:
        Given blur [m]; fitted where None.

    Raises
    ------
    RunError
        If no interface is found within `reach`.
    """
    z = np.asarray(profile.z.values, dtype=float)
    step = float(z[1] - z[0])
    used = np.abs(z - near) <= reach
    values, sigma = profile.values[used], np.sqrt(np.maximum(profile_var.values[used], 1e-30))
    u = (z[used] - near) / step
    low, high = float(values[:2].mean()), float(values[-2:].mean())

    def residual(p: Array) -> Array:
        width = abs(p[5]) if blur is None else blur / step
        return np.asarray((_blurred_step(u, *p[:5], width=max(width, 0.02)) - values) / sigma)

    start = np.array([_half_crossing(u, values, (low + high) / 2), low, 0.0, high, 0.0, 0.5])
    start = start if blur is None else start[:5]
    found = least_squares(residual, start, x_scale=np.maximum(np.abs(start), 0.1))
    degrees = max(values.size - start.size, 1)
    spread = max(2 * found.cost / degrees, 1.0)
    covariance = np.linalg.pinv(found.jac.T @ found.jac) * spread
    error = np.sqrt(np.diag(covariance))
    contrast = float(found.x[3] - found.x[1])
    doubt = float(np.sqrt(max(covariance[1, 1] + covariance[3, 3] - 2 * covariance[1, 3], 0.0)))
    if not abs(found.x[0]) * step < reach or error[0] * step > reach or abs(contrast) < SIGNIFICANT * doubt:
        raise RunError(f"No interface was found near z = {1e3 * near:.3f} mm.")
    return Edge(
        position=near + float(found.x[0]) * step,
        position_sigma=float(error[0]) * step,
        blur=abs(float(found.x[5])) * step if blur is None else blur,
        blur_sigma=float(error[5]) * step if blur is None else 0.0,
        below=float(found.x[1]),
        above=float(found.x[3]),
    )


def edge_shift_from_contrast(*, contrast: float, chord: float, spread: float) -> float:
    """How far towards the denser side an interface is seen [m], because pixels average transmission, not attenuation.

    A pixel that an interface crosses reads half-way between both sides when the denser one fills the share
    ``1 / (1 + exp(-D / 2))`` of it, with ``D`` the difference of their line integrals; blurred as a Gaussian that is
    ``spread Phi^-1(1 / (1 + exp(-|D| / 2)))`` from the middle.

    Parameters
    ----------
    contrast:
        Difference of attenuation across the interface [1/m].
    chord:
        Mean length of the rays through the layer [m].
    spread:
        Standard deviation of blur and pixel together [m].
    """
    return float(spread * ndtri(1 / (1 + np.exp(-abs(contrast) * chord / 2))))


def _blurred_step(
    u: Array, at: float, low: float, low_slope: float, high: float, high_slope: float, *, width: float
) -> Array:
    """Two straight lines that meet at `at`, blurred and averaged over voxels of width one."""

    def mean_of(power: int) -> Array:
        x = np.array([u - at - 0.5, u - at + 0.5]) / width
        bell = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        first = width * (x * ndtr(x) + bell)
        integral = first if power == 0 else width**2 / 2 * ((x**2 + 1) * ndtr(x) + x * bell)
        return np.asarray(integral[1] - integral[0])

    ramp = mean_of(1)
    return low + low_slope * (u - at) + (high - low) * mean_of(0) + (high_slope - low_slope) * ramp


def _half_crossing(u: Array, values: Array, half: float) -> float:
    above = values > half
    changes = np.flatnonzero(above[1:] != above[:-1])
    if not changes.size:
        return 0.0
    i = changes[np.argmin(np.abs(u[changes]))]
    return float(u[i] + (half - values[i]) / (values[i + 1] - values[i]))

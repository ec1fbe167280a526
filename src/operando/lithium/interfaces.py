"""Sums over a layer whose image is blurred into its neighbours, and values at the plane between two layers.

Blur moves attenuation across an interface but keeps its sum. So a layer is summed with a margin on both sides, and what
the neighbour holds within the margin is taken off: near the interface either side is a polynomial that ends there,
blurred by a Gaussian and averaged over voxels, which has a closed form. The estimate is linear in the profile, so its
variance is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import ndtr

from operando.errors import InputError
from operando.lithium.budget import systematic_from_nuisances
from operando.lithium.checked import checked, not_negative

Array = npt.NDArray[np.float64]
Side = Literal["lower", "upper"]

MARGIN = 2.5
"""Margin around a layer in standard deviations of the blur. Beyond it, 0.2 % of a standard deviation's length of the
layer is left."""


@dataclass(frozen=True)
class LocalFit:
    """How the two sides of an interface are modelled.

    Attributes
    ----------
    inner_reach, outer_reach:
        How far the layer and its neighbour are fitted from the interface, in lengths of resolution: the root of the
        sum of the squares of blur and voxel.
    inner_degree, outer_degree:
        Degrees of the two polynomials.
    """

    inner_reach: float = 3.0
    outer_reach: float = 6.0
    inner_degree: int = 2
    outer_degree: int = 3


@dataclass(frozen=True)
class LayerIntegral:
    """Integral of a profile over a layer.

    Attributes
    ----------
    value, variance:
        In the profile's unit times metre, and its square.
    terms:
        Shift by one standard deviation of the interfaces' position (``interface``) and of the blur (``blur``).
    """

    value: float
    variance: float
    terms: dict[str, float]


def layer_integral_from_profile(
    *,
    profile: xr.DataArray,
    profile_var: xr.DataArray,
    lower: float,
    upper: float,
    blur: float,
    neighbours: tuple[Side, ...] = ("lower", "upper"),
    fit: LocalFit | None = None,
    position_sigma: float = 0.0,
    blur_sigma: float = 0.0,
) -> LayerIntegral:
    """Integral over ``lower <= z <= upper`` of what a profile was before it was blurred.

    Parameters
    ----------
    profile, profile_var:
        One-dimensional along ``z`` (evenly spaced, m), for instance the change of attenuation averaged across the
        cell; noise independent from voxel to voxel.
    lower, upper:
        The layer's interfaces [m].
    blur:
        Standard deviation of the Gaussian blur along z, without the voxel's own width [m].
    neighbours:
        Interfaces beyond which the profile is not zero; a margin beyond the others is summed as it is.
    position_sigma, blur_sigma:
        Standard deviations of the interfaces' position, moved one way together, and of `blur` [m].

    Raises
    ------
    InputError
        If the layer, with its margins, does not lie within the profile, or a fit lacks voxels.
    """
    z, values, variances = checked_profile(profile, profile_var)
    chosen = fit or LocalFit()

    def integral(shift: float, width: float) -> float:
        weights = _weights(z, variances, lower + shift, upper + shift, width, neighbours, chosen)
        return float(weights @ values)

    weights = _weights(z, variances, lower, upper, blur, neighbours, chosen)
    shifts = systematic_from_nuisances(
        function=integral,
        nominal={"shift": 0.0, "width": blur},
        sigmas={"shift": position_sigma, "width": min(blur_sigma, blur)},
    )
    return LayerIntegral(
        value=float(weights @ values),
        variance=float(weights**2 @ variances),
        terms={"interface": shifts["shift"], "blur": shifts["width"]},
    )


@dataclass(frozen=True)
class PlaneValue:
    """Value and gradient (along +z) that a layer has at its interface, with their covariance."""

    value: float
    gradient: float
    covariance: Array


def plane_value_from_profile(
    *,
    profile: xr.DataArray,
    profile_var: xr.DataArray,
    plane: float,
    side: Side,
    blur: float,
    fit: LocalFit | None = None,
) -> PlaneValue:
    """Value at a plane of the layer on its `side`, before blur; arguments as in `layer_integral_from_profile`."""
    z, values, variances = checked_profile(profile, profile_var)
    chosen = fit or LocalFit()
    outward = -1.0 if side == "lower" else 1.0
    solution = _solution(z, variances, plane, outward, blur, chosen)
    outer = solution[chosen.inner_degree + 1 : chosen.inner_degree + 3]
    signs = np.array([1.0, outward])[: len(outer)]
    rows = signs[:, None] * outer
    covariance = (rows * variances) @ rows.T
    value, *gradient = rows @ values
    return PlaneValue(float(value), float(gradient[0]) if gradient else 0.0, covariance)


def blurred_power(*, distance: Array, power: int, blur: float) -> Array:
    """``x^k`` for x > 0, zero below, blurred by a Gaussian, at each `distance` x from the interface.

    ``M_k = x M_{k-1} + (k - 1) s^2 M_{k-2}`` from ``M_0 = Phi(x / s)`` and ``M_1 = x M_0 + s phi(x / s)``. The
    derivative of ``M_k`` is ``k M_{k-1}``, so that averages over voxels follow exactly.
    """
    u = distance / blur
    step: Array = np.asarray(ndtr(u))
    moments: list[Array] = [step, distance * step + blur * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)]
    for k in range(2, power + 1):
        moments.append(distance * moments[k - 1] + (k - 1) * blur**2 * moments[k - 2])
    return moments[power]


def checked_profile(profile: xr.DataArray, profile_var: xr.DataArray) -> tuple[Array, Array, Array]:
    """Heights, values and variances of a profile along z, refused where they are not evenly spaced and finite."""
    if profile.dims != ("z",) or profile_var.dims != ("z",) or "z" not in profile.coords:
        raise InputError("profile", must="one-dimensional along z, with coordinate z [m]", received=profile.dims)
    z = np.asarray(profile.z.values, dtype=float)
    if z.size < 2 or not np.allclose(np.diff(z), np.diff(z).mean(), rtol=1e-6, atol=0):
        raise InputError("coordinate z", must="evenly spaced", received=z[:4])
    unit = str(profile.attrs.get("units", ""))
    values = np.asarray(checked(profile, unit=unit, name="profile"))
    variances = np.asarray(not_negative(profile_var.values, unit=f"({unit})^2", name="profile_var"))
    return z, values, variances


def _weights(
    z: Array, variances: Array, lower: float, upper: float, blur: float, neighbours: tuple[Side, ...], fit: LocalFit
) -> Array:
    """Weight of each voxel in the layer's integral."""
    step = float(z[1] - z[0])
    margin = MARGIN * blur + step / 2
    inside = (z >= lower - margin) & (z <= upper + margin)
    if not lower < upper or inside[0] or inside[-1]:
        raise InputError(
            "layer", must="within the profile, with a margin around it", received=(lower, upper), remedy="Keep more z."
        )
    first, last = z[inside][[0, -1]]
    weights = np.asarray(inside * step, dtype=np.float64)
    for side, plane, outward in (("lower", lower, -1.0), ("upper", upper, 1.0)):
        if side not in neighbours:
            continue
        solution = _solution(z, variances, plane, outward, blur, fit)
        ends = outward * (np.array([first - step / 2, last + step / 2]) - plane)
        held = [_cell_integral(ends[:: int(outward)], k, blur) for k in range(fit.outer_degree + 1)]
        weights = weights - np.asarray(held) @ solution[fit.inner_degree + 1 :]
    return weights


def _solution(z: Array, variances: Array, plane: float, outward: float, blur: float, fit: LocalFit) -> Array:
    """Weights ``(coefficient, voxel)`` of the least-squares fit of both polynomials around a plane.

    Coefficients of the layer come first, then those of its neighbour, each in powers of the distance from the plane.
    """
    step = float(z[1] - z[0])
    distance = outward * (z - plane)
    resolution = np.hypot(blur, step)
    near = (distance > -fit.inner_reach * resolution) & (distance < fit.outer_reach * resolution)
    columns = [(-1.0, k) for k in range(fit.inner_degree + 1)] + [(1.0, k) for k in range(fit.outer_degree + 1)]
    if near.sum() < len(columns) + 1:
        raise InputError(
            "fit", must=f"over more than {len(columns)} voxels", received=int(near.sum()), remedy="Widen its reach."
        )
    ends = distance[near][:, None] + np.array([-0.5, 0.5]) * step
    design = np.stack(
        [[_cell_integral(np.sort(sign * pair), k, blur) / step for pair in ends] for sign, k in columns], axis=1
    )
    scale = np.array([step**k for _, k in columns])
    noise = np.sqrt(variances[near]) if np.all(variances[near] > 0) else np.ones(int(near.sum()))
    solution = np.zeros((len(columns), z.size), dtype=np.float64)
    solution[:, near] = np.linalg.pinv(design / scale / noise[:, None]) / noise / scale[:, None]
    return solution


def _cell_integral(ends: Array, power: int, blur: float) -> float:
    """Integral of the blurred power over an interval."""
    width = max(blur, 1e-9)
    upper = blurred_power(distance=ends, power=power + 1, blur=width)
    return float(upper[1] - upper[0]) / (power + 1)

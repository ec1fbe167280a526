"""Sums over the separator, which is smooth up to its interfaces, and over the thin layer beside it.

Voxels that blur mixes across an interface are left out, and a polynomial through the separator's next voxels takes
their place. The thin layer is then all that a window around it holds, less the separator's part. Of the blur only its
reach is needed; `interfaces` does the same from the mixed voxels, where the separator's profile decays within a few
voxels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.lithium.interfaces import MARGIN, Array, LayerIntegral, checked_profile

REACH = 6.0
"""Lengths of resolution (the root of the sum of the squares of blur and voxel) over which the polynomial is fitted."""

DEGREE = 2
"""Degree of the polynomial."""


def smooth_layer_integral_from_profile(
    *,
    profile: xr.DataArray,
    profile_var: xr.DataArray,
    lower: float,
    upper: float,
    blur: float,
    position_sigma: float = 0.0,
) -> LayerIntegral:
    """Integral over a layer that is smooth up to interfaces beyond which anything may happen: the separator.

    Arguments as in `interfaces.layer_integral_from_profile`.

    Raises
    ------
    InputError
        If the layer does not lie within the profile, or its blurred edges leave too little of it.
    """
    z, values, variances = checked_profile(profile, profile_var)
    step = float(z[1] - z[0])
    clear = (z >= lower + MARGIN * blur + step / 2) & (z <= upper - MARGIN * blur - step / 2)
    _check(clear, lower >= z[0] - step / 2 and upper <= z[-1] + step / 2, (lower, upper))

    def weights(shift: float) -> Array:
        bottom = _extrapolated(z, clear, lower + shift, -1.0, blur)
        top = _extrapolated(z, clear, upper + shift, 1.0, blur)
        return np.asarray(clear * step + bottom + top, dtype=np.float64)

    return _integral(weights(0.0), weights(position_sigma), weights(-position_sigma), values, variances)


def thin_layer_integral_from_profile(
    *,
    profile: xr.DataArray,
    profile_var: xr.DataArray,
    lower: float,
    upper: float,
    smooth_until: float,
    blur: float,
    position_sigma: float = 0.0,
) -> LayerIntegral:
    """Integral over a layer of any shape between one that does not change and one that is smooth: the cathode.

    Parameters
    ----------
    lower, upper:
        The layer's interfaces; below `lower` the profile is zero but for blur [m].
    smooth_until:
        Where the smooth layer above `upper` ends [m].

    Other arguments as in `interfaces.layer_integral_from_profile`.
    """
    z, values, variances = checked_profile(profile, profile_var)
    step = float(z[1] - z[0])
    clear = (z >= upper + MARGIN * blur + step / 2) & (z <= smooth_until - MARGIN * blur - step / 2)
    window = (z >= lower - MARGIN * blur - step / 2) & (z < upper + MARGIN * blur + step / 2)
    _check(clear, bool(lower < upper and not window[0] and not window[-1]), (lower, upper))

    def weights(shift: float) -> Array:
        taken = _extrapolated(z, clear, upper + shift, -1.0, blur)
        return np.asarray(window * step - taken, dtype=np.float64)

    return _integral(weights(0.0), weights(position_sigma), weights(-position_sigma), values, variances)


def _extrapolated(z: Array, clear: npt.NDArray[np.bool_], plane: float, outward: float, blur: float) -> Array:
    """Weights of the smooth layer's integral between its clear voxels and the plane."""
    step = float(z[1] - z[0])
    end = z[clear][0 if outward < 0 else -1] + outward * step / 2
    distance = outward * (z - end) / step
    fitted = clear & (distance > -REACH * np.hypot(blur, step) / step)
    powers = np.arange(1, DEGREE + 2)
    gap = outward * (plane - end) / step
    weights = np.zeros(z.size)
    weights[fitted] = step * (gap**powers / powers) @ np.linalg.pinv(np.vander(distance[fitted], DEGREE + 1, True))
    return weights


def _check(clear: npt.NDArray[np.bool_], within: bool, bounds: tuple[float, float]) -> None:
    if not within or clear.sum() <= DEGREE + 1:
        raise InputError(
            "layer",
            must="within the profile, and the smooth one thicker than its blurred edges",
            received=bounds,
            remedy="Keep more z, or take smaller voxels.",
        )


def _integral(here: Array, above: Array, below: Array, values: Array, variances: Array) -> LayerIntegral:
    moved = float((above - below) @ values) / 2
    return LayerIntegral(float(here @ values), float(here**2 @ variances), {"interface": moved})

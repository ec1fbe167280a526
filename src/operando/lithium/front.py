"""How deep the delithiation has gone into the cathode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.lithium.checked import checked, not_negative

SIGNIFICANCE = 4.0
"""Largest delithiation, in its standard deviations, below which no front is told from noise."""


@dataclass(frozen=True)
class FrontDepth:
    """Distance of the front from the cathode/separator plane.

    Attributes
    ----------
    value, variance:
        [m], [m^2]; None where there is no front, and `note` says why.
    """

    value: float | None
    variance: float | None
    note: str = ""


def front_depth_from_profile(
    *, delithiation: xr.DataArray, delithiation_var: xr.DataArray, plane: float, skip: float = 0.0
) -> FrontDepth:
    """Distance from the cathode/separator plane to where the delithiation first falls to half of its maximum.

    Between voxel centres the profile is a straight line, and the depth is found on it. With ``d_1 > d_m / 2 >= d_2``
    around the crossing, ``s = (d_1 - d_m / 2) / (d_1 - d_2)`` of a step past the first; the variance follows linearly
    from those of the three.

    Parameters
    ----------
    delithiation, delithiation_var:
        Lithiation lost at each ``z`` [m] of the cathode, below `plane`; noise independent from voxel to voxel.
    plane:
        z of the cathode/separator plane [m].
    skip:
        Depth next to the plane that blur mixes with the separator, left out of the search [m].
    """
    if delithiation.dims != ("z",) or delithiation_var.dims != ("z",):
        raise InputError("delithiation", must="one-dimensional along z", received=delithiation.dims)
    checked(delithiation.values, unit="", name="delithiation")
    not_negative(delithiation_var.values, unit="", name="delithiation_var")
    kept = np.flatnonzero(delithiation.z.values <= plane - skip)
    order = kept[np.argsort(-delithiation.z.values[kept])]
    depth, values = plane - delithiation.z.values[order], delithiation.values[order]
    variances = delithiation_var.values[order]
    if depth.size < 3:
        raise InputError("delithiation", must="of at least three voxels below the plane", received=depth.size)
    peak = int(np.argmax(values))
    if values[peak] <= SIGNIFICANCE * np.sqrt(variances[peak]):
        return FrontDepth(None, None, "No delithiation stands out of the noise.")
    beyond = np.flatnonzero(values[peak:] <= values[peak] / 2)
    if beyond.size == 0:
        return FrontDepth(None, None, "The delithiation nowhere falls to half: the front has gone through.")
    last = peak + int(beyond[0])
    return _crossing(depth, values, variances, peak, last)


Array = npt.NDArray[np.float64]


def _crossing(depth: Array, values: Array, variances: Array, peak: int, last: int) -> FrontDepth:
    """Half-maximum between the voxels ``last - 1`` and ``last``."""
    step, fall = depth[last] - depth[last - 1], values[last - 1] - values[last]
    share = (values[last - 1] - values[peak] / 2) / fall
    gradient = np.zeros_like(values)
    gradient[last - 1] += (1 - share) / fall
    gradient[last] += share / fall
    gradient[peak] -= 0.5 / fall
    return FrontDepth(float(depth[last - 1] + share * step), float(step**2 * (gradient**2 @ variances)))

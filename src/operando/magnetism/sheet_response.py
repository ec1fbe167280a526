"""The response of a flux sensor from its image of a point dipole, continued to where the image ends.

A dipole along z is a point of stream function: its image, displacement from dipole to sensor, is the very kernel by
which the sensor sees a current's stream function, stand-off included. Outside the image the flux falls as
``-C / r^3``; because the whole of the dipole's flux returns through the plane, the kernel sums to zero, which sets C
and, with it, the image's own background.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import itj0y0, j0, j1

from operando.errors import InputError
from operando.magnetism.sheet import HalfSpectrum, point_spread_factor
from operando.units import in_units

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class DipoleResponse:
    """Kernel of a sensor: flux per stream function and area, for a dipole of unknown moment up to a factor.

    Attributes
    ----------
    values:
        Image within `radius`, background removed, zero outside ``(y, x)``.
    y, x:
        Displacement from dipole to sensor [m].
    radius:
        Where the image ends and the tail begins [m].
    tail:
        C of the tail ``-C / r^3``.
    background:
        What was removed from the image.
    """

    values: Array
    y: Array
    x: Array
    radius: float
    tail: float
    background: float

    def factor(self, modes: HalfSpectrum) -> Array:
        """Fourier transform of the kernel at each mode; it vanishes at k = 0."""
        area = float(np.diff(self.y).mean() * np.diff(self.x).mean())
        near = area * point_spread_factor(modes=modes, values=self.values, x=self.x, y=self.y)
        return np.asarray(near - 2 * np.pi * self.tail / self.radius * tail_factor(modes.k * self.radius))


def tail_factor(kr: Array) -> Array:
    """Transform of ``1 / r^3`` outside a disc, relative to k = 0: ``x int_x^inf J0(t) / t^2 dt`` at ``x = k R``."""
    integral, _ = itj0y0(kr)
    return np.asarray(j0(kr) - kr * (1 - integral + j1(kr)))


def response_from_dipole_image(image: xr.DataArray) -> DipoleResponse:
    """Read the response off an image of a dipole that points to +z.

    The background b and the tail C follow from ``b - C / r^3`` fitted to the outer quarter of the image's largest
    disc, with C bound to b by the kernel's zero sum.

    Parameters
    ----------
    image:
        ``(y, x)``: signal against the sensor's displacement from the dipole, coordinates in metres about zero.

    Raises
    ------
    InputError
        If the image is not finite or does not surround the dipole.
    """
    ordered = image.transpose("y", "x").sortby(["y", "x"])
    values = ordered.values.astype(float)
    y, x = (in_units(ordered[d].variable, unit="m", name=f"dipole image {d}").values.astype(float) for d in ("y", "x"))
    radius = float(min(-y[0], y[-1], -x[0], x[-1]))
    if not np.isfinite(values).all() or not radius > 0:
        raise InputError("dipole image", must="finite and around the dipole at x = y = 0", received=(y[0], y[-1]))
    area = float(np.diff(y).mean() * np.diff(x).mean())
    r = np.hypot(y[:, None], x)
    inside = r < radius
    ring = inside & (r > 0.75 * radius)
    # with C = (sum - b n) a R / 2 pi, the model b - C / r^3 is linear in b alone
    share = area * radius / (2 * np.pi) / r[ring] ** 3
    total, count = values[inside].sum(), inside.sum()
    slope, rest = 1 + count * share, values[ring] + total * share
    background = float((slope * rest).sum() / (slope**2).sum())
    tail = float((total - background * count) * area * radius / (2 * np.pi))
    return DipoleResponse(np.where(inside, values - background, 0.0), y, x, radius, tail, background)

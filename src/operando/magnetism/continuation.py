"""Fields between planes and between components, above all sources.

Where no current flows and nothing is magnetised the field is the gradient of a potential that dies out upwards:
``B(k, z) = (-i kx, -i ky, k) phi(k) exp(-k z)`` with transforms ``F(k) = sum f exp(-i k.r)``. The normal z points away
from the sources, rows run along y and columns along x, both ascending. Beyond its frame a map is taken to stay at
the mean of its border, so that sources should lie well within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import xarray as xr

from operando.errors import InputError
from operando.units import in_units

Array = npt.NDArray[Any]

LEAST_NORMAL = 0.1
"""Smallest component of an axis along the normal from which a vector field is made."""


def upward_continued(field: xr.DataArray, *, distance: float) -> xr.DataArray:
    """Continue a map to a plane `distance` [m] farther from the sources, ``B(k) exp(-k d)``.

    Parameters
    ----------
    field:
        Dims y, x and any others before them; any component or projection of the field.

    Raises
    ------
    InputError
        If the distance is negative, as that amplifies noise without bound, or pixels are missing or uneven.
    """
    if not distance >= 0:
        remedy = "To come closer to the sources, invert for them with a regularisation."
        raise InputError("distance", must="not negative", received=distance, remedy=remedy)
    plane = _Plane(field)
    raised = plane.image(plane.spectrum * np.exp(-plane.k * distance)) + plane.level
    result = plane.labelled.copy(data=raised)
    return result.assign_coords(z=result.coords["z"] + distance) if "z" in result.coords else result


def vector_from_projection(projection: xr.DataArray, *, axis: Sequence[float] | Array) -> xr.DataArray:
    """Vector field from its projection on one axis, above all sources.

    ``B(k) = (-i kx, -i ky, k) Bu(k) / (uz k - i ux kx - i uy ky)``; Lima and Weiss 2009, doi:10.1029/2008JB006006. The
    uniform part of the field is not determined, and is left out.

    Parameters
    ----------
    projection:
        Dims y, x [T], its coordinates in the laboratory's frame.
    axis:
        Unit vector u ``(x, y, z)``, such as a centre's.

    Returns
    -------
    Dims component, y, x [T].

    Raises
    ------
    InputError
        If the axis is no unit vector or lies in the plane, where one direction of the map tells nothing.
    """
    u = np.asarray(axis, dtype=float)
    if u.shape != (3,) or not np.isclose(np.linalg.norm(u), 1.0, atol=1e-6):
        raise InputError("axis", must="a unit vector (x, y, z)", received=axis)
    if abs(u[2]) < LEAST_NORMAL:
        remedy = "Measure along another axis as well: along one line of k this one tells nothing."
        must = f"inclined to the plane by a component of {LEAST_NORMAL} or more"
        raise InputError("axis", must=must, received=axis, remedy=remedy)
    plane = _Plane(in_units(projection, unit="T", name="projection"))
    seen = u[2] * plane.k - 1j * (u[0] * plane.kx + u[1] * plane.ky)
    seen[0, 0] = 1.0
    potential = plane.spectrum / seen
    potential[0, 0] = 0.0
    components = [plane.image(w * potential) for w in (-1j * plane.kx, -1j * plane.ky, plane.k)]
    coords = {"component": ["x", "y", "z"], **plane.labelled.coords}
    return xr.DataArray(
        np.stack(components), dims=("component", "y", "x"), coords=coords, name="field", attrs={"units": "T"}
    )


class _Plane:
    """A map freed of its border's level, padded to three times its sides, and transformed.

    Lengths are odd: an even one has a Nyquist line on which the odd factors kx and ky have no sign.
    """

    def __init__(self, field: xr.DataArray) -> None:
        self.labelled = field.transpose(..., "y", "x")
        values = self.labelled.values.astype(float)
        if not np.isfinite(values).all():
            remedy = "Fill masked pixels first, or cut the map."
            raise InputError("map", must="finite everywhere", received="NaN", remedy=remedy)
        ny, nx = values.shape[-2:]
        pixel_y, pixel_x = (_pixel(self.labelled, axis) for axis in ("y", "x"))
        border = np.concatenate([values[..., (0, -1), :].reshape(*values.shape[:-2], -1), values[..., :, 0]], axis=-1)
        border = np.concatenate([border, values[..., :, -1]], axis=-1)
        self.level = border.mean(axis=-1)[..., None, None]
        self._shape = (ny, nx)
        self._padded = (_odd_fast_length(3 * ny), _odd_fast_length(3 * nx))
        self.ky = 2 * np.pi * scipy.fft.fftfreq(self._padded[0], pixel_y)[:, None]
        self.kx = 2 * np.pi * scipy.fft.rfftfreq(self._padded[1], pixel_x)[None, :]
        self.k = np.hypot(self.ky, self.kx)
        self.spectrum = scipy.fft.rfft2(values - self.level, s=self._padded)

    def image(self, spectrum: Array) -> Array:
        """Transform back and cut out the frame."""
        full = scipy.fft.irfft2(spectrum, s=self._padded)
        return np.ascontiguousarray(full[..., : self._shape[0], : self._shape[1]])


def _pixel(field: xr.DataArray, axis: str) -> float:
    if axis not in field.coords or field.sizes[axis] < 2:
        raise InputError(f"coordinate {axis}", must="given for two pixels or more", received=dict(field.sizes))
    along = in_units(field.coords[axis], unit="m", name=axis).values.astype(float)
    steps = np.diff(along)
    if not (steps > 0).all() or np.ptp(steps) > 1e-3 * steps.mean():
        raise InputError(f"coordinate {axis}", must="ascending in even steps", received=along[:4])
    return float(steps.mean())


def _odd_fast_length(least: int) -> int:
    """Smallest odd length from `least` on that has small prime factors only."""
    n = least | 1
    while scipy.fft.next_fast_len(n) != n:
        n += 2
    return n

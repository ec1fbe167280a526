"""The vector field above the sources, from a map of one component."""

from __future__ import annotations

import numpy as np
import xarray as xr

from operando.frames import Array
from operando.magnetism.continuation import LEAST_NORMAL, vector_from_projection
from operando.study.magnetic.measured import field_dataset

REFUSED = "The field's other components are not given: "


def why_no_vector(field: xr.Dataset) -> str:
    """Say why a map of one component gives no vector field; empty where it does."""
    if abs(float(field.direction.values[0, 2])) < LEAST_NORMAL:
        return f"{REFUSED}the measured axis lies in the plane of the map, where one direction of it tells nothing."
    missing = int((~np.isfinite(field.field.values)).sum())
    return f"{REFUSED}{missing} pixels have no value." if missing else ""


def vector_of_projection(left: xr.Dataset) -> xr.Dataset:
    """Bx, By, Bz of a map of one component, such as B111 of a quantum diamond microscope.

    ``B(k) = (-i kx, -i ky, k) Bu(k) / (uz k - i ux kx - i uy ky)``, see `vector_from_projection`. The variance is
    that of noise that is white from pixel to pixel: its own, times the sum of squares of what one pixel becomes.

    Parameters
    ----------
    left:
        ``field`` ``(axis, y, x)`` [T] with one axis and without its background, ``direction``, and ``field_var`` where
        it is known.

    Returns
    -------
    ``field`` and ``field_var`` along x, y and z, without their uniform part, which one component does not tell.
    """
    axis = left.direction.values[0]
    vector = vector_from_projection(left.field.isel(axis=0, drop=True).assign_attrs(units="T"), axis=axis)
    variance = None
    if "field_var" in left:
        variance = _gains(left, axis)[:, None, None] * left.field_var.values
    return field_dataset(vector, vector.values, np.eye(3), variance)


def _gains(left: xr.Dataset, axis: Array) -> Array:
    """Variance of each component over that of the projection, from the image of one pixel in the middle."""
    one = left.field.isel(axis=0, drop=True) * 0.0
    one[{"y": one.sizes["y"] // 2, "x": one.sizes["x"] // 2}] = 1.0
    image = vector_from_projection(one.assign_attrs(units="T"), axis=axis)
    return np.asarray((image.values**2).sum(axis=(1, 2)))

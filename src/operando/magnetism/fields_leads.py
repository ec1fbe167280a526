"""Fields of the straight leads that continue a current beyond the sides of its grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.constants import mu_0

from operando.currents import FaceCurrents
from operando.magnetism.fields_fourier import Frame
from operando.magnetism.fields_labelled import field_on_planes

Array = npt.NDArray[Any]


def field_of_leads(currents: FaceCurrents, *, heights: Any, margin: int) -> xr.DataArray:
    """Field of half-infinite prisms that carry on what crosses the sides -x, +x, -y, +y; exact in free space.

    Parameters
    ----------
    heights, margin:
        As in `fields.stray_field`.

    Returns
    -------
    ``magnetic_field`` ``(component, z, y, x)`` [T].
    """
    grid, planes = currents.grid, np.atleast_1d(np.asarray(heights, dtype=float))
    frame = Frame(shape=grid.shape[1:], margin=margin)
    totals = [frame.empty_spectrum(3) for _ in planes]
    for layer, z in enumerate(grid.coordinate("z")):
        for axis, side in (("x", -1), ("x", 1), ("y", -1), ("y", 1)):
            source = _beside(currents, layer, axis, side)
            if source.any():
                spectrum = frame.spectrum(source)
                for total, plane in zip(totals, planes, strict=True):
                    _add_lead(total, spectrum, frame, currents, axis, side, float(plane - z))
    images = np.stack([mu_0 * frame.image(total) for total in totals])
    return field_on_planes(images, grid, heights=heights, margin=margin, name="magnetic_field", units="T")


def _beside(currents: FaceCurrents, layer: int, axis: str, side: int) -> Array:
    """Current density through one side, written on the voxels next to it ``(y, x)``."""
    source = np.zeros(currents.grid.shape[1:])
    end = 0 if side < 0 else -1
    if axis == "x":
        source[:, end] = currents.x[layer, :, end]
    else:
        source[end] = currents.y[layer, end]
    return source


def _add_lead(
    total: Array, source: Array, frame: Frame, currents: FaceCurrents, axis: str, side: int, z: float
) -> None:
    from operando.magnetism.kernels import lead_kernel

    (dz, dy, dx), (rows, columns) = currents.grid.spacing, frame.reach
    x, y = dx * np.arange(-columns, columns + 1), dy * np.arange(-rows, rows + 1)
    if axis == "x":
        across, normal = lead_kernel(along=side * x - dx / 2, across=y, z=z, edges=(dy, dz))
        total[1] -= frame.kernel_spectrum(normal) * source
        total[2] += frame.kernel_spectrum(across) * source
    else:
        across, normal = lead_kernel(along=side * y - dy / 2, across=x, z=z, edges=(dx, dz)).transpose(0, 2, 1)
        total[0] += frame.kernel_spectrum(normal) * source
        total[2] -= frame.kernel_spectrum(across) * source

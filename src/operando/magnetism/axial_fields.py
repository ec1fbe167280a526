"""Fields along the direction in which sources are magnetised: what a sensor sees along whose axis a field is applied.

Many bodies, directions and heights at once: the kernel of a layer is transformed once for all bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.fields_fourier import Frame
from operando.magnetism.kernels import magnetic_kernel

Array = npt.NDArray[Any]

_ELEMENTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Components (x, y, z) that each element of the kernel joins."""


def axial_fields(
    labels: Array, *, susceptibility: Sequence[float] | Array, grid: Grid, axes: Array, heights: Sequence[float]
) -> Array:
    """Field along an axis of bodies magnetised along it by a field of one tesla.

    ``B_u = sum_voxels chi u . K u`` with the exact kernel of a cuboid; linear in the applied field, the
    bodies' own fields ignored.

    Parameters
    ----------
    labels:
        Number of the body in each voxel, from 1, and 0 for none, ``(z, y, x)``.
    susceptibility:
        Of each body by volume, or its change, ``(body,)``.
    axes:
        Unit vectors ``(axis, 3)``.
    heights:
        World z of the planes, above the grid [m].

    Returns
    -------
    ``(axis, height, body, y, x)`` at the voxels' columns [T/T].

    Raises
    ------
    InputError
        If labels are of another shape or number, an axis is no unit vector, or a plane lies within the grid.
    """
    units, planes = np.atleast_2d(np.asarray(axes, dtype=float)), np.asarray(heights, dtype=float)
    chi = np.asarray(susceptibility, dtype=float)
    top = grid.origin[0] + (grid.shape[0] - 0.5) * grid.spacing[0]
    if np.shape(labels) != grid.shape or labels.min() < 0 or labels.max() > chi.size:
        must = f"of shape {grid.shape}, from 0 to {chi.size}"
        raise InputError("labels", must=must, received=f"{np.shape(labels)}, up to {labels.max()}")
    if units.shape[1] != 3 or not np.allclose(np.linalg.norm(units, axis=1), 1.0):
        raise InputError("axes", must="unit vectors (x, y, z)", received=axes)
    if planes.min() <= top:
        raise InputError("heights", must=f"above the surface at z = {top:g} m", received=float(planes.min()))
    frame = Frame(shape=grid.shape[1:], margin=0)
    fields = np.empty((len(units), len(planes), chi.size, *grid.shape[1:]))
    for h, plane in enumerate(planes):
        totals = [frame.empty_spectrum(len(units)) for _ in chi]
        for layer, z in enumerate(grid.coordinate("z")):
            here = np.unique(labels[layer])
            kernels = _kernels(frame, grid, units, plane - z) if here[-1] > 0 else None
            for body in here[here > 0]:
                totals[body - 1] += kernels * frame.spectrum(chi[body - 1] * (labels[layer] == body))
        for body, total in enumerate(totals):
            fields[:, h, body] = frame.image(total)
    return fields


def _kernels(frame: Frame, grid: Grid, units: Array, z: float) -> Array:
    """Spectra of ``u . K u`` for each axis ``(axis, ky, kx)`` at a distance above the middle of a layer."""
    (dz, dy, dx), (rows, columns) = grid.spacing, frame.reach
    octants = magnetic_kernel(x=dx * np.arange(columns + 1), y=dy * np.arange(rows + 1), z=z, edges=(dx, dy, dz))
    total = frame.empty_spectrum(len(units))
    for octant, (i, j) in zip(octants, _ELEMENTS, strict=True):
        weights = units[:, i] * units[:, j] * (1 if i == j else 2)
        if weights.any():
            spectrum = frame.octant_spectrum(octant, odd_y=(i == 1) != (j == 1), odd_x=(i == 0) != (j == 0))
            total += weights[:, None, None] * spectrum
    return total

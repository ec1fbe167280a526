"""Magnetic fields above voxels: of a magnetisation, and of a current (Oersted).

Planes of observation are normal to z; pixels are registered with the voxels. The sums are exact for voxels that
are uniform cuboids in free space: nothing is periodic, and nothing is lost between source and sensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.constants import mu_0

from operando.currents import FaceCurrents
from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.circuit import TOLERANCE, face_currents_from_cells, require_closed
from operando.magnetism.fields_fourier import Frame
from operando.magnetism.fields_labelled import field_on_planes, vectors_from_labelled

Array = npt.NDArray[Any]
Heights = float | Sequence[float] | Array

_TENSOR = ((0, 3, 4), (3, 1, 5), (4, 5, 2))
"""Where the kernel's element (i, j) stands among xx, yy, zz, xy, xz, yz."""

_ODD = ((False, False), (False, False), (False, False), (True, True), (False, True), (True, False))
"""Whether each of those is odd in (y, x)."""


def stray_field(
    magnetisation: xr.DataArray, *, heights: Heights, margin: int = 0, grid: Grid | None = None
) -> xr.DataArray:
    """Field of a voxel magnetisation on planes of constant z, ``B = mu0 (H + M)``.

    ``B_i(r) = mu0 sum_voxels K_ij(r - r') M_j(r')`` with the exact kernel of a uniform cuboid. Planes may lie above,
    below or within the source; within, M is included. On a face between voxels the part of B in the plane jumps,
    and each voxel gives its limit from outside.

    Parameters
    ----------
    magnetisation:
        ``(component, z, y, x)`` [A/m], component labelled x, y, z.
    heights:
        World z of the planes [m]; a single number gives a map without dim z.
    margin:
        Pixels of the map beyond the source on every side.
    grid:
        Of a source that is one voxel thick along an axis.

    Returns
    -------
    ``magnetic_field`` ``(component, z, y, x)`` [T].
    """
    values, known = vectors_from_labelled(magnetisation, units="A/m", name="magnetisation", grid=grid)
    return _field(values, known, heights, margin, _magnetic_layer)


def current_field(
    current_density: xr.DataArray, *, heights: Heights, margin: int = 0, grid: Grid | None = None
) -> xr.DataArray:
    """Field of the currents in voxels alone, by Biot and Savart, whether or not they close.

    ``B(r) = mu0 sum_voxels J(r') x G(r - r')``. A current that does not close has no field of its own that obeys
    Ampere's law: use `oersted_field` unless the rest of the circuit is added elsewhere.

    Parameters
    ----------
    current_density:
        ``(component, z, y, x)`` [A/m^2], component labelled x, y, z.
    heights, margin, grid:
        As in `stray_field`.

    Returns
    -------
    ``magnetic_field`` ``(component, z, y, x)`` [T].
    """
    values, known = vectors_from_labelled(current_density, units="A/m^2", name="current density", grid=grid)
    return _field(values, known, heights, margin, _current_layer)


def oersted_field(
    currents: FaceCurrents | xr.DataArray,
    *,
    heights: Heights,
    margin: int = 0,
    closed_by_leads: bool = False,
    tolerance: float = TOLERANCE,
    grid: Grid | None = None,
) -> xr.DataArray:
    """Field of a current that closes, within the grid or by leads.

    A current to +x makes By < 0 above itself and By > 0 below.

    Parameters
    ----------
    currents:
        Face currents, or cell-centred ``(component, z, y, x)`` [A/m^2] where they are straight or smooth.
    heights, margin, grid:
        As in `stray_field`; `grid` is for cell-centred currents alone.
    closed_by_leads:
        Whether what leaves through the sides -x, +x, -y, +y continues straight to infinity in the section of its face.
    tolerance:
        Of the divergence; see `circuit.require_closed`.

    Returns
    -------
    ``magnetic_field`` ``(component, z, y, x)`` [T].

    Raises
    ------
    InputError
        If the current begins or ends anywhere.
    """
    if isinstance(currents, FaceCurrents):
        faces, values = currents, currents.density().values
    else:
        values, known = vectors_from_labelled(currents, units="A/m^2", name="currents", grid=grid)
        faces = face_currents_from_cells(values, grid=known)
    require_closed(faces, by_leads=closed_by_leads, tolerance=tolerance)
    field = _field(values, faces.grid, heights, margin, _current_layer)
    if closed_by_leads and max(map(abs, faces.leaving().values())) > 0:
        from operando.magnetism.fields_leads import field_of_leads

        field = field + field_of_leads(faces, heights=heights, margin=margin)
        field.attrs = {"units": "T"}
    return field


def _field(values: Array, grid: Grid, heights: Heights, margin: int, layer_field: Callable[..., None]) -> xr.DataArray:
    planes = np.atleast_1d(np.asarray(heights, dtype=float))
    if planes.ndim != 1 or not np.isfinite(planes).all():
        raise InputError("heights", must="finite world z in metres, one or several", received=heights)
    if margin < 0:
        raise InputError("margin", must="a number of pixels, zero or more", received=margin)
    frame = Frame(shape=grid.shape[1:], margin=margin)
    totals = [frame.empty_spectrum(3) for _ in planes]
    for layer, z in enumerate(grid.coordinate("z")):
        sources = {i: frame.spectrum(values[i, layer]) for i in range(3) if values[i, layer].any()}
        if sources:
            for total, plane in zip(totals, planes, strict=True):
                layer_field(total, sources, frame, grid, _snapped(plane - z, grid.spacing[0]))
    images = np.stack([mu_0 * frame.image(total) for total in totals])
    return field_on_planes(images, grid, heights=heights, margin=margin, name="magnetic_field", units="T")


def _snapped(z: float, thickness: float) -> float:
    """Put a plane that rounding moved off a layer's face back on it."""
    return float(np.copysign(thickness / 2, z)) if abs(abs(z) - thickness / 2) < 1e-9 * thickness else float(z)


def _octant(frame: Frame, grid: Grid, z: float) -> dict[str, Any]:
    (dz, dy, dx), (rows, columns) = grid.spacing, frame.reach
    return {"x": dx * np.arange(columns + 1), "y": dy * np.arange(rows + 1), "z": z, "edges": (dx, dy, dz)}


def _magnetic_layer(total: Array, sources: dict[int, Array], frame: Frame, grid: Grid, z: float) -> None:
    from operando.magnetism.kernels import magnetic_kernel

    kernel = magnetic_kernel(**_octant(frame, grid, z))
    for element in sorted({_TENSOR[i][j] for i in range(3) for j in sources}):
        odd_y, odd_x = _ODD[element]
        spectrum = frame.octant_spectrum(kernel[element], odd_y=odd_y, odd_x=odd_x)
        for j, source in sources.items():
            for i in range(3):
                if _TENSOR[i][j] == element:
                    total[i] += spectrum * source


def _current_layer(total: Array, sources: dict[int, Array], frame: Frame, grid: Grid, z: float) -> None:
    from operando.magnetism.kernels import current_kernel

    kernel = current_kernel(**_octant(frame, grid, z))
    for k in {k for k in range(3) if set(sources) - {k}}:
        spectrum = frame.octant_spectrum(kernel[k], odd_y=k == 1, odd_x=k == 0)
        for j, source in sources.items():
            if j != k:
                # J x G: the component left over by j and k, positive where (j, k, i) runs x, y, z in turn
                i = 3 - j - k
                total[i] += (1 if (k - j) % 3 == 1 else -1) * spectrum * source

"""Ray-driven forward projection: Joseph's method through voxels, exact chords through cylinders.

The reconstruction gathers by Fourier transform or by voxel; here every ray is followed through a grid of its own,
so that an analysis of simulated data cannot succeed by symmetry. Kernels release the interpreter's lock and
write only their own output: projections may run in any number of threads and give the same bits.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]


def sheet_integrals(*, columns: Array, grid: Grid, angle: float, offsets: Array, radius: float) -> Array:
    """Integrate along parallel rays that stay in planes of constant z (Joseph's method).

    All heights share the ray's path in the plane, so one pass serves every z and every quantity.

    Parameters
    ----------
    columns:
        float32 ``(y, x, k)``, C-contiguous; ``k`` runs over heights and quantities alike [1/m].
    grid:
        Where the columns stand; only its y and x matter.
    angle:
        The sample's turn about z [rad]; the beam runs along ``(-sin, cos)``.
    offsets:
        Signed distance of each ray from the axis along ``(cos, sin)`` [m].
    radius:
        Beyond this distance from the axis the columns are taken as zero [m].

    Returns
    -------
    float32 ``(offset, k)``, dimensionless.
    """
    if columns.shape[:2] != grid.shape[1:]:
        raise InputError("columns", must=f"of shape {grid.shape[1:]} in (y, x)", received=columns.shape)
    integrals = np.zeros((len(offsets), columns.shape[2]), dtype=np.float32)
    _sheets(
        np.ascontiguousarray(columns, dtype=np.float32),
        np.asarray(grid.origin[1:], dtype=np.float64),
        np.asarray(grid.spacing[1:], dtype=np.float64),
        float(np.cos(angle)),
        float(np.sin(angle)),
        np.asarray(offsets, dtype=np.float64),
        float(radius),
        integrals,
    )
    return integrals


def ray_integrals(*, volume: Array, grid: Grid, origins: Array, directions: Array) -> Array:
    """Integrate along rays of any direction through several quantities at once (Joseph's method).

    Heights between the outermost voxel centres and the grid's faces read the outermost voxel: what continues
    beyond the grid, such as a pin, may be added exactly from there on.

    Parameters
    ----------
    volume:
        float32 ``(z, y, x, quantity)``, C-contiguous [1/m].
    origins, directions:
        ``(ray, 3)`` ordered (x, y, z) [m]; directions of length one that are not along z.

    Returns
    -------
    float32 ``(ray, quantity)``, dimensionless.
    """
    if volume.shape[:3] != grid.shape:
        raise InputError("volume", must=f"of shape {grid.shape} in (z, y, x)", received=volume.shape)
    integrals = np.zeros((len(origins), volume.shape[3]), dtype=np.float32)
    _rays(
        np.ascontiguousarray(volume, dtype=np.float32),
        np.asarray(grid.origin, dtype=np.float64),
        np.asarray(grid.spacing, dtype=np.float64),
        np.ascontiguousarray(origins, dtype=np.float64),
        np.ascontiguousarray(directions, dtype=np.float64),
        integrals,
    )
    return integrals


def cylinder_chords(*, origins: Array, directions: Array, radius: float, z_low: float, z_high: float) -> Array:
    """Path length of rays inside an upright cylinder about the axis, cut at two heights [m], ``(ray,)``."""
    ox, oy, oz = np.moveaxis(origins, -1, 0)
    dx, dy, dz = np.moveaxis(directions, -1, 0)
    a = dx**2 + dy**2
    b = ox * dx + oy * dy
    inside = b**2 - a * (ox**2 + oy**2 - radius**2)
    half = np.sqrt(np.maximum(inside, 0.0)) / a
    enter, leave = -b / a - half, -b / a + half
    level = np.abs(dz) < 1e-15
    steep = np.where(level, 1.0, dz)
    low, high = (z_low - oz) / steep, (z_high - oz) / steep
    enter = np.where(level, enter, np.maximum(enter, np.minimum(low, high)))
    leave = np.where(level, leave, np.minimum(leave, np.maximum(low, high)))
    outside = level & ((oz < z_low) | (oz >= z_high))
    return np.where(outside, 0.0, np.maximum(leave - enter, 0.0))


@nb.njit(nogil=True, cache=True, fastmath={"contract"})
def _sheets(columns, origin, spacing, cos, sin, offsets, radius, integrals):  # type: ignore[no-untyped-def]
    ny, nx, nk = columns.shape
    along_y = abs(cos) >= abs(sin)
    # In the frame of the leading axis: planes are crossed along it, the ray is interpolated across the other.
    if along_y:
        plane0, plane_step, planes, other0, other_step, others = origin[0], spacing[0], ny, origin[1], spacing[1], nx
        lead, side = cos, -sin
        foot_lead, foot_side = sin, cos
    else:
        plane0, plane_step, planes, other0, other_step, others = origin[1], spacing[1], nx, origin[0], spacing[0], ny
        lead, side = -sin, cos
        foot_lead, foot_side = cos, sin
    for r in range(len(offsets)):
        s = offsets[r]
        if abs(s) >= radius:
            continue
        half = np.sqrt(radius * radius - s * s) * abs(lead) + plane_step
        first = max(0, ceil((s * foot_lead - half - plane0) / plane_step))
        last = min(planes - 1, floor((s * foot_lead + half - plane0) / plane_step))
        total = integrals[r]
        for plane in range(first, last + 1):
            t = (plane0 + plane * plane_step - s * foot_lead) / lead
            across = (s * foot_side + t * side - other0) / other_step
            left = floor(across)
            weight = np.float32(across - left)
            for step in range(2):
                i = left + step
                w = weight if step == 1 else np.float32(1.0) - weight
                if 0 <= i < others and w > 0:
                    column = columns[plane, i] if along_y else columns[i, plane]
                    for k in range(nk):
                        total[k] += w * column[k]
        length = np.float32(plane_step / abs(lead))
        for k in range(nk):
            total[k] *= length


@nb.njit(nogil=True, cache=True, fastmath={"contract"})
def _rays(volume, origin, spacing, origins, directions, integrals):  # type: ignore[no-untyped-def]
    nz, ny, nx, nc = volume.shape
    for r in range(len(origins)):
        dx, dy, dz = directions[r]
        if abs(dy) >= abs(dx):
            lead_axis, planes, others = 1, ny, nx
            lead, side, lead0, side0 = dy, dx, origins[r, 1], origins[r, 0]
        else:
            lead_axis, planes, others = 2, nx, ny
            lead, side, lead0, side0 = dx, dy, origins[r, 0], origins[r, 1]
        side_axis = 3 - lead_axis
        first, last = 0, planes - 1
        # Planes between which the ray stays within the grid's height, with half a voxel to each face.
        rise = dz / lead * spacing[lead_axis] / spacing[0]
        at_zero = (origins[r, 2] + (origin[lead_axis] - lead0) / lead * dz - origin[0]) / spacing[0]
        slide = side / lead * spacing[lead_axis] / spacing[side_axis]
        side_at_zero = (side0 + (origin[lead_axis] - lead0) / lead * side - origin[side_axis]) / spacing[side_axis]
        first, last = _clipped(first, last, at_zero, rise, -0.5, nz - 0.5)
        first, last = _clipped(first, last, side_at_zero, slide, -1.0, others)
        for plane in range(first, last + 1):
            height = min(max(at_zero + plane * rise, 0.0), nz - 1.0)
            low = min(floor(height), max(nz - 2, 0))
            up = height - low
            across = side_at_zero + plane * slide
            left = floor(across)
            aside = across - left
            for step in range(2):
                i = left + step
                if i < 0 or i >= others:
                    continue
                w = aside if step == 1 else 1.0 - aside
                lower = volume[low, plane, i] if lead_axis == 1 else volume[low, i, plane]
                for c in range(nc):
                    integrals[r, c] += np.float32(w * (1.0 - up)) * lower[c]
                if up > 0:
                    upper = volume[low + 1, plane, i] if lead_axis == 1 else volume[low + 1, i, plane]
                    for c in range(nc):
                        integrals[r, c] += np.float32(w * up) * upper[c]
        for c in range(nc):
            integrals[r, c] *= np.float32(spacing[lead_axis] / abs(lead))


@nb.njit(nogil=True, cache=True)
def _clipped(first, last, start, step, low, high):  # type: ignore[no-untyped-def]
    """Planes for which ``start + plane * step`` lies in [low, high)."""
    if abs(step) < 1e-12:
        return (first, last) if low <= start < high else (0, -1)
    a, b = (low - start) / step, (high - start) / step
    if a > b:
        a, b = b, a
    # A plane on the upper bound itself belongs to the neighbour; on a sloping ray this is one point of measure zero.
    return max(first, ceil(a)), min(last, floor(b))

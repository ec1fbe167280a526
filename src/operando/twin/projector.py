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


def fan_integrals(
    *,
    columns: Array,
    grid: Grid,
    angle: float,
    source_to_object: float,
    source_to_detector: float,
    across: Array,
    heights: Array,
    levels: Array,
    centre: tuple[float, float] = (0.0, 0.0),
    radius: float,
) -> Array:
    """Integrate along the rays of a point source to a flat detector, through several quantities (Joseph's method).

    The rays of one detector column lie in one upright plane: they share their path in (y, x) and differ in slope.
    Between the outermost voxel centres and the grid's faces the outermost voxel is read, so that what continues
    beyond the grid, such as a pin, may be added exactly from there on.

    Parameters
    ----------
    columns:
        float32 ``(y, x, k)``, C-contiguous [1/m]: the levels of each quantity, one quantity after the other, as
        `packed_levels` gives them; z = 0 lies in the plane of the source.
    across, heights:
        Where the rays meet the detector, along ``(cos, sin)`` and along z [m]; heights ascend evenly.
    levels:
        First and one past the last level along z of each quantity, ``(quantity, 2)``; it is zero beyond. Layers that
        lie on each other are followed at the cost of one.
    centre, radius:
        Beyond this distance from this place (x, y) the columns are taken as zero [m].

    Returns
    -------
    float32 ``(across, quantity, height)``, dimensionless.
    """
    nz, ny, nx = grid.shape
    wanted = (ny, nx, int(np.diff(levels, axis=1).sum()))
    if columns.shape != wanted:
        raise InputError("columns", must=f"of shape {wanted} in (y, x, k)", received=columns.shape)
    if len(heights) < 2:
        raise InputError("heights", must="two or more", received=len(heights))
    integrals = np.zeros((len(across), len(levels), len(heights)), dtype=np.float32)
    _fan(
        np.ascontiguousarray(columns, dtype=np.float32),
        np.asarray(grid.origin, dtype=np.float64),
        np.asarray(grid.spacing, dtype=np.float64),
        float(np.cos(angle)),
        float(np.sin(angle)),
        float(source_to_object),
        float(source_to_detector),
        np.asarray(across, dtype=np.float64),
        np.asarray(heights, dtype=np.float64),
        np.asarray(levels, dtype=np.int64),
        nz,
        (float(centre[0]), float(centre[1])),
        float(radius),
        integrals,
    )
    return integrals


def cylinder_crossing(*, origins: Array, directions: Array, radius: float) -> tuple[Array, Array]:
    """Distances along rays at which they enter and leave an endless upright cylinder about the axis [m].

    Parameters
    ----------
    origins, directions:
        ``(ray, 3)`` ordered (x, y, z) [m]; directions of length one that are not along z.

    Returns
    -------
    Two ``(ray,)``; both the nearest approach where a ray misses.
    """
    ox, oy, _ = np.moveaxis(origins, -1, 0)
    dx, dy, _ = np.moveaxis(directions, -1, 0)
    a = dx**2 + dy**2
    nearest = -(ox * dx + oy * dy) / a
    squared = (radius**2 - ox**2 - oy**2) / a + nearest**2
    half = np.sqrt(np.maximum(squared, 0.0))
    return nearest - half, nearest + half


def length_between(
    *, origins: Array, directions: Array, crossing: tuple[Array, Array], low: float, high: float
) -> Array:
    """Length of the part of a crossing that lies at heights from `low` to `high` [m], ``(ray,)``."""
    enter, leave = crossing
    rise = directions[..., 2]
    steep = np.where(np.abs(rise) < 1e-15, 1e-15, rise)
    first, second = (low - origins[..., 2]) / steep, (high - origins[..., 2]) / steep
    start = np.maximum(enter, np.minimum(first, second))
    length: Array = np.maximum(np.minimum(leave, np.maximum(first, second)) - start, 0.0)
    return length


def packed_levels(columns: Array) -> tuple[Array, Array]:
    """Keep of ``(y, x, quantity, z)`` the levels at which each quantity is not zero everywhere; see `fan_integrals`."""
    held: Array = np.asarray(np.count_nonzero(columns, axis=(0, 1)), dtype=bool)
    first = held.argmax(axis=1)
    last = held.shape[1] - held[:, ::-1].argmax(axis=1)
    levels: Array = np.where(held.any(axis=1, keepdims=True), np.stack([first, last], axis=1), 0)
    packed = np.concatenate([columns[:, :, c, low:high] for c, (low, high) in enumerate(levels)], axis=2)
    return np.ascontiguousarray(packed, dtype=np.float32), levels


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
def _fan(columns, origin, spacing, cos, sin, near, far, across, heights, levels, nz, centre, radius, integrals):  # type: ignore[no-untyped-def]
    ny, nx, _ = columns.shape
    nc, nr = len(levels), len(heights)
    line = np.zeros((nc, nz + 1), dtype=np.float32)
    level = heights.astype(np.float32)
    low = np.empty(nr, dtype=np.int32)
    share = np.empty(nr, dtype=np.float32)
    top = np.float32(nz - 1)
    one = np.uint32(1)  # unsigned: no check for indices that count from the end
    per_height = (nr - 1) / (heights[-1] - heights[0]) if nr > 1 else 0.0
    for u in range(len(across)):
        # The ray is source + fraction * (dx, dy), with fraction = 1 on the detector.
        dx, dy = -far * sin + across[u] * cos, far * cos + across[u] * sin
        along_y = abs(dy) >= abs(dx)
        if along_y:
            lead_axis, side_axis, planes, others = 1, 2, ny, nx
            lead, side, lead0, side0 = dy, dx, -near * cos, near * sin
        else:
            lead_axis, side_axis, planes, others = 2, 1, nx, ny
            lead, side, lead0, side0 = dx, dy, near * sin, -near * cos
        a = dx * dx + dy * dy
        ox, oy = near * sin - centre[0], -near * cos - centre[1]
        b = -(ox * dx + oy * dy)
        inside = b * b - a * (ox * ox + oy * oy - radius * radius)
        if inside <= 0:
            continue
        enter, leave = (b - np.sqrt(inside)) / a, (b + np.sqrt(inside)) / a
        ends = (lead0 + enter * lead - origin[lead_axis], lead0 + leave * lead - origin[lead_axis])
        first = max(0, floor(min(ends) / spacing[lead_axis]))
        last = min(planes - 1, ceil(max(ends) / spacing[lead_axis]))
        for plane in range(first, last + 1):
            fraction = (origin[lead_axis] + plane * spacing[lead_axis] - lead0) / lead
            position = (side0 + fraction * side - origin[side_axis]) / spacing[side_axis]
            left = floor(position)
            if left < -1 or left >= others:
                continue
            w = np.float32(position - left)
            for c in range(nc):
                line[c, levels[c, 0] : levels[c, 1]] = 0
            for step in range(2):
                i = left + step
                if 0 <= i < others:
                    weight = w if step == 1 else np.float32(1.0) - w
                    column = columns[plane, i] if along_y else columns[i, plane]
                    k = 0
                    for c in range(nc):
                        count = levels[c, 1] - levels[c, 0]
                        part, into = column[k : k + count], line[c, levels[c, 0] : levels[c, 1]]
                        for z in range(count):
                            into[z] += weight * part[z]
                        k += count
            slope, base = np.float32(fraction / spacing[0]), np.float32(origin[0] / spacing[0])
            for r in range(nr):
                height = min(max(slope * level[r] - base, np.float32(0.0)), top)
                low[r] = np.int32(height)
                share[r] = height - np.float32(low[r])
            for c in range(nc):
                if levels[c, 0] == levels[c, 1]:
                    continue
                held, total = line[c], integrals[u, c]
                held[nz] = held[nz - 1]
                # The rays that can read this quantity: one level beyond its own, but never beyond the grid.
                lowest = max(-0.5, levels[c, 0] - 1.0)
                highest = min(nz - 0.5, levels[c, 1] + 0.0)
                r0 = max(0, ceil(((lowest + base) / slope - heights[0]) * per_height))
                r1 = min(nr, ceil(((highest + base) / slope - heights[0]) * per_height))
                for r in range(r0, r1):
                    i = np.uint32(low[r])
                    total[r] += held[i] + share[r] * (held[i + one] - held[i])
        for r in range(nr):
            length = np.float32(spacing[lead_axis] / abs(lead) * np.sqrt(a + heights[r] * heights[r]))
            for c in range(nc):
                integrals[u, c, r] *= length

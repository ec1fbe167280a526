"""Particles on voxels: packed, shaped, and scaled together until they fill the fraction asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.cell.microstructure.packing import drawn_radii, packed_centres
from operando.cell.microstructure.shapes import Gauge
from operando.cell.microstructure.structure import resolved_axes
from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]
PRESSED = 0.95
"""Radii within which particles do not overlap when they are packed: beyond, contacts are pressed flat."""

DrawnShape = Callable[[int, np.random.Generator], Gauge]
"""Draws the shape of one particle in a number of dimensions."""

REACH = 1.8
"""Radii from its centre to which a particle may extend when all are scaled to fill the fraction."""


def particle_labels(
    *,
    grid: Grid,
    within: Array,
    fraction: float,
    diameter: float,
    spread: float,
    shape: DrawnShape,
    rng: np.random.Generator,
    whole_at: tuple[str, ...] = (),
) -> Array:
    """Fill a fraction of a region with particles.

    Every voxel belongs to the particle in whose radii it is nearest, and is solid if it is nearer than a scale common
    to all, chosen so that the fraction is met to a voxel. Where particles would overlap they share a flat contact. They
    are packed in a box larger than the region by a diameter, so that its sides cut them.

    Parameters
    ----------
    within:
        Region to fill, bool ``(z, y, x)``.
    fraction:
        Of the region's volume.
    diameter, spread:
        Mean diameter [m] and relative standard deviation, by number.
    whole_at:
        Sides of the region at which particles are not cut, such as ``("-x",)``.

    Returns
    -------
    Numbers from 1 in the order of x, 0 elsewhere, int32 ``(z, y, x)``. Less than `fraction` where particles are
    too few and too small to reach every part of the region.

    Raises
    ------
    InputError
        If the region is empty, or a particle is smaller than two voxels.
    """
    axes = resolved_axes(grid)
    _check(grid, within, fraction, diameter, axes)
    if fraction == 0:
        return np.zeros(grid.shape, dtype=np.int32)
    walls = np.array([[f"{side}{'zyx'[axis]}" in whole_at for axis in axes] for side in "-+"])
    lower, upper = _box(grid, within, axes)
    lower, upper = lower - np.where(walls[0], 0.0, diameter), upper + np.where(walls[1], 0.0, diameter)
    radii = drawn_radii(
        volume=fraction * float(np.prod(upper - lower)),
        diameter=diameter,
        spread=spread,
        dimension=len(axes),
        rng=rng,
    )
    centres = packed_centres(radii=PRESSED * radii, lower=lower, upper=upper, walls=walls, rng=rng)
    nearest, owner = _nearest_in_radii(grid, axes, centres, radii, [shape(len(axes), rng) for _ in radii])
    wanted = round(fraction * int(within.sum()))
    inside = np.sort(nearest[within])
    scale = inside[wanted] if wanted < inside.size else np.inf
    return _renumbered(np.where(within & (nearest < min(scale, REACH)), owner, 0), centres[:, axes.index(2)])


def _check(grid: Grid, within: Array, fraction: float, diameter: float, axes: tuple[int, ...]) -> None:
    if len(axes) < 2 or 2 not in axes:
        raise InputError("grid shape", must="more than one voxel along x and another axis", received=grid.shape)
    if not within.any():
        raise InputError("region", must="at least one voxel", received="none")
    if not 0 <= fraction < 1:
        raise InputError("fraction", must="zero or more and below 1 (100 %)", received=fraction)
    coarsest = max(grid.spacing[axis] for axis in axes)
    if diameter < 2 * coarsest:
        raise InputError(
            "diameter",
            must=f"at least two voxels ({2 * coarsest:g} m)",
            received=f"{diameter:g} m",
            remedy="Choose smaller voxels.",
        )


def _box(grid: Grid, within: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Corners of the smallest box around a region, along the resolved axes [m]."""
    lower, upper = [], []
    for axis in axes:
        others = tuple(a for a in range(3) if a != axis)
        filled = np.flatnonzero(within.any(axis=others))
        edge = grid.origin[axis] - grid.spacing[axis] / 2
        lower.append(edge + grid.spacing[axis] * filled[0])
        upper.append(edge + grid.spacing[axis] * (filled[-1] + 1))
    return np.array(lower), np.array(upper)


def _nearest_in_radii(
    grid: Grid, axes: tuple[int, ...], centres: Array, radii: Array, gauges: list[Gauge]
) -> tuple[Array, Array]:
    """Least distance of each voxel from a particle, in that particle's radii, and the particle's number from 1."""
    shape = tuple(grid.shape[axis] for axis in axes)
    nearest, owner = np.full(shape, np.inf), np.zeros(shape, dtype=np.int32)
    for number, (centre, radius, gauge) in enumerate(zip(centres, radii, gauges, strict=True), start=1):
        window = tuple(
            slice(*np.searchsorted(grid.coordinate("zyx"[axis]), [middle - REACH * radius, middle + REACH * radius]))
            for axis, middle in zip(axes, centre, strict=True)
        )
        steps = [grid.coordinate("zyx"[axis])[cut] for axis, cut in zip(axes, window, strict=True)]
        offset = np.stack(np.meshgrid(*steps, indexing="ij")) - centre.reshape(-1, *[1] * len(axes))
        distance = gauge(offset / radius)
        closer = distance < nearest[window]
        nearest[window][closer] = distance[closer]
        owner[window][closer] = number
    return nearest.reshape(grid.shape), owner.reshape(grid.shape)


def _renumbered(owner: Array, along_x: Array) -> Array:
    """Number the particles that are there from 1, in the order of their centres along x."""
    there = np.unique(owner)
    there = there[there > 0]
    numbers = np.zeros(len(along_x) + 1, dtype=np.int32)
    numbers[there[np.argsort(along_x[there - 1], kind="stable")]] = np.arange(1, there.size + 1)
    return numbers[owner]

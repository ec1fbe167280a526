"""Grains of a polycrystal: cells of points that keep their distance, and the network of their boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import Voronoi, cKDTree

from operando.cell.microstructure.packing import ball_volume, packed_centres
from operando.cell.microstructure.structure import resolved_axes
from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]

DENSITY = 0.5
"""Share of space that balls around the points fill: what makes grains alike in size, though no lattice."""


@dataclass(frozen=True)
class GrainNetwork:
    """Lines along which grains meet: boundaries of a plane section, triple lines in three dimensions.

    Attributes
    ----------
    nodes:
        Where lines meet ``(n, d)``, along the resolved axes of ``(z, y, x)`` [m].
    edges:
        Pairs of nodes ``(m, 2)``.
    """

    nodes: Array
    edges: Array

    def within(self, *, lower: Array, upper: Array) -> GrainNetwork:
        """Keep the nodes in a box ``(d,)`` [m] and the lines between them."""
        inside = np.asarray(((self.nodes >= lower) & (self.nodes <= upper)).all(axis=1))
        number = np.cumsum(inside) - 1
        return GrainNetwork(nodes=self.nodes[inside], edges=number[self.edges[inside[self.edges].all(axis=1)]])


def grain_points(*, grid: Grid, size: float, rng: np.random.Generator) -> Array:
    """Draw the points whose cells are the grains, in and around a grid, ``(n, d)`` along its resolved axes [m].

    Parameters
    ----------
    size:
        Diameter of the ball (disc) of a grain's mean volume (area) [m].

    Raises
    ------
    InputError
        If a grain is smaller than two voxels.
    """
    axes = resolved_axes(grid)
    coarsest = max(grid.spacing[axis] for axis in axes)
    if size < 2 * coarsest:
        raise InputError("grain size", must=f"at least two voxels ({2 * coarsest:g} m)", received=f"{size:g} m")
    start = np.array([grid.origin[axis] - grid.spacing[axis] / 2 for axis in axes])
    length = np.array([grid.spacing[axis] * grid.shape[axis] for axis in axes])
    lower, upper = start - 2 * size, start + length + 2 * size
    count = round(float(np.prod(upper - lower) / ball_volume(radius=size / 2, dimension=len(axes))))
    radii = np.full(count, size / 2 * DENSITY ** (1 / len(axes)))
    return packed_centres(radii=radii, lower=lower, upper=upper, walls=np.zeros((2, len(axes)), dtype=bool), rng=rng)


def grain_labels(*, grid: Grid, within: Array, points: Array) -> Array:
    """Number the grain of each voxel of a region, that of the nearest point, from 1; 0 elsewhere; int32."""
    axes = resolved_axes(grid)
    at = np.nonzero(within)
    where = np.stack([grid.coordinate("zyx"[axis])[at[axis]] for axis in axes], axis=1)
    labels = np.zeros(grid.shape, dtype=np.int32)
    if len(where):
        _, nearest = cKDTree(points).query(where)
        labels[at] = np.unique(nearest, return_inverse=True)[1] + 1
    return labels


def grain_network(points: Array) -> GrainNetwork:
    """Find the lines along which the cells of points meet."""
    cells = Voronoi(points)
    edges = {
        (min(a, b), max(a, b))
        for ridge in cells.ridge_vertices
        for a, b in zip(ridge, [*ridge[1:], ridge[0]], strict=True)
        if a >= 0 and b >= 0 and a != b
    }
    return GrainNetwork(nodes=cells.vertices, edges=np.array(sorted(edges), dtype=int).reshape(-1, 2))

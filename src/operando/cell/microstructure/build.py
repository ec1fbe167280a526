"""From a described scene to voxels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.cell.microstructure.dendrite import dendrite_lines, line_mask
from operando.cell.microstructure.grains import grain_labels, grain_network, grain_points
from operando.cell.microstructure.particles import particle_labels
from operando.cell.microstructure.shapes import (
    Gauge,
    random_polyhedron,
    random_turn,
    sphere_gauge,
    superellipsoid_gauge,
)
from operando.cell.microstructure.structure import STRUCTURE_LABEL, Microstructure, resolved_axes, section_grid
from operando.cell.scene import Dendrite, Population, Scene, Shape
from operando.frames import Grid

Array = npt.NDArray[Any]

FEATURES = ("particles", "grains", "separator voids", "electrode voids", "dendrite")
"""What is drawn at random, in the order of the streams of random numbers."""


def microstructure_from_scene(scene: Scene) -> Microstructure:
    """Put a scene on voxels; the same scene gives the same voxels.

    Each feature draws from a stream of its own: adding a dendrite leaves particles and grains where they are.

    Raises
    ------
    InputError
        If a feature is smaller than two voxels, or grain boundaries do not lead where the dendrite shall go.
    """
    grid, layer = _layers(scene)
    streams = {name: np.random.default_rng([scene.seed, i]) for i, name in enumerate(FEATURES)}
    phase = np.full(grid.shape, STRUCTURE_LABEL["electrolyte"], dtype=np.uint8)
    particle = _fill(grid, layer == 2, scene.positive.particles, streams["particles"], whole_at=("-x",))
    phase[particle > 0] = STRUCTURE_LABEL["active"]
    points = grain_points(grid=grid, size=scene.electrolyte.grain_size, rng=streams["grains"])
    for number, part, name in ((1, scene.separator, "separator voids"), (2, scene.positive, "electrode voids")):
        if part.voids:
            region = (layer == number) & (phase == STRUCTURE_LABEL["electrolyte"])
            phase[_fill(grid, region, part.voids, streams[name]) > 0] = STRUCTURE_LABEL["void"]
    if scene.separator.dendrite:
        metal = _dendrite(scene, scene.separator.dendrite, grid, points, streams["dendrite"])
        phase[metal & (layer == 1)] = STRUCTURE_LABEL["lithium"]
    phase[layer == 0] = STRUCTURE_LABEL["lithium"]
    grain = grain_labels(grid=grid, within=phase == STRUCTURE_LABEL["electrolyte"], points=points)
    return Microstructure(grid=grid, phase=phase, particle=particle, grain=grain)


def _layers(scene: Scene) -> tuple[Grid, Array]:
    """Grid, and the number of the layer that each voxel lies in: 0, 1, 2 from the negative electrode."""
    section, voxel = scene.section, scene.section.voxel
    ends = [round(float(end) / voxel) for end in np.cumsum(scene.layers)]
    ny = round(section.width / voxel)
    nz, dz = (1, section.depth) if section.dimensions == 2 else (max(round(section.depth / voxel), 1), voxel)
    grid = section_grid(shape=(nz, ny, ends[-1]), spacing=(dz, voxel, voxel))
    return grid, np.broadcast_to(np.searchsorted(ends, np.arange(ends[-1]), side="right"), grid.shape)


def _fill(
    grid: Grid, within: Array, population: Population, rng: np.random.Generator, whole_at: tuple[str, ...] = ()
) -> Array:
    return particle_labels(
        grid=grid,
        within=within,
        fraction=population.fraction,
        diameter=population.diameter,
        spread=population.spread,
        shape=partial(_gauge, population.shape),
        rng=rng,
        whole_at=whole_at,
    )


def _gauge(shape: Shape, dimension: int, rng: np.random.Generator) -> Gauge:
    if shape.kind == "polyhedron":
        return random_polyhedron(dimension=dimension, faces=shape.faces, rng=rng)
    if shape.kind == "superellipsoid":
        turn = random_turn(dimension=dimension, rng=rng)
        return superellipsoid_gauge(aspect=shape.aspect, exponent=shape.exponent, turn=turn)
    return sphere_gauge


def _dendrite(scene: Scene, dendrite: Dendrite, grid: Grid, points: Array, rng: np.random.Generator) -> Array:
    root = np.array([-dendrite.depth, dendrite.position, scene.negative.thickness])
    tips = np.tile(root, (dendrite.tips, 1))
    tips[:, 1] += dendrite.fan * (np.arange(dendrite.tips) - (dendrite.tips - 1) / 2) / max(dendrite.tips - 1, 1)
    # one tip reaches the full length, the others fall short at random
    tips[:, 2] += dendrite.length * rng.permutation([1.0, *rng.uniform(0.6, 0.95, dendrite.tips - 1)])
    axes = list(resolved_axes(grid))
    # branches keep clear of both electrodes; a boundary that runs in the surface or a side wall may be one
    clear = np.array([0.0, 0.0, dendrite.width / 2])
    lower = np.array([-scene.section.depth, 0.0, root[2]]) + clear
    upper = np.array([0.0, scene.section.width, root[2] + scene.separator.thickness]) - clear
    network = grain_network(points).within(lower=lower[axes], upper=upper[axes])
    lines = dendrite_lines(
        network=network,
        root=root[axes],
        tips=tips[:, axes],
        hardness=partial(_hardness_off_depth, depth=dendrite.depth) if len(axes) == 3 else None,
    )
    return line_mask(grid=grid, lines=lines, width=dendrite.width)


def _hardness_off_depth(middles: Array, *, depth: float) -> Array:
    """Make ways that keep to a depth easier than detours up and down, though never impossible."""
    return np.asarray(1 + np.abs(middles[:, 0] + depth) / depth)

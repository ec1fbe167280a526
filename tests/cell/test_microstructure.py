from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats import qmc

from operando.cell.microstructure.connectivity import connectivity_of, joined_to, particle_tops, particle_volumes
from operando.cell.microstructure.dendrite import dendrite_lines, line_mask
from operando.cell.microstructure.grains import GrainNetwork, grain_labels, grain_network, grain_points
from operando.cell.microstructure.packing import ball_volume, drawn_radii, packed_centres
from operando.cell.microstructure.particles import particle_labels
from operando.cell.microstructure.shapes import (
    polyhedron_gauge,
    random_polyhedron,
    random_turn,
    sphere_gauge,
    superellipsoid_gauge,
)
from operando.cell.microstructure.structure import Microstructure, section_grid
from operando.errors import InputError


def volume_inside(gauge, dimension, samples=2**17):
    points = 4 * qmc.Sobol(dimension, seed=0).random(samples).T - 2
    return 4**dimension * (gauge(points) < 1).mean()


def spheres(dimension, rng):
    return sphere_gauge


def test_surface_of_the_imaged_section_is_z_zero():
    grid = section_grid(shape=(4, 3, 2), spacing=(2.0, 1.0, 1.0))
    assert grid.coordinate("z")[-1] + 1.0 == 0.0
    assert grid.coordinate("x")[0] == 0.5


@pytest.mark.parametrize("dimension", [2, 3])
def test_superellipsoids_have_the_volumes_of_balls_and_boxes(dimension):
    turn = random_turn(dimension=dimension, rng=np.random.default_rng(1))
    ellipsoid = superellipsoid_gauge(aspect=2.0, exponent=2.0, turn=turn)
    assert volume_inside(ellipsoid, dimension) == pytest.approx(ball_volume(radius=1.0, dimension=dimension), rel=0.01)
    box = superellipsoid_gauge(aspect=1.0, exponent=60.0, turn=np.eye(dimension))
    assert volume_inside(box, dimension) == pytest.approx(2.0**dimension, rel=0.02)


def test_cube_is_a_polyhedron():
    normals = np.vstack([np.eye(3), -np.eye(3)])
    gauge = polyhedron_gauge(normals=normals, distances=np.full(6, 0.5))
    assert gauge(np.array([0.5, 0.2, -0.1])) == pytest.approx(1.0)
    assert volume_inside(gauge, 3) == pytest.approx(1.0, rel=0.02)


@given(st.integers(2, 3), st.integers(0, 10_000))
def test_gauges_grow_with_distance_and_polyhedra_are_closed(dimension, seed):
    rng = np.random.default_rng(seed)
    gauge = random_polyhedron(dimension=dimension, faces=9 if dimension == 2 else 14, rng=rng)
    directions = rng.standard_normal((dimension, 200))
    directions /= np.linalg.norm(directions, axis=0)
    assert gauge(3 * directions) == pytest.approx(3 * gauge(directions))
    assert gauge(directions).min() > 0.3  # closed: no direction leaves it


@given(st.integers(2, 3), st.integers(0, 10_000), st.floats(0.0, 0.4))
def test_drawn_balls_fill_the_volume(dimension, seed, spread):
    rng = np.random.default_rng(seed)
    radii = drawn_radii(volume=500.0, diameter=1.0, spread=spread, dimension=dimension, rng=rng)
    assert ball_volume(radius=radii, dimension=dimension).sum() == pytest.approx(500.0, rel=0.02)


def test_drawn_balls_have_the_distribution_asked_for():
    radii = drawn_radii(volume=20_000.0, diameter=2.0, spread=0.3, dimension=3, rng=np.random.default_rng(3))
    assert 2 * radii.mean() == pytest.approx(2.0, rel=0.02)
    assert radii.std() / radii.mean() == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize(("dimension", "fraction"), [(2, 0.7), (3, 0.5)])
def test_packed_balls_do_not_overlap_below_jamming(dimension, fraction):
    rng = np.random.default_rng(5)
    upper = np.full(dimension, 10.0)
    count = int(fraction * 10.0**dimension / ball_volume(radius=0.5, dimension=dimension))
    walls = np.ones((2, dimension), dtype=bool)
    centres = packed_centres(radii=np.full(count, 0.5), lower=np.zeros(dimension), upper=upper, walls=walls, rng=rng)
    assert pdist(centres).min() > 0.97
    assert centres.min() >= 0.5
    assert centres.max() <= 9.5


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.55, 0.8])
@pytest.mark.parametrize("shape", [(1, 60, 50), (20, 25, 30)])
def test_fraction_is_met_to_a_voxel(fraction, shape):
    grid = section_grid(shape=shape, spacing=(1.0, 1.0, 1.0))
    within = np.zeros(shape, dtype=bool)
    within[:, :, 5:] = True
    rng = np.random.default_rng(2)
    labels = particle_labels(
        grid=grid, within=within, fraction=fraction, diameter=8.0, spread=0.2, shape=spheres, rng=rng
    )
    assert (labels > 0).sum() == pytest.approx(fraction * within.sum(), abs=1)
    assert (labels[~within] == 0).all()
    assert set(np.unique(labels)) - {0} == set(range(1, labels.max() + 1))


def test_few_particles_are_spheres_of_the_diameter_asked_for():
    grid = section_grid(shape=(60, 60, 60), spacing=(1.0, 1.0, 1.0))
    inner = np.zeros(grid.shape, dtype=bool)
    inner[:] = True
    whole = ("-x", "+x", "-y", "+y", "-z", "+z")
    labels = particle_labels(
        grid=grid,
        within=inner,
        fraction=0.1,
        diameter=16.0,
        spread=0.0,
        shape=spheres,
        rng=np.random.default_rng(0),
        whole_at=whole,
    )
    sizes = np.bincount(labels.ravel())[1:]
    assert sizes.size == round(0.1 * 60**3 / (math.pi / 6 * 16**3))
    assert sizes == pytest.approx(math.pi / 6 * 16**3, rel=0.06)  # the fraction asked for is no whole number of balls
    assert not labels[:, :, 0].any()


def test_sides_cut_particles_unless_they_stay_whole():
    grid = section_grid(shape=(1, 200, 60), spacing=(1.0, 1.0, 1.0))
    within = np.ones(grid.shape, dtype=bool)
    place = partial(particle_labels, grid=grid, within=within, fraction=0.4, diameter=12.0, spread=0.1, shape=spheres)
    labels = place(rng=np.random.default_rng(1), whole_at=("-x",))
    assert (labels[:, :, -1] > 0).mean() > 0.2
    assert (labels[:, :, 0] > 0).mean() < 0.1


def test_unreachable_fraction_is_refused_or_reported():
    grid = section_grid(shape=(1, 20, 20), spacing=(1.0, 1.0, 1.0))
    within = np.ones(grid.shape, dtype=bool)
    place = partial(particle_labels, grid=grid, within=within, spread=0.1, shape=spheres, rng=np.random.default_rng(1))
    with pytest.raises(InputError, match="at least two voxels"):
        place(fraction=0.4, diameter=1.0)
    with pytest.raises(InputError, match="below 1"):
        place(fraction=1.0, diameter=5.0)
    with pytest.raises(InputError, match="region"):
        particle_labels(
            grid=grid,
            within=~within,
            fraction=0.2,
            diameter=5.0,
            spread=0.0,
            shape=spheres,
            rng=np.random.default_rng(1),
        )


@pytest.mark.parametrize("shape", [(1, 200, 200), (40, 40, 40)])
def test_grains_have_the_size_asked_for(shape):
    grid = section_grid(shape=shape, spacing=(1.0, 1.0, 1.0))
    size = 16.0 if shape[0] == 1 else 10.0
    points = grain_points(grid=grid, size=size, rng=np.random.default_rng(4))
    labels = grain_labels(grid=grid, within=np.ones(shape, dtype=bool), points=points)
    axes = [i for i in range(3) if shape[i] > 1]
    low, high = ([grid.coordinate("zyx"[i])[end] for i in axes] for end in (0, -1))
    inside = ((points >= low) & (points <= high)).all(axis=1).sum()
    mean = np.prod(shape) / inside
    assert mean == pytest.approx(ball_volume(radius=size / 2, dimension=len(axes)), rel=0.15)
    assert labels.min() == 1
    assert labels.max() == np.unique(labels).size


def test_nodes_of_the_network_lie_where_grains_meet():
    rng = np.random.default_rng(6)
    points = rng.uniform(0, 10, (300, 3))
    network = grain_network(points).within(lower=np.full(3, 2.0), upper=np.full(3, 8.0))
    distances = np.sort(np.linalg.norm(network.nodes[:, None] - points, axis=2), axis=1)
    assert distances[:, 3] == pytest.approx(distances[:, 0])  # four grains meet in a node
    middle = network.nodes[network.edges].mean(axis=1)
    distances = np.sort(np.linalg.norm(middle[:, None] - points, axis=2), axis=1)
    assert distances[:, 2] == pytest.approx(distances[:, 0])  # and three along a line


def test_dendrite_takes_the_shortest_way():
    nodes = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, -0.2], [2.0, 0.0], [9.0, 9.0]])
    network = GrainNetwork(nodes=nodes, edges=np.array([[0, 1], [1, 3], [0, 2], [2, 3]]))
    lines = dendrite_lines(network=network, root=np.array([-1.0, 0.0]), tips=np.array([[2.0, 0.1]]))
    assert np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1).sum() == pytest.approx(1 + 2 * math.hypot(1, 0.2))
    with pytest.raises(InputError, match="led to its tips"):
        dendrite_lines(network=network, root=np.array([-1.0, 0.0]), tips=np.array([[9.0, 9.0]]))


def test_line_has_its_width():
    grid = section_grid(shape=(40, 40, 60), spacing=(0.5, 0.5, 0.5))
    lines = np.array([[[-10.0, 10.0, 5.0], [-10.0, 10.0, 25.0]]])
    mask = line_mask(grid=grid, lines=lines, width=6.0)
    assert mask.sum() * 0.125 == pytest.approx(math.pi * 9 * 20 + math.pi / 6 * 6**3, rel=0.02)
    with pytest.raises(InputError, match="at least two voxels"):
        line_mask(grid=grid, lines=lines, width=0.6)


def blocks(**labels):
    """Structure of one row along x from labels per voxel."""
    phase = np.array(labels["phase"], dtype=np.uint8).reshape(1, 1, -1)
    grid = section_grid(shape=phase.shape, spacing=(1.0, 1.0, 1.0))
    particle = np.where(phase == 2, np.cumsum(np.diff(phase, prepend=0) > 0, axis=2), 0)
    return Microstructure(grid=grid, phase=phase, particle=particle, grain=(phase == 1).astype(int))


def test_connectivity_tells_what_is_cut_off():
    row = blocks(phase=[3, 1, 1, 0, 1, 2])
    report = connectivity_of(row)
    assert report.electrolyte_connected == pytest.approx(2 / 3)
    assert report.active_connected == 1.0
    assert report.active_wetted == 0.0
    assert not report.shorted
    assert report.fractions["void"] == pytest.approx(1 / 6)
    assert connectivity_of(blocks(phase=[3, 1, 3, 2])).shorted
    assert connectivity_of(blocks(phase=[3, 1, 3, 1, 2])).lithium_connected == 0.5


def test_diagonal_neighbours_are_not_joined():
    mask = np.eye(3, dtype=bool)[None]
    start = np.zeros_like(mask)
    start[0, 0, 0] = True
    assert joined_to(mask, start).sum() == 1


def test_particles_know_their_volume_and_depth():
    phase = np.ones((4, 1, 3), dtype=np.uint8)
    phase[3, 0, 0] = phase[1, 0, 2] = phase[0, 0, 2] = 2
    grid = section_grid(shape=phase.shape, spacing=(2.0, 1.0, 1.0))
    particle = np.zeros(phase.shape, dtype=np.int32)
    particle[3, 0, 0], particle[:2, 0, 2] = 1, 2
    structure = Microstructure(grid=grid, phase=phase, particle=particle, grain=(phase == 1).astype(int))
    assert particle_volumes(structure) == pytest.approx([2.0, 4.0])
    assert particle_tops(structure) == pytest.approx([0.0, 4.0])
    assert (connectivity_of(structure).cut, connectivity_of(structure).buried) == (1, 1)


def test_labels_that_contradict_each_other_are_refused():
    structure = blocks(phase=[3, 1, 2])
    with pytest.raises(InputError, match="particle labels"):
        Microstructure(
            grid=structure.grid, phase=structure.phase, particle=structure.particle * 0, grain=structure.grain
        )
    with pytest.raises(InputError, match="phase labels"):
        Microstructure(
            grid=structure.grid, phase=structure.phase + 9, particle=structure.particle, grain=structure.grain
        )
    with pytest.raises(InputError, match="phase must"):
        structure.mask("cathode")
    assert set(structure.dataset()) == {"phase", "particle", "grain"}


def test_dendrite_avoids_hard_ways():
    nodes = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, -0.2], [2.0, 0.0]])
    network = GrainNetwork(nodes=nodes, edges=np.array([[0, 1], [1, 3], [0, 2], [2, 3]]))
    lines = dendrite_lines(
        network=network,
        root=np.array([-1.0, 0.0]),
        tips=np.array([[2.0, 0.1]]),
        hardness=lambda middles: np.where(middles[:, 1] < 0, 10.0, 1.0),
    )
    assert lines[:, :, 1].min() == 0.0

"""Resistance of grain boundaries on voxels against their true area, in planes and in polycrystals."""

import numpy as np
import pytest
from scipy.spatial import Voronoi, cKDTree

from operando.electrochemistry.conduction import Electrode, solve_conduction
from operando.electrochemistry.finite_volume import face_areas
from operando.electrochemistry.grain_boundaries import inverse_shares, resistances_between_grains
from operando.frames import Grid

CONDUCTIVITY = 0.05


def resistance(grains, boundary, *, voxel=1e-7):
    """Of a block of grains between its sides -x and +x [Ohm m^2]."""
    grid = Grid(shape=grains.shape, spacing=(voxel, voxel, voxel), origin=(0.0, 0.0, 0.0))
    found = solve_conduction(
        grid.array(np.full(grid.shape, CONDUCTIVITY), name="conductivity", units="S/m"),
        electrodes={"left": Electrode(1.0, side="-x"), "right": Electrode(0.0, side="+x")},
        contact_resistance=resistances_between_grains(grains=grains, resistance=boundary, spacing=grid.spacing),
        grid=grid,
    )
    return grid.shape[0] * grid.shape[1] * voxel**2 / found.current["left"]


def halves(slope, size):
    """Two grains of a section, parted by a plane ``x = slope y``."""
    y, x = np.mgrid[:size, : 2 * size] + 0.5
    return np.where(x - size + 0.25 < slope * (y - size / 2), 1, 2)[None]


# a plane of area A / cos has the resistance R cos; uncorrected faces give R / (1 + slope) at every resolution
@pytest.mark.parametrize("slope", [0.0, 0.25, 0.5, 2 / 3, 1.0])
def test_an_inclined_boundary_has_the_resistance_of_its_true_area(slope):
    size, boundary = 64, 1e-2
    added = resistance(halves(slope, size), boundary) - 2 * size * 1e-7 / CONDUCTIVITY
    assert added / boundary == pytest.approx(1 / np.hypot(1, slope), rel=0.015)


def test_a_diagonal_boundary_in_a_volume_has_the_resistance_of_its_true_area():
    z, y, x = np.mgrid[:32, :32, :64] + 0.5
    grains = np.where(x - 31.75 < y + z - 32, 1, 2)
    boundary = 1e-2
    added = resistance(grains, boundary) - 64e-7 / CONDUCTIVITY
    assert added / boundary == pytest.approx(1 / np.sqrt(3), rel=0.02)  # uncorrected: 0.34


def test_a_small_boundary_is_found_to_within_half_a_voxel_of_bulk():
    """Half voxels in series with a staircase of resistances are a longer way than those before a plane."""
    length = 3.2e-6
    boundary, errors = 0.1 * length / CONDUCTIVITY, []
    for size in (32, 64, 128):
        voxel = length / size
        added = resistance(halves(1.0, size), boundary, voxel=voxel) - 2 * length / CONDUCTIVITY
        errors.append(added - boundary / np.sqrt(2))
        assert 0 < errors[-1] < 0.55 * voxel / CONDUCTIVITY
    assert errors[1] < 0.6 * errors[0]
    assert errors[2] < 0.6 * errors[1]


def polycrystal(seed, *, count, size):
    """Grains of random seeds in a square of `size`, and the true length between each two of them."""
    points = np.random.default_rng(seed).uniform(0, size, (count, 2))
    mirrored = [points]
    for axis in (0, 1):
        for wall in (0.0, size):
            copy = points.copy()
            copy[:, axis] = 2 * wall - copy[:, axis]
            mirrored.append(copy)
    cells = Voronoi(np.concatenate(mirrored))
    lengths = np.zeros((count, count))
    for (a, b), ends in zip(cells.ridge_points, cells.ridge_vertices, strict=True):
        if max(a, b) < count:
            lengths[a, b] = lengths[b, a] = np.linalg.norm(np.diff(cells.vertices[ends], axis=0))
    y, x = np.mgrid[:size, :size] + 0.5
    _, grains = cKDTree(points).query(np.stack([x.ravel(), y.ravel()], axis=1))
    return grains.reshape(1, size, size) + 1, lengths


@pytest.mark.parametrize("seed", [0, 1])
def test_a_polycrystal_conducts_as_the_network_of_its_grains(seed):
    """With large resistances each grain is at one potential, and boundaries of known length are the resistors."""
    size, boundary, voxel = 200, 10.0, 1e-7
    grains, lengths = polycrystal(seed, count=60, size=size)
    left, right = np.unique(grains[0, :, 0]) - 1, np.unique(grains[0, :, -1]) - 1
    held = np.zeros(len(lengths), dtype=bool)
    held[left] = held[right] = True
    potential = np.zeros(len(lengths))
    potential[left] = 1.0
    laplacian = np.diag(lengths.sum(axis=1)) - lengths
    free = ~held
    potential[free] = np.linalg.solve(laplacian[np.ix_(free, free)], -laplacian[np.ix_(free, held)] @ potential[held])
    true = size * boundary / (laplacian @ potential)[left].sum()
    assert resistance(grains, boundary, voxel=voxel) == pytest.approx(true, rel=0.01)
    areas = np.zeros_like(lengths)
    for axis, inverse in enumerate(inverse_shares(grains=grains, spacing=(1.0, 1.0, 1.0))):
        inner = np.moveaxis(inverse, axis, 0)[1:-1]
        moved = np.moveaxis(grains, axis, 0)
        met = inner > 0
        np.add.at(areas, (moved[:-1][met] - 1, moved[1:][met] - 1), 1 / inner[met])
    assert areas.sum() == pytest.approx(lengths.sum() / 2, rel=0.01)


def test_stretched_voxels_give_the_same_boundary():
    spacing = (1.0, 0.5, 0.8)
    z, y, x = ((np.arange(n) + 0.5) * s for n, s in zip((40, 80, 50), spacing, strict=True))
    normal = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    plane = normal[0] * (z[:, None, None] - 20) + normal[1] * (y[:, None] - 20) + normal[2] * (x - 20)
    found = inverse_shares(grains=np.where(plane < 0, 1, 2), spacing=spacing)
    inside = (slice(10, 30), slice(20, 60), slice(None))  # the plane leaves this block through x alone
    area = sum(
        float(np.divide(1, f[inside], out=np.zeros(f[inside].shape), where=f[inside] > 0).sum()) * a
        for f, a in zip(found, face_areas(spacing), strict=True)
    )
    assert area == pytest.approx(20 * 20 / normal[2], rel=0.04)


def test_no_grain_has_no_boundary_and_grains_along_the_grid_count_whole():
    grains = np.array([1, 1, 1, 2, 2, 0, 4, 4, 7]).reshape(1, 1, -1)
    found = inverse_shares(grains=grains, spacing=(1.0, 2.0, 3.0))
    assert found.x.ravel() == pytest.approx([0, 0, 0, 1, 0, 0, 0, 0, 1, 0])
    assert not found.y.any()
    assert not found.z.any()
    assert not inverse_shares(grains=np.ones((1, 1, 5), dtype=int), spacing=(1.0, 2.0, 3.0)).x.any()

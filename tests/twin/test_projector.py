import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.frames import centred_grid
from operando.twin.projector import cylinder_crossing, fan_integrals, length_between, packed_levels, sheet_integrals

angles = st.floats(-10.0, 10.0)


def smooth_disc(grid, radius, centre=(0.0, 0.0)):
    """Share of each voxel inside a circle, from 8 x 8 points: free of the staircase of whole voxels."""
    dy = grid.spacing[1] * (np.arange(8) - 3.5) / 8
    y = (grid.coordinate("y")[:, None] + dy).reshape(-1, 1) - centre[1]
    x = (grid.coordinate("x")[:, None] + dy).reshape(1, -1) - centre[0]
    inside = (x**2 + y**2 < radius**2).astype(float)
    return inside.reshape(grid.shape[1], 8, grid.shape[2], 8).mean(axis=(1, 3))


@given(angle=angles)
def test_parallel_rays_see_an_off_centre_cylinder_at_its_exact_chords(angle):
    grid = centred_grid(shape=(1, 80, 90), spacing=0.05)
    radius, centre = 1.1, (0.35, -0.4)
    disc = smooth_disc(grid, radius, centre)
    s = np.linspace(-1.9, 1.9, 301)
    got = sheet_integrals(columns=disc[..., None].astype(np.float32), grid=grid, angle=angle, offsets=s, radius=10.0)[
        :, 0
    ]
    away = s - (centre[0] * np.cos(angle) + centre[1] * np.sin(angle))
    exact = 2 * np.sqrt(np.maximum(radius**2 - away**2, 0))
    inner = np.abs(away) < radius - 0.15
    assert np.abs(got - exact)[inner].max() < 0.04  # under one voxel on a chord of 44
    assert np.abs(got - exact)[inner].mean() < 0.005
    assert np.trapezoid(got, s) == pytest.approx(np.pi * radius**2, rel=2e-3)
    assert got[np.abs(away) > radius + 0.08].max(initial=0.0) == 0.0


@given(angle=angles, seed=st.integers(0, 99))
def test_a_fan_from_far_away_is_a_sheet(angle, seed):
    rng = np.random.default_rng(seed)
    grid = centred_grid(shape=(3, 14, 11), spacing=0.1, z_start=-0.15)
    columns = rng.random((14, 11, 2, 3), dtype=np.float32)
    s = np.linspace(-0.5, 0.5, 7)
    sheets = sheet_integrals(columns=columns.reshape(14, 11, -1), grid=grid, angle=angle, offsets=s, radius=9.0)
    packed, levels = packed_levels(columns)
    fan = fan_integrals(
        columns=packed, grid=grid, angle=angle, source_to_object=1e6, source_to_detector=2e6,
        across=2 * s, heights=2 * grid.coordinate("z"), levels=levels, radius=9.0,
    )  # fmt: skip
    np.testing.assert_allclose(fan, sheets.reshape(7, 2, 3), rtol=1e-3, atol=1e-4)


def test_layers_followed_apart_add_up_to_the_whole():
    rng = np.random.default_rng(1)
    grid = centred_grid(shape=(12, 14, 11), spacing=0.1, z_start=-0.6)
    whole = rng.random((14, 11, 1, 12), dtype=np.float32)
    layers = np.zeros((14, 11, 4, 12), dtype=np.float32)
    layers[:, :, 0, :3], layers[:, :, 1, 3:4], layers[:, :, 2, 4:] = (
        whole[:, :, 0, :3], whole[:, :, 0, 3:4], whole[:, :, 0, 4:],
    )  # fmt: skip
    packed, levels = packed_levels(layers)
    assert levels.tolist() == [[0, 3], [3, 4], [4, 12], [0, 0]]
    optics = {
        "grid": grid, "angle": 0.4, "source_to_object": 4.0, "source_to_detector": 9.0, "radius": 3.0,
        "across": np.linspace(-1, 1, 9), "heights": np.linspace(-1.5, 1.5, 40),
    }  # fmt: skip
    one = fan_integrals(columns=whole[:, :, 0], levels=np.array([[0, 12]]), **optics)
    many = fan_integrals(columns=packed, levels=levels, **optics)
    np.testing.assert_allclose(many.sum(axis=1), one[:, 0], rtol=1e-5, atol=1e-6)


@given(angle=angles)
def test_rays_from_a_near_point_see_a_sphere_off_the_axis_at_its_exact_chords(angle):
    n, spacing, radius, centre = 61, 0.04, 0.8, np.array([0.2, -0.25, 0.1])
    grid = centred_grid(shape=(n, n, n), spacing=spacing, z_start=-n * spacing / 2)
    z, y, x = np.meshgrid(*(grid.coordinate(a) for a in "zyx"), indexing="ij")
    r = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    ball = np.clip((radius - r) / spacing + 0.5, 0, 1).astype(np.float32)
    columns, levels = packed_levels(ball.transpose(1, 2, 0)[:, :, None])
    across, heights = np.linspace(-3, 3, 41), np.linspace(-2, 2, 31)
    got = fan_integrals(
        columns=columns, levels=levels, grid=grid, angle=angle,
        source_to_object=4.0, source_to_detector=10.0, across=across, heights=heights, radius=3.0,
    )[:, 0]  # fmt: skip
    along, beam = np.array([np.cos(angle), np.sin(angle), 0]), np.array([-np.sin(angle), np.cos(angle), 0])
    d = 10.0 * beam + across[:, None, None] * along + heights[None, :, None] * np.array([0, 0, 1.0])
    unit = d / np.linalg.norm(d, axis=-1, keepdims=True)
    closest = np.linalg.norm(np.cross(centre + 4.0 * beam, unit), axis=-1)
    exact = 2 * np.sqrt(np.maximum(radius**2 - closest**2, 0))
    inner = closest < 0.9 * radius
    assert inner.sum() > 50
    assert np.abs(got - exact)[inner].max() < 0.04  # one voxel: the phantom's own edge
    assert np.abs((got - exact)[inner].mean()) < 0.003
    assert got[closest > radius + 2 * spacing].max() == 0.0


def test_a_homogeneous_block_is_exact_up_to_its_faces_in_height():
    grid = centred_grid(shape=(4, 20, 20), spacing=0.1, z_start=-0.1)
    got = fan_integrals(
        columns=np.full((20, 20, 4), 2.0, dtype=np.float32), grid=grid, angle=0.0, source_to_object=1e5,
        source_to_detector=1e5, across=np.zeros(1), heights=np.array([-0.11, -0.09, 0.1, 0.29, 0.31]),
        levels=np.array([[0, 4]]), radius=5.0,
    )[0, 0]  # fmt: skip
    np.testing.assert_allclose(got, [0, 4, 4, 4, 0], rtol=1e-5)


@given(
    origin=st.tuples(*[st.floats(-3, 3)] * 3),
    direction=st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-0.3, 0.3)).filter(
        lambda d: d[0] ** 2 + d[1] ** 2 > 0.01
    ),
)
def test_lengths_in_a_cut_cylinder_agree_with_points_counted_along_the_ray(origin, direction):
    # A ray that runs in the plane of a cut belongs to neither side.
    assume(min(abs(origin[2] + 0.5), abs(origin[2] - 0.7)) > 1e-3 or abs(direction[2]) > 1e-3)
    unit = np.array(direction) / np.linalg.norm(direction)
    rays = {"origins": np.array([origin]), "directions": unit[None]}
    crossing = cylinder_crossing(**rays, radius=1.0)
    got = length_between(**rays, crossing=crossing, low=-0.5, high=0.7)[0]
    t = np.linspace(-60, 60, 120_001)
    p = np.array(origin) + t[:, None] * unit
    inside = (p[:, 0] ** 2 + p[:, 1] ** 2 < 1) & (p[:, 2] >= -0.5) & (p[:, 2] < 0.7)
    assert got == pytest.approx(inside.sum() * 1e-3, abs=3e-3)


def test_refuses_a_volume_that_is_not_on_its_grid():
    grid = centred_grid(shape=(2, 3, 4), spacing=1.0)
    with pytest.raises(InputError, match="columns"):
        sheet_integrals(columns=np.zeros((4, 3, 2)), grid=grid, angle=0, offsets=np.zeros(1), radius=1)
    with pytest.raises(InputError, match="columns"):
        fan_integrals(
            columns=np.zeros((3, 4, 2)), grid=grid, angle=0, source_to_object=1, source_to_detector=2,
            across=np.zeros(1), heights=np.zeros(1), levels=np.zeros((2, 2)), radius=1,
        )  # fmt: skip

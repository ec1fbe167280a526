import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.frames import centred_grid
from operando.twin.projector import cylinder_chords, ray_integrals, sheet_integrals

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
    assert np.abs(got - exact)[inner].max() < 0.02  # under half a voxel on a chord of 44
    assert np.abs(got - exact)[inner].mean() < 0.005
    assert np.trapezoid(got, s) == pytest.approx(np.pi * radius**2, rel=2e-3)
    assert got[np.abs(away) > radius + 0.08].max(initial=0.0) == 0.0


@given(angle=angles, seed=st.integers(0, 99))
def test_sheets_and_free_rays_agree_on_any_volume(angle, seed):
    rng = np.random.default_rng(seed)
    grid = centred_grid(shape=(3, 14, 11), spacing=0.1)
    volume = rng.random((*grid.shape, 2), dtype=np.float32)
    s = np.linspace(-0.5, 0.5, 7)
    sheets = sheet_integrals(
        columns=np.ascontiguousarray(volume.transpose(1, 2, 3, 0).reshape(14, 11, -1)),
        grid=grid, angle=angle, offsets=s, radius=10.0,
    ).reshape(7, 2, 3)  # fmt: skip
    along, beam = np.array([np.cos(angle), np.sin(angle), 0]), np.array([-np.sin(angle), np.cos(angle), 0])
    for k, z in enumerate(grid.coordinate("z")):
        origins = s[:, None] * along - 5.0 * beam + [0, 0, z]
        free = ray_integrals(volume=volume, grid=grid, origins=origins, directions=np.tile(beam, (7, 1)))
        np.testing.assert_allclose(free, sheets[:, :, k], rtol=2e-5, atol=2e-6)


def test_rays_from_a_point_see_a_sphere_at_its_exact_chords():
    n, spacing, radius = 61, 0.04, 1.0
    grid = centred_grid(shape=(n, n, n), spacing=spacing, z_start=-n * spacing / 2)
    z, y, x = np.meshgrid(*(grid.coordinate(a) for a in "zyx"), indexing="ij")
    r = np.sqrt(x**2 + y**2 + z**2)
    ball = np.clip((radius - r) / spacing + 0.5, 0, 1).astype(np.float32)
    source = np.array([-3.0, -4.0, 0.4])
    rng = np.random.default_rng(3)
    targets = rng.uniform(-0.6, 0.6, (500, 3))
    directions = (targets - source) / np.linalg.norm(targets - source, axis=1)[:, None]
    got = ray_integrals(volume=ball[..., None], grid=grid, origins=np.tile(source, (500, 1)), directions=directions)[
        :, 0
    ]
    closest = np.linalg.norm(np.cross(-source, directions), axis=1)
    exact = 2 * np.sqrt(np.maximum(radius**2 - closest**2, 0))
    inner = closest < 0.9
    assert np.abs(got - exact)[inner].max() < 0.02
    assert np.abs((got - exact)[inner].mean()) < 0.002


def test_a_homogeneous_block_is_exact_up_to_its_faces_in_height():
    grid = centred_grid(shape=(4, 20, 20), spacing=0.1)
    volume = np.full((*grid.shape, 1), 2.0, dtype=np.float32)
    z = np.array([-0.01, 0.01, 0.2, 0.39, 0.41])
    origins = np.stack([np.zeros(5), np.full(5, -9.0), z], axis=1)
    directions = np.tile([0.0, 1.0, 0.0], (5, 1))
    got = ray_integrals(volume=volume, grid=grid, origins=origins, directions=directions)[:, 0]
    np.testing.assert_allclose(got, [0, 4, 4, 4, 0], rtol=1e-6)


@given(
    origin=st.tuples(*[st.floats(-3, 3)] * 3),
    direction=st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-0.3, 0.3)).filter(
        lambda d: d[0] ** 2 + d[1] ** 2 > 0.01
    ),
)
def test_cylinder_chords_agree_with_points_counted_along_the_ray(origin, direction):
    unit = np.array(direction) / np.linalg.norm(direction)
    got = cylinder_chords(origins=np.array([origin]), directions=unit[None], radius=1.0, z_low=-0.5, z_high=0.7)[0]
    t = np.linspace(-60, 60, 120_001)
    p = np.array(origin) + t[:, None] * unit
    inside = (p[:, 0] ** 2 + p[:, 1] ** 2 < 1) & (p[:, 2] >= -0.5) & (p[:, 2] < 0.7)
    assert got == pytest.approx(inside.sum() * 1e-3, abs=3e-3)


def test_refuses_a_volume_that_is_not_on_its_grid():
    grid = centred_grid(shape=(2, 3, 4), spacing=1.0)
    with pytest.raises(InputError, match="columns"):
        sheet_integrals(columns=np.zeros((4, 3, 2)), grid=grid, angle=0, offsets=np.zeros(1), radius=1)
    with pytest.raises(InputError, match="volume"):
        ray_integrals(volume=np.zeros((2, 4, 3, 1)), grid=grid, origins=np.zeros((1, 3)), directions=np.eye(3)[:1])

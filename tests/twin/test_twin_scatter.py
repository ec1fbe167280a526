import numpy as np
import pytest

from operando.twin.scatter import BEYOND, scatter_field


def test_a_plane_that_scatters_evenly_fills_its_solid_angle():
    shape, pixel, distance = (100, 160), 0.1e-3, 5e-3
    field = scatter_field(shape=shape, pixel=pixel, distance=distance, cell=5)
    arriving = field.arriving(np.full(shape, 0.3))
    a, b = shape[1] * pixel / 2, shape[0] * pixel / 2 + BEYOND
    # Solid angle of a rectangle from above its middle, as a share of the sphere
    seen = 4 * np.arctan(a * b / (distance * np.sqrt(a**2 + b**2 + distance**2))) / (4 * np.pi)
    assert arriving[50, 80] == pytest.approx(0.3 * seen, rel=0.01)
    assert arriving.min() > 0.4 * arriving.max()


def test_scatter_is_linear_smooth_and_symmetric():
    field = scatter_field(shape=(40, 60), pixel=50e-6, distance=5e-3)
    rng = np.random.default_rng(0)
    one, two = rng.random((2, 40, 60))
    np.testing.assert_allclose(field.arriving(one + 2 * two), field.arriving(one) + 2 * field.arriving(two), rtol=1e-9)
    mirrored = field.arriving(one[:, ::-1])
    np.testing.assert_allclose(mirrored[:, ::-1], field.arriving(one), rtol=1e-9)
    steps = np.abs(np.diff(field.arriving(one), axis=1))
    assert steps.max() < 0.02 * field.arriving(one).mean()


def test_finer_rays_of_the_same_scatter_arrive_alike():
    coarse = scatter_field(shape=(40, 60), pixel=50e-6, distance=5e-3)
    fine = scatter_field(shape=(40, 60), pixel=50e-6, distance=5e-3, rays=2)
    scattered = np.random.default_rng(0).random((40, 60))
    np.testing.assert_allclose(
        fine.arriving(np.kron(scattered, np.ones((2, 2)))), coarse.arriving(scattered), rtol=1e-9
    )

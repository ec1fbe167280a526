"""Magnetisation from fields of prisms, whose forward model shares nothing with the inversion's factors."""

import numpy as np
import pytest
import xarray as xr

from operando.frames import Grid
from operando.magnetism.fields import stray_field
from operando.magnetism.inverse_field import magnetisation_from_field

UM = 1e-6
PIXEL = 0.25 * UM
HEIGHT = 0.5 * UM
NOISE = 20e-9
THICKNESS = 0.02 * UM
SHAPE = (48, 44)


def spot(direction, *, noise=NOISE):
    """Field of a Gaussian spot of moment per area [A] in a thin layer of prisms, and the spot."""
    y, x = ((np.arange(n) - n / 2) * PIXEL for n in SHAPE)
    moment = 5e-3 * np.exp(-((y[:, None] + 0.4 * UM) ** 2 + (x - 0.5 * UM) ** 2) / 2 / (1.2 * UM) ** 2)
    grid = Grid(shape=(1, *SHAPE), spacing=(THICKNESS, PIXEL, PIXEL), origin=(-THICKNESS / 2, y[0], x[0]))
    vectors = np.multiply.outer(np.array(direction, float), moment[None] / THICKNESS)
    layer = xr.DataArray(vectors, dims=("component", "z", "y", "x"), attrs={"units": "A/m"})
    layer = layer.assign_coords(component=list("xyz"))
    made = stray_field(layer, heights=HEIGHT, grid=grid)
    values = made.values.reshape(3, *SHAPE) + noise * np.random.default_rng(2).standard_normal((3, *SHAPE))
    coords = {"component": list("xyz"), "y": ("y", y, {"units": "m"}), "x": ("x", x, {"units": "m"})}
    return xr.DataArray(values, dims=("component", "y", "x"), coords=coords, attrs={"units": "T"}), moment


def error(found, truth):
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize("direction", [(0, 0, 1), (0.6, 0, 0.8), (0, -0.6, 0.8)])
def test_a_magnetisation_comes_back_with_its_sign(direction):
    field, truth = spot(direction)
    found = magnetisation_from_field(field, direction=direction, height=HEIGHT, noise=NOISE, samples=0)
    # prisms a quarter of a micrometre wide dull what is seen at half a micrometre
    assert error(found.magnetisation.values, truth) < 0.02
    assert found.attrs["mean"].startswith("undetermined")


def test_a_thickness_gives_moment_per_volume():
    field, truth = spot((0, 0, 1), noise=1e-6)
    settings = {"direction": (0, 0, 1), "height": HEIGHT, "noise": 1e-6, "thickness": THICKNESS}
    found = magnetisation_from_field(field, **settings, samples=0)
    assert found.magnetisation.attrs["units"] == "A/m"
    assert error(found.magnetisation.values * THICKNESS, truth) < 0.03


def test_along_its_own_direction_a_magnetisation_in_the_plane_is_known_but_for_its_mean():
    field, truth = spot((0, 1, 0))
    found = magnetisation_from_field(field, direction=(0, 1, 0), height=HEIGHT, noise=NOISE, samples=0).magnetisation
    # a stripe along its magnetisation has no poles, and no field
    varying = found.values - found.values.mean(axis=0)
    assert error(varying, truth - truth.mean(axis=0)) < 0.02

import numpy as np
import pytest

from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.axial_fields import axial_fields
from operando.magnetism.demagnetisation import magnetisation_from_susceptibility
from operando.magnetism.fields import stray_field
from operando.magnetism.fields_labelled import along_axis

GRID = Grid(shape=(3, 12, 16), spacing=(2e-7, 1e-7, 1e-7), origin=(-5e-7, 0.0, 0.0))
AXES = np.array([[0, 0, 1], [np.sqrt(2), 0, 1], [1, -2, 2], [0, 1, 0]]) / np.sqrt([[1], [3], [9], [1]])


def test_each_map_is_the_stray_field_projected_on_its_own_axis():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, GRID.shape)
    heights, values = [5e-8, 3e-7], [2e-4, -1e-5]
    fields = axial_fields(labels, susceptibility=values, grid=GRID, axes=AXES, heights=heights)
    for i, axis in enumerate(AXES):
        for body, value in enumerate(values, start=1):
            chi = GRID.array(np.where(labels == body, value, 0.0), name="susceptibility", units="")
            moments = magnetisation_from_susceptibility(chi, applied_field=tuple(axis))
            expected = along_axis(stray_field(moments, heights=heights), axis).values
            assert fields[i, :, body - 1] == pytest.approx(expected, abs=1e-11 * np.abs(expected).max())


def test_a_cube_gives_the_published_field():
    # 2 um, chi 1e-4, 100 mT along the normal, 50 nm above: Bz is at most 85 % of 4.9 uT
    grid = Grid(shape=(20, 60, 60), spacing=(1e-7, 1e-7, 1e-7), origin=(-1.95e-6, 0.0, 0.0))
    cube = np.zeros(grid.shape, dtype=int)
    cube[:, 20:40, 20:40] = 1
    normal = np.array([[0, 0, 1.0]])
    field = 0.1 * axial_fields(cube, susceptibility=[1e-4], grid=grid, axes=normal, heights=[50e-9])[0, 0, 0]
    assert 3.0e-6 < field.max() < 0.85 * 4.95e-6


def test_what_makes_no_sense_is_refused():
    labels = np.ones(GRID.shape, dtype=int)
    right = {"susceptibility": [1.0], "grid": GRID, "axes": AXES, "heights": [5e-8]}
    with pytest.raises(InputError, match="shape"):
        axial_fields(np.ones((3, 3, 3), dtype=int), **right)
    with pytest.raises(InputError, match="from 0 to 1"):
        axial_fields(2 * labels, **right)
    with pytest.raises(InputError, match="unit"):
        axial_fields(labels, **right | {"axes": np.array([[1.0, 1.0, 0.0]])})
    with pytest.raises(InputError, match="above"):
        axial_fields(labels, **right | {"heights": [-1e-7]})

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
    sources = [rng.normal(size=GRID.shape), np.zeros(GRID.shape)]
    sources[1][1, 4:7, 3:9] = 1e-4
    heights = [5e-8, 3e-7]
    fields = axial_fields(sources, grid=GRID, axes=AXES, heights=heights)
    for i, axis in enumerate(AXES):
        for s, source in enumerate(sources):
            chi = GRID.array(1e-4 * source, name="susceptibility", units="")
            moments = magnetisation_from_susceptibility(chi, applied_field=tuple(axis))
            expected = 1e4 * along_axis(stray_field(moments, heights=heights), axis).values
            assert fields[i, :, s] == pytest.approx(expected, abs=1e-11 * np.abs(expected).max())


def test_a_cube_gives_the_published_field():
    # 2 um, chi 1e-4, 100 mT along the normal, 50 nm above: Bz is at most 85 % of 4.9 uT
    grid = Grid(shape=(20, 60, 60), spacing=(1e-7, 1e-7, 1e-7), origin=(-1.95e-6, 0.0, 0.0))
    cube = np.zeros(grid.shape)
    cube[:, 20:40, 20:40] = 1e-4
    field = 0.1 * axial_fields([cube], grid=grid, axes=np.array([[0, 0, 1.0]]), heights=[50e-9])[0, 0, 0]
    assert 3.0e-6 < field.max() < 0.85 * 4.95e-6


def test_what_makes_no_sense_is_refused():
    right = {"grid": GRID, "axes": AXES, "heights": [5e-8]}
    with pytest.raises(InputError, match="shape"):
        axial_fields([np.ones((3, 3, 3))], **right)
    with pytest.raises(InputError, match="unit"):
        axial_fields([np.ones(GRID.shape)], **right | {"axes": np.array([[1.0, 1.0, 0.0]])})
    with pytest.raises(InputError, match="above"):
        axial_fields([np.ones(GRID.shape)], **right | {"heights": [-1e-7]})

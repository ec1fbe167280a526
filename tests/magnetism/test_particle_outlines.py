import numpy as np
import pytest

from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.particle_outlines import outlines_from_labels

GRID = Grid(shape=(40, 50, 50), spacing=(80e-9, 80e-9, 80e-9), origin=(0.0, 0.0, 0.0))


def _ball(radius, centre=(1.6e-6, 1.96e-6, 1.96e-6)):
    z, y, x = np.meshgrid(*(GRID.coordinate(axis) for axis in "zyx"), indexing="ij")
    return ((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 < radius**2).astype(int)


@pytest.mark.parametrize("radius", [0.5e-6, 0.8e-6, 1.2e-6])
def test_the_outline_of_a_ball_has_its_area(radius):
    outlines = outlines_from_labels(_ball(radius), grid=GRID, length=0.4e-6)
    assert outlines.area.sum() * GRID.voxel_volume == pytest.approx(4 * np.pi * radius**2, rel=0.02)


def test_displacing_the_outline_is_growing_the_ball():
    step = 160e-9
    outlines = outlines_from_labels(_ball(1e-6), grid=GRID, length=0.4e-6)
    grown = (_ball(1e-6 + step / 2).sum() - _ball(1e-6 - step / 2).sum()) * GRID.voxel_volume
    assert outlines.area.sum() * GRID.voxel_volume * step == pytest.approx(grown, rel=0.02)


def test_the_surface_that_cuts_a_body_is_no_outline():
    whole = outlines_from_labels(_ball(1e-6), grid=GRID, length=0.4e-6)
    half = outlines_from_labels(
        _ball(1e-6, (GRID.coordinate("z")[-1] + 40e-9, 1.96e-6, 1.96e-6)), grid=GRID, length=4e-7
    )
    assert half.area.sum() == pytest.approx(whole.area.sum() / 2, rel=0.03)


def test_a_patch_belongs_to_one_body_and_bodies_that_touch_have_no_outline_between():
    labels = np.zeros(GRID.shape, dtype=int)
    labels[10:30, 10:25, 10:40] = 1
    labels[10:30, 25:40, 10:40] = 2
    outlines = outlines_from_labels(labels, grid=GRID, length=0.4e-6)
    for patch in range(1, len(outlines.owner) + 1):
        held = np.unique(labels[(outlines.patches == patch) & (labels > 0)])
        assert held.size == 0 or list(held) == [outlines.owner[patch - 1] + 1]
    assert not outlines.area[15:25, 24:26, 15:35].any()


def test_deep_patches_are_larger_and_err_less():
    outlines = outlines_from_labels(_ball(1.2e-6), grid=GRID, length=0.3e-6)
    z = GRID.coordinate("z")[:, None, None] * np.ones(GRID.shape)
    depth = np.array([z[outlines.patches == p].mean() for p in range(1, len(outlines.owner) + 1)])
    assert set(outlines.quiet) > {1.0, 0.5}
    assert depth[outlines.quiet == 1.0].min() > depth[outlines.quiet == 0.25].max()


def test_a_length_below_a_voxel_is_refused():
    with pytest.raises(InputError, match="outline length"):
        outlines_from_labels(_ball(1e-6), grid=GRID, length=40e-9)

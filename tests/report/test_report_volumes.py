"""What a cut-away and a montage show, held against the voxels they come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from operando.errors import InputError
from operando.report.cut_away import AZIMUTH, draw_cut_away, radius_of
from operando.report.montage import spread_times
from operando.report.sections import finite_mean, round_length

SCALE = Normalize(-2, 2)


@pytest.fixture
def cylinder(inside):
    """Coordinates [mm] and voxels that hold their own x, y and z."""
    axis = (np.arange(34) - 16.5) * 0.1
    height = np.arange(5) * 0.1
    where = np.broadcast_to(inside, (5, 34, 34))
    z, y, x = np.meshgrid(height, axis, axis, indexing="ij")
    return axis, height, [np.where(where, part, np.nan) for part in (x, y, z)]


def faces(axis, height, values):
    axes = Figure().subplots()
    draw_cut_away(axes, axis, axis, height, values, norm=SCALE, cmap="viridis")
    return [(mesh.get_coordinates(), mesh.get_array()) for mesh in axes.collections]


def centres(corners):
    return (corners[1:, 1:] + corners[:-1, 1:] + corners[1:, :-1] + corners[:-1, :-1]) / 4


def test_every_cell_of_the_lid_and_the_walls_is_drawn_where_its_voxel_is(cylinder):
    """The page's horizontal is y cos(a) - x sin(a); walls show the voxels just behind the cut, half a voxel off."""
    axis, height, (x, y, _) = cylinder
    right = y * np.cos(AZIMUTH) - x * np.sin(AZIMUTH)
    for corners, shown in faces(axis, height, right)[2:]:
        across = centres(corners)[..., 0]
        known = ~np.ma.getmaskarray(shown)
        assert known.sum() > 50
        assert np.abs(across - shown)[known].max() <= 0.05 + 1e-9


def test_higher_voxels_are_drawn_higher(cylinder):
    axis, height, (_, _, z) = cylinder
    for corners, shown in faces(axis, height, z)[2:4]:
        columns = np.ma.getmaskarray(shown).sum(axis=0) == 0
        assert np.all(np.diff(shown[:, columns], axis=0) > 0)
        assert np.all(np.diff(centres(corners)[..., 1], axis=0) > 0)


def test_the_quarter_towards_the_viewer_is_gone(cylinder):
    axis, height, (x, y, _) = cylinder
    lid_x, lid_y = faces(axis, height, x)[-1][1], faces(axis, height, y)[-1][1]
    assert not ((lid_x > 0) & (lid_y < 0)).any()
    assert lid_x.count() == pytest.approx(0.75 * np.isfinite(x[-1]).sum(), rel=0.01)


def test_the_outside_shows_the_rim(cylinder):
    axis, height, (x, y, _) = cylinder
    for _, shown in faces(axis, height, np.hypot(x, y))[:2]:
        assert shown.min() > 1.3
        assert not np.ma.getmaskarray(shown).any()


def test_the_radius_is_that_of_the_filled_voxels(cylinder):
    axis, _, (x, _, _) = cylinder
    assert radius_of(axis, axis, x) == pytest.approx(1.5, abs=0.1)


def test_a_volume_beside_the_axis_is_refused(cylinder):
    axis, height, (x, _, _) = cylinder
    with pytest.raises(InputError, match="around the axis"):
        draw_cut_away(Figure().subplots(), axis + 5, axis, height, x, norm=SCALE, cmap="viridis")


def test_a_mean_leaves_out_what_is_not_known():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    np.testing.assert_array_equal(finite_mean(values, axis=0), [2.0, 5.0, np.nan])


@given(st.floats(1e-4, 1e4))
def test_a_scale_bar_is_round_and_fits(length):
    bar = round_length(length)
    assert bar <= length * (1 + 1e-9)
    assert bar > length * 0.39
    assert min(abs(bar / 10.0 ** np.floor(np.log10(bar * 1.0001)) - step) for step in (1, 2, 5)) < 1e-6


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=40, unique=True).map(sorted), st.integers(1, 8))
def test_chosen_times_hold_the_first_and_the_last(times, count):
    chosen = spread_times(np.array(times), count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) <= count
    assert chosen[0] == 0
    if count > 1:
        assert chosen[-1] == len(times) - 1

"""Grids and the world frame: centres, handedness, refusals."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.frames import Grid, centred_grid, grid_of, transformed, turned_about_x


def test_a_centred_grid_starts_with_its_first_voxels_edge() -> None:
    grid = centred_grid(shape=(3, 4, 5), spacing=2.0, z_start=10.0)
    np.testing.assert_allclose(grid.coordinate("z"), [11, 13, 15])
    assert grid.coordinate("x").mean() == pytest.approx(0)
    assert grid.coordinate("y").mean() == pytest.approx(0)


@given(
    st.tuples(*[st.integers(2, 6)] * 3),
    st.tuples(*[st.floats(1e-6, 1e-2)] * 3),
    st.tuples(*[st.floats(-1, 1)] * 3),
)
def test_a_grid_is_read_back_from_its_volume(shape, spacing, origin) -> None:
    grid = Grid(shape=shape, spacing=spacing, origin=origin)
    back = grid_of(grid.array(np.zeros(shape), name="v", units="1/m"))
    assert back.shape == grid.shape
    np.testing.assert_allclose(back.spacing, grid.spacing, rtol=1e-5)
    np.testing.assert_allclose(back.origin, grid.origin)


def test_the_affine_agrees_with_the_coordinates() -> None:
    grid = Grid(shape=(3, 4, 5), spacing=(1.0, 2.0, 3.0), origin=(7.0, 8.0, 9.0))
    point = transformed(np.array([4.0, 2.0, 1.0]), grid.index_to_world())
    np.testing.assert_allclose(point, [grid.coordinate("x")[4], grid.coordinate("y")[2], grid.coordinate("z")[1]])


def test_a_half_turn_about_x_moves_z_to_the_other_end_and_is_its_own_inverse() -> None:
    grid = Grid(shape=(2, 3, 4), spacing=(1.0, 1.0, 1.0), origin=(5.0, -1.0, 0.0))
    volume = grid.array(np.arange(24.0).reshape(2, 3, 4), name="v", units="1/m")
    turned = turned_about_x(volume)
    assert float(turned.sel(z=-6, y=1, x=2)) == float(volume.sel(z=6, y=-1, x=2))
    xr.testing.assert_identical(turned_about_x(turned), volume)


def test_bad_grids_are_refused() -> None:
    with pytest.raises(InputError, match="spacing"):
        Grid(shape=(1, 1, 1), spacing=(0.0, 1.0, 1.0), origin=(0, 0, 0))
    with pytest.raises(InputError, match="at least one voxel"):
        Grid(shape=(0, 1, 1), spacing=(1.0, 1.0, 1.0), origin=(0, 0, 0))
    with pytest.raises(InputError, match="evenly spaced"):
        grid_of(
            xr.DataArray(np.zeros((2, 2, 3)), dims=("z", "y", "x"), coords={"z": [0, 1], "y": [0, 1], "x": [0, 1, 3]})
        )

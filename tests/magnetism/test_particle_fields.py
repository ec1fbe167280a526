import numpy as np
import pytest
import xarray as xr
from scipy.constants import mu_0

from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.demagnetisation import magnetisation_from_susceptibility
from operando.magnetism.dipole import field_from_dipole
from operando.magnetism.fields import stray_field
from operando.magnetism.particle_fields import (
    Magnetised,
    MapPixels,
    body_fields,
    labels_from_labelled,
    pixels_from_map,
)

GRID = Grid(shape=(12, 40, 50), spacing=(80e-9, 80e-9, 80e-9), origin=(0.0, 1e-6, -2e-6))
APPLIED = (0.01, -0.02, 0.1)
DIRECTIONS = np.array([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8]])


def _bodies():
    labels = np.zeros(GRID.shape, dtype=int)
    labels[3:9, 5:15, 6:20] = 1
    labels[6:12, 20:35, 25:45] = 2
    labels[11, 3:6, 40:45] = 3
    return labels


def _pixels(**options):
    y, x = GRID.coordinate("y")[5:30:2], GRID.coordinate("x")[5:30:2]
    return MapPixels(y=y, x=x, directions=DIRECTIONS, **options)


def test_each_body_has_the_field_that_voxel_sums_give():
    labels, standoff = _bodies(), 0.2e-6
    fields = body_fields(labels, grid=GRID, pixels=_pixels(), cases=[Magnetised(APPLIED, (standoff,))])[0]
    surface = GRID.coordinate("z")[-1] + 40e-9
    for body in (1, 2, 3):
        chi = GRID.array((labels == body) * 1e-3, name="chi", units="")
        whole = stray_field(magnetisation_from_susceptibility(chi, applied_field=APPLIED), heights=surface + standoff)
        seen = np.einsum("ij,jyx->iyx", DIRECTIONS, whole.values[:, 5:30:2, 5:30:2]) / 1e-3
        np.testing.assert_allclose(fields[body - 1], seen, rtol=0, atol=1e-12 * np.abs(seen).max())


def test_off_the_voxels_columns_a_far_body_is_its_dipole():
    labels = np.zeros(GRID.shape, dtype=int)
    labels[0, 20, 25] = 1
    at = MapPixels(y=np.linspace(2e-6, 3.1e-6, 7), x=np.linspace(-0.4e-6, 1.1e-6, 9), directions=np.eye(3))
    fields = body_fields(labels, grid=GRID, pixels=at, cases=[Magnetised(APPLIED, (0.5e-6,))])[0, 0]
    moment = np.array(APPLIED) / mu_0 * GRID.voxel_volume
    y, x = np.meshgrid(at.y, at.x, indexing="ij")
    place = [GRID.coordinate("x")[25], GRID.coordinate("y")[20], GRID.coordinate("z")[0]]
    observer = np.stack([x, y, np.full_like(x, GRID.coordinate("z")[-1] + 0.54e-6)], axis=-1)
    truth = np.moveaxis(field_from_dipole(moment=moment, displacement=observer - place), -1, 0)
    # the cubic spline between columns 80 nm apart, 1.4 um from the source
    np.testing.assert_allclose(fields, truth, rtol=0, atol=3e-5 * np.abs(truth).max())


def test_a_layer_of_centres_is_the_mean_of_its_planes():
    labels = _bodies()
    planes = [body_fields(labels, grid=GRID, pixels=_pixels(), cases=[Magnetised(APPLIED, (h,))]) for h in (2e-7, 3e-7)]
    layer = Magnetised(APPLIED, (2e-7, 3e-7), (0.25, 0.75))
    mean = body_fields(labels, grid=GRID, pixels=_pixels(), cases=[layer])
    np.testing.assert_allclose(mean, 0.25 * planes[0] + 0.75 * planes[1], rtol=0, atol=1e-15)


@pytest.mark.parametrize("options", [{"point_spread": 0.4e-6}, {"mean_over_pixel": True}])
def test_blurring_keeps_a_gradient_and_lowers_a_peak(options):
    plane = np.linspace(0.0, 4e-6, 80)
    at = MapPixels(y=np.linspace(1.5e-6, 2.5e-6, 6), x=np.linspace(1e-6, 3e-6, 11), directions=np.eye(3), **options)
    matrix = at.sampling("x", plane)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(matrix @ plane, at.x, rtol=1e-10)
    peak = np.exp(-(((plane - 2e-6) / 0.3e-6) ** 2) / 2)
    sigma = 0.4e-6 / 2.3548 if "point_spread" in options else 0.2e-6 / np.sqrt(12)
    assert (matrix @ peak)[5] == pytest.approx(1 / np.sqrt(1 + (sigma / 0.3e-6) ** 2), rel=2e-3)


def test_a_sensor_nearer_than_a_voxel_is_refused():
    with pytest.raises(InputError, match="at least one voxel"):
        body_fields(_bodies(), grid=GRID, pixels=_pixels(), cases=[Magnetised(APPLIED, (50e-9,))])


@pytest.mark.parametrize("labels", [np.zeros((2, 2, 2), int), np.full((2, 2, 2), -1), np.ones((2, 2, 2))])
def test_labels_that_name_nothing_are_refused(labels):
    with pytest.raises(InputError, match="labels"):
        labels_from_labelled(xr.DataArray(labels, dims=("z", "y", "x")))


def test_a_map_without_a_second_pixel_or_folded_back_is_refused():
    field = xr.DataArray(np.zeros((1, 3)), dims=("y", "x"))
    with pytest.raises(InputError, match="two pixels"):
        pixels_from_map(field, directions=np.eye(3))
    coords = {"y": ("y", [0.0, 1.0], {"units": "m"}), "x": ("x", [0.0, 2.0, 1.0], {"units": "m"})}
    with pytest.raises(InputError, match="ascending"):
        pixels_from_map(xr.DataArray(np.zeros((2, 3)), dims=("y", "x"), coords=coords), directions=np.eye(3))

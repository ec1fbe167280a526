import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.errors import InputError
from operando.frames import Grid
from operando.tomography.axis import RotationAxis
from operando.tomography.parallel import slice_grid, volume_from_line_integrals

PIXEL = 14.3e-6
TURN = np.pi * np.arange(400) / 400
BODIES = (
    (18.0, -25.0, 60.0, 42.0, 0.5, 90.0),
    (-30.0, 20.0, 9.0, 14.0, -0.3, 400.0),
    (40.0, -20.0, 6.0, 6.0, 0.0, 200.0),
)
"""Ellipses: x, y, half axes [pixels], turn [rad], attenuation [1/m]."""


def projected(bodies, angle, centre, columns):
    """Exact line integrals of ellipses; column = centre + (x cos(angle) + y sin(angle)) / pixel."""
    s = np.arange(columns) - centre
    total = np.zeros((angle.size, columns))
    for x, y, a, b, turn, mu in bodies:
        along = angle[:, None] - turn
        reach = (a * np.cos(along)) ** 2 + (b * np.sin(along)) ** 2
        offset = s - (x * np.cos(angle) + y * np.sin(angle))[:, None]
        total += 2 * mu * PIXEL * a * b * np.sqrt(np.clip(reach - offset**2, 0, None)) / reach
    return total


def corrected(values, angle, variance=None, shared=None, first_row=0, first_column=0):
    rows, columns = values.shape[1:]
    dims = ("projection", "row", "column")
    return xr.Dataset(
        {
            "line_integral": (dims, values.astype(np.float32)),
            "line_integral_var": (dims, np.zeros(values.shape, np.float32) if variance is None else variance),
            "line_integral_shared_var": (dims[1:], np.zeros((rows, columns)) if shared is None else shared),
        },
        coords={
            "angle": ("projection", angle),
            "row": PIXEL * (first_row + np.arange(rows)),
            "column": PIXEL * (first_column + np.arange(columns)),
        },
    )


def scanned(angle=TURN, centre=127.8, columns=256, bodies=BODIES, rows=1):
    return corrected(np.repeat(projected(bodies, angle, centre, columns)[:, None], rows, axis=1), angle)


def inside(volume, body, scale):
    x, y, a, b, turn, _ = body
    dx = volume.x.values[None, :] / PIXEL - x
    dy = volume.y.values[:, None] / PIXEL - y
    along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    return (along / (a * scale)) ** 2 + (across / (b * scale)) ** 2 < 1


UNEVEN = np.sort(np.pi * (np.arange(500) + 0.8 * np.random.default_rng(20).random(500)) / 500)


@pytest.mark.parametrize(
    ("angle", "centre"),
    [
        (TURN, 127.5),
        (TURN, 119.37),
        (np.linspace(0, np.pi, 401), 127.8),
        (2 * np.pi * np.arange(600) / 600, 131.2),
        (-TURN + 2.0, 127.8),
        (UNEVEN, 127.8),
    ],
)
def test_attenuation_is_right_to_two_parts_in_a_thousand_where_it_belongs(angle, centre):
    """Off-centre, tilted ellipses with exact line integrals fix the angle's sign, both axes and the half pixel."""
    volume = volume_from_line_integrals(scanned(angle, centre), RotationAxis(centre))
    mu = volume.attenuation.isel(z=0).values
    large, dense, small = BODIES
    matrix = inside(volume, large, 0.92) & ~inside(volume, small, 1.6)
    assert mu[matrix].mean() == pytest.approx(90, rel=2e-3)
    assert mu[inside(volume, dense, 0.7)].mean() == pytest.approx(400, rel=2e-3)
    assert mu[inside(volume, small, 0.6)].mean() == pytest.approx(290, rel=4e-3)  # 41 voxels beside an edge
    air = ~inside(volume, large, 1.08) & ~inside(volume, dense, 1.5)
    assert abs(mu[air].mean()) < 0.1


def test_the_shape_is_at_its_place_to_a_tenth_of_a_pixel():
    volume = volume_from_line_integrals(scanned(centre=124.13), RotationAxis(124.13)).attenuation.isel(z=0)
    body = BODIES[1]
    window = inside(volume, body, 1.5)
    weight = volume.values * window
    x = float((weight * volume.x.values[None, :]).sum() / weight.sum()) / PIXEL
    y = float((weight * volume.y.values[:, None]).sum() / weight.sum()) / PIXEL
    assert (x, y) == pytest.approx(body[:2], abs=0.1)


def test_the_whole_attenuation_is_that_of_every_projection():
    data = scanned()
    volume = volume_from_line_integrals(data, RotationAxis(127.8))
    seen = float(data.line_integral.sum("column").mean()) * PIXEL
    assert float(volume.attenuation.sum()) * PIXEL**2 == pytest.approx(seen, rel=1e-3)


@settings(max_examples=5)
@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 2**32 - 1))
def test_reconstruction_is_linear(a, b, seed):
    rng = np.random.default_rng(seed)
    angle = TURN[::8]
    one, two = rng.normal(size=(2, angle.size, 2, 48))

    def reconstructed(values):
        return volume_from_line_integrals(corrected(values, angle), RotationAxis(23.0)).attenuation.values * PIXEL

    # the transform is accurate to 3e-4 of the norm, and its error is not linear in single precision
    np.testing.assert_allclose(
        reconstructed(a * one + b * two), a * reconstructed(one) + b * reconstructed(two), atol=2e-3
    )


def test_a_region_of_interest_holds_the_values_of_the_whole():
    data = scanned(rows=3)
    axis = RotationAxis(127.8)
    whole = volume_from_line_integrals(data, axis)
    region = Grid(shape=(3, 31, 50), spacing=(PIXEL,) * 3, origin=(0.0, whole.y.values[90], whole.x.values[100]))
    part = volume_from_line_integrals(data, axis, grid=region).attenuation
    np.testing.assert_allclose(part, whole.attenuation[:, 90:121, 100:150], atol=0.2)
    np.testing.assert_allclose(part.x, whole.x[100:150])


def test_finer_voxels_agree_with_coarser_ones():
    data = scanned()
    fine = volume_from_line_integrals(
        data, RotationAxis(127.8), grid=slice_grid(data, spacing=PIXEL / 2, half_width=60 * PIXEL)
    )
    matrix = inside(fine, BODIES[0], 0.9) & ~inside(fine, BODIES[2], 1.6)
    assert fine.sizes["x"] == 240
    assert fine.attenuation.values[0][matrix].mean() == pytest.approx(90, rel=2e-3)


def test_a_block_of_the_detector_knows_where_the_axis_is():
    data = scanned(rows=1, columns=256, centre=127.8)
    shifted = data.assign_coords(row=data.row + 40 * PIXEL, column=data.column + 100 * PIXEL)
    volume = volume_from_line_integrals(shifted, RotationAxis(227.8))
    np.testing.assert_array_equal(
        volume.attenuation.values, volume_from_line_integrals(data, RotationAxis(127.8)).attenuation.values
    )
    assert float(volume.z[0]) == pytest.approx(40 * PIXEL)


def test_a_tilted_axis_gives_the_same_slices_as_an_upright_one():
    tilt, rows, columns, middle, centre = 0.03, 50, 160, 25, 79.3
    angle = TURN[::2]

    def bodies(height):
        """Ellipses that lean and grow with height."""
        return ((10 + 0.2 * height, -8.0, 30.0 + 0.3 * height, 22.0, 0.5, 90.0), (-30.0, 20.0, 9.0, 14.0, -0.3, 400.0))

    upright = np.stack([projected(bodies(h), angle, 110.0, 221) for h in range(-32, 33)], axis=1)
    v, u = np.meshgrid(np.arange(rows) - middle, np.arange(columns) - centre, indexing="ij")
    row, column = v * np.cos(tilt) + u * np.sin(tilt) + 32, u * np.cos(tilt) - v * np.sin(tilt) + 110
    i, j = row.astype(int), column.astype(int)
    a, b = row - i, column - j
    frames = (upright[:, i, j] * (1 - b) + upright[:, i, j + 1] * b) * (1 - a)
    frames += (upright[:, i + 1, j] * (1 - b) + upright[:, i + 1, j + 1] * b) * a
    data = corrected(frames, angle)
    # rows turned this way, the axis leans to larger columns further down
    axis = RotationAxis(centre, tilt=tilt, row=middle)
    right, wrong = (volume_from_line_integrals(data, it) for it in (axis, RotationAxis(centre)))
    height = 14
    large, dense = bodies(height)
    truth = np.where(inside(right, large, 1.0), 90.0, 0.0) + np.where(inside(right, dense, 1.0), 400.0, 0.0)

    def lack(volume):
        return np.sqrt(np.mean((volume.attenuation.values[middle + height] - truth) ** 2))

    assert lack(right) < 0.8 * lack(wrong)
    mu = right.attenuation.values[middle + height]
    assert mu[inside(right, dense, 0.6)].mean() == pytest.approx(400, rel=0.01)  # frames interpolated linearly
    assert mu[inside(right, large, 0.8)].mean() == pytest.approx(90, rel=0.01)


@pytest.mark.parametrize("name", ["ram-lak", "hann"])
@pytest.mark.parametrize("turns", [1, 2])
def test_variances_are_those_of_repeated_noise(name, turns):
    """40 repeats (as rows) of a sample that lets through a quarter of 300 quanta; per radius, counting and shared."""
    rng = np.random.default_rng(21)
    angle = turns * np.pi * np.arange(200 * turns) / (200 * turns)
    clean = projected(((8.0, -5.0, 40.0, 30.0, 0.3, 1500.0),), angle, 62.3, 128)
    variance = np.exp(clean) / 300
    pixels = 4e-4 * (1 + np.linspace(-0.5, 0.5, 128) ** 2)
    rows = 40
    for counting, shared in ((1.0, 0.0), (0.0, 1.0)):
        noise = counting * np.sqrt(variance)[:, None] * rng.normal(size=(angle.size, rows, 128))
        noise += shared * np.sqrt(pixels) * rng.normal(size=(rows, 128))
        data = corrected(
            clean[:, None] + noise,
            angle,
            np.repeat(counting * variance[:, None], rows, axis=1).astype(np.float32),
            np.tile(shared * pixels, (rows, 1)),
        )
        volume = volume_from_line_integrals(data, RotationAxis(62.3), filter=name)
        ratio = volume.attenuation.var("z", ddof=1).values / np.maximum(volume.attenuation_var.mean("z").values, 1e-30)
        radius = np.hypot(*np.meshgrid(volume.x.values, volume.y.values)) / PIXEL
        # independent values: every voxel for counting; one per radius and row, halved by the filter, for rings
        tolerance = 0.05 if counting else 0.15
        for low, high in ((0, 15), (15, 35), (35, 60)):
            assert ratio[(radius >= low) & (radius < high)].mean() == pytest.approx(1, abs=tolerance)


def test_noise_is_that_of_the_closed_form():
    """sigma = pi / (sqrt(12 n) a sqrt(N)) for Ram-Lak and n evenly spread projections of N quanta."""
    angle = np.pi * np.arange(799) / 799
    data = corrected(np.zeros((799, 1, 128)), angle, np.full((799, 1, 128), 1 / 300, np.float32))
    sigma = np.sqrt(volume_from_line_integrals(data, RotationAxis(63.5)).attenuation_var.values[0, 64, 64])
    # Kak and Slaney's kernel and its padding hold the mean right at the cost of 1 % in the variance
    assert sigma == pytest.approx(np.pi / (np.sqrt(12 * 799) * PIXEL * np.sqrt(300)), rel=0.01)


def test_shared_errors_do_not_average_over_projections():
    pixels = np.full((1, 64), 1e-4)

    def centre_variance(count):
        angle = np.pi * np.arange(count) / count
        data = corrected(np.zeros((count, 1, 64)), angle, shared=pixels)
        volume = volume_from_line_integrals(data, RotationAxis(31.5))
        np.testing.assert_array_equal(volume.attenuation_var, volume.attenuation_shared_var)
        return volume.attenuation_var.values[0, 20, 30]

    assert centre_variance(400) == pytest.approx(centre_variance(100), rel=0.02)


def test_input_that_cannot_be_reconstructed_is_refused():
    data, axis = scanned(), RotationAxis(127.8)
    broken = data.copy(deep=True)
    broken.line_integral[3, 0, 5] = np.nan
    with pytest.raises(InputError, match="finite everywhere"):
        volume_from_line_integrals(broken, axis)
    with pytest.raises(InputError, match="line_integral_shared_var"):
        volume_from_line_integrals(data.drop_vars("line_integral_shared_var"), axis)
    with pytest.raises(InputError, match="line_integral"):
        volume_from_line_integrals(data.transpose("row", "projection", "column"), axis)
    with pytest.raises(InputError, match="gap"):
        volume_from_line_integrals(data.isel(projection=slice(0, 300)), axis)
    with pytest.raises(InputError, match="inside the detector"):
        volume_from_line_integrals(data, RotationAxis(300.0))
    with pytest.raises(InputError, match="one slice at each row"):
        volume_from_line_integrals(data, axis, grid=Grid((2, 8, 8), (PIXEL,) * 3, (0.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="tilt"):
        volume_from_line_integrals(data, RotationAxis(127.8, tilt=0.1))

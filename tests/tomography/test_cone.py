import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.frames import Grid
from operando.tomography.axis import RotationAxis
from operando.tomography.cone import cone_grid, rows_of_slices, volume_from_cone_beam
from operando.tomography.parallel import volume_from_line_integrals
from operando.tomography.scan import ConeBeam

BEAM = ConeBeam(pixel=300e-6, source_to_object=0.089, source_to_detector=0.573)
UNIT = BEAM.voxel
TURN = 2 * np.pi * np.arange(240) / 240
BODIES = (((6.0, -4.0, 0.0), (26.0, 22.0, 14.0), 500.0), ((12.0, 6.0, 2.0), (7.0, 5.0, 5.0), 900.0))
"""Ellipsoids: centre, half axes (x, y, z) [voxels], attenuation [1/m]; z from the midplane."""
CENTRE, MIDPLANE = 50.3, 28.4


def projected(bodies, beam, angle, centre, midplane, rows, columns):
    """Exact integrals along the ray from the source to each pixel, through ellipsoids."""
    u, v = (np.arange(columns) - centre) * beam.pixel, (np.arange(rows) - midplane) * beam.pixel
    unit = beam.voxel
    frames = np.zeros((angle.size, rows, columns))
    for k, turn in enumerate(angle):
        across, along = np.array([np.cos(turn), np.sin(turn), 0]), np.array([-np.sin(turn), np.cos(turn), 0])
        source = -beam.source_to_object * along
        ray = beam.source_to_detector * along + u[None, :, None] * across + v[:, None, None] * np.array([0, 0, 1.0])
        ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
        for place, axes, mu in bodies:
            scale = unit * np.array(axes)
            start, step = (source - unit * np.array(place)) / scale, ray / scale
            a, b, c = (step**2).sum(-1), (start * step).sum(-1), (start**2).sum() - 1
            frames[k] += mu * 2 * np.sqrt(np.clip(b * b - a * c, 0, None)) / a
    return frames


def corrected(frames, angle, beam, variance=0.0, shared=0.0):
    dims = ("projection", "row", "column")
    rows, columns = frames.shape[1:]
    return xr.Dataset(
        {
            "line_integral": (dims, frames.astype(np.float32)),
            "line_integral_var": (dims, np.broadcast_to(np.float32(variance), frames.shape).astype(np.float32)),
            "line_integral_shared_var": (dims[1:], np.full((rows, columns), shared)),
        },
        coords={
            "angle": ("projection", angle),
            "row": beam.pixel * np.arange(rows),
            "column": beam.pixel * np.arange(columns),
        },
    )


@pytest.fixture(scope="module")
def scan():
    return corrected(projected(BODIES, BEAM, TURN, CENTRE, MIDPLANE, 60, 100), TURN, BEAM)


@pytest.fixture(scope="module")
def volume(scan):
    return volume_from_cone_beam(scan, BEAM, RotationAxis(CENTRE), midplane=MIDPLANE)


def inside(volume, body, scale):
    place, axes, _ = body
    z, y, x = (volume[name].values for name in "zyx")
    z = z - MIDPLANE * UNIT
    parts = [
        ((along / UNIT - p) / (a * scale)) ** 2
        for along, p, a in zip((x[None, None, :], y[None, :, None], z[:, None, None]), place, axes, strict=True)
    ]
    return sum(parts) < 1


def test_attenuation_is_right_on_the_midplane_and_near_it(volume):
    mu = volume.attenuation.values
    large, dense = inside(volume, BODIES[0], 0.85), inside(volume, BODIES[1], 0.6)
    matrix = large & ~inside(volume, BODIES[1], 1.5)
    height = volume.z.values - MIDPLANE * UNIT
    middle = (abs(height) < 0.51 * UNIT)[:, None, None]
    assert mu[matrix & middle].mean() == pytest.approx(500, rel=2e-3)
    assert mu[dense & middle].mean() == pytest.approx(1400, rel=5e-3)
    assert mu[matrix].mean() == pytest.approx(500, rel=5e-3)
    seen = np.hypot(volume.x.values, volume.y.values[:, None]) < 40 * UNIT
    air = seen & ~inside(volume, BODIES[0], 1.15) & ~inside(volume, BODIES[1], 1.4)
    assert abs(mu[air & middle].mean()) < 2


def test_bodies_are_where_they_were_put(volume):
    window = inside(volume, BODIES[1], 1.6)
    excess = np.where(window, volume.attenuation.values - 500, 0)
    for name, expected in zip("xyz", BODIES[1][0], strict=True):
        axis = "zyx".index(name)
        along = volume[name].values / UNIT - (MIDPLANE if name == "z" else 0)
        shape = [-1 if i == axis else 1 for i in range(3)]
        assert (excess * along.reshape(shape)).sum() / excess.sum() == pytest.approx(expected, abs=0.15)


def test_a_region_of_interest_and_any_number_of_threads_give_the_same_values(scan, volume):
    region = Grid(
        shape=(5, 21, 30),
        spacing=(UNIT,) * 3,
        origin=(float(volume.z[20]), float(volume.y[30]), float(volume.x[25])),
    )
    axis = RotationAxis(CENTRE)
    one, two = (
        volume_from_cone_beam(scan, BEAM, axis, midplane=MIDPLANE, grid=region, workers=n).attenuation for n in (1, 3)
    )
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one, volume.attenuation[20:25, 30:51, 25:55], atol=0.1)


def test_a_block_of_rows_is_enough_for_its_slices(scan, volume):
    chosen = slice(25, 31)
    z = volume.z.values[chosen]
    radius = 50 * UNIT
    first, last = rows_of_slices(BEAM, midplane=MIDPLANE, first=z[0], last=z[-1], radius=radius)
    rows = slice(int(np.floor(first)), int(np.ceil(last)) + 1)
    assert rows.stop - rows.start < 12
    grid = Grid((6, *volume.attenuation.shape[1:]), (UNIT,) * 3, (z[0], float(volume.y[0]), float(volume.x[0])))
    part = volume_from_cone_beam(scan.isel(row=rows), BEAM, RotationAxis(CENTRE), midplane=MIDPLANE, grid=grid)
    np.testing.assert_allclose(part.attenuation, volume.attenuation[chosen], atol=0.2)


def test_a_distant_source_is_a_parallel_beam():
    far = ConeBeam(pixel=1e-4, source_to_object=1000.0, source_to_detector=1000.01)
    angle = TURN[::2]
    frames = projected((((5.0, -3.0, 0.0), (15.0, 12.0, 1e6), 800.0),), far, angle, 31.2, 1.0, 3, 64)
    data, axis = corrected(frames, angle, far), RotationAxis(31.2)
    cone = volume_from_cone_beam(data, far, axis, midplane=1.0, filter="hann")
    parallel = volume_from_line_integrals(data, axis, filter="hann")
    window = {"x": slice(-1.5e-3, 1.5e-3), "y": slice(-1.5e-3, 1.5e-3)}
    a, b = cone.sel(window).attenuation.values[0], parallel.sel(window).attenuation.values[1]
    assert a.shape == b.shape
    assert np.sqrt(np.mean((a - b) ** 2)) < 15  # linear against trigonometric interpolation at edges of 800
    assert a.mean() == pytest.approx(b.mean(), rel=2e-3)  # the window cuts their ringing differently


def test_a_small_tilt_of_the_detector_is_undone():
    tilt = 0.01
    clean = projected(BODIES[1:], BEAM, TURN, CENTRE, MIDPLANE, 60, 100)
    v, u = np.meshgrid(np.arange(60) - MIDPLANE, np.arange(100) - CENTRE, indexing="ij")
    row = np.clip(v * np.cos(tilt) + u * np.sin(tilt) + MIDPLANE, 0, 58.999)
    column = np.clip(u * np.cos(tilt) - v * np.sin(tilt) + CENTRE, 0, 98.999)
    i, j = row.astype(int), column.astype(int)
    a, b = row - i, column - j
    turned = (clean[:, i, j] * (1 - b) + clean[:, i, j + 1] * b) * (1 - a)
    turned += (clean[:, i + 1, j] * (1 - b) + clean[:, i + 1, j + 1] * b) * a
    axis = RotationAxis(CENTRE, tilt=-tilt, row=MIDPLANE)
    volume = volume_from_cone_beam(corrected(turned, TURN, BEAM), BEAM, axis, midplane=MIDPLANE)
    assert volume.attenuation.values[inside(volume, BODIES[1], 0.5)].mean() == pytest.approx(900, rel=0.01)


def test_variances_are_those_of_repeated_noise():
    rng = np.random.default_rng(30)
    angle = TURN[::2]
    clean = projected(BODIES[:1], BEAM, angle, 30.2, 14.3, 30, 60)
    variance = np.exp(clean) / 300
    for counting, shared in ((1.0, 0.0), (0.0, 1.0)):
        repeats = []
        for _ in range(10):
            noise = counting * np.sqrt(variance) * rng.normal(size=clean.shape)
            noise += shared * 0.03 * rng.normal(size=clean.shape[1:])
            data = corrected(clean + noise, angle, BEAM, counting * variance, shared * 9e-4)
            repeats.append(volume_from_cone_beam(data, BEAM, RotationAxis(30.2), midplane=14.3))
        spread = np.var([repeat.attenuation.values for repeat in repeats], axis=0, ddof=1)
        foretold = repeats[0].attenuation_var.values
        radius = np.hypot(*np.meshgrid(repeats[0].x.values, repeats[0].y.values)) / UNIT
        for low, high in ((0, 10), (10, 25)):
            ring = (radius >= low) & (radius < high)
            ratio = (spread[:, ring] / foretold[:, ring]).mean()
            # shared errors: few independent rings, and an upper bound away from the midplane
            assert ratio == pytest.approx(1, abs=0.05 if counting else 0.2)


def test_what_not_all_projections_see_is_refused(scan):
    axis = RotationAxis(CENTRE)
    grid = cone_grid(scan, BEAM, axis, midplane=MIDPLANE)
    tall = Grid((grid.shape[0] + 4, *grid.shape[1:]), grid.spacing, grid.origin)
    with pytest.raises(InputError, match="of the midplane"):
        volume_from_cone_beam(scan, BEAM, axis, midplane=MIDPLANE, grid=tall)
    with pytest.raises(InputError, match="gap"):
        volume_from_cone_beam(scan.isel(projection=slice(0, 150)), BEAM, axis, midplane=MIDPLANE)
    with pytest.raises(InputError, match="inside the detector"):
        volume_from_cone_beam(scan, BEAM, RotationAxis(-3.0), midplane=MIDPLANE)
    with pytest.raises(InputError, match="one pixel of"):
        volume_from_cone_beam(scan, ConeBeam(1e-4, 0.089, 0.573), axis, midplane=MIDPLANE)
    with pytest.raises(InputError, match="between source and detector"):
        volume_from_cone_beam(scan, ConeBeam(300e-6, 0.573, 0.089), axis, midplane=MIDPLANE, grid=grid)
    broken = scan.copy(deep=True)
    broken.line_integral_var[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="finite everywhere"):
        volume_from_cone_beam(broken, BEAM, axis, midplane=MIDPLANE)

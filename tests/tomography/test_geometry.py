import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.tomography.geometry import rotation_axis_from_projections

PIXEL = 14e-6
HALF = np.pi * np.arange(180) / 180
FULL = 2 * np.pi * np.arange(360) / 360


def scanned(angle, centre, tilt=0.0, rows=40, columns=200, quanta=None, seed=0):
    """Three cylinders that drift with height, projected exactly, about an axis through `centre` in the middle row."""
    frames = np.zeros((angle.size, rows, columns))
    for r in range(rows):
        s = np.arange(columns) - centre - np.tan(tilt) * (r - (rows - 1) / 2)
        for x, y, radius, mu in ((5, -8, 60, 0.012), (20 + r / 4, 10, 12, 0.03), (-25, 15 - r / 3, 7, 0.05)):
            offset = s - (x * np.cos(angle) + y * np.sin(angle))[:, None]
            frames[:, r] += 2 * mu * np.sqrt(np.clip(radius**2 - offset**2, 0, None))
    if quanta:
        counts = np.random.default_rng(seed).poisson(quanta * np.exp(-frames))
        frames = np.log(quanta) - np.log(counts + 0.5)
    return labelled(frames, angle)


def labelled(frames, angle, pixel=PIXEL):
    coords = {"angle": ("projection", angle)}
    coords |= {"row": pixel * np.arange(frames.shape[1]), "column": pixel * np.arange(frames.shape[2])}
    return xr.Dataset({"line_integral": (("projection", "row", "column"), frames.astype(np.float32))}, coords=coords)


@pytest.mark.parametrize(
    ("angle", "tolerance"),
    [(FULL, 0.005), (np.linspace(0, 2 * np.pi, 361), 0.005), (2 * np.pi * np.arange(361) / 361, 0.005), (HALF, 0.04)],
)
@pytest.mark.parametrize(("centre", "tilt"), [(99.5, 0.0), (103.28, 0.0), (96.1, 0.008)])
def test_the_axis_is_found_to_a_fraction_of_a_pixel(angle, tolerance, centre, tilt):
    """A full turn has every opposite view; of half a turn only the ends meet, across an extrapolated step."""
    axis = rotation_axis_from_projections(scanned(angle, centre, tilt))
    assert axis.centre == pytest.approx(centre, abs=tolerance)
    assert axis.tilt == pytest.approx(tilt, abs=max(1.5e-4, tolerance / 20))
    assert axis.row == pytest.approx(19.5)


@pytest.mark.parametrize(("angle", "largest"), [(FULL, 0.02), (HALF, 0.5)])
def test_uncertainties_say_how_far_off_the_axis_is(angle, largest):
    pulls = []
    for seed in range(5):
        axis = rotation_axis_from_projections(scanned(angle, 101.7, 0.003, rows=20, quanta=300, seed=seed))
        assert 0 < axis.centre_sigma < largest
        pulls.append([(axis.centre - 101.7) / axis.centre_sigma, (axis.tilt - 0.003) / axis.tilt_sigma])
    spread = np.sqrt(np.mean(np.square(pulls)))
    assert 0.5 < spread < 2.0


def test_given_values_are_kept():
    data = scanned(FULL, 101.7, 0.004)
    axis = rotation_axis_from_projections(data, centre=101.0)
    assert (axis.centre, axis.centre_sigma) == (101.0, 0.0)
    axis = rotation_axis_from_projections(data, tilt=0.004)
    assert axis.tilt == pytest.approx(0.004)
    assert axis.tilt_sigma == 0.0
    assert axis.centre == pytest.approx(101.7, abs=0.005)


def test_a_block_gives_the_column_of_the_whole_detector():
    data = scanned(FULL, 101.7, 0.004)
    block = data.isel(row=slice(10, 30), column=slice(20, 190))
    axis = rotation_axis_from_projections(block)
    assert axis.row == pytest.approx(19.5)
    assert axis.centre == pytest.approx(101.7, abs=0.01)
    assert float(axis.column_at(np.array(0.0))) == pytest.approx(101.7 - 0.004 * 19.5, abs=0.02)


def test_a_cone_beam_is_its_own_mirror_image_on_average():
    """Exact chords of off-centre disks, seen by a fan from 300 pixels: opposite views differ."""
    near, centre, columns = 300.0, 97.3, 200
    tangent = (np.arange(columns) - centre) / near
    frames = np.zeros((360, columns))
    for x, y, radius, mu in ((20.0, 5.0, 40.0, 0.01), (-30.0, 30.0, 10.0, 0.05)):
        across = x * np.cos(FULL) + y * np.sin(FULL)
        depth = near + y * np.cos(FULL) - x * np.sin(FULL)
        distance = (across[:, None] - depth[:, None] * tangent) / np.sqrt(1 + tangent**2)
        frames += 2 * mu * np.sqrt(np.clip(radius**2 - distance**2, 0, None))
    data = labelled(np.repeat(frames[:, None], 4, axis=1), FULL)
    assert rotation_axis_from_projections(data, beam="cone").centre == pytest.approx(centre, abs=0.01)


def test_scans_without_opposite_views_or_contrast_are_refused():
    with pytest.raises(InputError, match="opposite sides"):
        rotation_axis_from_projections(scanned(HALF[:150], 100.0))
    with pytest.raises(InputError, match="not empty"):
        rotation_axis_from_projections(labelled(np.zeros((360, 4, 50)), FULL))
    data = scanned(FULL, 100.0, rows=4)
    data.line_integral[5, 1, 7] = np.inf
    with pytest.raises(InputError, match="finite"):
        rotation_axis_from_projections(data)


@pytest.mark.real_data
@pytest.mark.parametrize("part", [slice(None), slice(0, 189)])
def test_the_measured_axis_lies_where_other_tools_find_it(measured_data, part):
    """Other tools: 399.0 to 399.25; the half turn has one pair of views and says itself how little it knows."""
    tifffile = pytest.importorskip("tifffile")
    folder = measured_data / "neutron-ct"

    def read(kind, every=1):
        return np.stack([tifffile.imread(path)[30:100:4] for path in sorted(folder.glob(f"{kind}_*.tif"))[::every]])

    dark = np.median(read("dc"), axis=0)
    frames = -np.log(np.maximum(read("ct5s") - dark, 1.0) / (np.median(read("ob"), axis=0) - dark))
    axis = rotation_axis_from_projections(labelled(frames, np.linspace(0, 2 * np.pi, 376)).isel(projection=part))
    slack = 0.0 if part == slice(None) else 2 * axis.centre_sigma
    assert axis.centre_sigma < 0.5
    assert 399.0 - slack < axis.centre < 399.25 + slack

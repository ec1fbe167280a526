"""From simulated photons to currents in one command, on a loop whose field has a closed form; refusals of bad input."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.constants import mu_0
from scipy.io import savemat
from scipy.special import ellipe, ellipk

from operando.cli.main import main
from operando.errors import RunError
from operando.io.field_map import read_map, write_map
from operando.lithium.budget import Figure
from operando.magnetism.fit_verdict import Verdict
from operando.magnetism.nv import NV
from operando.materials.magnetic_lithiation import volume_from_lithium
from operando.study.magnetic import sheet
from operando.study.magnetic.figures import field_figures, lithium_figure
from operando.study.magnetic.measured import evened, field_dataset, field_of_lines, fitted_lines, measurement_of
from operando.study.magnetic.vector import vector_of_projection, why_no_vector
from operando.study.settings import read_study
from operando.study.store import Store
from operando.twin.microscope import NVMicroscope
from operando.twin.nv import record_odmr

UM = 1e-6
CURRENT, STAND_OFF = 1e-3, 3 * UM
RADII = np.linspace(6.3, 11.7, 10) * UM
CENTRE = (15 * UM, 13 * UM)
ROWS, COLUMNS = 28, 32
NOISE = 0.4e-6
LINES = '[magnetic.lines]\nbias = ["1.1 mT", "2.3 mT", "4.5 mT"]'
CUT = '[[magnetic.cuts]]\nname = "ring"\nstart = ["15 um", "13 um"]\nend = ["31 um", "13 um"]\nexpected = "-1 mA"\n'


def ring_field():
    """Field of coaxial wire loops, anticlockwise seen from the sensor, by elliptic integrals."""
    y, x = UM * np.arange(ROWS), UM * np.arange(COLUMNS)
    dy, dx = y[:, None] - CENTRE[1], x[None] - CENTRE[0]
    r, z = np.maximum(np.hypot(dy, dx), 1e-12), STAND_OFF
    field = np.zeros((3, ROWS, COLUMNS))
    for a in RADII:
        far, near = (a + r) ** 2 + z**2, (a - r) ** 2 + z**2
        k, e = ellipk(4 * a * r / far), ellipe(4 * a * r / far)
        scale = mu_0 * CURRENT / RADII.size / (2 * np.pi * np.sqrt(far))
        away = scale * z / r * (-k + (a**2 + r**2 + z**2) / near * e)
        field += np.stack([away * dx / r, away * dy / r, scale * (k + (a**2 - r**2 - z**2) / near * e)])
    coords = {"component": list("xyz"), "y": ("y", y, {"units": "m"}), "x": ("x", x, {"units": "m"})}
    return xr.DataArray(field, dims=("component", "y", "x"), coords=coords, attrs={"units": "T"})


def noisy_ring(seed=0):
    field = ring_field()
    return field.copy(data=field.values + NOISE * np.random.default_rng(seed).standard_normal(field.shape))


def results_of(study: Path) -> dict:
    return json.loads((study.parent / "results/summary.json").read_text())


def figure(study: Path, name: str) -> dict:
    return next(f for f in results_of(study)["figures"] if f["name"] == name)


def written(folder: Path, *sections: str) -> Path:
    study = folder / "study.toml"
    study.write_text("\n".join(['name = "ring"', *sections]))
    return study


@pytest.fixture(scope="module")
def cube(tmp_path_factory):
    """Spectra of the ring as the twin's microscope counts them, and the study file that runs them."""
    folder = tmp_path_factory.mktemp("ring")
    microscope = NVMicroscope(photon_rate=1e8, width=1.5e6, contrast=0.02)
    frequency = microscope.sweep(step=0.8e6, largest_field=80e-6)
    record_odmr(folder / "cube.h5", ring_field(), microscope=microscope, frequency=frequency, dwell=0.02, seed=1)
    lines = '[magnetic.lines]\nbias = ["1.1 mT", "2.3 mT", "4.5 mT"]'
    rest = '[magnetic.sensor]\nstand_off = "3.0 +- 0.1 um"\n[magnetic.background]\ngradient = "20 nT/um"'
    return written(folder, '[magnetic.data]\ncube = "cube.h5"', lines, rest, CUT)


@pytest.fixture(scope="module")
def finished(cube):
    with pytest.MonkeyPatch.context() as fewer:
        fewer.setattr(sheet, "DRAWS", 8)
        main(["run", str(cube)])
    return cube


def test_the_current_comes_back_with_its_sign_and_within_its_error(finished):
    found = figure(finished, "current through ring")
    # walking to +x the current comes from the right, at y < 13 um, where it flows to +x: anticlockwise is negative
    assert found["unit"] == "A"
    total = np.hypot(found["statistical"], found["systematic"])
    assert abs(found["value"] + CURRENT) < 2 * total
    assert total < 0.1 * CURRENT
    assert found["systematic"] > 0


def test_everything_that_is_promised_lies_in_the_results(finished):
    results = finished.parent / "results"
    summary = results_of(finished)
    assert summary["status"] == "complete"
    names = [f["name"] for f in summary["figures"]]
    assert {"pixels of the map", "line width, median", "resolution reached", "mean field along z"} <= set(names)
    pictures = sorted(path.name for path in (results / "figures").iterdir())
    assert pictures == ["magnetic-field.png", "magnetic-spectra.png", "sheet-current.png"]
    assert "sheet-current" in (results / "report.html").read_text()
    store = Store(results / "study.zarr")
    assert store.verify() == []
    sheet = store.read("magnetic/current")
    assert {"current_x", "current_x_var", "stream_function_draws", "stream_function_stand_off"} <= set(sheet)
    assert sheet.attrs["terms"] == ["stand_off", "gradient_x", "gradient_y"]


def test_mean_field_and_linewidth_are_those_of_the_instrument(finished):
    found = figure(finished, "mean field along y")
    good = Store(finished.parent / "results/study.zarr").read("magnetic/field").verdict.values == Verdict.GOOD
    # bias and the mean of the ring's own field
    truth = 2300 + 1e6 * float(ring_field().sel(component="y").values[good].mean())
    assert abs(found["value"] - truth) < 4 * found["statistical"]
    assert figure(finished, "line width, median")["value"] == pytest.approx(1.5, rel=0.01)


def test_a_second_run_computes_nothing_and_says_the_same(finished):
    group = finished.parent / "results/study.zarr/magnetic/current/zarr.json"
    before, said = group.stat().st_mtime_ns, results_of(finished)
    main(["run", str(finished)])
    assert group.stat().st_mtime_ns == before
    assert results_of(finished) == said


def test_check_says_what_would_run_and_writes_nothing(cube, capsys):
    before = sorted(path.name for path in cube.parent.rglob("*"))
    main(["check", str(cube)])
    said = capsys.readouterr().out
    for word in ("28 x 32 pixels of 1 x 1 um", "8 lines a pixel", "3 +- 0.1 um below the sensor", "stand off"):
        assert word in said
    assert sorted(path.name for path in cube.parent.rglob("*")) == before


@pytest.mark.parametrize("axis", [None, (0, 0, 1), (0.6, 0, -0.8)])
def test_a_map_gives_the_same_current_whatever_axis_was_measured(tmp_path, axis, monkeypatch):
    monkeypatch.setattr(sheet, "DRAWS", 2)
    field = noisy_ring()
    sensor = '[magnetic.sensor]\nstand_off = "3 um"\n'
    if axis is None:
        write_map(tmp_path / "map.h5", field, kind="field")
    else:
        unit = xr.DataArray(np.array(axis) / np.linalg.norm(axis), dims="component")
        seen = (field * unit).sum("component").assign_attrs(units="T")
        write_map(tmp_path / "map.h5", seen, kind="field")
        sensor += f"axis = {list(axis)}\n"
    magnetic = read_study(written(tmp_path, '[magnetic.data]\nmap = "map.h5"', sensor)).magnetic
    found = sheet.sheet_of_field(measurement_of(magnetic).content, magnetic).stream_function
    # psi is larger by the current inside an anticlockwise ring; the ends of the cut are a pixel each
    inside, outside = found.sel(x=CENTRE[0], y=CENTRE[1]), found.isel(x=-1).sel(y=CENTRE[1])
    assert float(inside - outside) == pytest.approx(CURRENT, rel=0.07)


def test_a_current_to_the_right_that_crosses_the_frame_keeps_its_sign_and_size(tmp_path, monkeypatch):
    """A strip 6 um wide: Bz in closed form. Walked to -y, a current to +x comes from the right: negative."""
    monkeypatch.setattr(sheet, "DRAWS", 4)
    along, height, half = UM * np.arange(24), 2 * UM, 3 * UM
    near, far = ((along - 11.5 * UM + s * half) ** 2 + height**2 for s in (1, -1))
    bz = mu_0 * CURRENT / (2 * half) / (4 * np.pi) * np.log(near / far)[:, None] * np.ones(24)
    coords = {d: (d, along, {"units": "m"}) for d in ("y", "x")}
    noise = 0.2e-6 * np.random.default_rng(0).standard_normal(bz.shape)
    field = xr.DataArray(bz + noise, dims=("y", "x"), coords=coords, attrs={"units": "T"})
    write_map(tmp_path / "map.h5", field, kind="field")
    sensor = '[magnetic.sensor]\nstand_off = "2.0 +- 0.02 um"\naxis = [0, 0, 1]'
    cuts = [
        f'[[magnetic.cuts]]\nname = "{x} um"\nstart = ["{x} um", "22 um"]\nend = ["{x} um", "1 um"]\n'
        for x in (1, 6, 12, 18, 22)
    ]
    study = written(tmp_path, '[magnetic.data]\nmap = "map.h5"', sensor, *cuts)
    main(["run", str(study)])
    for x in (1, 6, 12, 18, 22):
        found = figure(study, f"current through {x} um")
        assert found["value"] == pytest.approx(-CURRENT, rel=0.05)
        assert abs(found["value"] + CURRENT) < 3 * np.hypot(found["statistical"], found["systematic"])


def test_a_harvard_map_says_how_its_step_was_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "DRAWS", 2)
    content = {"Bz": noisy_ring().sel(component="z").values[::-1], "h": 3e-6, "step": 1.0}
    savemat(tmp_path / "Bz_uc0.mat", content)
    data = '[magnetic.data]\nmap = "Bz_uc0.mat"\nfirst_row = "top"'
    study = written(tmp_path, data, '[magnetic.sensor]\nstand_off = "3 um"\naxis = [0, 0, 1]', CUT)
    main(["run", str(study)])
    assert figure(study, "current through ring")["value"] < -0.8 * CURRENT
    warnings = results_of(study)["warnings"]
    assert any("step = 1 was read as micrometres" in warning for warning in warnings)
    assert any("without an uncertainty" in warning for warning in warnings)


def dipole_field(side=61, at=(0.0, 0.0)):
    """Field of a point dipole 4 um below the sensor, by its closed form: it leaves nothing beyond the frame."""
    y = x = UM * (np.arange(side) - side // 2)
    r = np.stack(np.broadcast_arrays(x[None, :] - UM * at[0], y[:, None] - UM * at[1], 4 * UM))
    distance, moment = np.sqrt((r**2).sum(0)), np.array([1e-13, 2e-13, 3e-13])[:, None, None]
    field = 1e-7 * (3 * r * (moment * r).sum(0) / distance**5 - moment / distance**3)
    coords = {"component": list("xyz"), "y": ("y", y, {"units": "m"}), "x": ("x", x, {"units": "m"})}
    return xr.DataArray(field, dims=("component", "y", "x"), coords=coords, attrs={"units": "T"})


def test_b111_gives_the_vector_field(tmp_path, monkeypatch):
    """From the Harvard instrument's own file, through the command, to Bx, By, Bz."""
    monkeypatch.setattr(sheet, "DRAWS", 2)
    field, axis = dipole_field(), np.array([np.sqrt(2 / 3), 0.0, np.sqrt(1 / 3)])
    seen = np.einsum("i,iyx->yx", axis, field.values)
    noise = 2e-9
    seen = seen + noise * np.random.default_rng(0).standard_normal(seen.shape)
    savemat(tmp_path / "B111dataToPlot.mat", {"B111ferro": 1e4 * seen, "B111para": 1e4 * seen + 9})
    data = '[magnetic.data]\nmap = "B111dataToPlot.mat"\npixel = "1 um"'
    sensor = f'[magnetic.sensor]\nstand_off = "4 um"\naxis = {axis.tolist()}'
    study = written(tmp_path, data, sensor)
    main(["run", str(study)])
    vector = Store(tmp_path / "results/study.zarr").read("magnetic/vector").field
    truth = field.values - field.values.mean(axis=(1, 2), keepdims=True)
    error = vector.values - vector.values.mean(axis=(1, 2), keepdims=True) - truth
    peak = np.abs(truth).max()
    assert np.abs(error).max() < 0.02 * peak
    strength = 1e6 * np.sqrt((vector.values[2] ** 2).mean())
    assert figure(study, "field along z from the projection, rms")["value"] == pytest.approx(strength)
    assert (tmp_path / "results/figures/vector-field.png").is_file()


def moved_maps(folder, *, by=(1.2, -0.7), level=0.3e-6):
    """Two maps of a dipole that moved by some micrometres (x, y) while the level rose [T]; and what a study says."""
    for name, at, rise in (("before.h5", (0.0, 0.0), 0.0), ("map.h5", by, level)):
        noise = 2e-9 * np.random.default_rng(len(name)).standard_normal((61, 61))
        seen = dipole_field(at=at).sel(component="z", drop=True) + rise + noise
        write_map(folder / name, seen.assign_attrs(units="T").rename("field"), kind="field")
    data = '[magnetic.data]\nmap = "map.h5"\nearlier = "before.h5"'
    return written(folder, data, '[magnetic.sensor]\nstand_off = "4 um"\naxis = [0, 0, 1]')


def test_the_drift_since_an_earlier_map_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "DRAWS", 2)
    study = moved_maps(tmp_path)
    main(["run", str(study)])
    for name, unit, truth, interpolation in (
        ("moved along x", "um", 1.2, 0.01),
        ("moved along y", "um", -0.7, 0.01),
        ("rise of the level", "uT", 0.3, 0.02),
    ):
        found = figure(study, f"{name} since before.h5")
        assert found["unit"] == unit
        # a dipole 4 pixels below the sensor is interpolated to some per mille of a pixel
        assert found["value"] == pytest.approx(truth, abs=5 * found["statistical"] + interpolation)
        assert 0 < found["statistical"] < 0.05


def test_an_earlier_map_that_cannot_be_compared_is_refused(tmp_path, capsys):
    study = moved_maps(tmp_path)
    whole = dipole_field().sel(component="z", drop=True).rename("field")
    holed, flat = whole.copy(deep=True), (whole * 0 + 1e-6).assign_attrs(units="T")
    holed[3, 3] = np.nan
    for wrong in (whole.isel(x=slice(0, 40)), whole.assign_coords(x=whole.x + 5 * UM), holed, flat):
        wrong = wrong.assign_coords(x=("x", wrong.x.values, {"units": "m"}))
        write_map(tmp_path / "before.h5", wrong.assign_attrs(units="T"), kind="field")
        code, said = refusal(["check", str(study)], capsys)
        assert code == 2
        assert "magnetic.data.earlier" in said


def test_the_noise_of_a_vector_field_is_that_of_its_projection_times_the_stated_gain():
    plane = dipole_field(41).isel(component=0, drop=True)
    drawn = np.random.default_rng(1).standard_normal((200, 41, 41))
    axis = np.array([[0.0, 0.6, 0.8]])
    found = [vector_of_projection(field_dataset(plane, values[None], axis, np.ones((1, 41, 41)))) for values in drawn]
    inner = slice(10, 31)
    scatter = np.var([f.field.values[:, inner, inner] for f in found], axis=0).mean(axis=(1, 2))
    # 200 maps of 441 pixels, whose noise the transform ties together over some pixels
    np.testing.assert_allclose(scatter, found[0].field_var.values[:, 20, 20], rtol=0.06)


def test_a_map_of_an_axis_in_the_plane_or_with_holes_says_why_it_gives_no_vector():
    plane = dipole_field(9).isel(component=0, drop=True)
    values = plane.values[None].copy()
    assert "lies in the plane" in why_no_vector(field_dataset(plane, values, np.array([[1.0, 0.0, 0.05]])))
    tilted = np.array([[0.6, 0.0, 0.8]])
    assert why_no_vector(field_dataset(plane, values, tilted)) == ""
    values[0, 3, 3] = np.nan
    assert "1 pixels have no value" in why_no_vector(field_dataset(plane, values, tilted))


@pytest.mark.slow
def test_a_magnetisation_becomes_susceptibility_and_lithium(tmp_path, monkeypatch):
    """A disc of LixCoO2 in 100 mT along z makes the field of currents M t around its edge."""
    monkeypatch.setattr(sheet, "DRAWS", 3)
    thickness, chi = 0.5 * UM, float(volume_from_lithium(lithium=0.85))
    scale = chi * 0.1 / mu_0 * thickness / CURRENT
    field = ring_field()
    noise = 2e-9 * np.random.default_rng(2).standard_normal(field.shape)
    write_map(tmp_path / "map.h5", field.copy(data=scale * field.values + noise), kind="field")
    source = '[magnetic.source]\ninvert = "magnetisation"\nthickness = "0.5 um"\n'
    source += 'applied_field = ["0 mT", "0 mT", "100 mT"]\nmaterial = "LiCoO2"'
    regions = '[[magnetic.regions]]\nname = "disc"\nstart = ["12 um", "10 um"]\nend = ["18 um", "16 um"]\n'
    regions += (
        '[[magnetic.regions]]\nname = "bare"\nstart = ["27 um", "20 um"]\nend = ["31 um", "27 um"]\nempty = true\n'
    )
    # the loops lie at the height of the layer's middle
    sensor = '[magnetic.sensor]\nstand_off = "2.75 +- 0.1 um"'
    study = written(tmp_path, '[magnetic.data]\nmap = "map.h5"', sensor, source, regions)
    main(["run", str(study)])
    found, x = figure(study, "susceptibility of disc"), figure(study, "lithium of disc")
    assert found["unit"] == x["unit"] == ""
    assert abs(found["value"] - chi) < 2 * np.hypot(found["statistical"], found["systematic"])
    assert np.hypot(found["statistical"], found["systematic"]) < 0.15 * chi
    assert abs(x["value"] - 0.85) < 2 * np.hypot(x["statistical"], x["systematic"])


def test_lithium_is_not_given_where_the_curve_is_flat():
    chi = float(volume_from_lithium(lithium=0.4))
    flat = lithium_figure("lithium", Figure("chi", chi, "", 0.01 * chi, {"stand-off": 0.02 * chi}))
    assert flat.value is None
    assert "flat" in flat.note
    told = lithium_figure("lithium", Figure("chi", float(volume_from_lithium(lithium=0.9)), "", 1e-7))
    assert told.value == pytest.approx(0.9, abs=2 * told.total)
    assert "scale of the curve" in told.terms


def test_sweeps_apart_are_brought_to_one_level():
    frequency = np.concatenate([np.linspace(2.84e9, 2.85e9, 20), np.linspace(2.89e9, 2.9e9, 20)])
    level = np.where(frequency < 2.87e9, 100.0, 130.0)
    values = level[:, None, None] * np.ones((40, 2, 2))
    cube = xr.DataArray(values, dims=("frequency", "y", "x"), coords={"frequency": frequency}, attrs={"units": "count"})
    np.testing.assert_allclose(evened(cube), 1.0)
    alone = cube.isel(frequency=slice(0, 20))
    xr.testing.assert_identical(evened(alone), alone)


STRESS = (0.6e6, -0.4e6, 0.9e6, -0.2e6)


@pytest.fixture(scope="module")
def stressed(tmp_path_factory):
    """Spectra of the ring in a diamond with random strain and a stress that shifts each centre by its own amount."""
    folder = tmp_path_factory.mktemp("stressed")
    microscope = NVMicroscope(photon_rate=1e8, width=1.5e6, contrast=0.02, strain=3e6, splitting_shifts=STRESS)
    frequency = microscope.sweep(step=0.8e6, largest_field=80e-6)
    field = ring_field().isel(y=slice(0, 12), x=slice(0, 12))
    record_odmr(folder / "cube.h5", field, microscope=microscope, frequency=frequency, dwell=0.05, seed=3)
    return folder


def pulls_of(folder, said):
    """Field of a study's own settings less the truth, in standard errors."""
    lines = f'[magnetic.lines]\nbias = ["1.1 mT", "2.3 mT", "4.5 mT"]\n{said}'
    study = written(folder, '[magnetic.data]\ncube = "cube.h5"', lines, '[magnetic.sensor]\nstand_off = "3 um"')
    magnetic = read_study(study).magnetic
    found = field_of_lines(fitted_lines(measurement_of(magnetic).content, magnetic.lines), magnetic.lines)
    truth = read_map(folder / "cube-truth.h5", kind="odmr truth").field
    return found, ((found.field.values - truth.values) / np.sqrt(found.field_var.values))


def test_strain_and_the_splitting_of_each_axis_are_fitted_where_the_study_says_so(stressed):
    found, pull = pulls_of(stressed, 'strain = "fit"\neach_axis = true')
    assert (found.verdict == Verdict.GOOD).all()
    # 432 pulls
    assert np.sqrt((pull**2).mean()) == pytest.approx(1.0, abs=0.12)
    square = (found.strain_squared - 9e12) / np.sqrt(found.strain_squared_var)
    assert abs(float(square.mean())) < 4 / np.sqrt(square.size)
    shift = (found.temperature_shift - np.mean(STRESS) / NV.splitting_slope) / np.sqrt(found.temperature_shift_var)
    assert abs(float(shift.mean())) < 4 / np.sqrt(shift.size)
    strain = next(f for f in field_figures(found, found) if f.name.startswith("strain"))
    assert strain.value == pytest.approx(3.0, abs=4 * strain.total)


def test_strain_that_is_known_is_taken_at_its_word(stressed):
    found, pull = pulls_of(stressed, 'strain = "3 MHz"\neach_axis = true')
    assert "strain_squared" not in found
    assert np.sqrt((pull**2).mean()) == pytest.approx(1.0, abs=0.12)


def test_without_strain_and_stress_the_field_is_refused_or_far_off(stressed):
    with pytest.raises(RunError, match=r"pixels have a good fit"):
        pulls_of(stressed, "")


def refusal(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return stopped.value.code, said


@pytest.fixture
def good(tmp_path):
    """Study of a small vector map that would run, as sections by name."""
    write_map(tmp_path / "map.h5", noisy_ring(), kind="field")
    write_map(tmp_path / "small.h5", noisy_ring().isel(y=slice(0, 7)), kind="field")
    write_map(tmp_path / "flat.h5", (0 * ring_field() + 2e-6).assign_attrs(units="T"), kind="field")
    return {
        "data": '[magnetic.data]\nmap = "map.h5"',
        "sensor": '[magnetic.sensor]\nstand_off = "3.0 +- 0.1 um"',
        "source": "[magnetic.source]",
        "background": "[magnetic.background]",
        "cut": CUT,
    }


@pytest.mark.parametrize(
    ("section", "text", "named"),
    [
        ("data", '[magnetic.data]\nmap = "map.h5"\npixle = "1 um"', 'pixle.*Did you mean "pixel"'),
        ("data", '[magnetic.data]\nmap = "map.h5"\ncube = "map.h5"', "magnetic.data .*a cube or a map"),
        ("data", "[magnetic.data]", "magnetic.data .*a cube or a map"),
        ("data", '[magnetic.data]\ncube = "map.h5"\nearlier = "map.h5"', "magnetic.data .*earlier map"),
        ("data", '[magnetic.data]\nmap = "gone.h5"', "gone.h5: there is no such file"),
        ("data", '[magnetic.data]\ncube = "map.h5"', "magnetic.lines"),
        ("data", '[magnetic.data]\nmap = "map.h5"\nfirst_row = "left"', "magnetic.data.first_row"),
        ("data", '[magnetic.data]\nmap = "map.h5"\npixel = "1 uT"', "magnetic.data.pixel"),
        ("data", '[magnetic.data]\nmap = "map.h5"\npixel = "0 um"', "magnetic.data.pixel"),
        ("sensor", "[magnetic.sensor]", "magnetic.sensor.stand_off"),
        ("sensor", '[magnetic.sensor]\nstand_off = "3"', "magnetic.sensor.stand_off"),
        ("sensor", '[magnetic.sensor]\nstand_off = "3 +- 4 um"', "magnetic.sensor .*above zero"),
        ("sensor", '[magnetic.sensor]\nstand_off = "3 um"\nthickness = "9 um"', "magnetic.sensor .*centre"),
        ("sensor", '[magnetic.sensor]\nstand_off = "3 um"\naxis = [0, 0, 1]', "magnetic.sensor.axis .*left out"),
        ("sensor", '[magnetic.sensor]\nstand_off = "3 um"\naxis = [0, 0, 0]', "magnetic.sensor.axis .*not zero"),
        ("source", '[magnetic.source]\ninvert = "voltage"', "magnetic.source.invert"),
        ("source", '[magnetic.source]\ninvert = "magnetisation"', "magnetic.source .*applied_field"),
        ("lines", f"{LINES}\nstrain = 2", "magnetic.lines.strain"),
        ("lines", f'{LINES}\nstrain = "-2 MHz"', "magnetic.lines.strain"),
        ("lines", f'{LINES}\nstrain = "fitted"', "magnetic.lines.strain"),
        ("lines", f'{LINES}\nsplitting = "2.87 GHz"\neach_axis = true', "magnetic.lines .*each_axis"),
        ("lines", f'{LINES}\ncentres = [0]\nstrain = "fit"', "magnetic.lines .*no more unknowns"),
        ("lines", f'{LINES}\ncentres = [0, 1, 2]\nstrain = "fit"\neach_axis = true', "no more unknowns"),
        ("source", "[magnetic.source]\ndirection = [0, 0, 1]", "magnetic.source .*belong to a magnetisation"),
        ("source", '[magnetic.source]\nthickness = "1 +- 2 um"', "magnetic.source .*uncertainty"),
        ("source", '[magnetic.source]\nmaterial = "LiCoO2"', "magnetic.source .*applied_field and thickness"),
        ("background", '[magnetic.background]\nkind = "upward"', "magnetic.background .*distance"),
        ("background", '[magnetic.background]\ndistance = "9 um"', "magnetic.background .*distance"),
        ("cut", CUT.replace("31 um", "45 um"), r"magnetic.cuts.0.end .*\(31, 27\) um"),
        ("cut", CUT.replace("15 um", "15 mm"), "magnetic.cuts.0.start"),
        ("cut", CUT.replace("31 um", "15 um"), "magnetic.cuts.0 .*nothing passes through a point"),
        ("data", '[magnetic.data]\nmap = "small.h5"', "magnetic.data.map .*8 pixels along both axes"),
        ("data", '[magnetic.data]\nmap = "flat.h5"', "magnetic.data.map .*not the same everywhere"),
        ("cut", CUT + CUT, "different name"),
        ("cut", '[[magnetic.regions]]\nname = "a"\nstart = ["1 um", "1 um"]\nend = ["2 um", "2 um"]', "regions"),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_bad_input_is_named_with_status_2_and_leaves_nothing(tmp_path, good, section, text, named, command, capsys):
    study = written(tmp_path, *(good | {section: text}).values())
    code, said = refusal([command, str(study)], capsys)
    assert code == 2, said
    assert re.search(named, said.replace("\n", " ")), said
    assert not (tmp_path / "results/summary.json").exists()


def test_a_cube_in_place_of_a_map_and_a_wrong_bias_are_told_apart(tmp_path, cube, capsys):
    content = cube.read_text()
    swapped = written(
        tmp_path, f'[magnetic.data]\nmap = "{cube.parent / "cube.h5"}"', '[magnetic.sensor]\nstand_off = "3 um"'
    )
    code, said = refusal(["run", str(swapped)], capsys)
    assert code == 2
    assert "cube.h5: holds odmr, not field" in said
    (tmp_path / "study.toml").write_text(
        content.replace("cube.h5", str(cube.parent / "cube.h5")).replace("bias = ", "centres = [0, 1]\nbias = ")
    )
    code, said = refusal(["run", str(tmp_path / "study.toml")], capsys)
    assert code == 2
    assert "magnetic.lines" in said


def test_a_map_of_nothing_but_noise_fails_with_status_1(tmp_path, good, capsys):
    noise = 1e-7 * np.random.default_rng(0).standard_normal((3, ROWS, COLUMNS))
    write_map(tmp_path / "map.h5", ring_field().copy(data=noise), kind="field")
    study = written(tmp_path, *good.values())
    code, said = refusal(["run", str(study)], capsys)
    assert code == 1
    assert "noise" in said


def test_paths_are_relative_to_the_study_file(tmp_path, good):
    study = read_study(written(tmp_path, *good.values()))
    assert study.magnetic.data.path == tmp_path / "map.h5"
    assert study.results == tmp_path / "results"

import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.io.field_map import read_map
from operando.magnetism.fit_lines import fit_lines
from operando.magnetism.fit_verdict import Verdict
from operando.magnetism.hamiltonian import hamiltonian_from_field
from operando.magnetism.nv import NV
from operando.magnetism.sensitivity import line_error_from_noise
from operando.magnetism.vector_fit import fit_vector
from operando.twin.magnetic_instruments import INSTRUMENTS
from operando.twin.microscope import NVMicroscope
from operando.twin.nv import record_odmr, simulate_odmr


def _field(side=12, strength=20e-6):
    along = (np.arange(side) - (side - 1) / 2) * 1e-6
    y, x = np.meshgrid(along, along, indexing="ij")
    bump = np.exp(-(x**2 + y**2) / (2 * (4e-6) ** 2))
    values = strength * np.stack([bump * x / 4e-6, bump * y / 4e-6, bump])
    coords = {"component": list("xyz"), "z": ((), 1e-6, {"units": "m"})}
    coords |= {axis: (axis, along, {"units": "m"}) for axis in ("y", "x")}
    return xr.DataArray(values, dims=("component", "y", "x"), coords=coords, attrs={"units": "T"})


def test_field_comes_back_from_photons_within_its_errors(tmp_path):
    microscope = NVMicroscope(photon_rate=1e8, width=0.8e6, contrast=0.02, nitrogen="15N", temperature=303.0)
    frequency = microscope.sweep(step=0.4e6, largest_field=60e-6)
    path = tmp_path / "cube.h5"
    beside = record_odmr(path, _field(), microscope=microscope, frequency=frequency, dwell=0.05, seed=1)
    cube = read_map(path, kind="odmr").fluorescence
    truth = read_map(beside, kind="odmr truth")
    assert set(read_map(path, kind="odmr").data_vars) == {"fluorescence"}
    lines = fit_lines(cube, lines=8, nitrogen="15N")
    fitted = fit_vector(lines, frames=microscope.frames, bias=microscope.bias)
    assert (fitted.verdict == Verdict.GOOD).all()
    pull = (fitted.field - truth.field).values / np.sqrt(np.einsum("iiyx->iyx", fitted.field_cov.values))
    # 432 pulls
    assert np.sqrt((pull**2).mean()) == pytest.approx(1.0, abs=0.12)
    kelvin = (fitted.temperature_shift - 3.0).values / np.sqrt(fitted.temperature_shift_var.values)
    assert np.sqrt((kelvin**2).mean()) == pytest.approx(1.0, abs=0.2)


def test_photons_scatter_as_photons():
    microscope = NVMicroscope(photon_rate=1e4, axes=(0,))
    frequency = microscope.sweep(step=2e6)
    options = {"microscope": microscope, "frequency": frequency, "dwell": 0.1}
    expected, _ = simulate_odmr(_field(), seed=None, **options)
    counted, _ = simulate_odmr(_field(), seed=2, **options)
    chi2 = ((counted - expected) ** 2 / expected).mean()
    assert float(chi2) == pytest.approx(1.0, abs=5 * np.sqrt(2 / counted.size))


def test_scanning_tip_reaches_the_error_its_photons_allow():
    bias, side = (0.0, 0.0, 3e-3), 30
    microscope = NVMicroscope(cut="111", axes=(0,), bias=bias, photon_rate=1e7, width=5e6, contrast=0.15)
    frequency = microscope.sweep(step=1e6, margin=60e6)
    cube, _ = simulate_odmr(_field(side, 0.0), microscope=microscope, frequency=frequency, dwell=1e-3, seed=3)
    lines = fit_lines(cube, lines=2)
    bound = line_error_from_noise(linewidth=5e6, contrast=0.15, noise=1 / np.sqrt(1e4), step=1e6)
    # 1800 lines; slightly less light on the line, and a background that is fitted too
    assert float((lines.centre - lines.centre.mean(("y", "x"))).std()) == pytest.approx(bound, rel=0.08)


def test_same_seed_same_photons_another_seed_others():
    microscope = NVMicroscope(intensity_noise=1e-3)
    options = {"microscope": microscope, "frequency": microscope.sweep(step=5e6), "dwell": 1e-3}
    first, again, other = (simulate_odmr(_field(4), seed=s, **options)[0] for s in (4, 4, 5))
    xr.testing.assert_identical(first, again)
    assert (first != other).any()


def test_temperature_drift_during_the_sweep_is_seen_between_the_lines():
    options = {"cut": "111", "axes": (0,), "bias": (0.0, 0.0, 2e-3), "width": 1e6, "contrast": 0.1}
    frequency = NVMicroscope(**options).sweep(step=0.2e6)
    lines = []
    for drift in (0.0, 4.0):
        microscope = NVMicroscope(**options, temperature_drift=drift)
        cube, _ = simulate_odmr(_field(2, 0.0), microscope=microscope, frequency=frequency, dwell=1.0, seed=None)
        lines.append(fit_lines(cube, lines=2).centre[:, 0, 0].values)
    # each line is met once, early or late in the sweep, where D has drifted by as much as at its new place
    slope = NV.splitting_slope * 4.0 / np.ptp(frequency)
    expected = slope / (1 - slope) * (lines[0] - frequency.mean())
    np.testing.assert_allclose(lines[1] - lines[0], expected, rtol=1e-4)


def test_optics_blur_light_and_leave_the_total():
    sharp = NVMicroscope(axes=(0,), contrast=0.1)
    blurred = NVMicroscope(axes=(0,), contrast=0.1, point_spread=2e-6)
    field = _field(24, 200e-6)
    frequency = sharp.sweep(step=1e6, largest_field=200e-6)
    a, b = (simulate_odmr(field, microscope=m, frequency=frequency, dwell=1.0, seed=None)[0] for m in (sharp, blurred))
    assert float(b.isel(y=12, x=12).min()) > float(a.isel(y=12, x=12).min())
    np.testing.assert_allclose(a.sum(("y", "x")), b.sum(("y", "x")), rtol=2e-4)


def test_a_thick_layer_sees_the_mean_of_its_depths():
    options = {"cut": "111", "axes": (0,), "bias": (0.0, 0.0, 2e-3), "width": 1e6, "contrast": 0.1}
    along = (np.arange(64) - 31.5) * 1e-6
    k = 2 * np.pi / 16e-6
    wave = 2e-6 * np.cos(k * along)[None, :] * np.exp(-((along[:, None] ** 2 + along[None, :] ** 2) / (2 * 14e-6**2)))
    field = xr.DataArray(
        np.stack([0 * wave, 0 * wave, wave]),
        dims=("component", "y", "x"),
        coords={"component": list("xyz")} | {d: (d, along, {"units": "m"}) for d in ("y", "x")},
        attrs={"units": "T"},
    )
    thin, thick = NVMicroscope(**options), NVMicroscope(**options, thickness=4e-6)
    frequency = thin.sweep(step=0.25e6)
    seen = []
    for microscope in (thin, thick):
        cube, _ = simulate_odmr(field, microscope=microscope, frequency=frequency, dwell=1.0, seed=None)
        lines = fit_lines(cube.isel(y=slice(31, 33), x=slice(31, 33)), lines=2, width=1e6)
        seen.append(float((lines.centre[1] - lines.centre[0]).mean()) / 2 / NV.gyromagnetic_ratio - 2e-3)
    # (1 - exp(-k d)) / (k d) for the one wavelength; the envelope mixes in some longer and shorter ones
    assert seen[1] / seen[0] == pytest.approx((1 - np.exp(-k * 4e-6)) / (k * 4e-6), rel=0.04)


def test_sweep_holds_every_line():
    microscope = NVMicroscope(cut="110", bias=(3e-3, 1e-3, 5e-3))
    frequency = microscope.sweep(step=1e6, largest_field=1e-4)
    cube, _ = simulate_odmr(_field(3), microscope=microscope, frequency=frequency, dwell=1.0, seed=None)
    assert float((1 - cube / cube.max()).isel(frequency=[0, -1]).max()) < 0.1 * microscope.contrast


@pytest.mark.parametrize(
    "wrong",
    [
        {"dwell": 0.0},
        {"dwell": np.nan},
        {"dwell": 1e3},
        {"field_map": _field().isel(component=0)},
        {"field_map": _field(3) * np.nan},
    ],
)
def test_what_cannot_be_simulated_is_refused(wrong):
    microscope = NVMicroscope()
    options = {"field_map": _field(3), "microscope": microscope, "frequency": [2.8e9, 2.9e9], "dwell": 1.0, "seed": 1}
    with pytest.raises(InputError):
        simulate_odmr(**options | wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("axes", ()),
        ("axes", (4,)),
        ("axes", (1, 1)),
        ("cut", "123"),
        ("shape", "box"),
        ("nitrogen", "13C"),
        ("photon_rate", 0.0),
        ("contrast", 0.2),
        ("contrast", -0.01),
        ("width", 0.0),
        ("thickness", -1e-6),
        ("point_spread", -1e-6),
        ("temperature", np.nan),
        ("temperature", 0.0),
        ("temperature_drift", np.inf),
        ("intensity_noise", 2.0),
        ("intensity_drift", -3.0),
        ("strain", -1.0),
        ("splitting_shifts", (1e6,)),
        ("electric_field", (0.0, 0.0, np.nan)),
        ("bias", (0.0, 1e-3)),
        ("azimuth", np.nan),
    ],
)
def test_microscopes_that_cannot_be_are_refused(name, value):
    with pytest.raises(InputError, match=name.replace("_", "[ _]")):
        NVMicroscope(**{name: value})


def test_the_deepest_lines_that_meet_leave_no_light_below_zero():
    microscope = NVMicroscope(contrast=0.125, bias=(0.0, 0.0, 0.0), intensity_drift=1.0, intensity_noise=0.05)
    options = {"microscope": microscope, "frequency": np.linspace(2.86e9, 2.88e9, 41), "dwell": 1e-3}
    expected, _ = simulate_odmr(_field(3, 0.0), seed=None, **options)
    assert 0 <= float(expected.min()) < 0.05 * float(expected.max())
    simulate_odmr(_field(3, 0.0), seed=0, **options)


def test_instruments_rank_as_the_comparison_of_the_paper_says():
    nv, squid, vapour = (INSTRUMENTS[n] for n in ("scanning NV", "scanning SQUID", "vapour cell"))
    assert nv.resolution < INSTRUMENTS["wide-field NV"].resolution < min(squid.resolution, vapour.resolution)
    assert max(squid.sensitivity, vapour.sensitivity) < nv.sensitivity
    assert all(i.source for i in INSTRUMENTS.values())


def test_a_camera_measures_all_pixels_at_once():
    wide, scanning = INSTRUMENTS["wide-field NV"], INSTRUMENTS["scanning NV"]
    assert wide.field_error(time=100.0, pixels=10_000) == pytest.approx(wide.sensitivity / 10)
    assert scanning.field_error(time=100.0, pixels=10_000) == pytest.approx(scanning.sensitivity * 10)


def test_an_electric_field_moves_lines_as_the_hamiltonian_says():
    """Levels of the full matrix, in the centre's own frame, with the signs of Doherty et al. 2012."""
    bias, electric = (0.3e-3, 0.2e-3, 0.5e-3), (2e6, -1e6, 3e6)
    microscope = NVMicroscope(axes=(1,), bias=bias, electric_field=electric)
    frame = microscope.frames[0]
    along, across = NV.stark_axial, NV.stark_transverse
    ex, ey, ez = frame @ electric
    levels = np.linalg.eigvalsh(
        hamiltonian_from_field(
            field=frame @ np.array(bias), splitting=NV.splitting + along * ez, transverse=across * complex(-ex, ey)
        )
    )
    np.testing.assert_allclose(microscope.lines(np.array(bias))[0, 0], levels[1:] - levels[0], rtol=1e-12)
    still = NVMicroscope(axes=(1,), bias=bias).lines(np.array(bias))[0, 0]
    assert np.abs(microscope.lines(np.array(bias))[0, 0] - still).min() > 30e3


def test_random_strain_shifts_the_mean_line_by_its_square_alone():
    bias = np.array([1.1e-3, 2.3e-3, 4.5e-3])
    microscope = NVMicroscope(strain=4e6)
    lines = microscope.lines(bias)
    # to first order in E^2 the directions' mean is that of a strain whose direction does not matter
    gamma, frames = NV.gyromagnetic_ratio, microscope.frames
    axial = np.abs(frames[:, 2] @ bias) * gamma
    mean, still = lines.mean(axis=0), NVMicroscope().lines(bias)[0]
    splitting = (mean - still) @ np.array([-1.0, 1.0])
    np.testing.assert_allclose(splitting, (4e6) ** 2 / axial, rtol=0.1)
    # each direction alone is off by far more, where the field across the axis is strong
    assert np.ptp(lines[:, :, 1] - lines[:, :, 0], axis=0).max() > 5 * splitting.min()

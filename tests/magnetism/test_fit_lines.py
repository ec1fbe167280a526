import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from operando.errors import InputError
from operando.magnetism.fit_lines import fit_lines
from operando.magnetism.fit_solver import model_into
from operando.magnetism.fit_verdict import Verdict, verdict_counts
from operando.magnetism.nv import NUCLEI
from operando.magnetism.odmr import fluorescence_from_lines
from operando.magnetism.sensitivity import line_error_from_noise

FREQUENCY = np.linspace(2.82e9, 2.92e9, 100)
WIDTH, CONTRAST, NOISE = 6e6, 0.0168, 0.002


def _cube(spectra, frequency=FREQUENCY):
    """Label spectra ``(y, x, frequency)``."""
    coords = {"frequency": ("frequency", frequency, {"units": "Hz"})}
    return xr.DataArray(spectra, dims=("y", "x", "frequency"), coords=coords, attrs={"units": "1"})


def _two_lines(side, seed, noise=NOISE, contrast=CONTRAST):
    rng = np.random.default_rng(seed)
    centres = np.array([2.855e9, 2.885e9]) + rng.uniform(-5e6, 5e6, (side, side, 2))
    spectra = fluorescence_from_lines(frequency=FREQUENCY, lines=centres, width=WIDTH, contrast=contrast)
    return _cube(spectra + noise * rng.standard_normal(spectra.shape)), np.moveaxis(centres, -1, 0)


@given(seed=st.integers(0, 2**32 - 1), gaussian=st.booleans(), multiplet=st.sampled_from([None, "14N", "15N"]))
def test_jacobian_equals_the_differences_of_the_model(seed, gaussian, multiplet):
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, 31)
    p = np.array([1.0, 0.1, -0.3, 0.11, 0.2, 0.4, 0.2, 0.05]) * (1 + 0.2 * rng.standard_normal(8))
    offsets = NUCLEI[multiplet].multiplet / 2e7 if multiplet else np.zeros(1)
    jacobian, model, step = np.empty((8, 31)), np.empty(31), 1e-6

    def at(parameters):
        values = np.empty(31)
        model_into(parameters, x, offsets, int(gaussian), values, np.empty((8, 31)))
        return values

    model_into(p, x, offsets, int(gaussian), model, jacobian)
    for k in range(8):
        d = step * np.eye(8)[k]
        np.testing.assert_allclose(jacobian[k], (at(p + d) - at(p - d)) / (2 * step), atol=1e-7)


@settings(max_examples=15)
@given(
    lines=st.sampled_from([1, 2, 4, 8]),
    shape=st.sampled_from(["lorentzian", "gaussian"]),
    nitrogen=st.sampled_from([None, "14N", "15N"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_lines_come_back_without_noise(lines, shape, nitrogen, seed):
    rng = np.random.default_rng(seed)
    frequency = np.arange(2.70e9, 3.04e9, 0.5e6)
    centres = np.linspace(2.72e9, 3.02e9, lines + 2)[1:-1] + rng.uniform(-4e6, 4e6, (3, 2, lines))
    contrast = rng.uniform(0.02, 0.03, (3, 2, lines))
    spectra = fluorescence_from_lines(
        frequency=frequency, lines=centres, width=1.5e6, contrast=contrast, shape=shape, nitrogen=nitrogen
    )
    fitted = fit_lines(_cube(spectra * 7.0, frequency), lines=lines, shape=shape, nitrogen=nitrogen)
    assert (fitted.verdict == Verdict.GOOD).all()
    np.testing.assert_allclose(np.moveaxis(fitted.centre.values, 0, -1), centres, atol=1.0)
    np.testing.assert_allclose(fitted.width, 1.5e6, rtol=1e-6)
    np.testing.assert_allclose(np.moveaxis(fitted.contrast.values, 0, -1), contrast, rtol=1e-6)
    np.testing.assert_allclose(fitted.background, 7.0, rtol=1e-6)


def test_centres_reach_the_cramer_rao_bound_and_their_errors_cover():
    cube, truth = _two_lines(side=64, seed=1)
    fitted = fit_lines(cube, lines=2)
    assert (fitted.verdict == Verdict.GOOD).all()
    x = (FREQUENCY - FREQUENCY.mean()) / 50e6
    bounds = []
    for centre in truth.reshape(2, -1).T[:200]:
        p = np.array([1.0, 0.0, 0.0, 3e6 / 50e6, CONTRAST, 0.0, 3e6 / 50e6, CONTRAST])
        p[2::3] = (centre - FREQUENCY.mean()) / 50e6
        model, jacobian = np.empty(100), np.empty((8, 100))
        model_into(p, x, np.zeros(1), 0, model, jacobian)
        bounds.append(np.linalg.inv(jacobian @ jacobian.T)[2, 2])
    bound = NOISE * 50e6 * np.sqrt(np.mean(bounds))
    assert bound == pytest.approx(0.234e6, rel=0.01)
    error = fitted.centre.values - truth
    # 8192 errors: their root mean square is known to 0.8 %
    assert np.sqrt((error**2).mean()) < 1.03 * bound
    pull = error / np.sqrt(fitted.centre_var.values)
    # a linearised error is a few per cent short where a dip is only eight times its noise
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.683, abs=0.025)
    assert np.mean(np.abs(pull) < 1.96) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("known", [False, True])
def test_errors_cover_to_the_per_mille_where_lines_stand_out(known):
    cube, truth = _two_lines(side=64, seed=2, contrast=0.1)
    fitted = fit_lines(cube, lines=2, noise=NOISE if known else None)
    pull = (fitted.centre.values - truth) / np.sqrt(fitted.centre_var.values)
    # standard deviation of a fraction of 8192: 0.005 and 0.0024
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.683, abs=0.016)
    assert np.mean(np.abs(pull) < 1.96) == pytest.approx(0.95, abs=0.008)
    assert pull.mean() == pytest.approx(0.0, abs=0.045)


def test_scatter_follows_the_closed_bound_of_a_line():
    rng = np.random.default_rng(3)
    frequency = np.linspace(2.77e9, 2.97e9, 400)
    spectra = fluorescence_from_lines(frequency=frequency, lines=np.full((40, 40, 1), 2.87e9), width=5e6, contrast=0.05)
    fitted = fit_lines(_cube(spectra + 0.002 * rng.standard_normal(spectra.shape), frequency), lines=1)
    bound = line_error_from_noise(linewidth=5e6, contrast=0.05, noise=0.002, step=frequency[1] - frequency[0])
    assert float(fitted.centre.std()) == pytest.approx(bound, rel=0.06)


def test_agrees_with_another_fitter():
    cube, _ = _two_lines(side=3, seed=4)
    fitted = fit_lines(cube, lines=2)
    mhz = (FREQUENCY - 2.87e9) / 1e6

    def model(f, a, b, c1, w1, d1, c2, w2, d2):
        return a + b * f - d1 / (1 + (2 * (f - c1) / w1) ** 2) - d2 / (1 + (2 * (f - c2) / w2) ** 2)

    for y in range(3):
        for x in range(3):
            start = [1, 0, -15, 6, 0.015, 15, 6, 0.015]
            best, covariance = curve_fit(model, mhz, cube.values[y, x], p0=start, xtol=1e-12, ftol=1e-12)
            np.testing.assert_allclose((fitted.centre[:, y, x] - 2.87e9) / 1e6, best[[2, 5]], atol=1e-3)
            np.testing.assert_allclose(
                np.sqrt(fitted.centre_var[:, y, x]) / 1e6, np.sqrt(np.diag(covariance)[[2, 5]]), rtol=1e-3
            )


def test_noise_alone_is_masked_and_says_so():
    rng = np.random.default_rng(5)
    fitted = fit_lines(_cube(1 + NOISE * rng.standard_normal((50, 50, 100))), lines=2)
    assert (fitted.verdict != Verdict.GOOD).all()
    assert np.isnan(fitted.centre).all()
    assert np.mean(fitted.verdict == Verdict.NO_LINE) > 0.99
    assert Verdict.NO_LINE.message in verdict_counts(fitted.verdict)


def test_every_false_fit_has_its_reason():
    cube, _ = _two_lines(side=8, seed=6, contrast=0.05)
    spectra = cube.transpose("y", "x", "frequency").values
    spectra[0, 0, 17] = np.nan
    spectra[0, 1] = 1 + NOISE * np.random.default_rng(7).standard_normal(100)
    one = fluorescence_from_lines(frequency=FREQUENCY, lines=np.array([2.87e9]), width=WIDTH, contrast=0.05)
    spectra[0, 2] = one + NOISE * np.random.default_rng(8).standard_normal(100)
    spike = one.copy()
    spike[20] -= 0.05
    spectra[0, 3] = spike + 1e-5 * np.random.default_rng(9).standard_normal(100)
    spectra[0, 4] = 0.0
    spectra[0, 5] = 4095.0
    fitted = fit_lines(_cube(spectra), lines=2, noise=NOISE)
    verdict = fitted.verdict.values
    assert verdict[0, 0] == Verdict.MISSING
    assert verdict[0, 1] == Verdict.NO_LINE
    assert verdict[0, 2] != Verdict.GOOD
    assert verdict[0, 3] == Verdict.TOO_NARROW
    assert (verdict[0, 4:6] == Verdict.NO_LINE).all()
    assert (verdict[1:] == Verdict.GOOD).all()
    assert fitted.verdict.attrs["flag_meanings"].split()[Verdict.NO_LINE] == "no_line"


def test_a_line_cut_off_by_the_sweep_is_at_a_bound():
    frequency = np.linspace(2.86e9, 2.92e9, 100)
    rng = np.random.default_rng(10)
    spectra = fluorescence_from_lines(frequency=frequency, lines=np.full((5, 5, 1), 2.857e9), width=8e6, contrast=0.05)
    fitted = fit_lines(_cube(spectra + 5e-4 * rng.standard_normal(spectra.shape), frequency), lines=1)
    assert (fitted.verdict == Verdict.AT_BOUND).mean() > 0.9
    assert (fitted.verdict != Verdict.GOOD).all()


def test_a_spectrum_of_another_shape_is_a_misfit():
    cube, _ = _two_lines(side=6, seed=11, contrast=0.2)
    assert (fit_lines(cube, lines=2, shape="gaussian", noise=NOISE).verdict == Verdict.MISFIT).all()


def test_order_of_dimensions_and_units_of_frequency_do_not_matter():
    cube, _ = _two_lines(side=5, seed=12)
    other = cube.transpose("frequency", "x", "y").assign_coords(frequency=("frequency", FREQUENCY / 1e6))
    other.frequency.attrs["units"] = "MHz"
    a, b = fit_lines(cube, lines=2), fit_lines(other, lines=2)
    np.testing.assert_allclose(a.centre, b.centre, rtol=1e-12)


def test_same_input_gives_the_same_bits():
    cube, _ = _two_lines(side=10, seed=13)
    xr.testing.assert_identical(fit_lines(cube, lines=2), fit_lines(cube, lines=2))


def _unlabelled(cube):
    return cube.rename(y="row")


def _shuffled(cube):
    return cube.isel(frequency=[1, 0, *range(2, 100)])


def _twice(cube):
    return cube.isel(frequency=[0, *range(99)])


def _without_units(cube):
    bare = cube.copy()
    bare.attrs = {}
    return bare


def _without_frequency_units(cube):
    bare = cube.copy()
    bare.frequency.attrs = {}
    return bare


def _in_metres(cube):
    wrong = cube.copy()
    wrong.frequency.attrs = {"units": "m"}
    return wrong


def _short(cube):
    return cube.isel(frequency=slice(0, 9))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (_unlabelled, "dims frequency, y, x"),
        (_shuffled, "ascending"),
        (_twice, "ascending"),
        (_without_units, "units"),
        (_without_frequency_units, "units"),
        (_in_metres, "units of Hz"),
        (_short, "at least 10 frequencies"),
    ],
)
def test_unfit_cubes_are_refused(spoilt, message):
    cube, _ = _two_lines(side=2, seed=14)
    with pytest.raises(InputError, match=message):
        fit_lines(spoilt(cube), lines=2)


@pytest.mark.parametrize(
    "option", [{"lines": 0}, {"lines": 9}, {"shape": "voigt"}, {"nitrogen": "13C"}, {"noise": 0.0}, {"width": 1e12}]
)
def test_unknown_options_are_refused(option):
    cube, _ = _two_lines(side=2, seed=15)
    with pytest.raises(InputError):
        fit_lines(cube, **{"lines": 2} | option)

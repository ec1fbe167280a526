import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.fit_verdict import Verdict
from operando.magnetism.lines import lines_from_field
from operando.magnetism.nv import NV, nv_frames_from_cut
from operando.magnetism.vector_fit import fit_vector

FRAMES = nv_frames_from_cut(cut="100")
BIAS = np.array([1.1e-3, 2.3e-3, 4.5e-3])
ERROR = 20e3


def _lines(field, *, frames=FRAMES, splitting=NV.splitting, seed=None, error=ERROR):
    """Lines of fields ``(y, x, 3)`` as `fit_lines` would return them, with errors of one size."""
    lines = lines_from_field(field=field, frames=frames, splitting=splitting)
    flat = np.sort(lines.reshape(*lines.shape[:-2], -1), axis=-1)
    if seed is not None:
        flat = flat + error * np.random.default_rng(seed).standard_normal(flat.shape)
    count = flat.shape[-1]
    covariance = np.zeros((count, count, *flat.shape[:-1]))
    covariance[np.arange(count), np.arange(count)] = error**2
    centre = xr.DataArray(np.moveaxis(flat, -1, 0), dims=("line", "y", "x"), attrs={"units": "Hz"})
    return xr.Dataset({"centre": centre, "centre_cov": (("line", "line_2", "y", "x"), covariance)})


def _fields(side, seed, spread=20e-6):
    return BIAS + spread * np.random.default_rng(seed).standard_normal((side, side, 3))


@given(seed=st.integers(0, 2**32 - 1), cut=st.sampled_from(["100", "110", "111"]), kelvin=st.floats(-10, 10))
def test_field_and_temperature_come_back_exactly(seed, cut, kelvin):
    frames, fields = nv_frames_from_cut(cut=cut, azimuth=0.3), _fields(3, seed)
    splitting = NV.splitting + NV.splitting_slope * kelvin
    fitted = fit_vector(_lines(fields, frames=frames, splitting=splitting), frames=frames, bias=BIAS)
    np.testing.assert_allclose(np.moveaxis(fitted.field.values, 0, -1), fields, rtol=0, atol=1e-13)
    np.testing.assert_allclose(fitted.temperature_shift, kelvin, atol=1e-7)


def test_errors_of_field_and_temperature_cover_and_chi_squared_counts_what_is_left():
    fields = _fields(64, 1)
    fitted = fit_vector(_lines(fields, seed=2), frames=FRAMES, bias=BIAS)
    assert (fitted.verdict == Verdict.GOOD).all()
    error = fitted.field.values - np.moveaxis(fields, -1, 0)
    pull = error / np.sqrt(np.einsum("iiyx->iyx", fitted.field_cov.values))
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.683, abs=0.012)
    assert np.mean(np.abs(pull) < 1.96) == pytest.approx(0.95, abs=0.006)
    kelvin = fitted.temperature_shift.values / np.sqrt(fitted.temperature_shift_var.values)
    assert np.mean(np.abs(kelvin) < 1) == pytest.approx(0.683, abs=0.022)
    assert float(fitted.chi_squared.mean()) == pytest.approx(8 - 4, rel=0.05)
    # off-diagonal too: the whole covariance whitens the errors
    whitened = np.einsum(
        "iyx,ijyx,jyx->yx",
        error,
        np.moveaxis(np.linalg.inv(np.moveaxis(fitted.field_cov.values, (0, 1), (-2, -1))), (-2, -1), (0, 1)),
        error,
    )
    assert whitened.mean() == pytest.approx(3.0, rel=0.05)


def test_strain_is_told_apart_from_field_and_temperature():
    fields, strain = _fields(24, 3), 2e6
    # strain of random direction: the mean over directions is what an ensemble's line shows
    angles = np.exp(2j * np.pi * np.arange(8) / 8)
    mean = np.mean([lines_from_field(field=fields, frames=FRAMES, transverse=strain * a) for a in angles], axis=0)
    lines = _lines(fields)
    flat = np.sort(mean.reshape(24, 24, 8), axis=-1) + 5e3 * np.random.default_rng(4).standard_normal((24, 24, 8))
    lines["centre"] = lines.centre.copy(data=np.moveaxis(flat, -1, 0))
    lines["centre_cov"] = lines.centre_cov * (5e3 / ERROR) ** 2
    blind = fit_vector(lines, frames=FRAMES, bias=BIAS)
    fitted = fit_vector(lines, frames=FRAMES, bias=BIAS, strain=None)
    assert np.mean(blind.verdict != Verdict.GOOD) > 0.5
    assert (fitted.verdict == Verdict.GOOD).mean() > 0.99
    assert float(np.sqrt(fitted.strain_squared.mean())) == pytest.approx(strain, rel=0.03)
    assert abs(float(fitted.temperature_shift.mean())) < 0.02


def test_each_axis_may_have_its_own_splitting():
    shifts = np.array([-80e3, 20e3, 50e3, 10e3])
    lines = _lines(_fields(16, 5), splitting=NV.splitting + shifts, seed=6, error=2e3)
    common = fit_vector(lines, frames=FRAMES, bias=BIAS)
    each = fit_vector(lines, frames=FRAMES, bias=BIAS, each_axis=True)
    assert (common.verdict == Verdict.MISFIT).mean() > 0.9
    assert (each.verdict == Verdict.GOOD).all()
    assert float((each.splitting - NV.splitting).mean()) == pytest.approx(shifts.mean(), abs=500)


def test_a_mirrored_field_has_the_same_lines_and_the_bias_decides_between_them():
    # x = y is a mirror plane of the crystal: no spectrum tells its sides apart
    left, right = np.array([1.9e-3, 2.1e-3, 4e-3]), np.array([2.1e-3, 1.9e-3, 4e-3])
    lines = _lines(left * np.ones((2, 2, 1)))
    xr.testing.assert_allclose(lines, _lines(right * np.ones((2, 2, 1))), atol=1e-5)
    for side in (left, right):
        fitted = fit_vector(lines, frames=FRAMES, bias=side + np.array([2e-5, -3e-5, 1e-4]))
        np.testing.assert_allclose(fitted.field[:, 0, 0], side, rtol=0, atol=1e-12)


def test_lines_of_two_centres_that_cross_keep_the_fit_exact():
    # a field along the bias of which the lines of the four centres interleave in another order than the bias's own
    bias = np.array([0.3e-3, 0.5e-3, 5e-3])
    weak = bias * np.linspace(0.9, 1.1, 9)[:, None, None] + np.array([0.1e-3, -0.05e-3, 0.2e-3]) * np.ones((9, 4, 1))
    fitted = fit_vector(_lines(weak), frames=FRAMES, bias=bias)
    np.testing.assert_allclose(np.moveaxis(fitted.field.values, 0, -1), weak, rtol=0, atol=1e-12)


def test_one_axis_gives_the_field_along_it_and_keeps_the_bias_across():
    frames = nv_frames_from_cut(cut="111")[:1]
    bias = np.array([0.2e-3, 0.0, 4e-3])
    fields = bias + np.array([0.0, 0.0, 1e-6]) * np.arange(6).reshape(2, 3, 1)
    fitted = fit_vector(_lines(fields, frames=frames), frames=frames, bias=bias)
    np.testing.assert_allclose(np.moveaxis(fitted.field.values, 0, -1), fields, rtol=0, atol=1e-12)
    along = np.sqrt(fitted.field_cov[2, 2])
    np.testing.assert_allclose(along, ERROR / np.sqrt(2) / NV.gyromagnetic_ratio, rtol=0.01)
    assert float(abs(fitted.field_cov[0, 0]).max()) < 1e-25


def test_masked_pixels_stay_masked_with_their_reason():
    lines = _lines(_fields(4, 7))
    lines["verdict"] = (("y", "x"), np.zeros((4, 4), np.uint8))
    lines["verdict"][1, 2] = Verdict.NO_LINE
    lines["centre"][:, 1, 2] = np.nan
    fitted = fit_vector(lines, frames=FRAMES, bias=BIAS)
    assert fitted.verdict[1, 2] == Verdict.NO_LINE
    assert np.isnan(fitted.field[:, 1, 2]).all()
    assert np.isfinite(fitted.field).sum() == 15 * 3


def test_lines_that_no_field_gives_are_a_misfit():
    lines = _lines(_fields(4, 8))
    lines["centre"][0, 0, 0] += 5e6
    verdict = fit_vector(lines, frames=FRAMES, bias=BIAS).verdict
    assert verdict[0, 0] == Verdict.MISFIT
    assert (verdict.values.ravel()[1:] == Verdict.GOOD).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"frames": FRAMES[:3]}, "6 for 3 centres"),
        ({"frames": FRAMES[:2]}, "three or four"),
        ({"bias": [1e-3, 0.0]}, "bias"),
        ({"strain": -1.0}, "not negative"),
    ],
)
def test_what_cannot_be_fitted_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        fit_vector(_lines(_fields(2, 9)), **{"frames": FRAMES, "bias": BIAS} | wrong)


def test_more_unknowns_than_lines_are_refused():
    frames = FRAMES[:1]
    with pytest.raises(InputError, match="unknowns"):
        fit_vector(_lines(_fields(2, 10), frames=frames), frames=frames, bias=BIAS, strain=None)

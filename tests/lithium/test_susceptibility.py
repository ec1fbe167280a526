import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.lithium.susceptibility import (
    LithiumVerdict,
    SusceptibilityCurve,
    lithium_cobalt_oxide_curve,
    lithium_from_susceptibility,
)

CURVE = lithium_cobalt_oxide_curve()
EXACT = lithium_cobalt_oxide_curve(scale=0.0, peak=0.0)


def _found(values, sd, *, curve=EXACT, lowest=0.0, systematic=None):
    chi = xr.DataArray(np.atleast_1d(values).astype(float), dims="particle", attrs={"units": ""})
    variance = xr.full_like(chi, sd**2)
    terms = None
    if systematic is not None:
        terms = xr.DataArray(
            [np.full(chi.shape, s) for s in systematic.values()],
            dims=("term", "particle"),
            coords={"term": list(systematic)},
            attrs={"units": ""},
        )
    return lithium_from_susceptibility(chi, variance=variance, systematic=terms, curve=curve, lowest=lowest)


def _ranges(found, i=0):
    return [(float(a), float(b)) for a, b in zip(found.lower[:, i], found.upper[:, i], strict=True) if np.isfinite(a)]


def _sd(found):
    return np.sqrt(found.lithium_var + (found.lithium_systematic**2).sum("term")).values


@given(x=st.floats(0.72, 0.98))
def test_on_the_slope_the_curve_is_turned_round(x):
    found = _found(EXACT.at(np.array([x])), 5e-7)
    assert found.verdict == LithiumVerdict.DETERMINED
    assert float(found.lithium[0]) == pytest.approx(x, abs=5e-4)
    slope = np.diff(EXACT.at(np.array([0.6, 1.0])))[0] / 0.4
    assert _sd(found)[0] == pytest.approx(5e-7 / abs(slope), rel=0.05)


def test_the_flat_part_gives_bounds_and_never_a_point():
    found = _found(EXACT.at(np.array([0.0, 0.2, 0.49])), 1e-7)
    assert (found.verdict == LithiumVerdict.FLAT).all()
    assert found.lithium.isnull().all()
    assert found.lithium_var.isnull().all()
    for i in range(3):
        low, high = _ranges(found, i)[0]
        assert low == 0.0
        assert high == pytest.approx(0.5, abs=0.01)


def test_where_the_curve_comes_back_both_branches_are_given():
    found = _found(EXACT.at(np.array([0.65])), 2e-6, lowest=0.5)
    assert found.verdict == LithiumVerdict.AMBIGUOUS
    assert found.lithium.isnull().all()
    # the rise from 0.5 to 0.6 takes the value of 0.65 at 0.5386
    rising = np.interp(EXACT.at(np.array([0.65])), EXACT.at(np.array([0.5, 0.6])), [0.5, 0.6])[0]
    inside = sorted(_ranges(found))
    assert len(inside) == 2
    assert inside[0][0] < rising < inside[0][1] < inside[1][0] < 0.65 < inside[1][1]
    # the likelier branch is where the curve is flatter: by the ratio of slopes
    shares = found.probability.values[:2, 0]
    assert shares[0] / shares[1] == pytest.approx(1.475 / 1.2, rel=0.1)


def test_at_the_peak_one_range_holds_both_branches_and_no_point_is_given():
    found = _found(EXACT.at(np.array([0.6])), 3e-6, lowest=0.5)
    assert found.verdict == LithiumVerdict.AMBIGUOUS
    assert found.lithium.isnull().all()
    ((low, high),) = _ranges(found)
    assert 0.5 < low < 0.6 < high < 0.7


def test_the_ranges_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 1.0, 3000)
    for sd in (3e-6, 2e-5):
        chi = EXACT.at(x) + sd * rng.standard_normal(x.size)
        found = _found(chi, sd)
        held = ((found.lower <= x) & (x <= found.upper)).any("branch")
        assert float(held.mean()) == pytest.approx(0.95, abs=0.015)


def test_points_with_errors_cover_when_curve_and_map_err_too():
    rng, pulls = np.random.default_rng(1), []
    for _ in range(40):
        x = rng.uniform(0.5, 1.0, 50)
        scale, moved = 1 + CURVE.scale * rng.standard_normal(), CURVE.peak * rng.standard_normal()
        common = 4e-6 * rng.standard_normal()
        chi = scale * CURVE.at(x, peak_moved=moved) + common + 3e-6 * rng.standard_normal(50)
        found = _found(chi, 3e-6, curve=CURVE, lowest=0.5, systematic={"stand-off": 4e-6})
        pulls.append(((found.lithium - x) / _sd(found)).values)
    within = np.abs(np.concatenate(pulls))
    within = within[np.isfinite(within)]
    assert within.size > 900
    # more than 95 % where the end of the curve at x = 1 helps
    assert 0.93 < np.mean(within < 2) < 0.99


def test_errors_of_the_curve_are_named_and_signed():
    x = 0.8
    found = _found(CURVE.at(np.array([x])), 1e-6, curve=CURVE, systematic={"stand-off": 2e-6})
    assert list(found.term.values) == ["stand-off", "scale of the curve", "peak of the curve"]
    slope = np.diff(CURVE.at(np.array([0.7, 0.8])))[0] / 0.1
    terms = found.lithium_systematic[:, 0].values
    assert terms[0] == pytest.approx(2e-6 / slope, rel=0.1)
    assert terms[1] == pytest.approx(0.05 * CURVE.at(x) / slope, rel=0.1)
    # a peak at larger x lifts the curve: at a given susceptibility x is larger by (1 - x) / 0.4 of the peak's shift
    assert abs(terms[2]) == pytest.approx(0.03 * (1 - x) / 0.4, rel=0.1)


def test_more_noise_never_tells_more():
    widths = [sum(b - a for a, b in _ranges(_found(EXACT.at(np.array([0.85])), sd))) for sd in (1e-6, 1e-5, 1e-4)]
    assert widths == sorted(widths)
    assert _found(EXACT.at(np.array([0.85])), 2e-4).verdict != LithiumVerdict.DETERMINED


def test_a_susceptibility_of_something_else_is_called_so():
    found = _found([1.4e-5, 9e-4, np.nan], 3e-6)
    assert (found.verdict == LithiumVerdict.OUTSIDE).all()
    assert found.lower.isnull().all()
    assert found.lithium.isnull().all()


def test_maps_keep_their_shape_and_coordinates():
    chi = xr.DataArray(EXACT.at(np.full((2, 3), 0.9)), dims=("y", "x"), coords={"y": [0.0, 1.0]}, attrs={"units": ""})
    found = lithium_from_susceptibility(chi, variance=xr.full_like(chi, 1e-12))
    assert found.lithium.dims == ("y", "x")
    assert found.lower.dims == ("branch", "y", "x")
    np.testing.assert_allclose(found.lithium, 0.9, atol=0.03)


def test_a_curve_that_falls_without_return_has_no_ambiguous_part():
    curve = SusceptibilityCurve(lithium=(0.0, 1.0), susceptibility=(3e-3, 1e-3), flat=(0.0, 0.0), scale=0.0, peak=0.0)
    found = _found([2e-3, 2.9e-3], 2e-5, curve=curve)
    assert (found.verdict == LithiumVerdict.DETERMINED).all()
    np.testing.assert_allclose(found.lithium, [0.5, 0.05], atol=2e-3)


@pytest.mark.parametrize(
    ("change", "name"),
    [({"lowest": 1.0}, "lowest lithium"), ({"sd": 0.0}, "variance"), ({"systematic": {}}, "systematic")],
)
def test_errors_that_cannot_be_are_refused(change, name):
    options = {"sd": 1e-6} | change
    if "systematic" in options:
        chi = xr.DataArray([2e-4], dims="particle", attrs={"units": ""})
        with pytest.raises(InputError, match=name):
            lithium_from_susceptibility(chi, variance=chi**2, systematic=chi)
        return
    with pytest.raises(InputError, match=name):
        _found([2e-4], **options)


def test_a_curve_whose_points_fold_back_is_refused():
    with pytest.raises(InputError, match="curve"):
        SusceptibilityCurve(lithium=(0.0, 0.0), susceptibility=(1e-4, 2e-4), flat=(0, 0), scale=0.0, peak=0.0)

import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.lithium.activity import Activity, activity_from_maps, inactive_share
from operando.units import Measured

LITHIUM, ELECTROLYTE = Measured(1.37e-5, 5e-7), Measured(-1.76e-5, 5e-7)
FLOW = 300.0


def _truth(rng, side=60, metal=0.3, inactive=0.4):
    """States of pixels drawn at random, as codes of `Activity`."""
    lithium = rng.random((side, side)) < metal
    still = rng.random((side, side)) < np.where(lithium, inactive, 0.7)
    return np.where(lithium, np.where(still, 1, 0), np.where(still, 3, 2))


def _maps(state, *, chi_noise=8e-6, flow_noise=60.0, seed=0):
    rng = np.random.default_rng(seed)
    lithium = np.isin(state, (0, 1))
    chi = np.where(lithium, LITHIUM.value, ELECTROLYTE.value) + chi_noise * rng.standard_normal(state.shape)
    spread = np.select([state == 0, state == 2], [FLOW, FLOW / 2], 0.0)
    flow = spread * rng.standard_normal((2, *state.shape)) + flow_noise * rng.standard_normal((2, *state.shape))
    a = xr.DataArray(chi, dims=("y", "x"), attrs={"units": ""})
    j = xr.DataArray(flow, dims=("component", "y", "x"), coords={"component": ["x", "y"]}, attrs={"units": "A/m"})
    return {
        "susceptibility": a,
        "susceptibility_var": xr.full_like(a, chi_noise**2),
        "current": j,
        "current_var": xr.full_like(j, flow_noise**2).assign_attrs(units="A^2/m^2"),
    }


def _found(maps, **options):
    return activity_from_maps(**maps, **({"lithium": LITHIUM, "surroundings": ELECTROLYTE} | options))


def test_probabilities_are_what_happens():
    state = _truth(np.random.default_rng(1), side=120)
    found = _found(_maps(state, seed=1))
    for code in range(4):
        said = found.probability.isel(state=code).values.ravel()
        is_so = (state == code).ravel()
        for low in (0.0, 0.2, 0.4, 0.6, 0.8):
            these = (said >= low) & (said < low + 0.2)
            if these.sum() > 150:
                # of as many pixels, with a margin for what is learnt from the maps
                slack = 3 * np.sqrt(said[these].mean() * (1 - said[these].mean()) / these.sum()) + 0.03
                assert abs(is_so[these].mean() - said[these].mean()) < slack
    np.testing.assert_allclose(found.probability.sum("state"), 1.0, rtol=1e-9)


def test_what_is_told_is_right():
    state = _truth(np.random.default_rng(2))
    found = _found(_maps(state, chi_noise=4e-6, flow_noise=10.0, seed=2))
    told = found.activity.values != Activity.NOT_TOLD
    assert told.mean() > 0.7
    assert (found.activity.values == state)[told].mean() > 0.97


def test_the_inactive_share_is_found_with_its_error():
    pulls = []
    for seed in range(30):
        state = _truth(np.random.default_rng(seed), side=40, inactive=0.4)
        figure = inactive_share(_found(_maps(state, flow_noise=30.0, seed=seed)))
        pulls.append((figure.value - (state == 1).sum() / np.isin(state, (0, 1)).sum()) / figure.statistical)
    assert np.mean(np.abs(pulls) < 2) > 0.85
    assert np.std(pulls) > 1 / 3


def test_noise_that_hides_lithium_leaves_it_untold():
    state = _truth(np.random.default_rng(3))
    hidden = _found(_maps(state, chi_noise=3e-4, seed=3))
    assert hidden.attrs["lithium_separation"] < 0.2
    # strong current still speaks for lithium, where it focuses; for lithium at rest nothing speaks
    assert (hidden.activity != Activity.INACTIVE_LITHIUM).all()
    assert (hidden.activity == Activity.ACTIVE_LITHIUM).mean() < 0.05
    seen = _found(_maps(state, seed=3))
    assert seen.attrs["lithium_separation"] == pytest.approx(3.13e-5 / 8e-6, rel=0.02)
    assert seen.attrs["current_separation"] == pytest.approx(FLOW / 60, rel=0.15)


def test_current_that_counts_as_none_makes_lithium_inactive():
    maps = _maps(np.where(_truth(np.random.default_rng(4)) < 2, 0, 3), flow_noise=20.0, seed=4)
    strict = inactive_share(_found(maps))
    generous = inactive_share(_found(maps, least_current=2 * FLOW))
    assert strict.value < 0.1
    assert generous.value is None or generous.value > 0.5


def test_maps_of_no_lithium_have_no_share():
    figure = inactive_share(_found(_maps(np.full((30, 30), 3), chi_noise=2e-6)))
    assert figure.value is None
    assert "lithium" in figure.note


def test_missing_pixels_stay_missing():
    maps = _maps(_truth(np.random.default_rng(5)))
    maps["susceptibility"][4, 5] = np.nan
    found = _found(maps)
    assert found.probability[:, 4, 5].isnull().all()
    assert found.activity[4, 5] == Activity.NOT_TOLD
    assert found.probability.isnull().sum() == 4


def test_a_coarser_resolution_gives_a_larger_error():
    found = _found(_maps(_truth(np.random.default_rng(6))))
    fine, coarse = inactive_share(found), inactive_share(found, pixels_per_resolution=4.0)
    assert coarse.statistical == pytest.approx(2 * fine.statistical)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"lithium": ELECTROLYTE}, "lithium"),
        ({"least_current": -1.0}, "least current"),
        ({"susceptibility_var": xr.DataArray(np.zeros((60, 60)), dims=("y", "x"), attrs={"units": ""})}, "variance"),
        ({"susceptibility": xr.DataArray(np.zeros((6, 60)), dims=("y", "x"), attrs={"units": ""})}, "maps"),
        ({"current": xr.DataArray(np.zeros((60, 60)), dims=("y", "x"), attrs={"units": "A/m"})}, "current"),
    ],
)
def test_maps_that_do_not_belong_together_are_refused(change, name):
    maps = _maps(_truth(np.random.default_rng(0)))
    options = {k: v for k, v in change.items() if k not in maps}
    with pytest.raises(InputError, match=name):
        _found(maps | {k: v for k, v in change.items() if k in maps}, **options)

"""Profiles and averages of volumes whose means are known, and the noise that goes with them."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.frames import centred_grid
from operando.lithium import profiles

GRID = centred_grid(shape=(6, 32, 32), spacing=1e-5)


def volume(values, name="attenuation", units="1/m"):
    return GRID.array(np.broadcast_to(values, GRID.shape).astype(float), name=name, units=units)


def ones(units="1/m^2"):
    return volume(1.0, "attenuation_var", units)


@given(levels=st.lists(st.floats(-10, 10), min_size=6, max_size=6))
def test_axial_profile_returns_each_slice(levels):
    mu = volume(np.array(levels)[:, None, None])
    mask = profiles.disc_mask(volume=mu, radius=1e-4)
    found = profiles.axial_profile(values=mu, variance=4 * ones(), mask=mask, correlation=0.5)
    np.testing.assert_allclose(found.attenuation, levels, atol=1e-12)
    np.testing.assert_allclose(found.attenuation_var, 4 * 0.5 / int(mask.sum()))
    assert found.attenuation.attrs["units"] == "1/m"
    assert found.attenuation_var.attrs["units"] == "1/m^2"


def test_a_slice_without_voxels_is_missing_not_zero():
    mu = volume(1.0)
    mask = profiles.disc_mask(volume=mu, radius=1e-4) & (mu.z > 2e-5)
    found = profiles.axial_profile(values=mu, variance=ones(), mask=mask)
    assert np.isnan(found.attenuation.values[:2]).all()
    np.testing.assert_allclose(found.attenuation.values[2:], 1.0)


def test_disc_has_the_area_of_a_circle():
    mask = profiles.disc_mask(volume=volume(1.0), radius=1.2e-4)
    assert int(mask.sum()) * 1e-10 == pytest.approx(np.pi * 1.2e-4**2, rel=0.03)


def test_radial_profile_of_a_paraboloid():
    axis = GRID.coordinate("x")
    squared = axis[:, None] ** 2 + axis**2
    edges = [0.0, 5e-5, 1e-4, 1.4e-4, 3e-4]
    mu = volume(squared)
    inside = profiles.disc_mask(volume=mu, radius=1.4e-4)
    found = profiles.radial_profile(values=mu, variance=ones(), mask=inside, edges=edges)
    # Mean of r^2 over a ring is (r1^2 + r2^2) / 2; voxels make its rim rough.
    exact = [(a**2 + b**2) / 2 for a, b in pairwise(edges[:4])]
    np.testing.assert_allclose(found.attenuation.values[:3], exact, rtol=0.04)
    assert np.isnan(found.attenuation.values[3])
    np.testing.assert_allclose(found.radius, [2.5e-5, 7.5e-5, 1.2e-4, 2.2e-4])


def series(rng=None):
    one = profiles.axial_profile(
        values=volume(2.0), variance=ones(), mask=profiles.disc_mask(volume=ones(), radius=1e-4)
    )
    noise = (lambda: 0.0) if rng is None else (lambda: rng.normal(scale=0.05, size=6))
    return profiles.over_time(
        {
            t: one.assign(attenuation=one.attenuation * f + noise())
            for t, f in ((4500.0, 0.5), (0.0, 1.0), (1500.0, 0.8))
        }
    )


def test_missing_steps_stay_missing_and_times_rise():
    found = series()
    assert list(found.time.values) == [0.0, 1500.0, 4500.0]
    np.testing.assert_allclose(found.attenuation[:, 0], [2.0, 1.6, 1.0])
    assert found.time.attrs["units"] == "s"


def test_change_counts_the_first_scan_in():
    found = profiles.change_since_first(profiles=series(), name="attenuation")
    np.testing.assert_allclose(found.attenuation_change[:, 0], [0.0, -0.4, -1.0])
    single = series().attenuation_var[0, 0]
    np.testing.assert_allclose(found.attenuation_change_var[:, 0], [0.0, 2 * single, 2 * single])


def test_normalised_to_first_with_the_variance_of_a_ratio():
    rng = np.random.default_rng(8)
    plain = series()
    found = profiles.normalised_to_first(profiles=plain, name="attenuation")
    np.testing.assert_allclose(found.attenuation_normalised[:, 0], [1.0, 0.8, 0.5])
    assert found.attenuation_normalised.attrs["units"] == ""
    spread = 0.05
    plain["attenuation_var"] = xr.full_like(plain.attenuation_var, spread**2)
    stated = profiles.normalised_to_first(profiles=plain, name="attenuation").attenuation_normalised_var[2, 0]
    sampled = (1.0 + rng.normal(scale=spread, size=20_000)) / (2.0 + rng.normal(scale=spread, size=20_000))
    assert np.var(sampled) == pytest.approx(float(stated), rel=0.05)


def test_average_over_the_whole_cell_does_not_see_a_phase_swell():
    """Fig. 4: indium that takes half more room at two thirds of its attenuation."""
    cell = volume(1.0) > 0
    dense, swollen = (cell & (cell.z < edge) for edge in (2e-5, 3e-5))
    before, after = volume(1.0) * 3.0 * dense, volume(1.0) * 2.0 * swollen
    found = []
    for values, mask in ((before, dense), (after, swollen)):
        labelled = values.rename("attenuation").assign_attrs(units="1/m")
        masks = dict.fromkeys(("nominal", "lower", "upper"), mask)
        found.append(
            [
                profiles.phase_average(values=labelled, variance=ones(), masks=masks, within=within, name="anode").value
                for within in (cell, None)
            ]
        )
    assert found[0][0] == pytest.approx(found[1][0])
    assert found[0][1] == pytest.approx(1.5 * found[1][1])


def test_threshold_error_is_half_the_difference_and_noise_is_apart():
    rng = np.random.default_rng(9)
    mu = volume(5.0) + rng.normal(scale=1.0, size=GRID.shape)
    mu = mu.rename("attenuation").assign_attrs(units="1/m")
    masks = {
        which: profiles.disc_mask(volume=mu, radius=r) & (mu.z > 0)
        for which, r in (("lower", 0.9e-4), ("nominal", 1e-4), ("upper", 1.1e-4))
    }
    cell = mu.z > 0
    cell = cell & profiles.disc_mask(volume=mu, radius=1.5e-4)
    found = profiles.phase_average(values=mu, variance=ones(), masks=masks, within=cell, name="cathode")
    sums = {which: float((mu * mask).sum() / cell.sum()) for which, mask in masks.items()}
    assert found.terms["threshold"] == pytest.approx((sums["upper"] - sums["lower"]) / 2)
    assert found.statistical == pytest.approx(np.sqrt(int(masks["nominal"].sum())) / int(cell.sum()))


def test_refusals():
    mu = volume(1.0)
    with pytest.raises(InputError, match="values must be labelled"):
        profiles.axial_profile(values=mu.drop_attrs(), variance=ones(), mask=mu > 0)
    with pytest.raises(InputError, match="variance must be of the shape"):
        profiles.axial_profile(values=mu, variance=ones().isel(z=0), mask=mu > 0)
    with pytest.raises(InputError, match="edges must be at least two radii"):
        profiles.radial_profile(values=mu, variance=ones(), mask=mu > 0, edges=[1e-4, 0.0])
    with pytest.raises(InputError, match="profiles must be of at least one time"):
        profiles.over_time({})
    with pytest.raises(InputError, match="times must be finite"):
        profiles.over_time({np.nan: xr.Dataset()})
    with pytest.raises(InputError, match="lithiation must be in the profiles"):
        profiles.change_since_first(profiles=series(), name="lithiation")
    with pytest.raises(InputError, match="masks must be nominal"):
        profiles.phase_average(values=mu, variance=ones(), masks={"nominal": mu > 0}, name="cathode")

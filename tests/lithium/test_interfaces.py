"""Sums over blurred layers whose integral is known."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.ndimage import gaussian_filter1d
from scipy.stats import norm

from operando.errors import InputError
from operando.lithium.interfaces import (
    blurred_power,
    layer_integral_from_profile,
    plane_value_from_profile,
)
from operando.lithium.smooth_layers import smooth_layer_integral_from_profile, thin_layer_integral_from_profile

VOXEL, FINE, COUNT = 14e-6, 25, 64
LOWER, THICKNESS = 196e-6, 139e-6


def blurred(cathode, separator, *, blur, offset=0.0):
    """Voxel averages of two layers behind a steel pin, blurred on a fine grid, and the cathode's true integral."""
    z = (np.arange(COUNT * FINE) + 0.5) * VOXEL / FINE
    lower, upper = LOWER + offset, LOWER + offset + THICKNESS
    inside = (z > lower) & (z < upper)
    true = np.where(inside, cathode((z - lower) / THICKNESS), 0.0)
    fine = true + np.where(z > upper, separator(z - upper), 0.0)
    seen = gaussian_filter1d(fine, blur / VOXEL * FINE, mode="nearest", truncate=6).reshape(-1, FINE).mean(axis=1)
    return profile(seen), true.sum() * VOXEL / FINE, (lower, upper)


def profile(values, name="attenuation_change"):
    z = (np.arange(COUNT) + 0.5) * VOXEL
    return xr.DataArray(values, dims="z", coords={"z": z}, name=name, attrs={"units": "1/m"})


def flat(x):
    return np.full_like(x, -40.0)


def linear(x):
    return -10.0 - 60.0 * x


def front(x):
    return -80.0 / (1 + np.exp(-(x - 0.6) * 14))


def exponential(length, height=30.0):
    return lambda z: height * np.exp(-z / length)


def integral(seen, bounds, blur, **changes):
    known = {"profile": seen, "profile_var": xr.ones_like(seen), "neighbours": ("upper",), "blur": blur}
    return layer_integral_from_profile(lower=bounds[0], upper=bounds[1], **{**known, **changes})


@pytest.mark.parametrize("blur", [7e-6, 14e-6])
@pytest.mark.parametrize("cathode", [flat, linear, front])
@pytest.mark.parametrize("length", [40e-6, 80e-6, 300e-6])
@pytest.mark.parametrize("offset", [0.0, 3e-6, 7e-6])
def test_blurred_cathode_is_summed_to_half_a_percent(blur, cathode, length, offset):
    seen, true, bounds = blurred(cathode, exponential(length), blur=blur, offset=offset)
    assert integral(seen, bounds, blur).value == pytest.approx(true, rel=5e-3)


def test_interior_voxels_alone_would_be_biased():
    """Why the margin is there: the mean of the voxels two from each interface, times the thickness, misses by 10 %."""
    seen, true, (lower, upper) = blurred(front, exponential(80e-6), blur=14e-6)
    interior = seen.sel(z=slice(lower + 2 * VOXEL, upper - 2 * VOXEL)).mean() * THICKNESS
    assert abs(float(interior) / true - 1) > 0.1


def test_variance_is_the_scatter():
    rng = np.random.default_rng(7)
    seen, _, bounds = blurred(linear, exponential(80e-6), blur=14e-6)
    noise = rng.normal(scale=2.0, size=(2000, COUNT))
    weights = _weights(bounds)
    found = [weights @ (seen.values + row) for row in noise]
    stated = integral(seen, bounds, 14e-6, profile_var=xr.full_like(seen, 4.0)).variance
    assert np.var(found) == pytest.approx(stated, rel=0.12)  # 2000 samples know a variance to 3 %


def _weights(bounds):
    """The estimate is linear in the profile: its response to each voxel alone."""
    unit = np.eye(COUNT)
    return np.array([integral(profile(row), bounds, 14e-6).value for row in unit])


def test_terms_are_what_a_wrong_interface_or_blur_does():
    seen, true, bounds = blurred(linear, exponential(60e-6), blur=14e-6)
    found = integral(seen, bounds, 14e-6, position_sigma=3e-6, blur_sigma=2e-6)
    moved = integral(seen, (bounds[0] + 3e-6, bounds[1] + 3e-6), 14e-6).value
    back = integral(seen, (bounds[0] - 3e-6, bounds[1] - 3e-6), 14e-6).value
    assert found.terms["interface"] == pytest.approx((moved - back) / 2, rel=1e-6)
    # An interface put deeper by 3 um takes that much of the jump, 100 1/m, for the other layer.
    assert abs(found.terms["interface"]) == pytest.approx(30.0 * 3e-6, rel=0.6)
    # Across so large a jump 1 um of blur matters as much as 3 um of position: about 1.5 % of the sum.
    assert 0.005 < abs(found.terms["blur"] / true) < 0.04


@given(
    left=st.lists(st.floats(-50, 50), min_size=3, max_size=3),
    right=st.lists(st.floats(-50, 50), min_size=3, max_size=3),
    blur=st.floats(3e-6, 20e-6),
)
def test_exact_for_polynomials_on_both_sides(left, right, blur):
    """A layer of one side alone, of quadratics, is summed exactly: the model is then the truth."""
    z = (np.arange(COUNT) + 0.5) * VOXEL
    upper, lower = 500e-6, 150e-6
    ends = np.stack([z - VOXEL / 2, z + VOXEL / 2]) - upper

    def cells(distance, coefficients):
        total = 0.0
        for k, c in enumerate(coefficients):
            moment = blurred_power(distance=distance / VOXEL, power=k + 1, blur=blur / VOXEL) / (k + 1)
            total = total + c / 10**k * np.abs(moment[1] - moment[0])
        return total

    seen = cells(ends, right) + cells(-ends, left)
    depth = np.array([upper / VOXEL])
    full = (
        sum(
            float(c / 10**k * blurred_power(distance=depth, power=k + 1, blur=blur / VOXEL)[0] / (k + 1))
            for k, c in enumerate(left)
        )
        * VOXEL
    )
    part = profile(seen)
    found = layer_integral_from_profile(
        profile=part, profile_var=xr.ones_like(part), lower=lower, upper=upper, blur=blur, neighbours=("upper",)
    ).value
    first = int(np.flatnonzero(z >= lower - 2.5 * blur - VOXEL / 2)[0])
    rest = float(seen[:first].sum() * VOXEL)
    # 0.2 % of a blur's length of the layer lies beyond the margin.
    near = max(sum(abs(c) * (0.3 * blur / VOXEL) ** k for k, c in enumerate(left)), 1e-3)
    assert found + rest == pytest.approx(full, abs=3e-3 * near * blur, rel=1e-9)


@pytest.mark.parametrize("cathode", [flat, linear, front])
@pytest.mark.parametrize("offset", [0.0, 3e-6, 7e-6])
@pytest.mark.parametrize("assumed", [13e-6, 14e-6, 16e-6])
def test_thin_layer_beside_a_smooth_one_hardly_hangs_on_the_blur(cathode, offset, assumed):
    seen, true, (lower, upper) = blurred(cathode, exponential(150e-6), blur=14e-6, offset=offset)
    known = {"profile": seen, "profile_var": xr.ones_like(seen), "smooth_until": 800e-6, "position_sigma": 2e-6}
    found = thin_layer_integral_from_profile(lower=lower, upper=upper, blur=assumed, **known)
    assert found.value == pytest.approx(true, rel=5e-3)
    # The interface put deeper by 2 um gives the layer more of what the separator holds there.
    assert found.terms["interface"] == pytest.approx(30.0 * 2e-6, rel=0.05)
    assert 4 * VOXEL < np.sqrt(found.variance) < 9 * VOXEL


@pytest.mark.parametrize("length", [80e-6, 300e-6])
@pytest.mark.parametrize("wild", [-500.0, 500.0])
def test_smooth_layer_between_wild_neighbours(length, wild):
    """The separator between a cathode front and an anode whose attenuation jumps in two voxels."""
    z = (np.arange(COUNT * FINE) + 0.5) * VOXEL / FINE
    lower, upper = 130e-6, 703e-6
    layer = np.where((z > lower) & (z < upper), 5 + 30 * np.exp(-(z - lower) / length), 0.0)
    around = np.where((z > upper) & (z < upper + 25e-6), wild, 0.0) - np.where(z < lower, 80 * (z / lower) ** 3, 0.0)
    seen = profile(gaussian_filter1d(layer + around, FINE, truncate=6).reshape(-1, FINE).mean(axis=1))
    known = {"profile": seen, "profile_var": xr.ones_like(seen), "lower": lower, "upper": upper}
    true = layer.sum() * VOXEL / FINE
    for blur in (13e-6, 14e-6, 16e-6):
        found = smooth_layer_integral_from_profile(blur=blur, position_sigma=2e-6, **known)
        # A quadratic through 8 voxels misses up to 1.3 % of a profile that decays over not quite 6.
        assert found.value == pytest.approx(true, rel=1.5e-2 if length < 100e-6 else 5e-3)
        # Both interfaces moved up: the layer loses what it holds at one end and gains what it holds at the other.
        assert found.terms["interface"] == pytest.approx(-2e-6 * (layer[layer > 0][0] - layer[layer > 0][-1]), rel=0.15)
    with pytest.raises(InputError, match="thicker than its blurred edges"):
        smooth_layer_integral_from_profile(blur=14e-6, **{**known, "upper": 200e-6})


@pytest.mark.parametrize("power", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("distance", [-2.0, -0.3, 0.0, 1.7])
def test_blurred_power_is_the_convolution(power, distance):
    convolved, _ = quad(lambda x: x**power * norm.pdf(distance - x, scale=0.8), 0, 12)
    found = blurred_power(distance=np.array([distance]), power=power, blur=0.8)[0]
    assert found == pytest.approx(convolved, rel=1e-6, abs=1e-9)


def test_plane_value_is_that_before_blur():
    seen, _, bounds = blurred(linear, exponential(120e-6), blur=14e-6)
    found = plane_value_from_profile(
        profile=seen, profile_var=xr.ones_like(seen), plane=bounds[1], side="upper", blur=14e-6
    )
    assert found.value == pytest.approx(30.0, rel=0.02)
    assert found.gradient == pytest.approx(-30.0 / 120e-6, rel=0.1)
    mirrored = profile(seen.values[::-1])
    other = plane_value_from_profile(
        profile=mirrored, profile_var=xr.ones_like(seen), plane=COUNT * VOXEL - bounds[1], side="lower", blur=14e-6
    )
    assert other.value == pytest.approx(found.value, rel=1e-6)
    assert other.gradient == pytest.approx(-found.gradient, rel=1e-6)
    assert np.all(np.linalg.eigvalsh(found.covariance) > 0)


def test_refusals():
    seen, _, (lower, upper) = blurred(flat, exponential(80e-6), blur=7e-6)
    with pytest.raises(InputError, match="layer must be within the profile"):
        integral(seen, (-10e-6, upper), 7e-6)
    with pytest.raises(InputError, match="layer must be within the profile"):
        integral(seen, (upper, lower), 7e-6)
    with pytest.raises(InputError, match="profile must be finite"):
        integral(seen.where(seen.z > lower), (lower, upper), 7e-6)
    with pytest.raises(InputError, match="coordinate z must be evenly spaced"):
        integral(seen.isel(z=[0, 1, 3, 7, 20]), (lower, upper), 7e-6)
    with pytest.raises(InputError, match="one-dimensional along z"):
        integral(seen.rename(z="depth"), (lower, upper), 7e-6)

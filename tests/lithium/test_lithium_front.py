"""Depth of the front on profiles whose half-maximum is known."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.electrochemistry import front as truth
from operando.errors import InputError
from operando.lithium.front import front_depth_from_profile

VOXEL, PLANE, COUNT = 14e-6, 140e-6, 10
Z = (np.arange(COUNT) + 0.5) * VOXEL


def logistic(depth, width=12e-6):
    return 0.9 / (1 + np.exp((PLANE - Z - depth) / width))


def found(values, variance=1e-4, **changes):
    profile, spread = (xr.DataArray(v, dims="z", coords={"z": Z}) for v in (values, np.full(COUNT, variance)))
    return front_depth_from_profile(delithiation=profile, delithiation_var=spread, plane=PLANE, **changes)


@given(depth=st.floats(35e-6, 110e-6))
def test_depth_of_a_logistic_front_to_a_tenth_of_a_voxel(depth):
    values = logistic(depth)
    # Half of the highest voxel's value, which a front near the plane has below 0.9.
    half = PLANE - np.interp(values.max() / 2, values, Z)
    assert found(values).value == pytest.approx(half, abs=1e-12)
    if depth > 50e-6:
        assert found(values).value == pytest.approx(depth, abs=0.1 * VOXEL)


@given(values=st.lists(st.floats(0.01, 1.0), min_size=COUNT, max_size=COUNT))
def test_same_definition_as_the_simulated_cells(values):
    ours = found(np.array(values), variance=1e-12)
    if ours.value is None:
        assert "gone through" in ours.note
        return
    theirs = truth.front_depth_from_profile(depth=(PLANE - Z)[::-1], delithiation=np.array(values)[::-1])
    assert ours.value == pytest.approx(theirs, abs=1e-12)


def test_variance_is_the_scatter():
    rng = np.random.default_rng(6)
    values = np.where(PLANE - Z < 30e-6, 1.0, logistic(80e-6, width=20e-6))
    stated = found(values, variance=0.01**2).variance
    depths = [found(values + rng.normal(scale=0.01, size=COUNT), variance=0.01**2).value for _ in range(800)]
    assert np.var(depths) == pytest.approx(stated, rel=0.15)


def test_what_cannot_be_told_has_no_value():
    assert "noise" in found(np.zeros(COUNT)).note
    assert "gone through" in found(np.full(COUNT, 0.8)).note
    assert found(np.full(COUNT, 0.8)).value is None


def test_blurred_voxels_at_the_plane_can_be_left_out():
    values = logistic(70e-6)
    spoilt = values.copy()
    spoilt[-1] = -0.5
    assert found(spoilt, skip=VOXEL).value == pytest.approx(found(values).value, abs=0.05 * VOXEL)


def test_refusals():
    with pytest.raises(InputError, match="delithiation must be finite"):
        found(np.full(COUNT, np.nan))
    with pytest.raises(InputError, match="delithiation_var must be zero or more"):
        found(logistic(7e-5), variance=-1.0)
    with pytest.raises(InputError, match="at least three voxels"):
        found(logistic(7e-5), skip=120e-6)

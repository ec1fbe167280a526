import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.background import background_from_map
from operando.magnetism.continuation import upward_continued, vector_from_projection
from operando.magnetism.map_drift import drift_between
from operando.magnetism.nv import nv_frames_from_cut

PIXEL = 1e-6


def _dipole(side=121, height=8e-6, moment=(1e-12, 2e-12, 3e-12), at=(0.0, 0.0), shape=None):
    """Field of a point dipole, by its closed form."""
    ny, nx = shape or (side, side)
    y, x = ((np.arange(n) - (n - 1) / 2) * PIXEL for n in (ny, nx))
    r = np.stack(np.broadcast_arrays(x[None, :] - at[0], y[:, None] - at[1], height))
    distance = np.sqrt((r**2).sum(0))
    m = np.array(moment)[:, None, None]
    field = 1e-7 * (3 * r * (m * r).sum(0) / distance**5 - m / distance**3)
    coords = {"component": list("xyz"), "z": ((), height, {"units": "m"})}
    coords |= {axis: (axis, c, {"units": "m"}) for axis, c in (("y", y), ("x", x))}
    return xr.DataArray(field, dims=("component", "y", "x"), coords=coords, attrs={"units": "T"})


def _along(field, axis):
    return (field * xr.DataArray(axis, dims="component")).sum("component").assign_attrs(units="T")


def _close(found, truth, tolerance):
    assert float(abs(found - truth).max()) < tolerance * float(abs(truth).max())


def test_a_dipole_seen_from_higher_up():
    # what is left is the field beyond the frame, which falls off as 1/r^3: 60 um away, 8 um high
    raised = upward_continued(_dipole(), distance=4e-6)
    _close(raised, _dipole(height=12e-6), 2e-3)
    assert float(raised.z) == pytest.approx(12e-6)


def test_twice_is_once():
    twice = upward_continued(upward_continued(_dipole(), distance=2e-6), distance=3e-6)
    _close(twice, upward_continued(_dipole(), distance=5e-6), 1e-3)


def test_no_distance_changes_nothing_and_a_level_stays():
    level = _dipole() * 0 + 3e-6
    np.testing.assert_allclose(upward_continued(level, distance=5e-6), 3e-6, rtol=1e-12)
    _close(upward_continued(_dipole(), distance=0.0), _dipole(), 1e-12)


@settings(max_examples=10)
@given(
    moment=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda m: max(map(abs, m)) > 0.1),
    cut=st.sampled_from(["100", "111"]),
    which=st.integers(0, 3),
)
def test_a_vector_comes_back_from_one_projection(moment, cut, which):
    field = _dipole(moment=1e-12 * np.array(moment), shape=(120, 121))
    axis = nv_frames_from_cut(cut=cut, azimuth=0.2)[which, 2]
    found = vector_from_projection(_along(field, axis), axis=axis)
    # the flatter the axis the more the field beyond the frame counts: 19 deg from the plane for a tilted axis of (111)
    _close(found, field, 6e-3 if cut == "100" else 2e-2)


def test_sign_and_rows_a_dipole_up_points_up_and_away():
    field = vector_from_projection(_dipole(moment=(0, 0, 1e-12)).sel(component="z"), axis=(0, 0, 1))
    middle = 60
    assert field[2, middle, middle] > 0
    assert field[0, middle, middle + 5] > 0
    assert field[0, middle, middle - 5] < 0
    assert field[1, middle + 5, middle] > 0
    assert field[1, middle - 5, middle] < 0


def test_projection_is_linear():
    axis = nv_frames_from_cut(cut="100")[0, 2]
    a, b = _along(_dipole(), axis), _along(_dipole(at=(9e-6, -4e-6), moment=(-1e-12, 0, 2e-12)), axis)
    both = vector_from_projection((2 * a + b).assign_attrs(units="T"), axis=axis)
    _close(both, 2 * vector_from_projection(a, axis=axis) + vector_from_projection(b, axis=axis), 1e-12)


@pytest.mark.parametrize("kind", ["level", "plane", "quadratic"])
def test_background_is_found_under_a_source(kind):
    bare = _dipole().sel(component="z", drop=True) * 0
    y, x = bare.y / 60e-6, bare.x / 60e-6
    terms = {"level": 1 + 0 * x * y, "plane": 1 + 0.3 * x - 0.2 * y, "quadratic": 1 + 0.3 * x * y - 0.4 * y**2 + 0 * x}
    under = bare + 1e-4 * terms[kind].transpose("y", "x")
    source = 1e-3 * np.exp(-(x**2 + y**2) / (2 * 0.1**2)).transpose("y", "x")
    noise = 1e-7 * np.random.default_rng(0).standard_normal(bare.shape)
    found = background_from_map(bare + source + under + noise, kind=kind)
    # 14 000 pixels of 0.1 uT noise tell a coefficient to a few nT; the foot of the source below the noise adds some
    assert float(abs(found - under).max()) < 4e-8


def test_tails_of_a_source_leak_into_the_background_by_per_milles_of_its_peak():
    source = _dipole(moment=(0, 0, 3e-12)).sel(component="z", drop=True)
    leak = background_from_map(source, kind="level")
    # no estimate is free of it: the long negative tail of a dipole looks like a level
    assert 0 < float(abs(leak).max()) < 3e-3 * float(source.max())


def test_masked_pixels_and_known_sources_do_not_count():
    source = _dipole(moment=(0, 0, 3e-12)).sel(component="z")
    field = source * 0 + 5e-6
    field[40:80, 40:80] = 1e-3
    field[0, 0] = np.nan
    where = xr.zeros_like(field, dtype=bool)
    where[40:80, 40:80] = True
    np.testing.assert_allclose(background_from_map(field, kind="plane", source=where), 5e-6, rtol=1e-9)


def test_upward_background_is_the_field_from_higher_up_on_the_same_plane():
    near = _dipole(moment=(0, 0, 1e-12))
    under = background_from_map(near, kind="upward", distance=10e-6)
    assert float(under.z) == float(near.z)
    _close(under, _dipole(height=18e-6, moment=(0, 0, 1e-12)), 1e-2)


@given(dx=st.floats(-3e-6, 3e-6), dy=st.floats(-3e-6, 3e-6), level=st.floats(-1e-5, 1e-5), seed=st.integers(0, 999))
def test_drift_is_found_within_its_errors(dx, dy, level, seed):
    first = _dipole().sel(component="z")
    noise = 1e-7 * np.random.default_rng(seed).standard_normal(first.shape)
    second = _dipole(at=(dx, dy)).sel(component="z") + level + noise
    drift = drift_between(first, second)
    # interpolation of a structure 8 pixels wide adds 1e-3 of a pixel
    assert drift.x == pytest.approx(dx, abs=5 * np.sqrt(drift.x_var) + 2e-9)
    assert drift.y == pytest.approx(dy, abs=5 * np.sqrt(drift.y_var) + 2e-9)
    assert drift.level == pytest.approx(level, abs=5 * np.sqrt(drift.level_var) + 2e-8)


@pytest.mark.parametrize(
    ("axis", "message"), [((1, 1, 0), "unit vector"), ((1, 0, 0), "inclined"), ((0, 1), "unit vector")]
)
def test_axes_that_tell_no_vector_are_refused(axis, message):
    with pytest.raises(InputError, match=message):
        vector_from_projection(_dipole().sel(component="z"), axis=axis)


def test_maps_that_cannot_be_continued_are_refused():
    field = _dipole(side=32)
    with pytest.raises(InputError, match="not negative"):
        upward_continued(field, distance=-1e-6)
    with pytest.raises(InputError, match="finite"):
        upward_continued(field.where(field.x > 0), distance=1e-6)
    with pytest.raises(InputError, match="even steps"):
        upward_continued(field.isel(x=slice(None, None, -1)), distance=1e-6)
    with pytest.raises(InputError, match="distance"):
        background_from_map(field, kind="upward")
    with pytest.raises(InputError, match="background"):
        background_from_map(field, kind="cubic")
    with pytest.raises(InputError, match="outside sources"):
        background_from_map(field, kind="plane", source=xr.ones_like(field[0], dtype=bool))


def test_maps_that_show_no_drift_are_refused():
    flat = _dipole(side=32).sel(component="z") * 0
    with pytest.raises(InputError, match="structured"):
        drift_between(flat, flat)
    with pytest.raises(InputError, match="one shape"):
        drift_between(flat, flat.isel(x=slice(0, 20)))

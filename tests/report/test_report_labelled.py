import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError, UnitError
from operando.report.labelled import broken, deviation_in, edges, gaps, readable, required, time_cells, values_in

scans = st.lists(st.booleans(), min_size=9, max_size=40).map(lambda taken: np.array([True, True, *taken, True, True]))


@given(scans, st.floats(1.0, 1e4))
def test_only_times_that_were_measured_are_drawn(taken, step):
    """A regular series with scans left out: every slot holds its own value, or nothing."""
    clock = np.arange(taken.size) * step
    time = clock[taken]
    if np.median(np.diff(time)) > step * 1.01:
        return  # more holes than scans: the median step is no longer the step
    cells, values = time_cells(time, np.flatnonzero(taken)[:, None].astype(float))
    drawn = values[np.searchsorted(cells, clock) - 1, 0]
    np.testing.assert_array_equal(drawn[taken], np.flatnonzero(taken))
    assert np.isnan(drawn[~taken]).all()
    assert np.all(np.diff(cells) > 0)
    covered = np.diff(cells)[np.isfinite(values[:, 0])].sum()
    assert covered == pytest.approx(taken.sum() * step)


@given(scans)
def test_a_line_breaks_where_a_scan_is_missing(taken):
    time = np.flatnonzero(taken).astype(float)
    if np.median(np.diff(time)) > 1.01:
        return
    clock, values = broken(time, time)
    holes = np.count_nonzero(np.diff(time) > 1.5)
    assert np.isnan(values).sum() == holes
    assert np.all(np.diff(clock) > 0)
    np.testing.assert_array_equal(values[np.isfinite(values)], time)


def test_jitter_is_no_gap():
    assert gaps(np.array([0.0, 1.0, 2.2, 3.1, 4.3])).size == 0
    assert gaps(np.array([0.0, 1.0, 3.0, 4.0, 5.0])).tolist() == [1]


def test_one_scan_alone_is_drawn():
    cells, values = time_cells(np.array([100.0]), np.ones((1, 3)))
    assert cells.size == 2
    assert values.shape == (1, 3)


def test_times_that_do_not_increase_are_refused():
    with pytest.raises(InputError, match="increasing"):
        time_cells(np.array([0.0, 2.0, 1.0]), np.ones((3, 1)))


def test_edges_lie_between_centres():
    np.testing.assert_allclose(edges(np.array([1.0, 2.0, 4.0])), [0.5, 1.5, 3.0, 5.0])


def test_a_variance_is_shown_as_a_deviation_in_the_unit_of_its_value():
    data = xr.Dataset({"mu": ("z", [230.0], {"units": "1/m"}), "mu_var": ("z", [16.0], {"units": "1/m^2"})})
    np.testing.assert_allclose(deviation_in(data, "mu", unit="1/cm"), 0.04)
    assert deviation_in(data[["mu"]], "mu", unit="1/cm") is None


def test_what_has_no_unit_or_another_is_refused():
    with pytest.raises(UnitError, match="units"):
        values_in(xr.DataArray([1.0], name="mu"), unit="1/cm")
    with pytest.raises(UnitError, match="1/cm"):
        values_in(xr.DataArray([1.0], name="mu", attrs={"units": "m"}), unit="1/cm")


def test_people_read_other_units_than_the_metre():
    values, unit = readable(xr.DataArray([100.0], name="mu", attrs={"units": "1/m"}))
    assert (values[0], unit) == (1.0, "1/cm")
    assert readable(xr.DataArray([7.0]))[1] == ""


def test_a_missing_variable_or_another_shape_is_named():
    data = xr.Dataset({"a": ("z", [1.0])})
    with pytest.raises(InputError, match="Input b must be in the dataset"):
        required(data, "b", dims=("z",))
    with pytest.raises(InputError, match="Input a must be on dimensions"):
        required(data, "a", dims=("time", "z"))

"""Quantities: conversions, refusals, and a property over random values."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import OperandoError, UnitError
from operando.units import Measured, in_units, measured, quantity


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("0.40 mA/cm^2", "A/m^2", 4.0),
        ("14 um", "m", 14e-6),
        ("2.3 1/cm", "1/m", 230.0),
        ("99 %", "", 0.99),
        ("25 degC", "K", 298.15),
        ("1.87 g/cm^3", "kg/m^3", 1870.0),
        ("7 h", "s", 25200.0),
        ("0.5", "", 0.5),
    ],
)
def test_written_quantities_become_si(text: str, unit: str, expected: float) -> None:
    assert quantity(text, unit=unit, name="input") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("sign", ["+-", "+/-", "±"])
def test_uncertainty_is_converted_with_its_value(sign: str) -> None:
    assert measured(f"1.87 {sign} 0.02 g/cm^3", unit="kg/m^3", name="density") == Measured(
        pytest.approx(1870.0), pytest.approx(20.0)
    )


@pytest.mark.parametrize("text", ["3", "3 kg", "3 frog", "9**9**7 m", "m", "", "1 m" + " " * 100, "1 m**9**9", "nan m"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="Input pixel must be"):
        quantity(text, unit="m", name="pixel")


def test_a_refusal_is_also_the_builtin() -> None:
    with pytest.raises(ValueError, match="pixel"):
        quantity("3 kg", unit="m", name="pixel")
    assert issubclass(UnitError, OperandoError)


@given(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False))
def test_micrometres_are_millionths_of_a_metre(value: float) -> None:
    assert quantity(f"{value!r} um", unit="m", name="length") == pytest.approx(value * 1e-6, rel=1e-12, abs=1e-300)


def test_labelled_arrays_are_converted_and_keep_their_other_attributes() -> None:
    length = xr.DataArray(np.array([1.0, 2.0]), dims="x", attrs={"units": "mm", "title": "t"})
    converted = in_units(length, unit="m", name="length")
    np.testing.assert_allclose(converted, [1e-3, 2e-3], rtol=1e-12)
    assert converted.attrs == {"units": "m", "title": "t"}


def test_an_array_without_units_or_of_another_dimension_is_refused() -> None:
    with pytest.raises(UnitError, match="no units"):
        in_units(xr.DataArray([1.0]), unit="m", name="length")
    with pytest.raises(UnitError, match="measures something else"):
        in_units(xr.DataArray([1.0], attrs={"units": "kg"}), unit="m", name="length")

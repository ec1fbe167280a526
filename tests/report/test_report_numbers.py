import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.report.numbers import decimals_of, deviation, unit_text, value_text

errors = st.floats(1e-3, 9e4)


@pytest.mark.parametrize(
    ("error", "decimals"),
    # The Particle Data Group's own examples: 0.119, 0.367 and 0.998 (Review of Particle Physics, section 5.3).
    [(0.119, 2), (0.367, 1), (0.998, 1), (3.5, 1), (3.6, 0), (35.0, 0), (42.0, -1)],
)
def test_an_error_keeps_the_digits_that_particle_physicists_give_it(error, decimals):
    assert decimals_of(error) == decimals


@pytest.mark.parametrize(
    ("given_value", "text"),
    [
        ({"value": 72.8123, "statistical": 0.42, "systematic": 1.91, "unit": "%"}, "72.8 ± 0.4 (stat) ± 1.9 (sys) %"),
        (
            {"value": 72.8123, "statistical": 0.0004, "systematic": 1.91, "unit": "%"},
            "72.81 ± 0.0004 (stat) ± 1.91 (sys) %",
        ),
        ({"value": 2.343, "systematic": 0.05, "unit": "1/cm"}, "2.34 ± 0.05 (sys) cm⁻¹"),
        ({"value": -0.5, "statistical": 0.2}, "−0.50 ± 0.20 (stat)"),
        ({"value": 3.2e-7, "statistical": 1.5e-8, "unit": "m^2/s"}, "(3.20 ± 0.15 (stat)) × 10⁻⁷ m²/s"),
        ({"value": 1234567.0, "unit": "mol/m^3"}, "1.235 × 10⁶ mol/m³"),
        ({"value": 4321.0, "statistical": 120.0}, "4320 ± 120 (stat)"),
        ({"value": 73.0, "unit": "%"}, "73 %"),
        ({"value": 100.0, "unit": "%"}, "100 %"),
        ({"value": 0.0, "unit": "um"}, "0 µm"),
        ({"value": None}, "not determined"),
        ({"value": math.nan, "statistical": 1.0}, "not determined"),
    ],
)
def test_values_read_as_people_write_them(given_value, text):
    assert value_text(**given_value) == text


def _numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-").split(" × ")[0])]


@given(st.floats(-1e4, 1e4), errors, errors)
def test_rounding_moves_a_value_by_less_than_a_sixth_of_its_total_error(value, statistical, systematic):
    largest = max(abs(value), statistical, systematic)
    shown = _numbers(value_text(value=value, statistical=statistical, systematic=systematic))
    # The last digit is at most a unit for an error of 3.55 units, so half of one is 0.141 of it.
    assert abs(shown[0] - value) <= 0.1411 * max(statistical, systematic) + 1e-9 * largest


@given(st.floats(-1e4, 1e4), errors, errors)
def test_a_shown_error_never_vanishes_and_is_right_to_half_of_its_first_digit(value, statistical, systematic):
    shown = _numbers(value_text(value=value, statistical=statistical, systematic=systematic))
    for error, printed in zip((statistical, systematic), shown[1:], strict=True):
        assert printed > 0
        assert abs(printed - error) <= 0.5 * error + 1e-12


@given(st.floats(1.0, 100.0), st.floats(0.1, 100.0), st.integers(-3, 2))
def test_digits_do_not_depend_on_the_unit(value, error, power):
    def digits(factor):
        text = value_text(value=value * factor, statistical=error * factor)
        return re.sub(r"\D", "", text.split(" ±")[0]).strip("0")

    assume(max(value, error) < 100)
    # A value halfway between two digits may round either way once scaled in binary.
    assume(abs((abs(value) * 10.0 ** decimals_of(error)) % 1 - 0.5) > 1e-6)
    mantissa = error / 10.0 ** math.floor(math.log10(error))
    assume(abs(mantissa - 3.545) > 1e-6)
    assume(1.000001 < mantissa < 9.999999)
    assert digits(1.0) == digits(10.0**power)


def test_a_deviation_is_in_units_of_both_errors():
    quantity = {"value": 10.0, "expected": 5.0, "statistical": 3.0, "systematic": 4.0}
    assert deviation(quantity) == pytest.approx(1.0)
    assert deviation({**quantity, "expected": None}) is None
    assert deviation({**quantity, "value": None}) is None
    assert deviation({**quantity, "statistical": 0.0, "systematic": None}) is None


@pytest.mark.parametrize(
    ("unit", "text"),
    [("1/cm", "cm⁻¹"), ("um", "µm"), ("mol/m^3", "mol/m³"), ("mA/cm^2", "mA/cm²"), ("1/m^2", "m⁻²"), ("%", "%")],
)
def test_units_in_print(unit, text):
    assert unit_text(unit) == text


def test_an_error_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="not negative"):
        value_text(value=1.0, statistical=-0.1)
    with pytest.raises(InputError, match="positive"):
        decimals_of(0.0)

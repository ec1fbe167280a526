"""Cycling steps: which limit ends them, and steps that make no sense."""

import math

import pytest

from operando.cell.builtin import load_cell
from operando.electrochemistry.protocol import (
    Ending,
    ProtocolStep,
    galvanostatic,
    protocol_from_cell,
    rest,
    reversed_step,
    voltage_hold,
)
from operando.errors import InputError

STEP = galvanostatic(2.0, 100.0, lower_voltage=2.0, upper_voltage=4.0, charge=150.0)


@pytest.mark.parametrize(
    ("elapsed", "voltage", "charge", "expected"),
    [
        (10.0, 3.0, 20.0, None),
        (10.0, 4.0, 20.0, Ending.UPPER_VOLTAGE),
        (10.0, 1.9, 20.0, Ending.LOWER_VOLTAGE),
        (75.0, 3.0, 150.0, Ending.CHARGE),
        (75.0, 3.0, -150.0, Ending.CHARGE),
        (100.0, 3.0, 20.0, Ending.TIME),
    ],
)
def test_the_first_limit_ends_a_step(elapsed: float, voltage: float, charge: float, expected: Ending | None) -> None:
    assert STEP.ending(elapsed=elapsed, voltage=voltage, current=2.0, charge=charge) is expected


def test_a_held_voltage_ends_with_a_small_current_of_either_sign_and_not_at_a_voltage() -> None:
    hold = voltage_hold(4.2, 100.0, smallest_current=0.1)
    assert hold.ending(elapsed=1.0, voltage=4.2, current=1.0, charge=1.0) is None
    for current in (0.1, -0.05):
        assert hold.ending(elapsed=1.0, voltage=4.2, current=current, charge=1.0) is Ending.SMALL_CURRENT


def test_a_rest_ends_with_its_time_alone() -> None:
    assert rest(5.0).ending(elapsed=4.9, voltage=99.0, current=0.0, charge=0.0) is None
    assert rest(5.0).ending(elapsed=5.0, voltage=99.0, current=0.0, charge=0.0) is Ending.TIME


def test_a_reversed_step_keeps_its_limits_and_reversing_twice_is_nothing() -> None:
    back = reversed_step(STEP)
    assert back.value == -2.0
    assert back.upper_voltage == STEP.upper_voltage
    assert reversed_step(back) == STEP
    with pytest.raises(InputError, match="current"):
        reversed_step(voltage_hold(4.0, 1.0))


def test_the_steps_of_cell_a_pass_the_charge_of_its_description() -> None:
    from operando.cell.protocol import breakpoints_from_cell

    cell = load_cell("cell-a")
    steps = protocol_from_cell(cell=cell)
    area = math.pi / 4 * cell.body.inner_diameter.value**2
    passed = sum(step.value * step.duration for step in steps) * area
    assert [math.copysign(1, step.value) for step in steps] == [1, -1, 1, -1, 1, -1, 1]
    assert passed == pytest.approx(breakpoints_from_cell(cell=cell)[1][-1])


@pytest.mark.parametrize(
    "values",
    [
        {"value": math.nan, "duration": 1.0},
        {"value": 1.0, "duration": 0.0},
        {"value": 1.0, "duration": math.inf},
        {"value": 1.0, "duration": 1.0, "lower_voltage": 4.0, "upper_voltage": 3.0},
        {"value": 1.0, "duration": 1.0, "charge": 0.0},
        {"value": 1.0, "duration": 1.0, "smallest_current": -1.0},
    ],
)
def test_steps_that_make_no_sense_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(InputError):
        ProtocolStep("current", **values)  # type: ignore[arg-type]

"""Cycling steps: which limit ends them, and steps that make no sense."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.cell.builtin import load_cell
from operando.electrochemistry.protocol import (
    Ending,
    ProtocolStep,
    Terminals,
    galvanostatic,
    protocol_from_cell,
    require_steps,
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
        (10.0, 1.9, 20.0, None),
        (75.0, 3.0, 150.0, Ending.CHARGE),
        (75.0, 3.0, -150.0, Ending.CHARGE),
        (100.0, 3.0, 20.0, Ending.TIME),
    ],
)
def test_the_first_limit_ends_a_step(elapsed: float, voltage: float, charge: float, expected: Ending | None) -> None:
    assert STEP.ending(elapsed=elapsed, voltage=voltage, current=2.0, charge=charge) is expected


def test_a_limit_is_that_which_the_current_drives_towards() -> None:
    back = reversed_step(STEP)
    assert back.ending(elapsed=1.0, voltage=4.5, current=-2.0, charge=-2.0) is None
    assert back.ending(elapsed=1.0, voltage=2.0, current=-2.0, charge=-2.0) is Ending.LOWER_VOLTAGE
    still = ProtocolStep("current", 0.0, 10.0, lower_voltage=2.0, upper_voltage=3.0)
    for voltage in (1.0, 5.0):
        assert still.ending(elapsed=1.0, voltage=voltage, current=0.0, charge=0.0) is None
        assert still.overshoot(voltage) == -math.inf


@given(
    st.sampled_from([galvanostatic(2.0, 9.0, upper_voltage=4.0), galvanostatic(-2.0, 9.0, lower_voltage=4.0)]),
    st.floats(0.001, 1.0),
    st.floats(0.001, 1.0),
)
def test_a_step_is_cut_where_its_limit_is_met(step: ProtocolStep, before: float, beyond: float) -> None:
    sign = math.copysign(1.0, step.value)
    here, there = (Terminals(4.0 + sign * by, step.value, 0.0) for by in (-before, beyond))
    part = step.part_before_limit(here, there, near=1e-4)
    assert part is not None
    met = here.voltage + part * (there.voltage - here.voltage)
    assert 0 < step.overshoot(met) < 1e-4
    assert step.part_before_limit(here, Terminals(met, step.value, 0.0), near=1e-4) is None


def test_a_held_voltage_is_cut_at_its_charge_and_its_smallest_current() -> None:
    hold = voltage_hold(4.0, 9.0, charge=10.0, smallest_current=1.0)
    assert hold.part_before_limit(Terminals(4.0, 3.0, 4.0), Terminals(4.0, 2.0, 14.0), near=1e-4) == pytest.approx(0.6)
    assert hold.part_before_limit(Terminals(4.0, 3.0, 1.0), Terminals(4.0, 0.0, 2.0), near=1e-4) == pytest.approx(
        2 / 3, rel=0.01
    )
    assert hold.part_before_limit(Terminals(4.0, 3.0, 1.0), Terminals(4.0, 2.0, 2.0), near=1e-4) is None
    assert hold.time_to_charge(Terminals(4.0, -3.0, -4.0)) == pytest.approx(2.0)


@pytest.mark.parametrize("protocol", [[], STEP, [3.0], "rest", None, 5])
def test_what_is_no_list_of_steps_is_refused(protocol: object) -> None:
    with pytest.raises(InputError, match="protocol"):
        require_steps(protocol)  # type: ignore[arg-type]


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


def test_a_misspelt_control_is_refused() -> None:
    with pytest.raises(InputError, match="control"):
        ProtocolStep("curent", 1.0, 1.0)  # type: ignore[arg-type]

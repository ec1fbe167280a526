import numpy as np
import pytest

from operando.cell.builtin import load_cell
from operando.cell.protocol import charge_from_cell
from operando.twin.cycling import LITHIATION, POTENTIAL, cycler_record, open_circuit_voltage


@pytest.mark.parametrize("name", ["cell-a", "cell-b"])
def test_the_recorded_current_passes_the_charge_of_the_protocol(name):
    cell = load_cell(name)
    end = cell.scans.starts[-1] + cell.scans.duration.value
    record, offset = cycler_record(cell=cell, end=end)
    time, current = record.time.values, record.current.values
    assert time[0] == 0
    assert time[-1] - offset == pytest.approx(end)
    assert (np.diff(time) > 0).all()
    for until in (0.0, 0.3 * end, end):
        held = time - offset <= until + 1e-6
        passed = np.sum(current[held][:-1] * np.diff(time[held]))  # constant between two rows
        assert passed == pytest.approx(charge_from_cell(cell=cell, time=until), rel=0.01, abs=0.02)


def test_voltage_follows_the_table_and_the_direction_of_current():
    np.testing.assert_allclose(open_circuit_voltage(LITHIATION), POTENTIAL - 0.62, rtol=1e-12)
    x = np.linspace(0.05, 1.0, 400)
    steps = np.diff(open_circuit_voltage(x))
    assert (steps < 0).all()
    record, _ = cycler_record(cell=load_cell("cell-b"), end=10 * 3600.0)
    current, voltage = record.current.values, record.voltage.values
    switch = int(np.flatnonzero((current[:-1] > 0) & (current[1:] < 0))[0])
    drop = voltage[switch] - voltage[switch + 1]
    assert drop == pytest.approx(2 * 60e-4 * 2.56, rel=0.2)  # twice resistance times 0.256 mA/cm^2


def test_a_voltage_that_was_solved_for_is_recorded_at_the_studys_times():
    record, offset = cycler_record(cell=load_cell("cell-b"), end=3600.0, voltage=lambda time: 3.0 + time / 3600)
    # A row shows the cell a second later, after a change of current
    np.testing.assert_allclose(record.voltage.values, 3.0 + (record.time.values - offset) / 3600, atol=1.01 / 3600)

"""From which scans changes are counted, by the charge that had passed."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from operando.cell.builtin import load_cell
from operando.study.inputs import _begins_with_first_scan, charge_of, pristine_of, reference_of

SCAN = 1500.0


def session(*, start, current=1.1e-4, scans=4):
    """Scans of 25 min end to end, and a charge that begins at `start` [s]."""
    clock = np.arange(-7200.0, 9000.0, 60.0)
    values = np.where(clock >= start, current, 0.0)
    cycler = xr.Dataset({"current": ("time", values)}, coords={"time": clock})
    sources = tuple(SimpleNamespace(shape=SimpleNamespace(duration=SCAN)) for _ in range(scans))
    study = SimpleNamespace(data=SimpleNamespace(clock_offset=0.0))
    return SimpleNamespace(
        study=study, cell=load_cell("cell-a"), neutron=sources, cycler=cycler, times=SCAN * (np.arange(scans) + 0.5)
    )


def test_scans_before_the_charge_are_the_reference():
    inputs = session(start=3600.0)
    assert reference_of(inputs).tolist() == pristine_of(inputs).tolist() == [True, True, False, False]


def test_the_first_scan_is_the_reference_where_the_charge_began_with_it():
    inputs = session(start=0.0)
    assert not pristine_of(inputs).any()
    assert reference_of(inputs).tolist() == [True, False, False, False]
    assert _begins_with_first_scan(inputs)
    assert float(charge_of(inputs).interp(time=SCAN / 2)) == pytest.approx(1.1e-4 * SCAN / 2, rel=0.05)


@pytest.mark.parametrize(("start", "current"), [(-3600.0, 1.1e-4), (0.0, 4e-4)])
def test_a_clock_that_is_wrong_is_not_taken_for_that(start, current):
    """A charge an hour old, or one that would have taken a tenth of the lithium by the first scan's middle."""
    assert not _begins_with_first_scan(session(start=start, current=current))

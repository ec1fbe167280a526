"""What the cycler would have written: the protocol's current, and a voltage that is prescribed where none is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.amounts import amounts_from_cell, area_from_cell
from operando.cell.protocol import breakpoints_from_cell
from operando.units import FARADAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from operando.cell.model import Cell
    from operando.frames import Array

LEAD = 1800.0
"""Rest that the cycler records before the first scan or the first step, whichever comes first [s]."""

INTERVAL = 60.0
"""Between two rows [s]."""

SWITCHED = 1.0
"""After a row's time, so that one at a change of current shows the cell after it [s]."""

LITHIATION = np.array([0.25, 0.35, 0.55, 0.75, 0.95])
POTENTIAL = np.array([4.337, 4.175, 3.899, 3.690, 3.528])
"""Potential of NMC811 against lithium [V], Chen et al. (2020), doi:10.1149/1945-7111/ab9050."""

INDIUM_POTENTIAL = 0.62
"""In/LiIn against lithium [V]."""

RESISTANCE = 60e-4
"""Of the whole cell times its area [Ohm m^2]; assumed."""


def cycler_record(
    *, cell: Cell, end: float, voltage: Callable[[Array], Array] | None = None
) -> tuple[xr.Dataset, float]:
    """Current and voltage until `end` [s] on the study's clock, and the cycler's time at that clock's zero [s].

    Parameters
    ----------
    voltage:
        Of the cell at times of the study's clock [V]; by default that of an NCM of the mean lithiation against
        In/LiIn, plus an ohmic drop.
    """
    changes, charges = breakpoints_from_cell(cell=cell)
    start = min(0.0, float(changes[0])) - LEAD
    time = np.unique(np.concatenate([np.arange(start, end, INTERVAL), changes[changes < end], [end]]))
    charge = np.interp(time, changes, charges)
    step = np.searchsorted(changes, time, side="right") - 1
    rates = np.concatenate([[0.0], np.diff(charges) / np.diff(changes), [0.0]])
    current = rates[np.minimum(step, len(changes) - 1) + 1]
    if voltage is None:
        lithiation = 1 - charge / (FARADAY * amounts_from_cell(cell=cell).active)
        volts = open_circuit_voltage(lithiation) + RESISTANCE * current / area_from_cell(cell=cell)
    else:
        volts = voltage(np.minimum(time + SWITCHED, end))
    record = xr.Dataset(
        {"current": ("time", current, {"units": "A"}), "voltage": ("time", volts, {"units": "V"})},
        coords={"time": ("time", time - start, {"units": "s"})},
    )
    return record, -start


def open_circuit_voltage(lithiation: Array) -> Array:
    """Voltage of the cell at rest [V]: a smooth curve through the table, straight beyond its ends."""
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(LITHIATION, POTENTIAL)
    inside = np.clip(lithiation, LITHIATION[0], LITHIATION[-1])
    voltage: Array = curve(inside) + curve.derivative()(inside) * (lithiation - inside) - INDIUM_POTENTIAL
    return voltage

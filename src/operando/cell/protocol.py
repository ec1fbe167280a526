"""Charge and current over time, from the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from operando.cell.amounts import area_from_cell, full_charge_from_cell, lithiation_from_charge
from operando.errors import InputError
from operando.units import FARADAY

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.frames import Array

_SIGN = {"charge": 1.0, "discharge": -1.0, "rest": 0.0}


def breakpoints_from_cell(*, cell: Cell) -> tuple[Array, Array]:
    """Times [s] on the study's clock at which the current changes, and the charge [C] passed until then.

    The first is when the current is switched on. Charge counts positive when lithium leaves the cathode.
    """
    protocol = cell.protocol
    durations = [step.duration.chosen.value for step in protocol.steps]
    current = protocol.current_density.chosen.value * area_from_cell(cell=cell)
    passed = [_SIGN[step.kind] * current * duration for step, duration in zip(protocol.steps, durations, strict=True)]
    start = protocol.start.chosen.value
    return start + np.cumsum([0.0, *durations]), np.cumsum([0.0, *passed])


def charge_from_cell(*, cell: Cell, time: float) -> float:
    """Net charge passed until `time` [s] on the study's clock [C]; none before the start, constant after the end."""
    times, charges = breakpoints_from_cell(cell=cell)
    return float(np.interp(time, times, charges))


def expected_lithiation_from_cell(*, cell: Cell, time: float) -> float:
    """Mean lithiation of the cathode that the charge passed implies, by the cell's definition of lithiation."""
    return lithiation_from_charge(
        charge=charge_from_cell(cell=cell, time=time), capacity=full_charge_from_cell(cell=cell)
    )


def entered_from_cell(*, cell: Cell) -> Array:
    """Lithium [mol] that the anode has gained when each step begins or ends.

    Raises
    ------
    InputError
        If the protocol brings back more than it took.
    """
    entered = breakpoints_from_cell(cell=cell)[1] / FARADAY
    if np.any(entered < -1e-9 * np.abs(entered).max()):
        raise InputError(
            "protocol.steps",
            must="such that no more lithium comes back to the cathode than has left it",
            received=f"{entered.min() * 1e6:.3g} umol",
            remedy="Shorten the discharges.",
        )
    return np.maximum(entered, 0.0)

"""What a cycler does to a cell, step by step, and why each step ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from operando.errors import InputError

if TYPE_CHECKING:
    from operando.cell.model import Cell

_SIGN = {"charge": 1.0, "discharge": -1.0, "rest": 0.0}


class Ending(StrEnum):
    """Why a step, or a simulation, ended."""

    TIME = "its time was over"
    UPPER_VOLTAGE = "the upper voltage was reached"
    LOWER_VOLTAGE = "the lower voltage was reached"
    CHARGE = "its charge had passed"
    SMALL_CURRENT = "the current had become small"
    VOLTAGE_PASSED = "the voltage limit was already passed at its start"
    EXHAUSTED = "no lithium was left to exchange at this current"
    FAILED = "the equations could not be solved with the smallest time step"


@dataclass(frozen=True)
class ProtocolStep:
    """One step: a current density or a voltage is held until the first limit.

    Attributes
    ----------
    control:
        What is held.
    value:
        Current density over the cross-section [A/m^2], positive when lithium leaves the cathode, or voltage [V].
    duration:
        Longest time [s].
    lower_voltage, upper_voltage:
        End a step at a held current [V].
    charge:
        Charge per area, of either sign, that ends the step [C/m^2].
    smallest_current:
        Magnitude of the current density that ends a step at a held voltage [A/m^2].
    """

    control: Literal["current", "voltage"]
    value: float
    duration: float
    lower_voltage: float = -math.inf
    upper_voltage: float = math.inf
    charge: float = math.inf
    smallest_current: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise InputError("value", must="a finite current density or voltage", received=self.value)
        if not 0 < self.duration < math.inf:
            raise InputError("duration", must="above zero and finite", received=self.duration)
        if not self.lower_voltage < self.upper_voltage:
            raise InputError(
                "lower_voltage", must="below upper_voltage", received=(self.lower_voltage, self.upper_voltage)
            )
        if not self.charge > 0 or not self.smallest_current >= 0:
            raise InputError(
                "charge and smallest_current",
                must="above zero, and zero or more",
                received=(self.charge, self.smallest_current),
            )

    def ending(self, *, elapsed: float, voltage: float, current: float, charge: float) -> Ending | None:
        """Why the step is over, or None while it is not.

        Parameters
        ----------
        elapsed, charge:
            Time and charge per area since the step began [s], [C/m^2].
        voltage, current:
            Now [V], [A/m^2].
        """
        if self.control == "current":
            if voltage >= self.upper_voltage:
                return Ending.UPPER_VOLTAGE
            if voltage <= self.lower_voltage:
                return Ending.LOWER_VOLTAGE
        elif abs(current) <= self.smallest_current:
            return Ending.SMALL_CURRENT
        if abs(charge) >= self.charge * (1 - 1e-12):
            return Ending.CHARGE
        return Ending.TIME if elapsed >= self.duration * (1 - 1e-12) else None


def galvanostatic(
    current_density: float,
    duration: float,
    *,
    lower_voltage: float = -math.inf,
    upper_voltage: float = math.inf,
    charge: float = math.inf,
) -> ProtocolStep:
    """Hold a current density [A/m^2], positive when the cell charges."""
    return ProtocolStep("current", current_density, duration, lower_voltage, upper_voltage, charge)


def voltage_hold(
    voltage: float, duration: float, *, smallest_current: float = 0.0, charge: float = math.inf
) -> ProtocolStep:
    """Hold a voltage [V] until the current has become small."""
    return ProtocolStep("voltage", voltage, duration, charge=charge, smallest_current=smallest_current)


def rest(duration: float) -> ProtocolStep:
    """Leave the cell without current."""
    return ProtocolStep("current", 0.0, duration)


def reversed_step(step: ProtocolStep) -> ProtocolStep:
    """Turn the current of a galvanostatic step around; the limits stay.

    Raises
    ------
    InputError
        If the step holds a voltage.
    """
    if step.control != "current":
        raise InputError("step", must="one that holds a current", received=step.control)
    return replace(step, value=-step.value)


def protocol_from_cell(*, cell: Cell) -> tuple[ProtocolStep, ...]:
    """Steps of a described cell, with its voltage limits in each."""
    protocol = cell.protocol
    current = protocol.current_density.chosen.value
    return tuple(
        galvanostatic(
            _SIGN[step.kind] * current,
            step.duration.chosen.value,
            lower_voltage=protocol.lower_voltage.value,
            upper_voltage=protocol.upper_voltage.value,
        )
        for step in protocol.steps
        if step.duration.chosen.value > 0
    )

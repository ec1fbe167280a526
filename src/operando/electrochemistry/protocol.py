"""What a cycler does to a cell, step by step, and why each step ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from operando.errors import InputError

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.frames import Array

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


class Terminals(NamedTuple):
    """What a cycler sees: voltage [V], current density [A/m^2], and charge per area since the step began [C/m^2]."""

    voltage: float
    current: float
    charge: float


_CLOSE = 1e-6
"""Share of a step's charge by which it may be passed."""
_SMALL = 0.01
"""Share of a step's smallest current by which the current may be below it."""


@dataclass(frozen=True)
class ProtocolStep:
    """One step: a current density or a voltage is held until the first limit.

    A held current ends at the voltage limit that it drives towards, the upper while it charges and the lower while it
    discharges. A step that begins beyond that limit ends at once, and the protocol goes on with the next one.

    Attributes
    ----------
    control:
        What is held.
    value:
        Current density over the cross-section [A/m^2], positive when lithium leaves the cathode, or voltage [V].
    duration:
        Longest time [s].
    lower_voltage, upper_voltage:
        End a discharge, and a charge, at a held current [V].
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
        if self.control not in ("current", "voltage"):
            raise InputError("control", must='"current" or "voltage"', received=self.control)
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

    def overshoot(self, voltage: float) -> float:
        """How far a voltage is past the limit that the current drives it to [V]; minus infinity where there is none."""
        if self.control == "voltage" or self.value == 0:
            return -math.inf
        return voltage - self.upper_voltage if self.value > 0 else self.lower_voltage - voltage

    def ending(self, *, elapsed: float, voltage: float, current: float, charge: float) -> Ending | None:
        """Why the step is over, or None while it is not.

        Parameters
        ----------
        elapsed, charge:
            Time and charge per area since the step began [s], [C/m^2].
        voltage, current:
            Now [V], [A/m^2].
        """
        if self.overshoot(voltage) >= 0:
            return Ending.UPPER_VOLTAGE if self.value > 0 else Ending.LOWER_VOLTAGE
        if self.control == "voltage" and abs(current) <= self.smallest_current:
            return Ending.SMALL_CURRENT
        if abs(charge) >= self.charge * (1 - 1e-9):
            return Ending.CHARGE
        return Ending.TIME if elapsed >= self.duration * (1 - 1e-12) else None

    def part_before_limit(self, before: Terminals, after: Terminals, *, near: float) -> float | None:
        """Share of a time step after which a limit is met that its end lies beyond; None where it does not.

        Parameters
        ----------
        before, after:
            The cell at both ends of the time step, within all limits at the first.
        near:
            How far beyond a voltage limit a step may end [V].
        """
        past = self.overshoot(after.voltage)
        if past > near:
            return 1 - (past - near / 2) / abs(after.voltage - before.voltage)
        here, there = abs(before.current), abs(after.current)
        if self.control == "voltage" and there < (1 - _SMALL) * self.smallest_current < here:
            return (here - (1 - _SMALL / 2) * self.smallest_current) / (here - there)
        here, there = abs(before.charge), abs(after.charge)
        if there > (1 + _CLOSE) * self.charge:
            return ((1 + _CLOSE / 2) * self.charge - here) / (there - here)
        return None

    def time_to_charge(self, now: Terminals) -> float:
        """Time in which the present current would pass what is left of the charge [s]."""
        current = abs(self.value if self.control == "current" else now.current)
        return (self.charge - abs(now.charge)) / current if current else math.inf


@dataclass(frozen=True, eq=False)
class CycledRun:
    """What came of a protocol, up to where it stopped.

    Attributes
    ----------
    endings:
        Why each of the protocol's steps ended; shorter than the protocol where one could not go on.
    complete:
        Whether all steps were done, of those that begin before the time asked for.
    time, voltage, current_density, charge:
        At rest before the first step, at the beginning of each step and after each time step
        [s], [V], [A/m^2], [C/m^2]; a current density is positive when the cell charges.
    """

    endings: tuple[Ending, ...]
    complete: bool
    time: Array
    voltage: Array
    current_density: Array
    charge: Array

    @property
    def status(self) -> Ending:
        """Why it stopped."""
        return self.endings[-1]


def stops_a_run(ending: Ending) -> bool:
    """Whether nothing can follow a step that ended so."""
    return ending in (Ending.EXHAUSTED, Ending.FAILED)


def require_steps(protocol: Sequence[ProtocolStep]) -> Sequence[ProtocolStep]:
    """Refuse what is not a sequence of one or more steps."""
    steps = isinstance(protocol, Sequence) and all(isinstance(step, ProtocolStep) for step in protocol)
    if not steps or not protocol:
        raise InputError(
            "protocol", must="a list of one step or more", received=protocol, remedy="Write [galvanostatic(...)]."
        )
    return protocol


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

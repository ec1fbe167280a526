"""Steps in time through one step of a protocol after the other, as long as their error allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from operando.electrochemistry.protocol import Ending, ProtocolStep
from operando.electrochemistry.resolved.equations import Problem, Solved, Target, solved_by_newton
from operando.electrochemistry.resolved.fluxes import Currents, Fields
from operando.electrochemistry.resolved.stepping import Past, backward_difference, error_of_step
from operando.frames import Array

_INSTANT, _SMALLEST, _FIRST = 1e-9, 1e-8, 1e-3
"""Time steps of a protocol step's duration: to find its first voltage, the shortest, and the first."""
_FARTHEST = 4.0
"""Times the last time step that unknowns are extrapolated."""
_NEAR = 1e-4
"""How far beyond a voltage limit a step may end [V]."""
_SPARE = 0.02
"""Cells that fail with x this close to 0 or 1 have run out of lithium or of room for it."""


@dataclass(frozen=True)
class Point:
    """A cell's terminals at one time: time [s], voltage [V], current density [A/m^2], charge per area [C/m^2]."""

    time: float
    voltage: float
    current_density: float
    charge: float


@dataclass(frozen=True)
class State(Point):
    """A cell at one time, with its potentials and lithiation, and the currents through all faces."""

    fields: Fields
    through: Currents


@dataclass(frozen=True)
class TimeStep:
    """One accepted time step, with all that its equations were made of."""

    length: float
    past: Past
    target: Target
    end: Solved


class Cycler:
    """A cell on its way through a protocol."""

    def __init__(self, problem: Problem, times: Iterable[float], tolerance: float, keep_steps: bool) -> None:
        self.problem, self.times, self.tolerance, self.keep_steps = problem, sorted(times), tolerance, keep_steps
        self.points: list[Point] = []
        self.states: list[State] = []
        self.endings: list[Ending] = []
        self.steps: list[TimeStep] = []

    def begin(self, lithiation: Array) -> None:
        """Start at a given lithiation, as if at rest."""
        cell, faces = self.problem.cell, self.problem.faces
        active, x = cell.reached.active, np.asarray(lithiation, dtype=float)
        host = cell.host_numbers()[active]
        potentials = [
            np.asarray(material.open_circuit_potential(lithiation[active][host == k])).mean()
            for k, material in enumerate(cell.hosts)
            if (host == k).any()
        ]
        voltage = float(np.mean(potentials)) if potentials else 0.0
        self.past = Past((0.0,), (x,), (0.0,))
        fields = Fields(np.zeros(cell.grid.shape), x, np.float64(voltage))
        none = (np.zeros(faces.reacting.area.size), np.zeros(faces.plating.area.size))
        self.now, self.before = Solved(fields, self.problem.through(fields, none), 0, 0.0), fields

    def take(self, step: ProtocolStep) -> Ending:
        """Take one step of the protocol; returns why it ended."""
        self.past = self.past.restarted()
        begun, charge = self.past.times[0], self.past.charges[0]
        instant = self._at_once(step)
        if instant is None:
            return self._ended(self._why_stuck())
        self._note(instant, begun, charge)
        ending, length = self._ending(step, begun, charge), _FIRST * step.duration
        if ending in (Ending.UPPER_VOLTAGE, Ending.LOWER_VOLTAGE):
            ending = Ending.VOLTAGE_PASSED
        while ending is None:
            if length < _SMALLEST * step.duration:
                return self._ended(self._why_stuck())
            taken = self._until_next(step, length, begun + step.duration, charge)
            accepted, advised = self._try(step, taken)
            if accepted:
                ending = self._ending(step, begun, charge)
                advised = max(advised, length) if advised >= taken else advised
            length = advised
        return self._ended(ending)

    def _at_once(self, step: ProtocolStep) -> Solved | None:
        """Solve for the potentials as the step begins; a current too far from the last one is approached in parts."""
        for parts in ((1.0,), (0.1, 0.25, 0.5, 1.0)):
            known = self.now
            for part in parts:
                partial = replace(step, value=part * step.value) if step.control == "current" else step
                found = self._solved(partial, _INSTANT * step.duration)
                if found is None:
                    break
                self.now = found
            self.now = known
            if found is not None:
                return found
        return None

    def _try(self, step: ProtocolStep, length: float) -> tuple[bool, float]:
        """Take a time step if it can be solved, is accurate and ends before a limit; and the length advised next."""
        solved = self._solved(step, length)
        if solved is None:
            return False, length / 4
        error = error_of_step(self.past, length, solved.fields.lithiation)
        by = 2.0 if error is None else 0.85 * (self.tolerance / max(error, 1e-30)) ** (1 / 3)
        if by < 0.6:
            return False, length * max(by, 0.2)
        short = self._short_of_limit(step, float(solved.fields.voltage), length)
        if short is not None:
            return False, short
        target = _target(self.problem, self.past, step, length)
        if self.keep_steps:
            self.steps.append(TimeStep(length, self.past, target, solved))
        self._note(solved, self.past.times[0] + length, self._charge(solved, length))
        self.past = self.past.after(self.points[-1].time, solved.fields.lithiation, self.points[-1].charge)
        return True, length * min(by, 2.0) if not 0.9 < by < 1.25 else length

    def _solved(self, step: ProtocolStep, length: float) -> Solved | None:
        """Solve for the end of a time step; None where there is no solution or x leaves 0 to 1."""
        start = self._ahead(length)
        target = _target(self.problem, self.past, step, length)
        guess = (self.now.through.reacting, self.now.through.plating)
        solved = solved_by_newton(self.problem, start, guess, target)
        return solved if solved is not None and _has_room(solved.fields.lithiation) else None

    def _ahead(self, length: float) -> Fields:
        """Straight on from the last two times."""
        now, times = self.now.fields, self.past.times
        if len(times) == 1:
            return now._replace(lithiation=self.past.lithiations[0])
        ratio = length / (times[0] - times[1])
        if ratio > _FARTHEST:
            return now
        ahead = Fields(*(a + ratio * (a - b) for a, b in zip(now, self.before, strict=True)))
        return ahead if _has_room(ahead.lithiation) else now

    def _until_next(self, step: ProtocolStep, length: float, end: float, charge: float) -> float:
        """Shorten a time step to meet the next time asked for, the protocol step's end and its charge."""
        now = self.past.times[0]
        left = min([end, *(t for t in self.times if t > now * (1 + 1e-12))]) - now
        if step.control == "current" and step.value:
            left = min(left, (step.charge - abs(self.past.charges[0] - charge)) / abs(step.value))
        if length > left * (1 - 1e-9):
            return left
        return min(length, left / 2)

    def _short_of_limit(self, step: ProtocolStep, voltage: float, length: float) -> float | None:
        """Length of a step that ends on a voltage limit, where this one goes beyond; None where it does not."""
        if step.control != "current":
            return None
        before = self.points[-1].voltage
        for limit, beyond in ((step.upper_voltage, 1), (step.lower_voltage, -1)):
            if beyond * (voltage - limit) > _NEAR:
                part = (limit + beyond * _NEAR / 2 - before) / (voltage - before)
                return length * float(np.clip(part, 0.02, 0.98))
        return None

    def _ending(self, step: ProtocolStep, begun: float, charge: float) -> Ending | None:
        now = self.points[-1]
        return step.ending(
            elapsed=now.time - begun,
            voltage=now.voltage,
            current=now.current_density,
            charge=now.charge - charge,
        )

    def _charge(self, solved: Solved, length: float) -> float:
        """Charge passed by the end of a time step, by the same formula as the lithium."""
        leading, weights = backward_difference(self.past, length)
        before = sum(w * q for w, q in zip(weights, self.past.charges, strict=False))
        return (self._current_density(solved) + before) / leading

    def _current_density(self, solved: Solved) -> float:
        return solved.current / self.problem.cell.section

    def _note(self, solved: Solved, time: float, charge: float) -> None:
        voltage, current = float(solved.fields.voltage), self._current_density(solved)
        self.before, self.now = self.now.fields, solved
        self.points.append(Point(time, voltage, current, charge))
        if any(abs(time - t) <= 1e-12 * max(time, 1e-300) for t in self.times):
            self._keep()

    def _keep(self) -> None:
        now = self.points[-1]
        if not self.states or self.states[-1].time != now.time:
            self.states.append(State(**vars(now), fields=self.now.fields, through=self.now.through))

    def _ended(self, ending: Ending) -> Ending:
        if self.points:
            self._keep()
        self.endings.append(ending)
        return ending

    def _why_stuck(self) -> Ending:
        x = np.asarray(self.now.fields.lithiation)[self.problem.cell.reached.active]
        spent = x.size and (x.min() < _SPARE or x.max() > 1 - _SPARE)
        return Ending.EXHAUSTED if spent else Ending.FAILED


def _target(problem: Problem, past: Past, step: ProtocolStep, length: float) -> Target:
    leading, weights = backward_difference(past, length)
    capacity = np.asarray(problem.faces.capacity)
    history = sum(w * x for w, x in zip(weights, past.lithiations, strict=False))
    value = step.value * problem.cell.section if step.control == "current" else step.value
    return Target(storage=capacity * leading, history=capacity * history, held=step.control, value=value)


def _has_room(lithiation: Any) -> bool:
    return bool(((lithiation > 0) & (lithiation < 1)).all())

"""Steps in time through one step of a protocol after the other, as long as their error allows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from operando.electrochemistry.protocol import Ending, ProtocolStep, Terminals, galvanostatic, rest
from operando.electrochemistry.resolved.equations import Problem, Solved, Target, solved_by_newton
from operando.electrochemistry.resolved.fluxes import (
    Currents,
    Fields,
    fastest_diffusion,
    left_in_voxels,
    shift_on_faces,
)
from operando.electrochemistry.resolved.stepping import Past, backward_difference, error_of_step, order_of_error
from operando.frames import Array

_INSTANT, _SMALLEST = 1e-6, 1e-7
"""Time steps to find a protocol step's first voltage, and the shortest, in its quickest time; see `_quickest`."""
_FIRST = 1e-3
"""The first time step in the protocol step's duration, where that is shorter than its quickest time."""
_FARTHEST = 4.0
"""Times the last time step that unknowns are extrapolated."""
_NEAR = 1e-4
"""How far beyond a voltage limit a step may end [V]."""
_SPARE = 0.02
"""Cells that fail with x on a face this close to 0 or 1 have run out of lithium or of room for it."""
_PARTS = (0.1, 0.25, 0.5, 1.0)
"""Of a change of current or voltage that Newton's method does not manage at once."""


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
        self.past, self.begun = Past((0.0,), (x,), (0.0,)), 0.0
        fields = Fields(np.zeros(cell.grid.shape), x, np.float64(voltage))
        none = (np.zeros(faces.reacting.area.size), np.zeros(faces.plating.area.size))
        self.now, self.before = Solved(fields, self.problem.through(fields, none), 0, 0.0), fields
        if any(u != voltage for u in potentials):
            self.now = self._at_once(rest(1.0), self._quickest(rest(1.0))) or self.now
        self.points.append(Point(0.0, float(self.now.fields.voltage), 0.0, 0.0))

    def take(self, step: ProtocolStep) -> Ending:
        """Take one step of the protocol; returns why it ended."""
        self.past, self.begun = self.past.restarted(), self.points[-1].time
        charge, quickest = self.past.charges[0], self._quickest(step)
        instant = self._at_once(step, quickest)
        if instant is None:
            return self._ended(self._why_stuck(step, quickest))
        self._note(instant, 0.0, charge)
        self.rate = self._rate(instant)
        ending, length = self._ending(step, charge), min(_FIRST * step.duration, quickest)
        if ending in (Ending.UPPER_VOLTAGE, Ending.LOWER_VOLTAGE):
            ending = Ending.VOLTAGE_PASSED
        while ending is None:
            if length < _SMALLEST * quickest:
                self.nearest = (1.0, self.now)
                return self._ended(self._why_stuck(step, quickest))
            taken = self._until_next(step, length, charge)
            accepted, advised = self._try(step, taken, charge)
            if accepted:
                ending = self._ending(step, charge)
                advised = max(advised, length) if advised >= taken else advised
            length = advised
        return self._ended(ending)

    def _quickest(self, step: ProtocolStep) -> float:
        """Time in which lithium diffuses through a voxel, or the step's duration where that is shorter [s]."""
        cell, faces, factors = self.problem.cell, self.problem.faces, self.problem.factors
        fastest = float(fastest_diffusion(self.past.lithiations[0], faces, factors, cell.hosts))
        width = min(s for s, n in zip(cell.grid.spacing, cell.grid.shape, strict=True) if n > 1)
        return min(step.duration, width**2 / (fastest * cell.grid.voxel_volume)) if fastest else step.duration

    def _rate(self, solved: Solved) -> Any:
        """How x changes with time [1/s]."""
        _, lost, _ = left_in_voxels(solved.through, self.problem.faces)
        faces = self.problem.faces
        return np.where(np.asarray(faces.active), -np.asarray(lost) / np.asarray(faces.capacity), 0.0)

    def _at_once(self, step: ProtocolStep, quickest: float) -> Solved | None:
        """Solve for the potentials as the step begins; a value too far from the last one is approached in parts."""
        known, self.nearest = self.now, (0.0, self.now)
        begins = float(known.fields.voltage) if step.control == "voltage" else 0.0
        for parts in ((1.0,), _PARTS):
            for part in parts:
                partial = replace(step, value=begins + part * (step.value - begins))
                found = self._solved(partial, _INSTANT * quickest)
                if found is None:
                    break
                self.now, self.nearest = found, (part, found)
            self.now = known
            if found is not None:
                return found
        return None

    def _try(self, step: ProtocolStep, length: float, charge: float) -> tuple[bool, float]:
        """Take a time step if it can be solved, is accurate and ends before a limit; and the length advised next."""
        solved = self._solved(step, length)
        if solved is None:
            return False, length / 4
        error = error_of_step(self.past, length, solved.fields.lithiation, self.rate)
        by = 0.85 * (self.tolerance / max(error, 1e-30)) ** (1 / order_of_error(self.past))
        if by < 0.6:
            return False, length * max(by, 0.2)
        passed = self._charge(solved, length)
        after = Terminals(float(solved.fields.voltage), self._current_density(solved), passed - charge)
        part = step.part_before_limit(self._terminals(charge), after, near=_NEAR)
        if part is not None:
            return False, length * float(np.clip(part, 0.02, 0.98))
        target = _target(self.problem, self.past, step, length)
        if self.keep_steps:
            self.steps.append(TimeStep(length, self.past, target, solved))
        self._note(solved, self.past.times[0] + length, passed)
        self.past = self.past.after(self.past.times[0] + length, solved.fields.lithiation, passed)
        return True, length * min(by, 2.0) if not 0.9 < by < 1.25 else length

    def _solved(self, step: ProtocolStep, length: float) -> Solved | None:
        """Solve for the end of a time step; None where there is no solution or x leaves 0 to 1, on faces too."""
        start = self._ahead(length)
        target = _target(self.problem, self.past, step, length)
        guess = (self.now.through.reacting, self.now.through.plating)
        solved = solved_by_newton(self.problem, start, guess, target)
        if solved is None or not _has_room(solved.fields.lithiation):
            return None
        return solved if _has_room(self._on_faces(solved), spare=self.tolerance) else None

    def _beside_faces(self, solved: Solved) -> Any:
        """Lithiation x of the voxels that react, face by face."""
        return np.asarray(solved.fields.lithiation).ravel()[np.asarray(self.problem.faces.reacting.active)]

    def _shift(self, solved: Solved) -> Any:
        """Fall of x from there to the face with its current [m^2/A]."""
        problem = self.problem
        return shift_on_faces(self._beside_faces(solved), problem.faces, problem.factors, problem.cell.hosts)

    def _on_faces(self, solved: Solved) -> Any:
        """Lithiation x on the faces."""
        return self._beside_faces(solved) - np.asarray(self._shift(solved)) * np.asarray(solved.through.reacting)

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

    def _until_next(self, step: ProtocolStep, length: float, charge: float) -> float:
        """Shorten a time step to meet the next time asked for, the protocol step's end and its charge."""
        elapsed, now = self.past.times[0], self.points[-1].time
        asked = (t - self.begun for t in self.times if t > now * (1 + 1e-12))
        left = min([step.duration, *asked]) - elapsed
        left = min(left, step.time_to_charge(self._terminals(charge)))
        if length > left * (1 - 1e-9):
            return left
        return min(length, left / 2)

    def _terminals(self, charge: float) -> Terminals:
        """Now, in a protocol step that began at a charge."""
        now = self.points[-1]
        return Terminals(now.voltage, now.current_density, now.charge - charge)

    def _ending(self, step: ProtocolStep, charge: float) -> Ending | None:
        voltage, current, passed = self._terminals(charge)
        return step.ending(elapsed=self.past.times[0], voltage=voltage, current=current, charge=passed)

    def _charge(self, solved: Solved, length: float) -> float:
        """Charge passed by the end of a time step, by the same formula as the lithium."""
        leading, weights = backward_difference(self.past, length)
        before = sum(w * q for w, q in zip(weights, self.past.charges, strict=False))
        return (self._current_density(solved) + before) / leading

    def _current_density(self, solved: Solved) -> float:
        return solved.current / self.problem.cell.section

    def _note(self, solved: Solved, elapsed: float, charge: float) -> None:
        voltage, current = float(solved.fields.voltage), self._current_density(solved)
        time = self.begun + elapsed
        self.before, self.now = self.now.fields, solved
        self.points.append(Point(time, voltage, current, charge))
        if any(abs(time - t) <= 1e-12 * max(time, 1e-300) for t in self.times):
            self._keep()

    def _keep(self) -> None:
        now = self.points[-1]
        if not self.states or self.states[-1].time != now.time:
            self.states.append(State(**vars(now), fields=self.now.fields, through=self.now.through))

    def _ended(self, ending: Ending) -> Ending:
        self._keep()
        self.endings.append(ending)
        return ending

    def _why_stuck(self, step: ProtocolStep, quickest: float) -> Ending:
        """Whether lithium, or room for it, ends on faces, or would at the current that is asked for."""
        part, solved = self.nearest
        if part:
            q = np.asarray(solved.through.reacting)
            voxel = self._beside_faces(solved)
            face = voxel + (self._on_faces(solved) - voxel) / part
            if ((face < _SPARE) & (q > 0)).any() or ((face > 1 - _SPARE) & (q < 0)).any():
                return Ending.EXHAUSTED
        return Ending.EXHAUSTED if self._is_too_much(step, quickest) else Ending.FAILED

    def _is_too_much(self, step: ProtocolStep, quickest: float) -> bool:
        """Whether a step asks for more than the current that would empty, or fill, all faces at once."""
        voltage = self.points[-1].voltage
        sign = math.copysign(1.0, step.value if step.control == "current" else step.value - voltage)
        x, faces = self._beside_faces(self.now), self.problem.faces.reacting
        room = (x if sign > 0 else 1 - x) / np.asarray(self._shift(self.now)) * np.asarray(faces.area)
        limit = float(room.sum()) / self.problem.cell.section
        if step.control == "current":
            return abs(step.value) >= limit
        for part in _PARTS[::-1]:  # the voltage at nearly that current
            found = self._at_once(galvanostatic(sign * 0.9 * part * limit, step.duration), quickest)
            if found is not None:
                return sign * (step.value - float(found.fields.voltage)) > 0
        return False


def _target(problem: Problem, past: Past, step: ProtocolStep, length: float) -> Target:
    leading, weights = backward_difference(past, length)
    capacity = np.asarray(problem.faces.capacity)
    history = sum(w * x for w, x in zip(weights, past.lithiations, strict=False))
    value = step.value * problem.cell.section if step.control == "current" else step.value
    return Target(storage=capacity * leading, history=capacity * history, held=step.control, value=value)


def _has_room(lithiation: Any, *, spare: float = 0.0) -> bool:
    return bool(((lithiation > -spare) & (lithiation < 1 + spare)).all())

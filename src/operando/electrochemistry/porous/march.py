"""A porous cell through a protocol: implicit steps of second order, as long as accuracy allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.electrochemistry.inputs import lithiation_on_voxels, require_tolerance
from operando.electrochemistry.porous.newton import NewtonStep
from operando.electrochemistry.protocol import CycledRun, Ending, Terminals, require_steps, stops_a_run
from operando.electrochemistry.threads import shared_out
from operando.errors import InputError

if TYPE_CHECKING:
    from operando.electrochemistry.porous.electrode import PorousCell
    from operando.electrochemistry.porous.newton import PorousState, Potentials
    from operando.electrochemistry.protocol import ProtocolStep
    from operando.frames import Array

_FIRST_STEP = 1e-5
"""Of the step's duration."""

_SMALLEST_STEP = 1e-9
_GROWTH = 2.0
"""Of a step over the last one; BDF2 is stable up to ``1 + sqrt(2)``."""

_VOLTAGE_REACHED = 1e-6
_SPARE = 0.02
"""Cells that fail with x on a surface this close to 0 or 1 have run out of lithium or of room for it."""


@dataclass(frozen=True, eq=False)
class PorousRun(CycledRun):
    """What a protocol did to a cell.

    Attributes
    ----------
    lithiation:
        Mean over all active material.
    ends:
        When each of them ended [s].
    final:
        Last state.
    """

    lithiation: Array
    ends: tuple[float, ...]
    final: PorousState


def run_porous(
    cell: PorousCell,
    steps: Sequence[ProtocolStep],
    *,
    lithiation: float | Array,
    shells: int = 20,
    tolerance: float = 1e-3,
    longest_step: float = np.inf,
    until: float = np.inf,
    potentials: Potentials | None = None,
    observe: Callable[[PorousState], None] = lambda state: None,
) -> PorousRun:
    """Take a cell at rest through a protocol.

    BDF2 with variable steps, begun anew by implicit Euler at every change of current. A step that Newton cannot
    solve, or that empties or overfills a particle's surface, is tried again at a quarter of its length, and never
    returned.

    Parameters
    ----------
    lithiation:
        x at the start, one number or a map ``(z, y, x)``.
    tolerance:
        Change of x in any shell, and of the voltage [V], by which a step may depart from a straight line.
    until:
        Time at which the run ends, wherever the protocol is [s].
    potentials:
        Solver of the linear systems; by default one that fits the number of voxels.
    observe:
        Called with every accepted state.

    Raises
    ------
    InputError
        If the lithiation is not between 0 and 1, there are no steps, or no time is left for them.
    """
    import jax

    require_steps(steps)
    require_tolerance(tolerance)
    if not until > 0:
        raise InputError("until", must="above zero", received=until)
    lithiation = lithiation_on_voxels(lithiation, active=cell.active)
    if shells < 3:
        raise InputError("shells", must="three or more", received=shells)
    with jax.enable_x64(True):
        march = _March(cell, NewtonStep(cell, shells=shells, potentials=potentials), lithiation, tolerance, observe)
        for step in steps:
            left = until - march.time
            if np.isfinite(until) and left <= _SMALLEST_STEP * until:
                # what rounding leaves is no step
                break
            if stops_a_run(march.through(replace(step, duration=min(step.duration, left)), longest_step)):
                break
        return march.result()


class _March:
    def __init__(
        self,
        cell: PorousCell,
        newton: NewtonStep,
        lithiation: float | Array,
        tolerance: float,
        observe: Callable[[PorousState], None],
    ) -> None:
        self._cell, self._newton, self._tolerance, self._observe = cell, newton, tolerance, observe
        self._state = newton.initial(lithiation)
        self._charge = 0.0
        self._rows = [self._row(self._state)]
        self._endings: list[tuple[Ending, float]] = []

    @property
    def time(self) -> float:
        """Reached [s]."""
        return self._state.time

    def through(self, step: ProtocolStep, longest: float) -> Ending:
        """Follow one protocol step to its end."""
        ending = self._followed(step, longest)
        self._endings.append((ending, self._state.time))
        return ending

    def _followed(self, step: ProtocolStep, longest: float) -> Ending:
        elapsed, charge = 0.0, self._charge
        held = self._begun(step)
        if isinstance(held, Ending):
            return held
        self._state = held
        before: tuple[PorousState, float] | None = None
        length = step.duration * _FIRST_STEP
        smallest = step.duration * _SMALLEST_STEP
        problem = Ending.FAILED
        while True:
            now = self._terminals(self._state, charge)
            length = min(length, longest, step.duration - elapsed, step.time_to_charge(now))
            new = self._advanced(before, length, step)
            outside = new is not None and self._is_outside(new)
            error = np.inf if new is None or outside else self._departure(before, new, length)
            if new is None or outside or error > 4:
                problem = Ending.EXHAUSTED if outside else problem
                length *= 0.25 if not error < np.inf else max(0.25, 0.8 / np.sqrt(error))
                if length < smallest:
                    return self._why_stuck(step) if problem is Ending.FAILED else problem
                continue
            part = step.part_before_limit(now, self._terminals(new, charge), near=_VOLTAGE_REACHED)
            if part is not None and length > smallest:
                length *= min(0.95, max(0.05, part))
                continue
            before, problem = (self._state, length), Ending.FAILED
            elapsed += length
            self._accept(new)
            voltage, current, passed = self._terminals(new, charge)
            ending = step.ending(
                elapsed=elapsed,
                voltage=voltage + (_VOLTAGE_REACHED if step.value > 0 else -_VOLTAGE_REACHED),
                current=current,
                charge=passed,
            )
            if ending is not None:
                return ending
            length *= min(_GROWTH, max(0.3, 0.8 / np.sqrt(max(error, 1e-6))))

    def result(self) -> PorousRun:
        """All that was kept."""
        endings, ends = zip(*self._endings, strict=True)
        time, voltage, current_density, charge, lithiation = np.array(self._rows).T
        return PorousRun(
            endings=endings,
            complete=not stops_a_run(endings[-1]),
            ends=ends,
            time=time,
            voltage=voltage,
            current_density=current_density,
            charge=charge,
            lithiation=lithiation,
            final=self._state,
        )

    def _begun(self, step: ProtocolStep) -> PorousState | Ending:
        """Switch the current: potentials jump, lithium stays."""
        instant = step.duration * _SMALLEST_STEP
        new = self._solved(self._state, self._state.lithiation, instant, step)
        if new is None:
            return self._why_stuck(step)
        if step.overshoot(new.voltage) > _VOLTAGE_REACHED:
            return Ending.VOLTAGE_PASSED
        begun = replace(new, time=self._state.time, lithiation=self._state.lithiation)
        self._rows.append(self._row(begun))
        return begun

    def _why_stuck(self, step: ProtocolStep) -> Ending:
        """Whether the particles' surfaces are empty, or full, or would be at once at the current that is asked for."""
        state, nothing = self._state, np.zeros(self._newton.surface.size)
        shell = np.asarray(self._newton.surface_lithiation(state.lithiation, nothing))
        by_current = shell - np.asarray(self._newton.surface_lithiation(state.lithiation, nothing + 1))
        q = np.asarray(state.current_density)
        face = shell - by_current * q
        spent = ((face < _SPARE) & (q > 0)) | ((face > 1 - _SPARE) & (q < 0))
        room = shell if step.value > 0 else 1 - shell
        limit = float((room / by_current * self._newton.surface).sum()) / self._cell.area
        too_much = step.control == "current" and abs(step.value) >= limit
        return Ending.EXHAUSTED if spent.any() or too_much else Ending.FAILED

    def _terminals(self, state: PorousState, charge: float) -> Terminals:
        """Of a state, in a protocol step that began at a charge."""
        passed = (self._rows[0][4] - self._mean(state)) * self._capacity
        return Terminals(state.voltage, state.current / self._cell.area, passed - charge)

    def _advanced(
        self, before: tuple[PorousState, float] | None, length: float, step: ProtocolStep
    ) -> PorousState | None:
        now = self._state
        if before is None:
            guess, history, effective = now, now.lithiation, length
        else:
            last, previous = before
            ratio = length / previous
            over = 1 / (1 + 2 * ratio)
            history = _combined((1 + ratio) ** 2 * over, now.lithiation, -(ratio**2) * over, last.lithiation)
            effective = length * (1 + ratio) / (1 + 2 * ratio)
            guess = _extrapolated(last, now, ratio)
        new = self._solved(guess, history, effective, step)
        return None if new is None else replace(new, time=now.time + length)

    def _solved(self, guess: PorousState, history: Any, effective: float, step: ProtocolStep) -> PorousState | None:
        held = step.control == "voltage"
        return self._newton(
            guess,
            history=history,
            step=effective,
            current=None if held else step.value * self._cell.area,
            voltage=step.value if held else None,
        )

    def _is_outside(self, state: PorousState) -> bool:
        surface = self._newton.surface_lithiation(state.lithiation, state.current_density)
        return bool(surface.min() < 0 or surface.max() > 1)

    def _departure(self, before: tuple[PorousState, float] | None, new: PorousState, length: float) -> float:
        """Departure of x and of the voltage from a straight line over two steps, relative to the tolerance."""
        from operando.electrochemistry.porous.step_kernels import largest_bend

        if before is None:
            return 1.0
        last, previous = before
        ratio = length / previous
        now = self._state
        fields = last.lithiation, now.lithiation, new.lithiation
        bend = max(shared_out(largest_bend, len(fields[0]), fields[0].size, *fields, ratio))
        voltage = new.voltage - now.voltage - ratio * (now.voltage - last.voltage)
        largest = max(bend, abs(voltage))
        return float(largest * ratio / (1 + ratio) / self._tolerance)

    def _accept(self, new: PorousState) -> None:
        self._state = new
        self._charge = (self._rows[0][4] - self._mean(new)) * self._capacity
        self._rows.append(self._row(new))
        self._observe(new)

    @property
    def _capacity(self) -> float:
        from operando.units import FARADAY

        return self._cell.exchangeable_lithium * FARADAY / self._cell.area

    def _mean(self, state: PorousState) -> float:
        weight = self._newton.sites / self._newton.sites.sum()
        return float((self._newton.shells.volume @ state.lithiation) @ weight)

    def _row(self, state: PorousState) -> tuple[float, float, float, float, float]:
        return state.time, state.voltage, state.current / self._cell.area, self._charge, self._mean(state)


def _extrapolated(last: PorousState, now: PorousState, ratio: float) -> PorousState:
    def straight(a: Any, b: Any) -> Any:
        return b + ratio * (b - a)

    return replace(
        now,
        lithiation=_combined(1 + ratio, now.lithiation, -ratio, last.lithiation),
        current_density=straight(last.current_density, now.current_density),
        electronic=straight(last.electronic, now.electronic),
        ionic=straight(last.ionic, now.ionic),
        voltage=straight(last.voltage, now.voltage),
    )


def _combined(a: float, first: Array, b: float, second: Array) -> Array:
    from operando.electrochemistry.porous.step_kernels import combined

    out = np.empty_like(first)
    shared_out(combined, len(out), out.size, a, first, b, second, out)
    return out

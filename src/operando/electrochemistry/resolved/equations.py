"""The equations of one implicit step of a resolved cell, and Newton's method on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.faces import Faces, faces_of
from operando.electrochemistry.resolved.fluxes import Currents, Factors, Fields, currents, left_in_voxels
from operando.electrochemistry.resolved.jacobian import Control, Slopes, slopes
from operando.errors import InputError

_LARGEST_CHANGE = 0.3
"""Of x in one iteration of Newton's method."""
_MOST_ITERATIONS = 20
_ROUNDING = 4e-16
_STALLED = 10.0
"""Multiple of the tolerance that is let pass where rounding lets the residual fall no further."""
_FINEST, _COARSEST = 1e-4, 0.1
"""Relative residuals of the linear systems."""


class LinearSolver(Protocol):
    """Solves the linear system of an iteration."""

    precision: Any
    """Of the slopes that it wants."""

    def solve(
        self, residual: Fields, slopes: Slopes, storage: Any, control: Control, *, relative: float
    ) -> Fields | None:
        """Change of the unknowns that the residual asks for, to a relative residual; None where it was not found."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A cell with everything that its equations need."""

    cell: ResolvedCell
    faces: Faces
    factors: Factors
    linear: LinearSolver
    tolerance: float = 1e-9
    """Largest charge or lithium left in a voxel over the cell's current, or over C/1000 where that is more."""

    @property
    def smallest_current(self) -> float:
        """C/1000 [A]: currents are judged against this where less is applied."""
        return float(np.asarray(self.faces.capacity)[np.asarray(self.faces.active)].sum()) / 3.6e6

    def through(self, fields: Fields, guess: tuple[Any, Any]) -> Currents:
        """Currents at `fields`."""
        found: Currents = currents(fields, self.faces, self.factors, self.cell.hosts, self.cell.temperature, guess)
        return found


@dataclass(frozen=True)
class Target:
    """What an implicit step asks for.

    Attributes
    ----------
    storage, history:
        ``storage x - history`` is the lithium that a voxel gains [A].
    held, value:
        The circuit's current [A] or voltage [V].
    """

    storage: Any
    history: Any
    held: Literal["current", "voltage"]
    value: float

    def control(self, current: float) -> Control:
        """Weights of the circuit's equation, in amperes."""
        return Control(1.0, 0.0) if self.held == "current" else Control(0.0, 40 * current)


@dataclass(frozen=True)
class Solved:
    """Fields that fulfil the equations, the currents there, the iterations it took, and the circuit's current [A]."""

    fields: Fields
    through: Currents
    iterations: int
    current: float


def problem_of(cell: ResolvedCell, *, factors: Factors | None = None) -> Problem:
    """Collect the equations of a cell; a section is solved by factorising, a volume by multigrid."""
    from operando.electrochemistry.resolved.blocks import BlockSolver
    from operando.electrochemistry.resolved.direct import DirectSolver

    on_device = jax.tree.map(lambda part: jnp.asarray(part) if isinstance(part, np.ndarray) else part, faces_of(cell))
    # on CPU the same memory
    faces = jax.tree.map(lambda part: np.asarray(part) if isinstance(part, jax.Array) else part, on_device)
    linear = DirectSolver(faces) if min(cell.grid.shape) == 1 else BlockSolver(faces)
    _require_factors(factors or Factors(), cell)
    return Problem(cell=cell, faces=on_device, factors=factors or Factors(), linear=linear)


def _require_factors(factors: Factors, cell: ResolvedCell) -> None:
    """Refuse factors that are not finite, not positive, or neither numbers nor maps."""
    for name, factor in zip(Factors._fields, factors, strict=True):
        values = np.asarray(factor, dtype=float)
        if values.shape not in ((), cell.grid.shape):
            raise InputError(f"factor of {name}", must=f"a number or {cell.grid.shape}", received=values.shape)
        least = 0.0 if name == "grain_boundary_resistance" else np.nextafter(0, 1)
        if not (np.isfinite(values) & (values >= least)).all():
            raise InputError(f"factor of {name}", must="finite and positive", received=float(values.min()))


@jax.jit
def residual(
    fields: Fields, through: Currents, storage: Any, history: Any, control: Control, value: Any, faces: Faces
) -> tuple[Fields, Any]:
    """Charge and lithium that the voxels lack, and what the circuit lacks [A]; and the circuit's current [A]."""
    charge, lithium, total = left_in_voxels(through, faces)
    lack = Fields(
        potential=jnp.where(faces.active | faces.electrolyte, charge, 0.0),
        lithiation=jnp.where(faces.active, lithium + storage * fields.lithiation - history, 0.0),
        voltage=control.current * (total - value) + control.voltage * (fields.voltage - value),
    )
    return lack, total


def solved_by_newton(problem: Problem, start: Fields, guess: tuple[Any, Any], target: Target) -> Solved | None:
    """Solve the step's equations from `start`; None where Newton's method does not get there."""
    faces, cell, fields = problem.faces, problem.cell, start
    control = target.control(problem.smallest_current)
    before = np.inf
    for iteration in range(_MOST_ITERATIONS):
        through = problem.through(fields, guess)
        lack, total = residual(fields, through, target.storage, target.history, control, target.value, faces)
        worst = _largest(lack, target.storage)
        if not np.isfinite(worst):
            return None
        enough = problem.tolerance * max(problem.smallest_current, abs(float(total)))
        stalled = iteration > 2 and worst > before / 4
        if worst <= enough or (stalled and worst <= _STALLED * enough):
            return Solved(fields, through, iteration, float(total))
        before = worst
        kind = problem.linear.precision
        at = slopes(fields, faces, problem.factors, cell.hosts, cell.temperature, through, precision=kind)
        relative = min(max(0.2 * enough / worst, _FINEST), _COARSEST)
        lack = _without_rounding(lack, target.storage)
        guess = (through.reacting, through.plating)
        del through  # a volume has room for neither these while it is solved nor the slopes thereafter
        change = problem.linear.solve(lack, at, target.storage, control, relative=relative)
        del at
        if change is None:
            return None
        by = min(1.0, _LARGEST_CHANGE / max(float(np.abs(change.lithiation).max()), 1e-30))
        fields = Fields(*(a - by * b for a, b in zip(fields, change, strict=True)))
    return None


@jax.jit
def _largest_parts(lack: Fields, storage: Any) -> tuple[Any, Any, Any]:
    # x is known to rounding alone, and a short time step makes much of it
    lithium = jnp.maximum(jnp.abs(lack.lithiation) - _ROUNDING * storage, 0.0)
    return jnp.abs(lack.potential).max(), lithium.max(), jnp.abs(lack.voltage)


@jax.jit
def _without_rounding(lack: Fields, storage: Any) -> Fields:
    # else nothing but rounding is left of lithium, and a linear solver spends itself on that
    known = jnp.abs(lack.lithiation) > _ROUNDING * storage
    return lack._replace(lithiation=jnp.where(known, lack.lithiation, 0.0))


def _largest(lack: Fields, storage: Any) -> float:
    """Largest charge or lithium that is missing [A]; NaN where one is not finite."""
    return float(np.max([float(part) for part in _largest_parts(lack, storage)]))

"""Gradients of what a run ends with, by the adjoint of its implicit steps.

With ``R(u_n, x_(n-1), x_(n-2), p) = 0`` in every step and a goal ``g(u_N)``, the adjoint of the last step solves
``(dR/du)^T w = dg/du``; each earlier one is driven by what the later ones took from its x. One linear solve a step
tells the derivative with every parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse.linalg import splu

from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.cycler import TimeStep
from operando.electrochemistry.resolved.equations import Problem, problem_of, residual
from operando.electrochemistry.resolved.fluxes import Factors, Fields, currents
from operando.electrochemistry.resolved.jacobian import slopes
from operando.electrochemistry.resolved.run import Run
from operando.electrochemistry.resolved.sparse import SparseSystem
from operando.electrochemistry.resolved.stepping import backward_difference
from operando.errors import InputError

Goal = Callable[[Fields], Any]


def terminal_voltage(fields: Fields) -> Any:
    """The goal of most fits."""
    return fields.voltage


def gradient_of_end(cell: ResolvedCell, run: Run, *, goal: Goal, factors: Factors | None = None) -> Factors:
    """Derivatives of a number that the last fields of a run give, with respect to the factors of the materials' values.

    Time steps are taken as they were: their lengths do not depend on the factors.

    Parameters
    ----------
    run:
        Of one step of a protocol, with `keep_steps`.
    goal:
        A number from the last fields, written with JAX.
    factors:
        With which the run was made.

    Returns
    -------
    The derivatives, shaped as the factors are.

    Raises
    ------
    InputError
        If the run did not keep its steps, or held more than one current or voltage.
    """
    if not run.steps:
        raise InputError("run", must="made with keep_steps=True", received="one without steps")
    if len(run.endings) > 1:
        raise InputError("run", must="of one step of a protocol", received=f"{len(run.endings)}")
    factors = Factors(*(jnp.asarray(f, dtype=float) for f in (factors or Factors())))
    problem, system = problem_of(cell, factors=factors), SparseSystem(problem_of(cell).faces)
    drive = jax.grad(lambda u: goal(u) + 0.0)(run.steps[-1].end.fields)
    total = Factors(*(jnp.zeros_like(f) for f in factors))
    owed: dict[int, Any] = {}
    for number in reversed(range(len(run.steps))):
        step = run.steps[number]
        drive = drive._replace(lithiation=drive.lithiation + owed.pop(number, 0.0))
        weights = _adjoint(problem, system, step, drive)
        total = Factors(*(a - b for a, b in zip(total, _pulled(problem, step, weights, factors), strict=True)))
        _, past = backward_difference(step.past, step.length)
        for back, weight in enumerate(past, start=1):
            taken = jnp.where(problem.faces.active, weights.lithiation * problem.faces.capacity * weight, 0.0)
            owed[number - back] = owed.get(number - back, 0.0) + taken
        drive = Fields(jnp.zeros_like(drive.potential), jnp.zeros_like(drive.lithiation), jnp.zeros(()))
    return total


def _adjoint(problem: Problem, system: SparseSystem, step: TimeStep, drive: Fields) -> Fields:
    cell, fields, through = problem.cell, step.end.fields, step.end.through
    at = slopes(fields, problem.faces, problem.factors, cell.hosts, cell.temperature, through)
    matrix = system.matrix(at, step.target.storage, step.target.control(problem.smallest_current))
    return system.fields(splu(matrix).solve(system.vector(drive), trans="T"))


def _pulled(problem: Problem, step: TimeStep, weights: Fields, factors: Factors) -> Factors:
    """Adjoint weights times the derivative of the step's equations with respect to the factors."""
    cell, faces, end, target = problem.cell, problem.faces, step.end, step.target

    def lacking(factors: Factors) -> Any:
        guess = (end.through.reacting, end.through.plating)
        through = currents(end.fields, faces, factors, cell.hosts, cell.temperature, guess)
        control = target.control(problem.smallest_current)
        lack, _ = residual(end.fields, through, target.storage, target.history, control, target.value, faces)
        return sum(jnp.vdot(jnp.asarray(w), part) for w, part in zip(weights, lack, strict=True))

    found: Factors = jax.grad(lacking)(factors)
    return found


def image_mismatch(wanted: Any, active: Any) -> Goal:
    """Half the mean square of x against an image of it, over active material."""
    inside, image = jnp.asarray(np.asarray(active)), jnp.asarray(np.where(active, wanted, 0.0))

    def goal(fields: Fields) -> Any:
        return 0.5 * jnp.sum(jnp.where(inside, fields.lithiation - image, 0.0) ** 2) / jnp.sum(inside)

    return goal

"""Multigrid for symmetric systems of face conductances, and the conjugate gradients that it preconditions.

``A u = sum over faces of G (u - u_neighbour) + d u = b`` with ``G, d >= 0``. Voxels are gathered two by two along every
axis that is about as strongly coupled as the strongest; conductances of the faces between such blocks are summed and
halved, because twice the distance lies between their centres. Where nothing conducts (`G` and `d` are 0 all round) the
solution is 0, so a phase that fills part of the grid is a system of its own: build one hierarchy for each phase.

Everything works on NumPy arrays by numba kernels and on JAX arrays by JAX ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any

import numpy as np

from operando.electrochemistry.finite_volume import Faces

Array = Any

COARSEST = 216
"""Voxels up to which a level is solved directly."""

STRONG = 0.2
"""An axis is coarsened if its mean conductance exceeds this share of the largest."""

VISITS = {8: 3, 4: 2}
"""Visits of the coarser level, by how many voxels it gathers: more where they are cheap. Two are a W-cycle."""

RELAXATIONS = 2
"""Relaxations before and after the coarser levels."""


class Status(Enum):
    """Why a solver stopped."""

    CONVERGED = "the residual fell below the tolerance"
    ITERATIONS = "the allowed number of iterations was used up"
    BREAKDOWN = "the system is not positive definite, or a value is not finite"


@dataclass(frozen=True)
class Solution:
    """What a linear solver returns.

    Attributes
    ----------
    value:
        The solution.
    residual:
        ``|b - A u| / |b|``.
    """

    value: Array
    status: Status
    iterations: int
    residual: float


@dataclass(frozen=True)
class Level:
    """One level of a hierarchy: its conductances, the inverse of its diagonal, and how it is gathered into the next."""

    faces: Faces
    inverse: Array
    factors: tuple[int, int, int]


@dataclass(frozen=True)
class Hierarchy:
    """Levels from fine to coarse in single precision, and the inverse of the last, for a system divided by `scale`.

    Called on a residual it returns a correction.
    """

    levels: tuple[Level, ...]
    coarsest: Array
    scale: float
    kernels: ModuleType

    def __call__(self, b: Array) -> Array:
        """Apply one cycle from zero: a symmetric positive preconditioner."""
        size = self.kernels.dot(b, b) ** 0.5 or 1.0
        correction = self._cycle(0, self.kernels.scaled(b, 1 / size, np.float32), None)
        return self.kernels.scaled(correction, size / self.scale, b.dtype)

    def _cycle(self, depth: int, b: Array, u: Array | None) -> Array:
        if depth == len(self.levels):
            return (self.coarsest @ b.reshape(-1)).reshape(b.shape)
        level = self.levels[depth]
        for _ in range(RELAXATIONS):
            u = self.kernels.relax(level.faces, level.inverse, b, u, upwards=True)
        below = self.kernels.residual_on_coarse(level.faces, level.inverse, b, u, level.factors)
        correction, visits = None, VISITS.get(math.prod(level.factors), 1)
        for _ in range(visits if depth + 1 < len(self.levels) else 1):
            correction = self._cycle(depth + 1, below, correction)
        u = self.kernels.add_from_coarse(correction, u, level.factors)
        for _ in range(RELAXATIONS):
            u = self.kernels.relax(level.faces, level.inverse, b, u, upwards=False)
        return u


def hierarchy_from_conductances(*, conductances: Faces, diagonal: Array) -> Hierarchy:
    """Build the levels of a system; cheap enough (two relaxations' time) to do again whenever coefficients change.

    Parameters
    ----------
    conductances:
        Of every face, not negative; those of the sides lead to ground.
    diagonal:
        ``(z, y, x)``, not negative: conductance from each voxel to ground.
    """
    kernels = kernels_for(diagonal)
    scale = max(float(part.max()) for part in (*conductances, diagonal)) or 1.0
    conductances = Faces(*(kernels.scaled(faces, 1 / scale, np.float32) for faces in conductances))
    diagonal, levels = kernels.scaled(diagonal, 1 / scale, np.float32), []
    while diagonal.size > COARSEST and max(diagonal.shape) > 1:
        factors = _factors(conductances, diagonal.shape)
        levels.append(Level(conductances, kernels.inverse_diagonal(conductances, diagonal), factors))
        conductances, diagonal = _gathered(conductances, diagonal, factors)
    return Hierarchy(tuple(levels), _inverse(conductances, diagonal), scale, kernels)


def kernels_for(array: Array) -> ModuleType:
    """Kernels for the kind of an array: numba for NumPy, JAX for the rest."""
    if isinstance(array, np.ndarray):
        from operando.electrochemistry import stencil_numba

        return stencil_numba
    from operando.electrochemistry import stencil_jax

    return stencil_jax


def conjugate_gradients(
    *,
    operator: Callable[[Array], Array],
    b: Array,
    preconditioner: Callable[[Array], Array],
    tolerance: float,
    iterations: int = 200,
) -> Solution:
    """Solve ``A u = b`` for a symmetric positive operator, starting from 0.

    Parameters
    ----------
    tolerance:
        Of the residual's norm, relative to that of `b`.
    iterations:
        At most.
    """
    kernels = kernels_for(b)
    dot, plus = kernels.dot, kernels.plus
    size = norm = dot(b, b) ** 0.5
    r, u, direction, energy = b + 0.0, b * 0.0, None, 1.0
    for iteration in range(iterations + 1):
        if not math.isfinite(norm):
            return Solution(u, Status.BREAKDOWN, iteration, norm)
        if norm <= tolerance * size:
            return Solution(u, Status.CONVERGED, iteration, norm / size if size else 0.0)
        if iteration == iterations:
            break
        step = preconditioner(r)
        before, energy = energy, dot(r, step)
        direction = step if direction is None else plus(step, energy / before, direction)
        image = operator(direction)
        curvature = dot(direction, image)
        if not curvature > 0:
            return Solution(u, Status.BREAKDOWN, iteration, norm / size)
        u = plus(u, energy / curvature, direction)
        r = plus(r, -energy / curvature, image)
        norm = dot(r, r) ** 0.5
    return Solution(u, Status.ITERATIONS, iterations, norm / size)


def solve(*, conductances: Faces, diagonal: Array, b: Array, tolerance: float, iterations: int = 200) -> Solution:
    """Solve ``A u = b`` by conjugate gradients with a hierarchy built for it.

    Parameters
    ----------
    conductances, diagonal:
        The system.
    b:
        ``(z, y, x)``; 0 where nothing conducts.
    tolerance:
        Of the residual's norm, relative to that of `b`.
    """
    kernels = kernels_for(b)
    return conjugate_gradients(
        operator=lambda u: kernels.apply(conductances, diagonal, u),
        b=b,
        preconditioner=hierarchy_from_conductances(conductances=conductances, diagonal=diagonal),
        tolerance=tolerance,
        iterations=iterations,
    )


def _factors(conductances: Faces, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """By how much to coarsen each axis: 2 where voxels are strongly coupled, else 1."""
    inner = [
        f[tuple(slice(1, -1) if a == axis else slice(None) for a in range(3))] for axis, f in enumerate(conductances)
    ]
    mean = [float(f.mean()) if n > 1 else 0.0 for f, n in zip(inner, shape, strict=True)]
    z, y, x = (2 if n > 1 and m >= STRONG * max(mean) else 1 for m, n in zip(mean, shape, strict=True))
    return z, y, x


def _gathered(conductances: Faces, diagonal: Array, factors: tuple[int, int, int]) -> tuple[Faces, Array]:
    """The system between blocks of voxels."""
    coarse = []
    for axis, faces in enumerate(conductances):
        n = diagonal.shape[axis]
        if factors[axis] == 2:
            kept = (slice(None),) * axis
            faces = _joined(faces[(*kept, slice(0, n, 2))], faces[(*kept, slice(n, n + 1))], axis) * 0.5
        for other in range(3):
            faces = _summed(faces, other, factors[other]) if other != axis else faces
        coarse.append(faces)
    for axis in range(3):
        diagonal = _summed(diagonal, axis, factors[axis])
    return Faces(*coarse), diagonal


def _joined(first: Array, second: Array, axis: int) -> Array:
    return first.__array_namespace__().concat((first, second), axis=axis)


def _summed(array: Array, axis: int, factor: int) -> Array:
    """Sum pairs along an axis; an odd one stays alone."""
    if factor == 1:
        return array
    n, kept = array.shape[axis], (slice(None),) * axis
    pairs = array[(*kept, slice(0, n - n % 2, 2))] + array[(*kept, slice(1, n, 2))]
    return _joined(pairs, array[(*kept, slice(n - 1, n))], axis) if n % 2 else pairs


def _inverse(conductances: Faces, diagonal: Array) -> Array:
    """Pseudo-inverse of a small system, in which parts that float without ground are no trouble; always made on CPU."""
    from operando.electrochemistry import stencil_numba

    on_host, own = Faces(*(np.ascontiguousarray(faces) for faces in conductances)), np.ascontiguousarray(diagonal)
    unit = np.eye(own.size, dtype=own.dtype).reshape(-1, *own.shape)
    matrix = np.stack([stencil_numba.apply(on_host, own, column).ravel() for column in unit])
    return diagonal.__array_namespace__().asarray(np.linalg.pinv(matrix, hermitian=True))

"""Preconditioned generalised minimal residuals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from operando.frames import Array

Operator = Callable[[Array], Array]


def minimal_residual(
    operator: Operator, preconditioner: Operator, wanted: Array, *, relative: float, most: int
) -> tuple[Array, float, int]:
    """Approximate the solution of ``operator(x) = wanted``.

    Preconditioned from the right, so that the residual is that of the system itself. What the operator returns is
    overwritten.

    Returns
    -------
    Solution, its residual over that of zero, and the iterations it took.
    """
    start = _dot(wanted, wanted) ** 0.5
    if start == 0:
        return np.zeros_like(wanted), 0.0, 0
    basis: list[Array] = [wanted / start]
    directions: list[Array] = []
    columns = np.zeros((most + 1, most))
    weights: Array = np.zeros(0)
    left, part = start, np.empty_like(wanted)
    for k in range(most):
        directions.append(preconditioner(basis[k]))
        new = operator(directions[k])
        for i, known in enumerate(basis):
            columns[i, k] = _dot(known, new)
            new -= np.multiply(known, columns[i, k], out=part)
        columns[k + 1, k] = _dot(new, new) ** 0.5
        if not np.isfinite(columns[: k + 2, k]).all():
            return np.zeros_like(wanted), np.inf, k + 1
        target = np.zeros(k + 2)
        target[0] = start
        weights = np.linalg.lstsq(columns[: k + 2, : k + 1], target, rcond=None)[0]
        left = float(np.linalg.norm(columns[: k + 2, : k + 1] @ weights - target))
        if left <= relative * start or columns[k + 1, k] <= 1e-15 * start:
            break
        new /= columns[k + 1, k]
        basis.append(new)
    solution = np.zeros_like(wanted)
    for weight, direction in zip(weights, directions, strict=True):
        solution += np.multiply(direction, weight, out=part)
    return solution, left / start, len(directions)


def _dot(a: Array, b: Array) -> float:
    """Not by BLAS, whose threads go on spinning where others have to work."""
    return float(np.einsum("i,i->", a, b))

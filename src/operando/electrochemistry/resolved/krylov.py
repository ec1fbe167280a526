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

    Preconditioned from the right, so that the residual is that of the system itself.

    Returns
    -------
    Solution, its residual over that of zero, and the iterations it took.
    """
    start = float(np.linalg.norm(wanted))
    if start == 0:
        return np.zeros_like(wanted), 0.0, 0
    basis: list[Array] = [wanted / start]
    directions: list[Array] = []
    columns = np.zeros((most + 1, most))
    weights: Array = np.zeros(0)
    left = start
    for k in range(most):
        directions.append(preconditioner(basis[k]))
        new: Array = operator(directions[k])
        for i, known in enumerate(basis):
            columns[i, k] = known @ new
            new = new - columns[i, k] * known
        columns[k + 1, k] = np.linalg.norm(new)
        if not np.isfinite(columns[: k + 2, k]).all():
            return np.zeros_like(wanted), np.inf, k + 1
        target = np.zeros(k + 2)
        target[0] = start
        weights = np.linalg.lstsq(columns[: k + 2, : k + 1], target, rcond=None)[0]
        left = float(np.linalg.norm(columns[: k + 2, : k + 1] @ weights - target))
        if left <= relative * start or columns[k + 1, k] <= 1e-15 * start:
            break
        basis.append(new / columns[k + 1, k])
    solution = sum((w * d for w, d in zip(weights, directions, strict=True)), np.zeros_like(wanted))
    return solution, left / start, len(directions)

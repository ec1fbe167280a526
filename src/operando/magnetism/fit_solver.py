"""Least squares of dips on a sloping background, many spectra at once: Levenberg-Marquardt with an exact Jacobian.

Parameters of one spectrum, in this order: background, slope, then for each line centre, half width at half depth and
depth. A line is a multiplet of equal dips at fixed offsets that share the depth; frequencies are scaled to (-1, 1).
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any

import numba as nb
import numpy as np

CONVERGED, BOUNDED, EXHAUSTED, MISSING = 0, 1, 2, 3

SETTLED = 1e-8
"""A step of which the square, in units of the parameters' own covariance, is below this ends the search."""

_LN2 = log(2.0)
_FAST = {"reassoc", "contract", "arcp", "nsz"}


@nb.njit(cache=True, nogil=True, fastmath=_FAST)
def model_into(parameters: Any, x: Any, offsets: Any, gaussian: int, model: Any, jacobian: Any) -> None:
    """Fill the model ``(frequency,)`` and its derivatives ``(parameter, frequency)``."""
    count = (parameters.size - 2) // 3
    share = 1.0 / offsets.size
    for i in range(x.size):
        model[i] = parameters[0] + parameters[1] * x[i]
        jacobian[0, i] = 1.0
        jacobian[1, i] = x[i]
    for line in range(count):
        k = 2 + 3 * line
        centre, half, depth = parameters[k], parameters[k + 1], parameters[k + 2]
        by_centre, by_half, by_depth = jacobian[k], jacobian[k + 1], jacobian[k + 2]
        by_centre[:] = 0.0
        by_half[:] = 0.0
        by_depth[:] = 0.0
        square, inverse = half * half, 1.0 / half
        for m in range(offsets.size):
            at = centre + offsets[m]
            if gaussian:
                for i in range(x.size):
                    u = (x[i] - at) * inverse
                    dip = share * exp(-_LN2 * u * u)
                    by_depth[i] -= dip
                    by_centre[i] -= 2 * _LN2 * depth * inverse * u * dip
                    by_half[i] -= 2 * _LN2 * depth * inverse * u * u * dip
            else:
                for i in range(x.size):
                    u = x[i] - at
                    dip = square / (square + u * u)
                    by_depth[i] -= share * dip
                    by_centre[i] -= share * 2 * depth / square * u * dip * dip
                    by_half[i] -= share * 2 * depth * inverse * dip * (1.0 - dip)
        for i in range(x.size):
            model[i] += depth * by_depth[i]


@nb.njit(cache=True, nogil=True, fastmath=_FAST)
def _normal_into(jacobian: Any, residual: Any, normal: Any, gradient: Any) -> float:
    """Fill ``J J^T`` and ``J r``; return ``r r``."""
    size, n = jacobian.shape
    for a in range(size):
        row = jacobian[a]
        for b in range(a + 1):
            other = jacobian[b]
            total = 0.0
            for i in range(n):
                total += row[i] * other[i]
            normal[a, b] = total
        total = 0.0
        for i in range(n):
            total += row[i] * residual[i]
        gradient[a] = total
    total = 0.0
    for i in range(n):
        total += residual[i] * residual[i]
    return total


@nb.njit(cache=True, nogil=True)
def cholesky_into(matrix: Any, damping: float, factor: Any) -> bool:
    """Fill the lower factor of a matrix whose diagonal is raised by `damping`; False where it is not definite."""
    size = matrix.shape[0]
    for a in range(size):
        for b in range(a + 1):
            total = matrix[a, b] * (1.0 + damping) if a == b else matrix[a, b]
            for k in range(b):
                total -= factor[a, k] * factor[b, k]
            if a == b:
                if not total > 1e-14 * matrix[a, a]:
                    return False
                factor[a, a] = sqrt(total)
            else:
                factor[a, b] = total / factor[b, b]
    return True


@nb.njit(cache=True, nogil=True)
def solve_into(factor: Any, right: Any, solution: Any) -> None:
    """Solve ``L L^T s = r``."""
    size = right.size
    for a in range(size):
        total = right[a]
        for k in range(a):
            total -= factor[a, k] * solution[k]
        solution[a] = total / factor[a, a]
    for a in range(size - 1, -1, -1):
        total = solution[a]
        for k in range(a + 1, size):
            total -= factor[k, a] * solution[k]
        solution[a] = total / factor[a, a]


@nb.njit(cache=True, nogil=True)
def solve_spectra(
    spectra: Any, x: Any, offsets: Any, gaussian: int, lowest: Any, highest: Any, parameters: Any, steps: int
) -> tuple[Any, Any, Any]:
    """Improve `parameters` ``(spectrum, parameter)`` in place, by so many `steps` at most.

    Returns
    -------
    Inverse normal matrices ``(spectrum, parameter, parameter)``, sums of squared residuals, and outcomes.
    """
    count, size = parameters.shape
    n = x.size
    inverse = np.full((count, size, size), np.nan)
    squares = np.full(count, np.nan)
    outcome = np.full(count, MISSING, np.uint8)
    model, residual = np.empty(n), np.empty(n)
    jacobian, normal, factor = np.empty((size, n)), np.empty((size, size)), np.empty((size, size))
    gradient, step, trial = np.empty(size), np.empty(size), np.empty(size)
    unit = np.zeros(size)
    trial_normal, trial_gradient = np.empty((size, size)), np.empty(size)
    for i in range(count):
        spectrum, now = spectra[i], parameters[i]
        if not np.isfinite(spectrum).all():
            continue
        model_into(now, x, offsets, gaussian, model, jacobian)
        residual[:] = spectrum - model
        best = _normal_into(jacobian, residual, normal, gradient)
        rounding = 1e-30 * np.dot(spectrum, spectrum)
        damping = 1e-3
        outcome[i] = EXHAUSTED
        for _ in range(steps):
            if not cholesky_into(normal, damping, factor):
                damping = max(10 * damping, 1e-6)
                if damping > 1e8:
                    break
                continue
            solve_into(factor, gradient, step)
            for k in range(size):
                trial[k] = min(max(now[k] + step[k], lowest[k]), highest[k])
            length = 0.0
            for a in range(size):
                for b in range(a + 1):
                    term = normal[a, b] * (trial[a] - now[a]) * (trial[b] - now[b])
                    length += term if a == b else 2 * term
            settled = length <= SETTLED * best / (n - size) + rounding
            model_into(trial, x, offsets, gaussian, model, jacobian)
            residual[:] = spectrum - model
            total = _normal_into(jacobian, residual, trial_normal, trial_gradient)
            if total <= best:
                best = total
                now[:] = trial
                normal[:] = trial_normal
                gradient[:] = trial_gradient
                damping *= 0.05
            else:
                damping = max(10 * damping, 1e-6)
            if settled and (total <= best or damping < 1e-2 or length <= rounding):
                outcome[i] = CONVERGED
                break
        squares[i] = best
        for k in range(2, size):
            if now[k] == lowest[k] or now[k] == highest[k]:
                outcome[i] = BOUNDED
        if cholesky_into(normal, 0.0, factor):
            for k in range(size):
                unit[:] = 0.0
                unit[k] = 1.0
                solve_into(factor, unit, step)
                inverse[i, k] = step
    return inverse, squares, outcome

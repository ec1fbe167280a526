"""Least squares of the field, zero-field splitting and strain to the lines of one pixel, many pixels at once.

All in MHz: fields times the gyromagnetic ratio, lines, splittings; the square of the strain in MHz^2. Lines are
compared in ascending order, so that it does not matter which centre a line belongs to while lines cross.
"""

from __future__ import annotations

from math import pi, sin, sqrt
from typing import Any

import numba as nb
import numpy as np

from operando.magnetism.fit_solver import CONVERGED, EXHAUSTED, MISSING, cholesky_into, solve_into
from operando.magnetism.lines import cubic

MAX_STEPS = 50
SETTLED = 1e-12
_CLOSEST = 1e-6
"""Splitting below which the two lines of a centre have no derivative of their own [MHz]."""


@nb.njit(cache=True, nogil=True)
def _lines_into(parameters: Any, axes: Any, basis: Any, origin: Any, lines: Any, slopes: Any) -> None:
    """Fill the lines in ascending order and their derivatives ``(line, parameter)``.

    Parameters: field along the basis, then one splitting for all centres or one for each, then the strain squared.
    """
    centres, along = axes.shape[0], basis.shape[0]
    splittings = parameters.size - along - 1
    strain2 = parameters[-1]
    b = origin.copy()
    for k in range(along):
        b += parameters[k] * basis[k]
    b2 = b[0] ** 2 + b[1] ** 2 + b[2] ** 2
    slopes[:] = 0.0
    for c in range(centres):
        j = along + (c if splittings > 1 else 0)
        d = parameters[j]
        bz = axes[c, 0] * b[0] + axes[c, 1] * b[1] + axes[c, 2] * b[2]
        p, angle = cubic(d, bz * bz, b2 - bz * bz, strain2, 0.0)
        lower, upper = 2 * sqrt(p) * sin((pi - angle) / 3), 2 * sqrt(p) * sin((pi + angle) / 3)
        apart = max(upper - lower, _CLOSEST)
        lines[2 * c], lines[2 * c + 1] = lower, upper
        low, middle, high = -(upper + lower) / 3, (2 * lower - upper) / 3, (2 * upper - lower) / 3
        for k in range(along + 2):
            if k < along:
                inner = basis[k, 0] * b[0] + basis[k, 1] * b[1] + basis[k, 2] * b[2]
                axial = basis[k, 0] * axes[c, 0] + basis[k, 1] * axes[c, 1] + basis[k, 2] * axes[c, 2]
                dp, dq, to = 2 * inner, 2 * d * (bz * axial - inner / 3), k
            elif k == along:
                dp, dq, to = 2 * d / 3, -2 * d * d / 9 + bz * bz - b2 / 3 + 2 * strain2 / 3, j
            else:
                dp, dq, to = 1.0, 2 * d / 3, parameters.size - 1
            by_low = (low * dp + dq) / (lower * upper)
            slopes[2 * c, to] = -(middle * dp + dq) / (apart * lower) - by_low
            slopes[2 * c + 1, to] = (high * dp + dq) / (apart * upper) - by_low
    order = np.argsort(lines)
    lines[:] = lines[order]
    slopes[:] = slopes[order]


@nb.njit(cache=True, nogil=True)
def _normal_into(factor: Any, residual: Any, slopes: Any, free: Any, normal: Any, gradient: Any) -> float:
    """Whiten by the factor of the lines' covariance, fill the normal matrix and gradient, return chi squared."""
    n = residual.size
    white, rows = np.empty(n), np.empty((n, free.size))
    for i in range(n):
        total = residual[i]
        for k in range(i):
            total -= factor[i, k] * white[k]
        white[i] = total / factor[i, i]
        for a in range(free.size):
            total = slopes[i, free[a]]
            for k in range(i):
                total -= factor[i, k] * rows[k, a]
            rows[i, a] = total / factor[i, i]
    for a in range(free.size):
        for b in range(a + 1):
            total = 0.0
            for i in range(n):
                total += rows[i, a] * rows[i, b]
            normal[a, b] = total
        total = 0.0
        for i in range(n):
            total += rows[i, a] * white[i]
        gradient[a] = total
    total = 0.0
    for i in range(n):
        total += white[i] * white[i]
    return float(total)


@nb.njit(cache=True, nogil=True)
def solve_fields(
    measured: Any, covariance: Any, axes: Any, basis: Any, origin: Any, free: Any, parameters: Any
) -> tuple[Any, Any, Any]:
    """Improve `parameters` ``(pixel, parameter)`` in place, those that are listed in `free`.

    Returns
    -------
    Covariances ``(pixel, free, free)``, chi squared, and outcomes.
    """
    count, n = measured.shape
    size = free.size
    result = np.full((count, size, size), np.nan)
    chi2 = np.full(count, np.nan)
    outcome = np.full(count, MISSING, np.uint8)
    factor, lines, slopes = np.zeros((n, n)), np.empty(n), np.empty((n, parameters.shape[1]))
    normal, trial_normal = np.zeros((size, size)), np.zeros((size, size))
    gradient, trial_gradient, step, unit = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    inner = np.zeros((size, size))
    for i in range(count):
        if not (np.isfinite(measured[i]).all() and cholesky_into(covariance[i], 0.0, factor)):
            continue
        now = parameters[i]
        _lines_into(now, axes, basis, origin, lines, slopes)
        best = _normal_into(factor, measured[i] - lines, slopes, free, normal, gradient)
        damping = 1e-3
        outcome[i] = EXHAUSTED
        for _ in range(MAX_STEPS):
            if not cholesky_into(normal, damping, inner):
                damping = max(10 * damping, 1e-6)
                if damping > 1e8:
                    break
                continue
            solve_into(inner, gradient, step)
            length = 0.0
            for a in range(size):
                length += gradient[a] * step[a]
            trial = now.copy()
            for a in range(size):
                trial[free[a]] += step[a]
            _lines_into(trial, axes, basis, origin, lines, slopes)
            total = _normal_into(factor, measured[i] - lines, slopes, free, trial_normal, trial_gradient)
            if total <= best:
                now[:] = trial
                best = total
                normal[:] = trial_normal
                gradient[:] = trial_gradient
                damping *= 0.05
            else:
                damping = max(10 * damping, 1e-6)
            if length <= SETTLED:
                outcome[i] = CONVERGED
                break
        chi2[i] = best
        if cholesky_into(normal, 0.0, inner):
            for k in range(size):
                unit[:] = 0.0
                unit[k] = 1.0
                solve_into(inner, unit, step)
                result[i, k] = step
        else:
            outcome[i] = EXHAUSTED
    return result, chi2, outcome

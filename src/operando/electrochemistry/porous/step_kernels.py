"""What a time step does with whole fields: numba kernels that make one pass over memory.

A thread works on the shells or layers from `start` to `stop`.
"""

from __future__ import annotations

import numba as nb


@nb.njit(cache=True, nogil=True)
def combined(start, stop, a, first, b, second, out):  # type: ignore[no-untyped-def]
    """Write ``a first + b second`` to `out`."""
    for shell in range(start, stop):
        for i in range(first.shape[1]):
            out[shell, i] = a * first[shell, i] + b * second[shell, i]


@nb.njit(cache=True, nogil=True)
def largest_bend(start, stop, last, now, new, ratio):  # type: ignore[no-untyped-def]
    """Largest ``|new - now - ratio (now - last)|``."""
    largest = 0.0
    for shell in range(start, stop):
        for i in range(now.shape[1]):
            bend = new[shell, i] - now[shell, i] - ratio * (now[shell, i] - last[shell, i])
            largest = max(largest, abs(bend))
    return largest


@nb.njit(cache=True, nogil=True)
def advanced(start, stop, x, p, q, change, out):  # type: ignore[no-untyped-def]
    """Write ``x + p + q change`` to `out`."""
    for shell in range(start, stop):
        for i in range(x.shape[1]):
            out[shell, i] = x[shell, i] + p[shell, i] + q[shell, i] * change[i]

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
def outflow(start, stop, fz, fy, fx, potential, below, above, out):  # type: ignore[no-untyped-def]
    """Write the current that leaves each voxel, for its neighbours and for what lies below and above."""
    nz, ny, nx = potential.shape
    for z in range(start, stop):
        for y in range(ny):
            for x in range(nx):
                under = below if z == 0 else potential[z - 1, y, x]
                over = above if z == nz - 1 else potential[z + 1, y, x]
                here = potential[z, y, x]
                out[z, y, x] = fz[z, y, x] * (here - under) + fz[z + 1, y, x] * (here - over)
            if y > 0:
                for x in range(nx):
                    out[z, y, x] += fy[z, y, x] * (potential[z, y, x] - potential[z, y - 1, x])
            if y < ny - 1:
                for x in range(nx):
                    out[z, y, x] += fy[z, y + 1, x] * (potential[z, y, x] - potential[z, y + 1, x])
            for x in range(1, nx):
                out[z, y, x] += fx[z, y, x] * (potential[z, y, x] - potential[z, y, x - 1])
            for x in range(nx - 1):
                out[z, y, x] += fx[z, y, x + 1] * (potential[z, y, x] - potential[z, y, x + 1])


@nb.njit(cache=True, nogil=True)
def advanced(start, stop, x, p, q, change, out):  # type: ignore[no-untyped-def]
    """Write ``x + p + q change`` to `out`."""
    for shell in range(start, stop):
        for i in range(x.shape[1]):
            out[shell, i] = x[shell, i] + p[shell, i] + q[shell, i] * change[i]

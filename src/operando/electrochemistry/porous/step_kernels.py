"""What a time step does with whole fields: numba kernels that make one pass over memory."""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True, parallel=True)
def combined(a, first, b, second):  # type: ignore[no-untyped-def]
    """``a first + b second``, fields of two axes."""
    out = np.empty_like(first)
    rows, columns = first.shape
    for row in nb.prange(rows):
        for i in range(columns):
            out[row, i] = a * first[row, i] + b * second[row, i]
    return out


@nb.njit(cache=True, parallel=True)
def largest_bend(last, now, new, ratio):  # type: ignore[no-untyped-def]
    """Largest ``|new - now - ratio (now - last)|``."""
    rows, columns = now.shape
    largest = np.zeros(rows)
    for row in nb.prange(rows):
        most = 0.0
        for i in range(columns):
            bend = new[row, i] - now[row, i] - ratio * (now[row, i] - last[row, i])
            most = max(most, abs(bend))
        largest[row] = most
    return largest.max()


@nb.njit(cache=True, parallel=True)
def outflow(fz, fy, fx, potential, below, above):  # type: ignore[no-untyped-def]
    """Current that leaves each voxel for its neighbours and for what lies below and above."""
    nz, ny, nx = potential.shape
    out = np.empty((nz, ny, nx))
    for index in nb.prange(nz):
        z = nb.int64(index)
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
    return out


@nb.njit(cache=True, parallel=True)
def advanced(x, p, q, change, out):  # type: ignore[no-untyped-def]
    """``x + p + q change`` of all shells, in `out`."""
    shells, voxels = x.shape
    for shell in nb.prange(shells):
        for i in range(voxels):
            out[shell, i] = x[shell, i] + p[shell, i] + q[shell, i] * change[i]
    return out

"""What conjugate gradients do with fields ``(colour, plane, y, x // 2)``, see `chessboard`: numba kernels.

Sums are taken plane by plane and then over the planes, in one order whatever the number of threads.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from operando.electrochemistry.porous.line_kernels import add_neighbours


@nb.njit(cache=True, parallel=True)
def apply(below, south, west, diagonal, coupling, u, out):  # type: ignore[no-untyped-def]
    """Write the operator times `u` to `out`; returns ``u . out``."""
    _, planes, ny, width = u.shape
    reached = coupling.shape[1]
    layers = planes - reached
    sums = np.zeros(planes)
    for index in nb.prange(planes):
        plane = nb.int64(index)
        near = np.empty((planes, width), dtype=u.dtype)
        z = plane - layers if plane >= layers else plane
        partner = z if plane >= layers else layers + z
        total = 0.0
        for colour in range(2):
            for y in range(ny):
                for i in range(width):
                    near[plane, i] = 0.0
                add_neighbours(south, west, u, colour, plane, y, near)
                if z > 0:
                    for i in range(width):
                        near[plane, i] += below[colour, plane, y, i] * u[colour, plane - 1, y, i]
                if plane != layers - 1 and plane != planes - 1:
                    for i in range(width):
                        near[plane, i] += below[colour, plane + 1, y, i] * u[colour, plane + 1, y, i]
                if z < reached:
                    for i in range(width):
                        drop = u[colour, plane, y, i] - u[colour, partner, y, i]
                        near[plane, i] -= coupling[colour, z, y, i] * drop
                for i in range(width):
                    value = diagonal[colour, plane, y, i] * u[colour, plane, y, i] - near[plane, i]
                    out[colour, plane, y, i] = value
                    total += u[colour, plane, y, i] * value
        sums[plane] = total
    return sums.sum()


@nb.njit(cache=True, parallel=True, fastmath={"contract", "reassoc", "nsz"})
def dot(a, b):  # type: ignore[no-untyped-def]
    """``a . b`` in double precision."""
    _, planes, ny, width = a.shape
    sums = np.zeros(planes)
    for plane in nb.prange(planes):
        total = 0.0
        for colour in range(2):
            for y in range(ny):
                for i in range(width):
                    total += a[colour, plane, y, i] * b[colour, plane, y, i]
        sums[plane] = total
    return sums.sum()


@nb.njit(cache=True, parallel=True)
def turn(direction, factor, z):  # type: ignore[no-untyped-def]
    """``direction = z + factor direction``."""
    _, planes, ny, width = z.shape
    for plane in nb.prange(planes):
        for colour in range(2):
            for y in range(ny):
                for i in range(width):
                    direction[colour, plane, y, i] = z[colour, plane, y, i] + factor * direction[colour, plane, y, i]


@nb.njit(cache=True, parallel=True)
def advance(step, direction, product, u, r, single):  # type: ignore[no-untyped-def]
    """``u += step direction``, ``r -= step product``, and `r` in single precision."""
    _, planes, ny, width = u.shape
    for plane in nb.prange(planes):
        for colour in range(2):
            for y in range(ny):
                for i in range(width):
                    u[colour, plane, y, i] += step * direction[colour, plane, y, i]
                    new = r[colour, plane, y, i] - step * product[colour, plane, y, i]
                    r[colour, plane, y, i] = new
                    single[colour, plane, y, i] = new

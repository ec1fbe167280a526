"""What conjugate gradients do with fields ``(colour, plane, y, x // 2)``, see `chessboard`: numba kernels.

A thread works on the planes from `start` to `stop`. Sums are taken plane by plane, so that they do not depend on
the number of threads.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from operando.electrochemistry.porous.line_kernels import add_neighbours


@nb.njit(cache=True, nogil=True)
def apply(start, stop, below, south, west, diagonal, coupling, u, out, sums):  # type: ignore[no-untyped-def]
    """Write the operator times `u` to `out`, and ``u . out`` of each plane to `sums`."""
    _, planes, ny, width = u.shape
    reached = coupling.shape[1]
    layers = planes - reached
    for plane in range(start, stop):
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


@nb.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def dot(start, stop, a, b, sums):  # type: ignore[no-untyped-def]
    """Write ``a . b`` of each plane to `sums`, in double precision."""
    _, _, ny, width = a.shape
    for plane in range(start, stop):
        total = 0.0
        for colour in range(2):
            for y in range(ny):
                for i in range(width):
                    total += a[colour, plane, y, i] * b[colour, plane, y, i]
        sums[plane] = total


@nb.njit(cache=True, nogil=True)
def turn(start, stop, direction, factor, z):  # type: ignore[no-untyped-def]
    """``direction = z + factor direction``."""
    _, _, ny, width = z.shape
    for plane in range(start, stop):
        for colour in range(2):
            for y in range(ny):
                for i in range(width):
                    direction[colour, plane, y, i] = z[colour, plane, y, i] + factor * direction[colour, plane, y, i]


@nb.njit(cache=True, nogil=True)
def advance(start, stop, step, direction, product, u, r, single):  # type: ignore[no-untyped-def]
    """``u += step direction``, ``r -= step product``, and `r` in single precision."""
    _, _, ny, width = u.shape
    for plane in range(start, stop):
        for colour in range(2):
            for y in range(ny):
                for i in range(width):
                    u[colour, plane, y, i] += step * direction[colour, plane, y, i]
                    new = r[colour, plane, y, i] - step * product[colour, plane, y, i]
                    r[colour, plane, y, i] = new
                    single[colour, plane, y, i] = new

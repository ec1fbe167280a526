"""Columns along z solved exactly, both potentials together: numba kernels of the line smoother.

Fields are ``(2, z, y, x)``, electronic then ionic; faces are stacked the same way. A voxel that is not part of a
network has a diagonal of zero and keeps a correction of zero.
"""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True, inline="always")
def _lateral(fy, fx, u, k, z, y, x):  # type: ignore[no-untyped-def]
    ny, nx = u.shape[2], u.shape[3]
    total = 0.0
    if y > 0:
        total += fy[k, z, y, x] * u[k, z, y - 1, x]
    if y < ny - 1:
        total += fy[k, z, y + 1, x] * u[k, z, y + 1, x]
    if x > 0:
        total += fx[k, z, y, x] * u[k, z, y, x - 1]
    if x < nx - 1:
        total += fx[k, z, y, x + 1] * u[k, z, y, x + 1]
    return total


@nb.njit(cache=True, inline="always")
def _conducted(fz, fy, fx, diagonal, u, k, z, y, x):  # type: ignore[no-untyped-def]
    nz = u.shape[1]
    total = diagonal[k, z, y, x] * u[k, z, y, x] - _lateral(fy, fx, u, k, z, y, x)
    if z > 0:
        total -= fz[k, z, y, x] * u[k, z - 1, y, x]
    if z < nz - 1:
        total -= fz[k, z + 1, y, x] * u[k, z + 1, y, x]
    return total


@nb.njit(cache=True, parallel=True)
def relax_columns(fz, fy, fx, diagonal, coupling, b, u, colour):  # type: ignore[no-untyped-def]
    """Solve the columns of one colour of ``y + x`` exactly, their neighbours held."""
    nz, ny, nx = coupling.shape
    for y in nb.prange(ny):
        width = (nx + 1) // 2
        # Of each level: the 2 x 2 matrix that takes the level above, and two right-hand sides
        w = np.empty((nz, 6, width), dtype=b.dtype)
        for z in range(nz):
            for i in range(width):
                x = 2 * i + (y + colour) % 2
                if x >= nx:
                    continue
                s = coupling[z, y, x]
                a = diagonal[0, z, y, x] + s
                d = diagonal[1, z, y, x] + s
                c = -s
                e = -s
                r0 = b[0, z, y, x] + _lateral(fy, fx, u, 0, z, y, x)
                r1 = b[1, z, y, x] + _lateral(fy, fx, u, 1, z, y, x)
                if z > 0:
                    l0, l1 = fz[0, z, y, x], fz[1, z, y, x]
                    a -= l0 * w[z - 1, 0, i]
                    c -= l0 * w[z - 1, 1, i]
                    e -= l1 * w[z - 1, 2, i]
                    d -= l1 * w[z - 1, 3, i]
                    r0 += l0 * w[z - 1, 4, i]
                    r1 += l1 * w[z - 1, 5, i]
                if diagonal[0, z, y, x] == 0.0:
                    a, c, e, r0 = 1.0, 0.0, 0.0, 0.0
                if diagonal[1, z, y, x] == 0.0:
                    d, c, e, r1 = 1.0, 0.0, 0.0, 0.0
                over = 1.0 / (a * d - c * e)
                g0, g1 = 0.0, 0.0
                if z < nz - 1:
                    g0, g1 = fz[0, z + 1, y, x], fz[1, z + 1, y, x]
                w[z, 0, i] = d * g0 * over
                w[z, 1, i] = -c * g1 * over
                w[z, 2, i] = -e * g0 * over
                w[z, 3, i] = a * g1 * over
                w[z, 4, i] = (d * r0 - c * r1) * over
                w[z, 5, i] = (a * r1 - e * r0) * over
        for z in range(nz - 1, -1, -1):
            for i in range(width):
                x = 2 * i + (y + colour) % 2
                if x >= nx:
                    continue
                v0, v1 = w[z, 4, i], w[z, 5, i]
                if z < nz - 1:
                    n0, n1 = u[0, z + 1, y, x], u[1, z + 1, y, x]
                    v0 += w[z, 0, i] * n0 + w[z, 1, i] * n1
                    v1 += w[z, 2, i] * n0 + w[z, 3, i] * n1
                u[0, z, y, x] = v0
                u[1, z, y, x] = v1


@nb.njit(cache=True, parallel=True)
def apply(fz, fy, fx, diagonal, coupling, u, out):  # type: ignore[no-untyped-def]
    """Write the operator times `u` to `out`."""
    nz, ny, nx = coupling.shape
    for z in nb.prange(nz):
        for y in range(ny):
            for x in range(nx):
                s = coupling[z, y, x] * (u[0, z, y, x] - u[1, z, y, x])
                for k in range(2):
                    total = _conducted(fz, fy, fx, diagonal, u, k, z, y, x)
                    out[k, z, y, x] = total + (s if k == 0 else -s)


@nb.njit(cache=True, parallel=True)
def restrict_residual(fz, fy, fx, diagonal, coupling, b, u, coarse):  # type: ignore[no-untyped-def]
    """Add up ``b - A u`` over blocks of 2 x 2 columns."""
    nz, ny, nx = coupling.shape
    for z in nb.prange(nz):
        coarse[:, z] = 0.0
        for y in range(ny):
            for x in range(nx):
                s = coupling[z, y, x] * (u[0, z, y, x] - u[1, z, y, x])
                for k in range(2):
                    total = _conducted(fz, fy, fx, diagonal, u, k, z, y, x)
                    total += s if k == 0 else -s
                    coarse[k, z, y // 2, x // 2] += b[k, z, y, x] - total


@nb.njit(cache=True, parallel=True)
def add_coarse(u, coarse, diagonal):  # type: ignore[no-untyped-def]
    """Add each block's correction to its columns."""
    _, nz, ny, nx = u.shape
    for z in nb.prange(nz):
        for k in range(2):
            for y in range(ny):
                for x in range(nx):
                    if diagonal[k, z, y, x] != 0.0:
                        u[k, z, y, x] += coarse[k, z, y // 2, x // 2]

"""The seven-point stencil on CPU: numba kernels that work row by row, so that inner loops vectorise.

``A u = sum over faces of G (u - u_neighbour) + d u``, with ``u = 0`` beyond the grid's sides. Rows along x of one
parity of ``z + y`` touch only rows of the other: relaxation takes the even rows, then the odd ones, and within a row
the even voxels, then the odd ones; upwards in that order, downwards in the reverse, so that the preconditioner is
symmetric.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from operando.electrochemistry.finite_volume import Faces

Array = npt.NDArray[Any]

WORTH_A_THREAD = 100_000
"""Voxels for which another thread pays."""

_FAST = {"contract", "reassoc", "nsz"}


def dot(a: Array, b: Array) -> float:
    """``a . b``."""
    return float(np.vdot(a, b))


def plus(u: Array, factor: float, v: Array) -> Array:
    """``u + factor v``, in place."""
    _over_planes(_plus, u.shape, u, u.dtype.type(factor), v)
    return u


def scaled(u: Array, factor: float, kind: npt.DTypeLike) -> Array:
    """``factor u`` in another precision."""
    out = np.empty(u.shape, dtype=kind)
    _over_planes(_scaled, u.shape, u, factor, out)
    return out


def apply(faces: Faces, diagonal: Array, u: Array) -> Array:
    """``A u``."""
    out = np.empty_like(u)
    _over_planes(_apply, u.shape, *faces, diagonal, u, out)
    return out


def relax(faces: Faces, inverse: Array, b: Array, u: Array | None, *, upwards: bool) -> Array:
    """One symmetric half of relaxation on ``A u = b``, in place; from zero where `u` is None."""
    if u is None:
        u = np.zeros_like(b)
    first = 0 if upwards else 1
    edges, rows = _over_planes(_relax, u.shape, *faces, inverse, b, u, first), _rows(u, first)
    for plane in {p for edge in edges for p in (edge - 1, edge)}:
        _relax_rows(plane, *faces, inverse, b, u, 1 - first, rows)
    return u


def residual_on_coarse(faces: Faces, inverse: Array, b: Array, u: Array, factors: tuple[int, int, int]) -> Array:
    """Sum of ``b - A u`` over the voxels of each coarse voxel."""
    shape = tuple(-(-n // f) for n, f in zip(u.shape, factors, strict=True))
    coarse = np.zeros(shape, dtype=u.dtype)
    _over_planes(_residual_on_coarse, coarse.shape, *faces, inverse, b, u, coarse, *factors)
    return coarse


def add_from_coarse(coarse: Array, u: Array, factors: tuple[int, int, int]) -> Array:
    """Add to each voxel the value of its coarse voxel, in place."""
    _over_planes(_add_from_coarse, u.shape, coarse, u, *factors)
    return u


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_threads())


@cache
def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))


def _over_planes(kernel: Callable[..., None], shape: tuple[int, ...], *args: Any) -> list[int]:
    """Run a kernel on all planes, shared out among threads where that pays; returns where later shares begin."""
    parts = min(_threads(), shape[0], 1 + int(np.prod(shape)) // WORTH_A_THREAD)
    if parts == 1:
        kernel(0, shape[0], *args)
        return []
    edges = [shape[0] * part // parts for part in range(parts + 1)]
    for done in [_pool().submit(kernel, a, b, *args) for a, b in pairwise(edges)]:
        done.result()
    return edges[1:-1]


@nb.njit(cache=True, nogil=True)
def _plus(start, stop, u, factor, v):  # type: ignore[no-untyped-def]
    for z in range(start, stop):
        for y in range(u.shape[1]):
            for x in range(u.shape[2]):
                u[z, y, x] += factor * v[z, y, x]


@nb.njit(cache=True, nogil=True)
def _scaled(start, stop, u, factor, out):  # type: ignore[no-untyped-def]
    for z in range(start, stop):
        for y in range(u.shape[1]):
            for x in range(u.shape[2]):
                out[z, y, x] = factor * u[z, y, x]


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _across(fz, fy, u, zero, z, y, total):  # type: ignore[no-untyped-def]
    """Add conductance times value of the four neighbours across the row; LLVM vectorises two loops, not one."""
    nz, ny, nx = u.shape
    below, above = fz[z, y], fz[z + 1, y]
    lower, upper = u[z - 1, y] if z > 0 else zero, u[z + 1, y] if z < nz - 1 else zero
    for x in range(nx):
        total[x] += below[x] * lower[x] + above[x] * upper[x]
    before, after = fy[z, y], fy[z, y + 1]
    left, right = u[z, y - 1] if y > 0 else zero, u[z, y + 1] if y < ny - 1 else zero
    for x in range(nx):
        total[x] += before[x] * left[x] + after[x] * right[x]


@nb.njit(cache=True, nogil=True)
def _rows(u, first):  # type: ignore[no-untyped-def]
    """Room for two rows, a row of zeros, and which voxels of a row are relaxed first and second."""
    rows = np.zeros((5, u.shape[2]), dtype=u.dtype)
    rows[3, first::2] = 1
    rows[4, 1 - first :: 2] = 1
    return rows


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _relax_rows(z, fz, fy, fx, inverse, b, u, parity, rows):  # type: ignore[no-untyped-def]
    _, ny, nx = u.shape
    total, new, zero, turns = rows[0], rows[1], rows[2], rows[3:]
    for y in range((parity + z) & 1, ny, 2):
        total[:] = b[z, y]
        _across(fz, fy, u, zero, z, y, total)
        f, i, v = fx[z, y], inverse[z, y], u[z, y]
        for turn in range(2):
            chosen = turns[turn]
            for x in range(nx):
                new[x] = total[x]
            for x in range(1, nx):
                new[x] += f[x] * v[x - 1]
            for x in range(nx - 1):
                new[x] += f[x + 1] * v[x + 1]
            for x in range(nx):
                v[x] += chosen[x] * (i[x] * new[x] - v[x])


@nb.njit(cache=True, nogil=True)
def _relax(start, stop, fz, fy, fx, inverse, b, u, first):  # type: ignore[no-untyped-def]
    """Rows of one parity, and one plane behind, while memory is near, those of the other; where shares meet, later."""
    nz, rows = u.shape[0], _rows(u, first)
    low, high = (start + 1 if start > 0 else 0), (stop - 1 if stop < nz else nz)
    for z in range(start, stop + 1):
        if z < stop:
            _relax_rows(z, fz, fy, fx, inverse, b, u, first, rows)
        if low <= z - 1 < high:
            _relax_rows(z - 1, fz, fy, fx, inverse, b, u, 1 - first, rows)


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _residual_on_coarse(start, stop, fz, fy, fx, inverse, b, u, coarse, cz, cy, cx):  # type: ignore[no-untyped-def]
    nz, ny, nx = u.shape
    r, zero = np.empty_like(u[0, 0]), np.zeros_like(u[0, 0])
    for z in range(start * cz, min(stop * cz, nz)):
        for y in range(ny):
            r[:] = b[z, y]
            _across(fz, fy, u, zero, z, y, r)
            f, i, v, to = fx[z, y], inverse[z, y], u[z, y], coarse[z // cz, y // cy]
            for x in range(1, nx):
                r[x] += f[x] * v[x - 1]
            for x in range(nx - 1):
                r[x] += f[x + 1] * v[x + 1]
            for x in range(nx):
                r[x] = r[x] - v[x] / i[x] if i[x] > 0 else 0.0
            if cx == 1:
                for x in range(nx):
                    to[x] += r[x]
            else:
                for x in range(nx // 2):
                    to[x] += r[2 * x] + r[2 * x + 1]
                if nx & 1:
                    to[nx // 2] += r[nx - 1]


@nb.njit(cache=True, nogil=True)
def _add_from_coarse(start, stop, coarse, u, cz, cy, cx):  # type: ignore[no-untyped-def]
    _, ny, nx = u.shape
    for z in range(start, stop):
        for y in range(ny):
            v, c = u[z, y], coarse[z // cz, y // cy]
            if cx == 1:
                for x in range(nx):
                    v[x] += c[x]
            else:
                for x in range(nx // 2):
                    v[2 * x] += c[x]
                    v[2 * x + 1] += c[x]
                if nx & 1:
                    v[nx - 1] += c[nx // 2]


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _apply(start, stop, fz, fy, fx, diagonal, u, out):  # type: ignore[no-untyped-def]
    """By differences, which keeps the digits that a large conductance would cancel."""
    nz, ny, nx = u.shape
    zero, s = np.zeros_like(u[0, 0]), np.empty_like(u[0, 0])
    for z in range(start, stop):
        for y in range(ny):
            v, d, f = u[z, y], diagonal[z, y], fx[z, y]
            below, above = fz[z, y], fz[z + 1, y]
            lower, upper = u[z - 1, y] if z > 0 else zero, u[z + 1, y] if z < nz - 1 else zero
            for x in range(nx):
                s[x] = d[x] * v[x] + below[x] * (v[x] - lower[x]) + above[x] * (v[x] - upper[x])
            before, after = fy[z, y], fy[z, y + 1]
            left, right = u[z, y - 1] if y > 0 else zero, u[z, y + 1] if y < ny - 1 else zero
            for x in range(nx):
                s[x] += before[x] * (v[x] - left[x]) + after[x] * (v[x] - right[x])
            s[0] += f[0] * v[0]
            s[nx - 1] += f[nx] * v[nx - 1]
            for x in range(1, nx):
                s[x] += f[x] * (v[x] - v[x - 1])
            for x in range(nx - 1):
                s[x] += f[x + 1] * (v[x] - v[x + 1])
            out[z, y] = s

"""The seven-point stencil on CPU: numba kernels that work row by row, so that inner loops vectorise.

``A u = sum over faces of G (u - u_neighbour) + d u``, with ``u = 0`` beyond the grid's sides. Rows along x of one
parity of ``z + y`` touch only rows of the other: relaxation takes the even rows, then the odd ones, and within a row
the even voxels, then the odd ones; upwards in that order, downwards in the reverse, so that the preconditioner is
symmetric.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from operando.electrochemistry.finite_volume import Faces
from operando.electrochemistry.planes import edges_of_shares, over_planes

Array = npt.NDArray[Any]

_FAST = {"contract", "reassoc", "nsz"}


def dot(a: Array, b: Array) -> float:
    """``a . b``, in double precision; not by BLAS, whose threads go on spinning where ours have to work."""
    return float(sum(over_planes(_dot, a.shape, a, b)))


def plus(u: Array, factor: float, v: Array) -> Array:
    """``u + factor v``, in place."""
    over_planes(_plus, u.shape, u, u.dtype.type(factor), v)
    return u


def scaled(u: Array, factor: float, kind: npt.DTypeLike) -> Array:
    """``factor u`` in another precision."""
    out = np.empty(u.shape, dtype=kind)
    over_planes(_scaled, u.shape, u, factor, out)
    return out


def apply(faces: Faces, diagonal: Array, u: Array) -> Array:
    """``A u``."""
    out = np.empty_like(u)
    over_planes(_apply, u.shape, *faces, diagonal, u, out)
    return out


def inverse_diagonal(faces: Faces, diagonal: Array) -> Array:
    """One over each voxel's sum of conductances; 0 where nothing conducts."""
    out = np.empty_like(diagonal)
    over_planes(_inverse_diagonal, out.shape, *faces, diagonal, out)
    return out


def relax(faces: Faces, inverse: Array, b: Array, u: Array | None, *, upwards: bool) -> Array:
    """One symmetric half of relaxation on ``A u = b``, in place; from zero where `u` is None."""
    if u is None:
        u = np.zeros_like(b)
    first = 0 if upwards else 1
    over_planes(_relax, u.shape, *faces, inverse, b, u, first)
    for plane in _planes_between_shares(u.shape):
        _relax_plane(plane, *faces, inverse, b, u, first)
    return u


def residual_on_coarse(faces: Faces, inverse: Array, b: Array, u: Array, factors: tuple[int, int, int]) -> Array:
    """Sum of ``b - A u`` over the voxels of each coarse voxel."""
    shape = tuple(-(-n // f) for n, f in zip(u.shape, factors, strict=True))
    coarse = np.zeros(shape, dtype=u.dtype)
    over_planes(_residual_on_coarse, coarse.shape, *faces, inverse, b, u, coarse, *factors)
    return coarse


def add_from_coarse(coarse: Array, u: Array, factors: tuple[int, int, int]) -> Array:
    """Add to each voxel the value of its coarse voxel, in place."""
    over_planes(_add_from_coarse, u.shape, coarse, u, *factors)
    return u


@lru_cache(maxsize=256)
def _planes_between_shares(shape: tuple[int, ...]) -> list[int]:
    """Planes on either side of the edges between the shares of the threads."""
    return sorted({plane for edge in edges_of_shares(shape)[1:-1] for plane in (edge - 1, edge)})


@nb.njit(cache=True, nogil=True, fastmath=_FAST)
def _dot(start, stop, a, b):  # type: ignore[no-untyped-def]
    total = 0.0
    for z in range(start, stop):
        for y in range(a.shape[1]):
            for x in range(a.shape[2]):
                total += a[z, y, x] * b[z, y, x]
    return total


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


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _inverse_diagonal(start, stop, fz, fy, fx, diagonal, out):  # type: ignore[no-untyped-def]
    _, ny, nx = out.shape
    for z in range(start, stop):
        for y in range(ny):
            for x in range(nx):
                total = diagonal[z, y, x] + fz[z, y, x] + fz[z + 1, y, x] + fy[z, y, x] + fy[z, y + 1, x]
                total += fx[z, y, x] + fx[z, y, x + 1]
                out[z, y, x] = 1 / total if total > 0 else 0


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _across(fz, fy, u, z, y, total):  # type: ignore[no-untyped-def]
    """Add conductance times value of the four neighbours across the row; LLVM vectorises two loops, not one."""
    nz, ny, nx = u.shape
    if 0 < z < nz - 1:
        for x in range(nx):
            total[x] += fz[z, y, x] * u[z - 1, y, x] + fz[z + 1, y, x] * u[z + 1, y, x]
    elif z > 0:
        for x in range(nx):
            total[x] += fz[z, y, x] * u[z - 1, y, x]
    elif z < nz - 1:
        for x in range(nx):
            total[x] += fz[z + 1, y, x] * u[z + 1, y, x]
    if 0 < y < ny - 1:
        for x in range(nx):
            total[x] += fy[z, y, x] * u[z, y - 1, x] + fy[z, y + 1, x] * u[z, y + 1, x]
    elif y > 0:
        for x in range(nx):
            total[x] += fy[z, y, x] * u[z, y - 1, x]
    elif y < ny - 1:
        for x in range(nx):
            total[x] += fy[z, y + 1, x] * u[z, y + 1, x]


@nb.njit(cache=True, nogil=True)
def _turns(u, first):  # type: ignore[no-untyped-def]
    """Which voxels of a row are relaxed first and second."""
    turns = np.zeros((2, u.shape[2]), dtype=u.dtype)
    turns[0, first::2] = 1
    turns[1, 1 - first :: 2] = 1
    return turns


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _relax_rows(z, fz, fy, fx, inverse, b, u, parity, turns, total, new):  # type: ignore[no-untyped-def]
    _, ny, nx = u.shape
    for y in range((parity + z) & 1, ny, 2):
        for x in range(nx):
            total[x] = b[z, y, x]
        _across(fz, fy, u, z, y, total)
        for turn in range(2):
            for x in range(nx):
                new[x] = total[x]
            for x in range(1, nx):
                new[x] += fx[z, y, x] * u[z, y, x - 1]
            for x in range(nx - 1):
                new[x] += fx[z, y, x + 1] * u[z, y, x + 1]
            for x in range(nx):
                u[z, y, x] += turns[turn, x] * (inverse[z, y, x] * new[x] - u[z, y, x])


@nb.njit(cache=True, nogil=True)
def _relax(start, stop, fz, fy, fx, inverse, b, u, first):  # type: ignore[no-untyped-def]
    """Rows of one parity, and one plane behind, while memory is near, those of the other; where shares meet, later."""
    nz, turns, total, new = u.shape[0], _turns(u, first), np.empty_like(u[0, 0]), np.empty_like(u[0, 0])
    low, high = (start + 1 if start > 0 else 0), (stop - 1 if stop < nz else nz)
    for z in range(start, stop + 1):
        if z < stop:
            _relax_rows(z, fz, fy, fx, inverse, b, u, first, turns, total, new)
        if low <= z - 1 < high:
            _relax_rows(z - 1, fz, fy, fx, inverse, b, u, 1 - first, turns, total, new)


@nb.njit(cache=True, nogil=True)
def _relax_plane(z, fz, fy, fx, inverse, b, u, first):  # type: ignore[no-untyped-def]
    """The rows of the other parity in one plane."""
    total, new = np.empty_like(u[0, 0]), np.empty_like(u[0, 0])
    _relax_rows(z, fz, fy, fx, inverse, b, u, 1 - first, _turns(u, first), total, new)


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _residual_on_coarse(start, stop, fz, fy, fx, inverse, b, u, coarse, cz, cy, cx):  # type: ignore[no-untyped-def]
    nz, ny, nx = u.shape
    r = np.empty_like(u[0, 0])
    for z in range(start * cz, min(stop * cz, nz)):
        for y in range(ny):
            for x in range(nx):
                r[x] = b[z, y, x]
            _across(fz, fy, u, z, y, r)
            for x in range(1, nx):
                r[x] += fx[z, y, x] * u[z, y, x - 1]
            for x in range(nx - 1):
                r[x] += fx[z, y, x + 1] * u[z, y, x + 1]
            own, to = inverse[z, y], coarse[z // cz, y // cy]
            for x in range(nx):
                r[x] = r[x] - u[z, y, x] / own[x] if own[x] > 0 else 0.0
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
            c = coarse[z // cz, y // cy]
            if cx == 1:
                for x in range(nx):
                    u[z, y, x] += c[x]
            else:
                for x in range(nx // 2):
                    u[z, y, 2 * x] += c[x]
                    u[z, y, 2 * x + 1] += c[x]
                if nx & 1:
                    u[z, y, nx - 1] += c[nx // 2]


@nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _apply(start, stop, fz, fy, fx, diagonal, u, out):  # type: ignore[no-untyped-def]
    """By differences, which keeps the digits that a large conductance would cancel."""
    nz, ny, nx = u.shape
    s = np.empty_like(u[0, 0])
    for z in range(start, stop):
        for y in range(ny):
            for x in range(nx):
                s[x] = diagonal[z, y, x] * u[z, y, x]
            for step in (-1, 1):
                face = max(step, 0)
                if 0 <= z + step < nz:
                    for x in range(nx):
                        s[x] += fz[z + face, y, x] * (u[z, y, x] - u[z + step, y, x])
                else:
                    for x in range(nx):
                        s[x] += fz[z + face, y, x] * u[z, y, x]
                if 0 <= y + step < ny:
                    for x in range(nx):
                        s[x] += fy[z, y + face, x] * (u[z, y, x] - u[z, y + step, x])
                else:
                    for x in range(nx):
                        s[x] += fy[z, y + face, x] * u[z, y, x]
            s[0] += fx[z, y, 0] * u[z, y, 0]
            s[nx - 1] += fx[z, y, nx] * u[z, y, nx - 1]
            for x in range(1, nx):
                s[x] += fx[z, y, x] * (u[z, y, x] - u[z, y, x - 1])
            for x in range(nx - 1):
                s[x] += fx[z, y, x + 1] * (u[z, y, x] - u[z, y, x + 1])
            for x in range(nx):
                out[z, y, x] = s[x]

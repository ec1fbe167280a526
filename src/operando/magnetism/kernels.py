"""Fields of one uniform cuboid on a lattice of displacements, exact near and far.

Near a cuboid its closed form is used: the triple difference of a potential over its corners. Farther off those
corners cancel, by (distance / edge)^3, and the point source integrated over the cuboid by Gauss-Legendre quadrature
takes over, with as many nodes along each edge as the distance asks for. Either is good to better than 1e-10.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import asinh, atan, copysign, log, pi, sqrt
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

NEAR = 4.0
"""Distance, in longest edges, up to which the closed form is used."""

WORTH_A_THREAD = 50_000
"""Numbers to compute for which another thread pays."""

MOST_NODES = 6
_RULES = [np.polynomial.legendre.leggauss(max(n, 1)) for n in range(MOST_NODES + 1)]
NODES, WEIGHTS = (np.array([np.pad(rule[i] / 2, (0, MOST_NODES - len(rule[i]))) for rule in _RULES]) for i in (0, 1))
"""Abscissae on (-1/2, 1/2) and weights of sum 1, one row for each number of nodes."""

REACH2 = np.array([np.inf, *((np.exp(26.0 / (2 * n)) / 4) ** 2 for n in range(1, MOST_NODES + 1))])
"""Square of the distance, in edges, from which n nodes leave a relative error near exp(-26): (4 r / edge)^(-2 n)."""


def magnetic_kernel(*, x: Array, y: Array, z: float, edges: tuple[float, float, float]) -> Array:
    """Field of a cuboid of unit magnetisation.

    ``B = mu0 K M`` with ``K_ij = d_i d_j (1/4 pi) integral dV' / |r - r'|``, plus the identity inside the cuboid, where
    ``B = mu0 (H + M)``. On a face the limit from outside is returned; on an edge the field is infinite.

    Parameters
    ----------
    x, y, z:
        From the cuboid's centre to the observer [m].
    edges:
        Along ``(x, y, z)`` [m].

    Returns
    -------
    ``(6, y, x)``: xx, yy, zz, xy, xz, yz, dimensionless.
    """
    return _by_rows(_magnetic, np.empty((6, len(y), len(x))), x, y, z, edges)


def current_kernel(*, x: Array, y: Array, z: float, edges: tuple[float, float, float]) -> Array:
    """Field of a cuboid of unit current density.

    ``B = mu0 J x G`` with ``G = (1/4 pi) integral (r - r') / |r - r'|^3 dV'``, inside and outside alike.

    Parameters
    ----------
    x, y, z, edges:
        As in `magnetic_kernel` [m].

    Returns
    -------
    ``(3, y, x)``: G along x, y, z [m].
    """
    return max(edges) * _by_rows(_current, np.empty((3, len(y), len(x))), x, y, z, edges)


def lead_kernel(*, along: Array, across: Array, z: float, edges: tuple[float, float]) -> Array:
    """Field of a straight lead that begins at ``along = 0`` and has no end.

    ``B = mu0 J x G`` as in `current_kernel`, of a rectangular prism that extends to ``along -> +infinity``; the
    component of G along the lead makes no field and is not returned.

    Parameters
    ----------
    along:
        From the lead's first face to the observer, along the lead [m].
    across, z:
        From the lead's axis to the observer, in the plane and normal to it [m].
    edges:
        Of the lead's section, along ``(across, z)`` [m].

    Returns
    -------
    ``(2, across, along)``: G across and along z [m].
    """
    return max(edges) * _by_rows(_lead, np.empty((2, len(across), len(along))), along, across, z, edges)


def _by_rows(fill: Callable[..., None], kernel: Array, x: Array, y: Array, z: float, edges: tuple[float, ...]) -> Array:
    """Fill a kernel in units of the longest edge, its rows shared among threads; any number gives the same bits."""
    unit = max(edges)
    xs, sizes = np.asarray(x, float) / unit, [edge / unit for edge in edges]
    threads = min(os.cpu_count() or 1, 1 + kernel.size // WORTH_A_THREAD)
    if threads == 1:
        fill(xs, np.asarray(y, float) / unit, z / unit, *sizes, kernel)
        return kernel
    parts = zip(
        np.array_split(np.asarray(y, float) / unit, threads), np.array_split(kernel, threads, axis=1), strict=True
    )
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(fill, xs, ys, z / unit, *sizes, rows) for ys, rows in parts]:
            done.result()
    return kernel


@nb.njit(cache=True, inline="always")
def _nodes(r2: float, edge: float) -> int:
    for n in range(1, MOST_NODES):
        if r2 > REACH2[n] * edge * edge:
            return n
    return MOST_NODES


@nb.njit(cache=True, inline="always")
def _log(u: float, r: float, others2: float) -> float:
    """Return ln(u + r) without cancellation at negative u; r^2 = u^2 + others2."""
    return float(log(u + r) if u >= 0 else log(others2 / (r - u)))


@nb.njit(cache=True, inline="always")
def _angle(u: float, v: float, w: float, r: float) -> float:
    """Return atan(v w / (u r)); at u = 0 the limit from u > 0."""
    if u != 0:
        return atan(v * w / (u * r))
    return copysign(pi / 2, v * w) if v * w != 0 else 0.0


@nb.njit(cache=True, inline="always")
def _product(u: float, logarithm_of: float, r: float, others2: float) -> float:
    """Return u ln(. + r), whose limit at u = 0 is zero."""
    return u * _log(logarithm_of, r, others2) if u != 0 else 0.0


@nb.njit(nogil=True, cache=True)
def _magnetic(xs: Array, ys: Array, z_signed: float, a: float, b: float, c: float, out: Array) -> None:
    near2 = (NEAR * max(a, b, c)) ** 2
    for j in range(len(ys)):
        for i in range(len(xs)):
            # the cuboid is even about its centre: work in one octant, then give the mixed terms their signs
            x, y, z = abs(xs[i]), abs(ys[j]), abs(z_signed)
            if x * x + y * y + z * z < near2:
                xx, yy, zz, xy, xz, yz = _magnetic_near(x, y, z, a, b, c)
            else:
                xx, yy, zz, xy, xz, yz = _magnetic_far(x, y, z, a, b, c)
            sx, sy, sz = np.sign(xs[i]), np.sign(ys[j]), np.sign(z_signed)
            out[0, j, i], out[1, j, i], out[2, j, i] = xx, yy, zz
            out[3, j, i], out[4, j, i], out[5, j, i] = sx * sy * xy, sx * sz * xz, sy * sz * yz


@nb.njit(cache=True)
def _magnetic_near(
    x: float, y: float, z: float, a: float, b: float, c: float
) -> tuple[float, float, float, float, float, float]:
    xx = yy = zz = xy = xz = yz = 0.0
    for p in (-1, 1):
        u = x + p * a / 2
        for q in (-1, 1):
            v = y + q * b / 2
            for s in (-1, 1):
                w = z + s * c / 2
                sign = p * q * s
                u2, v2, w2 = u * u, v * v, w * w
                r = sqrt(u2 + v2 + w2)
                xx -= sign * _angle(u, v, w, r)
                yy -= sign * _angle(v, w, u, r)
                zz -= sign * _angle(w, u, v, r)
                xy += sign * _log(w, r, u2 + v2)
                xz += sign * _log(v, r, u2 + w2)
                yz += sign * _log(u, r, v2 + w2)
    inside = 4 * pi if x < a / 2 and y < b / 2 and z < c / 2 else 0.0
    k = 1 / (4 * pi)
    return k * (xx + inside), k * (yy + inside), k * (zz + inside), k * xy, k * xz, k * yz


@nb.njit(cache=True)
def _magnetic_far(
    x: float, y: float, z: float, a: float, b: float, c: float
) -> tuple[float, float, float, float, float, float]:
    r2 = x * x + y * y + z * z
    nx, ny, nz = _nodes(r2, a), _nodes(r2, b), _nodes(r2, c)
    xx = yy = zz = xy = xz = yz = 0.0
    for i in range(nx):
        u = x - a * NODES[nx, i]
        for j in range(ny):
            v = y - b * NODES[ny, j]
            for k in range(nz):
                w = z - c * NODES[nz, k]
                s2 = 1 / (u * u + v * v + w * w)
                f = WEIGHTS[nx, i] * WEIGHTS[ny, j] * WEIGHTS[nz, k] * s2 * sqrt(s2)
                g = 3 * f * s2
                xx += g * u * u - f
                yy += g * v * v - f
                zz += g * w * w - f
                xy += g * u * v
                xz += g * u * w
                yz += g * v * w
    k4 = a * b * c / (4 * pi)
    return k4 * xx, k4 * yy, k4 * zz, k4 * xy, k4 * xz, k4 * yz


@nb.njit(nogil=True, cache=True)
def _current(xs: Array, ys: Array, z_signed: float, a: float, b: float, c: float, out: Array) -> None:
    near2 = (NEAR * max(a, b, c)) ** 2
    for j in range(len(ys)):
        for i in range(len(xs)):
            x, y, z = abs(xs[i]), abs(ys[j]), abs(z_signed)
            if x * x + y * y + z * z < near2:
                gx, gy, gz = _current_near(x, y, z, a, b, c)
            else:
                gx, gy, gz = _current_far(x, y, z, a, b, c)
            out[0, j, i] = np.sign(xs[i]) * gx
            out[1, j, i] = np.sign(ys[j]) * gy
            out[2, j, i] = np.sign(z_signed) * gz


@nb.njit(cache=True)
def _current_near(x: float, y: float, z: float, a: float, b: float, c: float) -> tuple[float, float, float]:
    gx = gy = gz = 0.0
    for p in (-1, 1):
        u = x + p * a / 2
        for q in (-1, 1):
            v = y + q * b / 2
            for s in (-1, 1):
                w = z + s * c / 2
                sign = p * q * s
                u2, v2, w2 = u * u, v * v, w * w
                r = sqrt(u2 + v2 + w2)
                gx -= sign * (_product(v, w, r, u2 + v2) + _product(w, v, r, u2 + w2) - u * _angle(u, v, w, r))
                gy -= sign * (_product(w, u, r, v2 + w2) + _product(u, w, r, u2 + v2) - v * _angle(v, w, u, r))
                gz -= sign * (_product(u, v, r, u2 + w2) + _product(v, u, r, v2 + w2) - w * _angle(w, u, v, r))
    k = 1 / (4 * pi)
    return k * gx, k * gy, k * gz


@nb.njit(cache=True)
def _current_far(x: float, y: float, z: float, a: float, b: float, c: float) -> tuple[float, float, float]:
    r2 = x * x + y * y + z * z
    nx, ny, nz = _nodes(r2, a), _nodes(r2, b), _nodes(r2, c)
    gx = gy = gz = 0.0
    for i in range(nx):
        u = x - a * NODES[nx, i]
        for j in range(ny):
            v = y - b * NODES[ny, j]
            for k in range(nz):
                w = z - c * NODES[nz, k]
                s2 = 1 / (u * u + v * v + w * w)
                f = WEIGHTS[nx, i] * WEIGHTS[ny, j] * WEIGHTS[nz, k] * s2 * sqrt(s2)
                gx += f * u
                gy += f * v
                gz += f * w
    k4 = a * b * c / (4 * pi)
    return k4 * gx, k4 * gy, k4 * gz


@nb.njit(nogil=True, cache=True)
def _lead(xs: Array, ys: Array, z_signed: float, b: float, c: float, out: Array) -> None:
    near2 = (NEAR * max(b, c)) ** 2
    for j in range(len(ys)):
        y, z = abs(ys[j]), abs(z_signed)
        for i in range(len(xs)):
            behind = min(xs[i], 0.0)
            r2 = behind * behind + y * y + z * z
            if r2 < near2:
                gy, gz = _lead_near(xs[i], y, z, b, c)
            else:
                gy, gz = _lead_far(xs[i], y, z, b, c, r2)
            out[0, j, i] = np.sign(ys[j]) * gy
            out[1, j, i] = np.sign(z_signed) * gz


@nb.njit(cache=True)
def _lead_near(x: float, y: float, z: float, b: float, c: float) -> tuple[float, float]:
    """Corners of the first face, less those of the far end in their limit."""
    gy = gz = 0.0
    for q in (-1, 1):
        v = y + q * b / 2
        for s in (-1, 1):
            w = z + s * c / 2
            sign = q * s
            rest = v * v + w * w
            r = sqrt(x * x + rest)
            turn_y = v * (_angle(v, w, x, r) + _angle(v, w, 1.0, 1.0))
            turn_z = w * (_angle(w, v, x, r) + _angle(w, v, 1.0, 1.0))
            gy += sign * (_product(w, -x, r, rest) + turn_y - _ahead(x, w, v))
            gz += sign * (_product(v, -x, r, rest) + turn_z - _ahead(x, v, w))
    return gy / (4 * pi), gz / (4 * pi)


@nb.njit(cache=True, inline="always")
def _ahead(x: float, w: float, v: float) -> float:
    """Return x ln(w + r) less what the sum over the corners removes."""
    return x * asinh(w / sqrt(x * x + v * v)) if x != 0 else 0.0


@nb.njit(cache=True)
def _lead_far(x: float, y: float, z: float, b: float, c: float, r2: float) -> tuple[float, float]:
    """Half-infinite filaments, spread over the section."""
    ny, nz = _nodes(r2, b), _nodes(r2, c)
    gy = gz = 0.0
    for j in range(ny):
        v = y - b * NODES[ny, j]
        for k in range(nz):
            w = z - c * NODES[nz, k]
            rest = v * v + w * w
            r = sqrt(x * x + rest)
            gap = rest / (r + x) if x > 0 else r - x
            f = WEIGHTS[ny, j] * WEIGHTS[nz, k] / (r * gap)
            gy += f * v
            gz += f * w
    return b * c * gy / (4 * pi), b * c * gz / (4 * pi)

"""What `finite_volume` does with the faces of a grid, as numba kernels: one pass over memory each."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from operando.electrochemistry.planes import over_planes

Array = npt.NDArray[Any]
Parts = tuple[Array, Array, Array]


def conductances(conductivity: Array, spacing: tuple[float, float, float], areas: tuple[float, float, float]) -> Parts:
    """Two half voxels in series on every face; 0 through the sides."""
    faces = _empty_faces(conductivity.shape)
    by = tuple(2 * area / step for area, step in zip(areas, spacing, strict=True))
    over_planes(_conductances, conductivity.shape, conductivity, *by, *faces)
    return faces


def flows(potential: Array, through: Parts, beyond: tuple[float, ...], onto: Parts | None) -> Parts:
    """Conductance times the drop across each face, added to `onto` in place where that is given."""
    out = _empty_faces(potential.shape) if onto is None else onto
    over_planes(_flows, potential.shape, potential, *through, np.array(beyond), onto is not None, *out)
    return out


def net_outflow(through: Parts) -> Array:
    """Sum of what leaves each voxel."""
    nz, ny, nx = len(through[1]), through[0].shape[1], through[0].shape[2]
    out = np.empty((nz, ny, nx))
    over_planes(_net_outflow, out.shape, *through, out)
    return out


def missing(through: Parts, fixed: Array) -> tuple[Array, float]:
    """What flows lack in each voxel that is not fixed, and the sum of its absolute value."""
    out = net_outflow(through)
    return out, float(sum(over_planes(_turn_and_sum, out.shape, fixed, out)))


def _empty_faces(shape: tuple[int, ...]) -> Parts:
    nz, ny, nx = shape
    return np.empty((nz + 1, ny, nx)), np.empty((nz, ny + 1, nx)), np.empty((nz, ny, nx + 1))


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _series(first, second):  # type: ignore[no-untyped-def]
    """Half the harmonic mean: 0 where either is 0, and the other where one is infinite."""
    return 1 / (1 / first + 1 / second)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _conductances(start, stop, conductivity, by_z, by_y, by_x, fz, fy, fx):  # type: ignore[no-untyped-def]
    nz, ny, nx = conductivity.shape
    if start == 0:
        fz[0] = 0.0
    for z in range(start, stop):
        fy[z, 0] = 0.0
        for y in range(ny):
            own = conductivity[z, y]
            if z + 1 < nz:
                for x in range(nx):
                    fz[z + 1, y, x] = by_z * _series(own[x], conductivity[z + 1, y, x])
            else:
                fz[nz, y] = 0.0
            if y + 1 < ny:
                for x in range(nx):
                    fy[z, y + 1, x] = by_y * _series(own[x], conductivity[z, y + 1, x])
            else:
                fy[z, ny] = 0.0
            fx[z, y, 0] = fx[z, y, nx] = 0.0
            for x in range(nx - 1):
                fx[z, y, x + 1] = by_x * _series(own[x], own[x + 1])


@nb.njit(cache=True, nogil=True)
def _put(out, row, flow, adding):  # type: ignore[no-untyped-def]
    if adding:
        for x in range(flow.size):
            out[x] += row[x] * flow[x]
    else:
        for x in range(flow.size):
            out[x] = row[x] * flow[x]


@nb.njit(cache=True, nogil=True)
def _flows(start, stop, u, fz, fy, fx, beyond, adding, jz, jy, jx):  # type: ignore[no-untyped-def]
    nz, ny, nx = u.shape
    drop, along = np.empty(nx), np.empty(nx + 1)
    for z in range(start, stop):
        for y in range(ny):
            own = u[z, y]
            for x in range(nx):
                drop[x] = (u[z - 1, y, x] if z > 0 else beyond[0]) - own[x]
            _put(jz[z, y], fz[z, y], drop, adding)
            if z == nz - 1:
                for x in range(nx):
                    drop[x] = own[x] - beyond[1]
                _put(jz[nz, y], fz[nz, y], drop, adding)
            for x in range(nx):
                drop[x] = (u[z, y - 1, x] if y > 0 else beyond[2]) - own[x]
            _put(jy[z, y], fy[z, y], drop, adding)
            if y == ny - 1:
                for x in range(nx):
                    drop[x] = own[x] - beyond[3]
                _put(jy[z, ny], fy[z, ny], drop, adding)
            along[0], along[nx] = beyond[4] - own[0], own[nx - 1] - beyond[5]
            for x in range(1, nx):
                along[x] = own[x - 1] - own[x]
            _put(jx[z, y], fx[z, y], along, adding)


@nb.njit(cache=True, nogil=True)
def _net_outflow(start, stop, jz, jy, jx, out):  # type: ignore[no-untyped-def]
    _, ny, nx = out.shape
    for z in range(start, stop):
        for y in range(ny):
            for x in range(nx):
                across = jz[z + 1, y, x] - jz[z, y, x] + (jy[z, y + 1, x] - jy[z, y, x])
                out[z, y, x] = across + (jx[z, y, x + 1] - jx[z, y, x])


@nb.njit(cache=True, nogil=True, fastmath={"reassoc", "nsz"})
def _turn_and_sum(start, stop, fixed, out):  # type: ignore[no-untyped-def]
    total = 0.0
    for z in range(start, stop):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                out[z, y, x] = 0.0 if fixed[z, y, x] else -out[z, y, x]
                total += abs(out[z, y, x])
    return total

"""Columns along z solved exactly, both potentials together: numba kernels of the line smoother.

Fields are ``(colour, plane, y, x // 2)``, see `chessboard`. A thread works on the rows from `start` to `stop`; loops
run along them, so that they vectorise and their results do not depend on the number of threads.
"""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def add_neighbours(south, west, u, colour, plane, y, total):  # type: ignore[no-untyped-def]
    """Add conductance times value of the four columns around each column of a row of one colour."""
    other = 1 - colour
    ny, width = u.shape[2], u.shape[3]
    if y > 0:
        for i in range(width):
            total[plane, i] += south[colour, plane, y, i] * u[other, plane, y - 1, i]
    if y < ny - 1:
        for i in range(width):
            total[plane, i] += south[other, plane, y + 1, i] * u[other, plane, y + 1, i]
    if (y + colour) % 2:
        for i in range(width):
            total[plane, i] += west[colour, plane, y, i] * u[other, plane, y, i]
        for i in range(width - 1):
            total[plane, i] += west[other, plane, y, i + 1] * u[other, plane, y, i + 1]
    else:
        for i in range(1, width):
            total[plane, i] += west[colour, plane, y, i] * u[other, plane, y, i - 1]
        for i in range(width):
            total[plane, i] += west[other, plane, y, i] * u[other, plane, y, i]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def eliminate(start, stop, below, diagonal, coupling, top, layers, inverse, cross):  # type: ignore[no-untyped-def]
    """Eliminate each column from the layer below `top` down to the collector.

    Writes the inverse of each layer's 2 x 2 matrix, what lies above taken in: its diagonal to `inverse`, its other
    entry to `cross`. A voxel that a network does not reach has zeros.
    """
    reached, width = coupling.shape[1], coupling.shape[3]
    for y in range(start, stop):
        for colour in range(2):
            for z in range(top - 1, -1, -1):
                for i in range(width):
                    ionic, electronic, away = diagonal[colour, z, y, i], 0.0, 0.0
                    if z < layers - 1:
                        ionic -= below[colour, z + 1, y, i] ** 2 * inverse[colour, z + 1, y, i]
                    if z >= reached:
                        inverse[colour, z, y, i] = 1 / ionic if ionic > 0 else 0.0
                        continue
                    e = layers + z
                    electronic = diagonal[colour, e, y, i]
                    if z < reached - 1:
                        electronic -= below[colour, e + 1, y, i] ** 2 * inverse[colour, e + 1, y, i]
                        away = below[colour, z + 1, y, i] * below[colour, e + 1, y, i] * cross[colour, z + 1, y, i]
                    s = coupling[colour, z, y, i]
                    ionic, electronic, away = ionic + s, electronic + s, away + s
                    if diagonal[colour, z, y, i] > 0 and diagonal[colour, e, y, i] > 0:
                        over = 1 / (ionic * electronic - away * away)
                        inverse[colour, z, y, i] = electronic * over
                        inverse[colour, e, y, i] = ionic * over
                        cross[colour, z, y, i] = away * over
                    else:
                        inverse[colour, z, y, i] = 1 / ionic if diagonal[colour, z, y, i] > 0 else 0.0
                        inverse[colour, e, y, i] = 1 / electronic if diagonal[colour, e, y, i] > 0 else 0.0
                        cross[colour, z, y, i] = 0.0


@nb.njit(cache=True, nogil=True)
def relax_columns(start, stop, below, south, west, inverse, cross, b, u, colour, alone):  # type: ignore[no-untyped-def]
    """Solve the columns of one colour exactly, their neighbours held; at zero where `alone`."""
    _, planes, _, width = u.shape
    reached = cross.shape[1]
    layers = planes - reached
    for y in range(start, stop):
        f = np.empty((planes, width), dtype=u.dtype)
        for plane in range(planes):
            for i in range(width):
                f[plane, i] = b[colour, plane, y, i]
            if not alone:
                add_neighbours(south, west, u, colour, plane, y, f)
        for z in range(layers - 1, -1, -1):
            if z < layers - 1:
                for i in range(width):
                    f[z, i] += below[colour, z + 1, y, i] * f[z + 1, i]
            if z >= reached:
                for i in range(width):
                    f[z, i] *= inverse[colour, z, y, i]
                continue
            e = layers + z
            if z < reached - 1:
                for i in range(width):
                    f[e, i] += below[colour, e + 1, y, i] * f[e + 1, i]
            for i in range(width):
                ionic, electronic, c = f[z, i], f[e, i], cross[colour, z, y, i]
                f[z, i] = inverse[colour, z, y, i] * ionic + c * electronic
                f[e, i] = inverse[colour, e, y, i] * electronic + c * ionic
        for i in range(width):
            u[colour, 0, y, i] = f[0, i]
            u[colour, layers, y, i] = f[layers, i]
        for z in range(1, layers):
            if z >= reached:
                for i in range(width):
                    u[colour, z, y, i] = (
                        f[z, i] + inverse[colour, z, y, i] * below[colour, z, y, i] * u[colour, z - 1, y, i]
                    )
                continue
            e = layers + z
            for i in range(width):
                ionic = below[colour, z, y, i] * u[colour, z - 1, y, i]
                electronic = below[colour, e, y, i] * u[colour, e - 1, y, i]
                c = cross[colour, z, y, i]
                u[colour, z, y, i] = f[z, i] + inverse[colour, z, y, i] * ionic + c * electronic
                u[colour, e, y, i] = f[e, i] + inverse[colour, e, y, i] * electronic + c * ionic


@nb.njit(cache=True, nogil=True)
def restrict_first_colour(start, stop, south, west, u, coarse):  # type: ignore[no-untyped-def]
    """Add up the residual over blocks of 2 x 2 columns after the colours were relaxed in turn, from zero.

    The second colour's is zero, and the first one's is what the second has changed.
    """
    _, planes, ny, width = u.shape
    for row in range(start, stop):
        total = np.empty((planes, width), dtype=u.dtype)
        for plane in range(planes):
            for i in range(width):
                total[plane, i] = 0.0
            for y in range(2 * row, min(2 * row + 2, ny)):
                add_neighbours(south, west, u, 0, plane, y, total)
            for i in range(width):
                coarse[(row + i) % 2, plane, row, i // 2] = total[plane, i]


@nb.njit(cache=True, nogil=True)
def add_coarse_to_first_colour(start, stop, u, coarse, inverse):  # type: ignore[no-untyped-def]
    """Add each block's correction to its columns of the first colour: the second is relaxed next, whatever it is."""
    _, planes, _, width = u.shape
    for y in range(start, stop):
        for plane in range(planes):
            for i in range(width):
                if inverse[0, plane, y, i] != 0.0:
                    u[0, plane, y, i] += coarse[(y // 2 + i) % 2, plane, y // 2, i // 2]

"""Fields of both potentials in the order in which a multigrid of columns works: one colour, then the other.

A column ``(y, x)`` has the colour ``(y + x) % 2`` of a chessboard, and its neighbours have the other. Fields are
``(colour, plane, y, x // 2)``: planes of the ionic network from the collector upwards, then those of the electronic
one up to the last that conducts. So a sweep over one colour passes over the memory of half the columns, and no layer
without electrons is stored for them. Where x is odd, the last place of every other row belongs to no column: zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.electrochemistry.porous.network import diagonal_of

if TYPE_CHECKING:
    from operando.electrochemistry.finite_volume import Faces
    from operando.electrochemistry.porous.network import Networks
    from operando.frames import Array


@dataclass(frozen=True, eq=False)
class Planes:
    """Conductances of both networks ``(plane, y, x)``.

    Attributes
    ----------
    below, south, west:
        Of the faces to the neighbours with the next smaller z, y and x [S]; zero where there is none.
    diagonal:
        Sum over all faces of a voxel, those of the collector and the counter electrode included [S].
    layers:
        Planes of the ionic network; the electronic one has the rest.
    """

    below: Array
    south: Array
    west: Array
    diagonal: Array
    layers: int


def planes_of(networks: Networks) -> Planes:
    """Put the electronic network's conducting layers on top of the ionic network."""
    reached = np.flatnonzero(diagonal_of(networks.electronic).any(axis=(1, 2)))[-1] + 1
    parts = [_parts(networks.ionic), [part[:reached] for part in _parts(networks.electronic)]]
    below, south, west, diagonal = (np.concatenate(pair) for pair in zip(*parts, strict=True))
    return Planes(below, south, west, diagonal, parts[0][0].shape[0])


def coarser(fine: Planes) -> Planes:
    """Blocks of 2 x 2 columns, their lateral conductances half of the faces' sums."""
    south, west = (np.zeros_like(fine.diagonal[:, ::2, ::2]) for _ in range(2))
    rows, columns = _pairs(fine.south[:, 2::2], 2) / 2, _pairs(fine.west[:, :, 2::2], 1) / 2
    south[:, 1:], west[:, :, 1:] = rows, columns
    # What leads to the collector and the counter electrode, and to the neighbours within the column
    diagonal = blocks(fine.diagonal - _lateral(fine))
    coarse = Planes(blocks(fine.below), south, west, diagonal, fine.layers)
    diagonal += _lateral(coarse)
    return coarse


def blocks(values: Array) -> Array:
    """Add up blocks of 2 x 2 over the last two axes; odd ends make smaller blocks."""
    return _pairs(_pairs(values, values.ndim - 2), values.ndim - 1)


def by_colour(values: Array, *, kind: type | None = None) -> Array:
    """Fields ``(plane, y, x)`` in the order of the chessboard."""
    planes, ny, nx = values.shape
    out = np.zeros((2, planes, ny, (nx + 1) // 2), dtype=kind or values.dtype)
    for colour, row, first in _places():
        part = values[:, row::2, first::2]
        out[colour, :, row::2, : part.shape[2]] = part
    return out


def by_place(values: Array, *, width: int) -> Array:
    """Fields in the order of the chessboard as ``(plane, y, x)``, `width` columns along x."""
    out = np.empty((*values.shape[1:3], width), dtype=values.dtype)
    for colour, row, first in _places():
        part = out[:, row::2, first::2]
        part[...] = values[colour, :, row::2, : part.shape[2]]
    return out


def _places() -> list[tuple[int, int, int]]:
    """Colour, first row and first column of the four kinds of columns."""
    return [((row + column) % 2, row, column) for row in (0, 1) for column in (0, 1)]


def _parts(faces: Faces) -> list[Array]:
    below, south, west = faces[0][:-1].copy(), faces[1][:, :-1], faces[2][:, :, :-1]
    below[0] = 0.0
    return [below, south, west, diagonal_of(faces)]


def _lateral(planes: Planes) -> Array:
    total: Array = planes.south + planes.west
    total[:, :-1] += planes.south[:, 1:]
    total[:, :, :-1] += planes.west[:, :, 1:]
    return total


def _pairs(values: Array, axis: int) -> Array:
    edges = np.arange(0, values.shape[axis], 2)
    return np.add.reduceat(values, edges, axis=axis)

"""Neutrons that the sample scatters into the image: smooth, and additive to what passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BEYOND = 10e-3
"""How far the sample is taken to continue above and below the image, as its outermost rows [m]."""


@dataclass(frozen=True, eq=False)
class ScatterField:
    """Isotropic single scattering from the sample's plane to the detector, on coarse cells.

    A cell of area A sends ``A d / (4 pi r^3)`` of what it scatters onto a unit area of the detector at distance r,
    d being the distance between the planes. Scattering again, or absorption on the way out, is not followed.

    Attributes
    ----------
    spread:
        Share of each cell's scattered neutrons that arrives at each cell's middle, ``(cell, cell)``, per cell.
    rise, widen:
        Linear interpolation from cells to rows and to columns, ``(row, cell)`` and ``(cell, column)``.
    cell:
        Rays along a cell's side.
    """

    spread: Array
    rise: Array
    widen: Array
    cell: int

    def arriving(self, scattered: Array) -> Array:
        """Neutrons that arrive at each pixel, from those scattered on each ray, both relative to a full beam."""
        rows, columns = self.rise.shape[1], self.widen.shape[0]
        cells = _block_means(scattered, self.cell, rows, columns)
        arriving: Array = self.rise @ (self.spread @ cells.ravel()).reshape(rows, columns) @ self.widen
        return arriving


def scatter_field(
    *, shape: tuple[int, int], pixel: float, distance: float, rays: int = 1, cell: int = 10
) -> ScatterField:
    """Work out the scatter of a plane at `distance` [m] before a detector of `shape` pixels of size `pixel` [m].

    Parameters
    ----------
    rays:
        Rays along each side of a pixel.
    cell:
        Pixels along each side of a cell.
    """
    rows, columns = (-(-n // cell) for n in shape)
    side = cell * pixel
    beyond = int(np.ceil(BEYOND / side))
    across = side * (np.arange(columns)[:, None] - np.arange(columns))
    up = side * (np.arange(rows)[:, None] - np.arange(-beyond, rows + beyond))
    squared = up[:, None, :, None] ** 2 + across[None, :, None, :] ** 2 + distance**2
    reach = side**2 * distance / (4 * np.pi * squared**1.5)
    inner = reach[:, :, beyond : beyond + rows].copy()
    inner[:, :, 0] += reach[:, :, :beyond].sum(axis=2)
    inner[:, :, -1] += reach[:, :, beyond + rows :].sum(axis=2)
    return ScatterField(
        spread=inner.reshape(rows * columns, rows * columns),
        rise=_interpolation(shape[0], cell, rows),
        widen=_interpolation(shape[1], cell, columns).T,
        cell=cell * rays,
    )


def _block_means(values: Array, cell: int, rows: int, columns: int) -> Array:
    padded = np.pad(values, ((0, rows * cell - values.shape[0]), (0, columns * cell - values.shape[1])), mode="edge")
    means: Array = padded.reshape(rows, cell, columns, cell).mean(axis=(1, 3))
    return means


def _interpolation(pixels: int, cell: int, cells: int) -> Array:
    """Rows that interpolate linearly between the middles of cells, ``(pixel, cell)``."""
    at = np.clip((np.arange(pixels) + 0.5) / cell - 0.5, 0, cells - 1)
    weights: Array = np.maximum(0.0, 1 - np.abs(at[:, None] - np.arange(cells)))
    return weights

"""Mirrored side walls: a section as one piece of a layer that goes on beyond its walls at -y and +y.

No current crosses an insulating wall, so a layer that is its own mirror image there carries the same current. Mirroring
takes away the field of edges that are only the edges of a drawing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.currents import FaceCurrents
from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.circuit import TOLERANCE

Array = npt.NDArray[Any]


def mirrored_grid(grid: Grid, *, copies: int) -> Grid:
    """Widen a grid by `copies` pieces of its own width on either side along y."""
    if copies < 0:
        raise InputError("copies", must="zero or more", received=copies)
    nz, ny, nx = grid.shape
    z, y, x = grid.origin
    return replace(grid, shape=(nz, ny * (2 * copies + 1), nx), origin=(z, y - copies * ny * grid.spacing[1], x))


def mirrored_scalar(values: xr.DataArray, *, grid: Grid, copies: int) -> xr.DataArray:
    """Continue a scalar, such as a susceptibility, as mirror images ``(z, y, x)``."""
    wide = _mirrored(values.transpose("z", "y", "x").values, copies=copies, odd=False)
    return mirrored_grid(grid, copies=copies).array(wide, name=str(values.name), units=values.attrs.get("units", ""))


def mirrored_currents(currents: FaceCurrents, *, copies: int) -> FaceCurrents:
    """Continue currents as mirror images: what runs along the walls goes on, what runs to them turns its sign.

    Raises
    ------
    InputError
        If current crosses a wall.
    """
    largest = max(float(np.abs(part).max()) for part in (currents.x, currents.y, currents.z))
    crossing = float(max(np.abs(currents.y[:, 0]).max(), np.abs(currents.y[:, -1]).max()))
    if crossing > TOLERANCE * largest:
        raise InputError("currents", must="zero through the walls at -y and +y", received=f"{crossing:.3g} A/m^2")
    inner = _mirrored(currents.y[:, 1:], copies=copies, odd=True, last=0.0)
    return FaceCurrents(
        x=_mirrored(currents.x, copies=copies, odd=False),
        y=np.concatenate([np.zeros_like(inner[:, :1]), inner], axis=1),
        z=_mirrored(currents.z, copies=copies, odd=False),
        grid=mirrored_grid(currents.grid, copies=copies),
    )


def own_piece(field: xr.DataArray, *, grid: Grid, margin: int = 0) -> xr.DataArray:
    """Cut the pixels above the section itself, and `margin` more along y, from a field of its mirrored layer."""
    y, step = grid.coordinate("y"), grid.spacing[1]
    low, high = y[0] - (margin + 0.5) * step, y[-1] + (margin + 0.5) * step
    return field.isel(y=np.flatnonzero((field.y.values > low) & (field.y.values < high)))


def _mirrored(values: Array, *, copies: int, odd: bool, last: float | None = None) -> Array:
    """Repeat ``(z, y, x)`` along y, every other piece reversed; `last` marks values on faces, which end each piece.

    Faces are those at +y of each voxel. A reversed piece has them at -y: they move by one, the wall's own to the end.
    """
    back = values[:, ::-1]
    if last is not None:
        back = np.concatenate([back[:, 1:], np.full_like(back[:, :1], last)], axis=1)
    back = -back if odd else back
    return np.concatenate([values if piece % 2 == 0 else back for piece in range(-copies, copies + 1)], axis=1)

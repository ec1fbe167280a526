"""Currents through the faces of voxels: whether they close, and where they leave."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.currents import FaceCurrents
from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]

TOLERANCE = 1e-6
"""Largest net current out of a voxel, over the largest current through any face."""


def face_currents_from_cells(density: Array, *, grid: Grid) -> FaceCurrents:
    """Put cell-centred currents ``(3, z, y, x)`` [A/m^2] on faces: means of neighbours, the cell's own outside.

    Means of neighbours are a faithful check of smooth or straight currents. Where a current turns within a voxel they
    are not: hand over the solver's own face currents there.
    """
    jx, jy, jz = np.pad(density, [(0, 0), (1, 1), (1, 1), (1, 1)], mode="edge")
    inner = slice(1, -1)
    return FaceCurrents(
        x=(jx[inner, inner, 1:] + jx[inner, inner, :-1]) / 2,
        y=(jy[inner, 1:, inner] + jy[inner, :-1, inner]) / 2,
        z=(jz[1:, inner, inner] + jz[:-1, inner, inner]) / 2,
        grid=grid,
    )


def divergence_of_currents(currents: FaceCurrents) -> xr.DataArray:
    """Net current out of each voxel per volume, ``div J``, ``(z, y, x)`` [A/m^3]."""
    dz, dy, dx = currents.grid.spacing
    div = np.diff(currents.x, axis=2) / dx + np.diff(currents.y, axis=1) / dy + np.diff(currents.z, axis=0) / dz
    return currents.grid.array(div, name="divergence", units="A/m^3")


def require_closed(currents: FaceCurrents, *, by_leads: bool, tolerance: float = TOLERANCE) -> None:
    """Refuse currents that begin or end anywhere, the sides that leads continue excepted.

    Parameters
    ----------
    by_leads:
        Whether what crosses the sides -x, +x, -y, +y continues straight to infinity. The faces -z and +z never do:
        a lead through them would run through the sensor or come from nowhere.
    tolerance:
        Of the net current out of one voxel, and of all leads together, relative to the largest through one face.

    Raises
    ------
    InputError
        Naming the voxel or the side.
    """
    largest = max(float(np.abs(getattr(currents, axis)).max()) * currents.face_area(axis) for axis in "xyz")
    if largest == 0:
        return
    net = np.abs(divergence_of_currents(currents).values) * currents.grid.voxel_volume
    if net.max() > tolerance * largest:
        z, y, x = (int(i) for i in np.unravel_index(int(net.argmax()), net.shape))
        raise InputError(
            "currents",
            must=f"free of divergence to {tolerance:g} of the largest face current",
            received=f"{net.max() / largest:.2g} of it at voxel (z={z}, y={y}, x={x})",
            remedy="Hand over the face currents of a conservative solve; cell means alone do not tell where they turn.",
        )
    led = ("-x", "+x", "-y", "+y") if by_leads else ()
    crossed = [
        side
        for side, through in currents.sides().items()
        if side not in led and np.abs(through).max() * currents.face_area(side[1]) > tolerance * largest
    ]
    if crossed:
        amounts = ", ".join(f"{side} (net {currents.leaving()[side]:.3g} A)" for side in crossed)
        sideways = not {"-z", "+z"} & set(crossed)
        raise InputError(
            "currents",
            must="closed within the grid" + (" or by leads along x and y" if by_leads else ""),
            received=f"currents through the sides {amounts}",
            remedy="Continue them straight to infinity by closed_by_leads=True."
            if sideways
            else "Lead them out through -x, +x, -y or +y: a lead along z would run through the sensor.",
        )

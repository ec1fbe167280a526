"""Currents through the faces of voxels, as conservative solvers find them and the magnetics takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.frames import Array, Grid, vectors_on_grid


@dataclass(frozen=True)
class FaceCurrents:
    """Current density through every face of a grid's voxels, positive along the axis, as conservative solvers have it.

    Attributes
    ----------
    x, y, z:
        Of shapes ``(nz, ny, nx + 1)``, ``(nz, ny + 1, nx)``, ``(nz + 1, ny, nx)`` [A/m^2].
    """

    x: Array
    y: Array
    z: Array
    grid: Grid

    def __post_init__(self) -> None:
        nz, ny, nx = self.grid.shape
        shapes = {"x": (nz, ny, nx + 1), "y": (nz, ny + 1, nx), "z": (nz + 1, ny, nx)}
        for axis, shape in shapes.items():
            through = getattr(self, axis)
            if np.shape(through) != shape:
                raise InputError(f"face currents along {axis}", must=f"of shape {shape}", received=np.shape(through))
            if not np.isfinite(through).all():
                raise InputError(f"face currents along {axis}", must="finite", received="NaN or infinity")

    def density(self) -> xr.DataArray:
        """Mean over each voxel ``(component, z, y, x)`` [A/m^2]: half the sum of its two faces along each axis."""
        cells = [
            (self.x[:, :, 1:] + self.x[:, :, :-1]) / 2,
            (self.y[:, 1:] + self.y[:, :-1]) / 2,
            (self.z[1:] + self.z[:-1]) / 2,
        ]
        return vectors_on_grid(np.stack(cells), self.grid, name="current_density", units="A/m^2")

    def face_area(self, axis: str) -> float:
        """Area of one face normal to an axis [m^2]."""
        return self.grid.voxel_volume / self.grid.spacing["zyx".index(axis)]

    def sides(self) -> dict[str, Array]:
        """Current density out through each side of the grid [A/m^2], by its name such as ``+x``."""
        return {
            "-x": -self.x[:, :, 0],
            "+x": self.x[:, :, -1],
            "-y": -self.y[:, 0],
            "+y": self.y[:, -1],
            "-z": -self.z[0],
            "+z": self.z[-1],
        }

    def leaving(self) -> dict[str, float]:
        """Net current out through each side of the grid [A], by its name."""
        return {side: float(through.sum()) * self.face_area(side[1]) for side, through in self.sides().items()}

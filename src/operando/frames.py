"""Voxel grids and the world frame that all modalities share.

The world frame is right-handed, in metres, with z along the cell's symmetry axis from the cathode current
collector towards the anode. Arrays are ordered ``(z, y, x)``; points and affines are ordered ``(x, y, z)`` as
imaging tools write them. A coordinate is always the centre of its voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError

Array = npt.NDArray[Any]

COMPONENTS = ("x", "y", "z")
"""Of a vector, in the order of every array that holds vectors."""


@dataclass(frozen=True)
class Grid:
    """A regular voxel grid in the world frame.

    Attributes
    ----------
    shape:
        Voxels along ``(z, y, x)``.
    spacing:
        Voxel size along ``(z, y, x)`` [m].
    origin:
        Centre of the first voxel, ``(z, y, x)`` [m].
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise InputError("grid shape", must="at least one voxel along every axis", received=self.shape)
        if not all(np.isfinite(s) and s > 0 for s in self.spacing):
            raise InputError("grid spacing", must="positive lengths in metres", received=self.spacing)

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel [m^3]."""
        return float(np.prod(self.spacing))

    def coordinate(self, axis: str) -> Array:
        """Voxel centres along ``z``, ``y`` or ``x`` [m]."""
        i = "zyx".index(axis)
        return self.origin[i] + self.spacing[i] * np.arange(self.shape[i])

    def coords(self) -> dict[str, xr.Variable]:
        """Coordinates to build a labelled array with, in metres."""
        return {axis: xr.Variable(axis, self.coordinate(axis), {"units": "m"}) for axis in "zyx"}

    def array(self, values: Array, *, name: str, units: str) -> xr.DataArray:
        """Label `values` of this grid's shape."""
        return xr.DataArray(values, dims=("z", "y", "x"), coords=self.coords(), name=name, attrs={"units": units})

    def index_to_world(self) -> Array:
        """4 x 4 affine from voxel index ``(i_x, i_y, i_z, 1)`` to world ``(x, y, z, 1)`` [m]."""
        affine = np.diag([*self.spacing[::-1], 1.0])
        affine[:3, 3] = self.origin[::-1]
        return affine


def centred_grid(*, shape: tuple[int, int, int], spacing: float, z_start: float = 0.0) -> Grid:
    """Build a cubic-voxel grid whose axis x = y = 0 is its centre and whose first voxel *edge* is at `z_start` [m]."""
    nz, ny, nx = shape
    origin = (z_start + spacing / 2, -(ny - 1) / 2 * spacing, -(nx - 1) / 2 * spacing)
    return Grid(shape=(nz, ny, nx), spacing=(spacing, spacing, spacing), origin=origin)


def grid_of(volume: xr.DataArray | xr.Dataset) -> Grid:
    """Read the grid from a labelled volume's coordinates.

    Raises
    ------
    InputError
        If an axis is missing, too short to know its spacing, or not evenly spaced.
    """
    shape, spacing, origin = [], [], []
    for axis in "zyx":
        if axis not in volume.coords:
            raise InputError("volume", must="labelled with coordinates z, y, x", received=f"dims {tuple(volume.dims)}")
        along = np.asarray(volume.coords[axis].values, dtype=float)
        step = float(np.diff(along).mean()) if along.size > 1 else np.nan
        if along.size > 1 and not np.allclose(np.diff(along), step, rtol=1e-6, atol=0):
            raise InputError(f"coordinate {axis}", must="evenly spaced", received=along[:4])
        shape.append(along.size)
        spacing.append(step)
        origin.append(float(along[0]))
    known = [s for s in spacing if np.isfinite(s)]
    if not known:
        raise InputError("volume", must="at least two voxels along one axis", received=tuple(shape))
    sizes = [s if np.isfinite(s) else known[0] for s in spacing]
    return Grid(
        shape=(shape[0], shape[1], shape[2]),
        spacing=(sizes[0], sizes[1], sizes[2]),
        origin=(origin[0], origin[1], origin[2]),
    )


def turned_about_x(volume: xr.DataArray) -> xr.DataArray:
    """Turn a volume by half a turn about x, so that z runs from the other end and the frame stays right-handed."""
    turned = volume.isel(z=slice(None, None, -1), y=slice(None, None, -1))
    return turned.assign_coords(z=("z", -turned.z.values, {"units": "m"}), y=("y", -turned.y.values, {"units": "m"}))


def transformed(points: Array, affine: Array) -> Array:
    """Apply a 4 x 4 affine to points ``(..., 3)`` ordered ``(x, y, z)``."""
    return points @ affine[:3, :3].T + affine[:3, 3]


def vectors_on_grid(values: Array, grid: Grid, *, name: str, units: str) -> xr.DataArray:
    """Label vectors ``(3, z, y, x)`` in the order x, y, z."""
    if np.shape(values) != (3, *grid.shape):
        raise InputError(name, must=f"of shape {(3, *grid.shape)}", received=np.shape(values))
    coords = {"component": list(COMPONENTS), **grid.coords()}
    return xr.DataArray(values, dims=("component", "z", "y", "x"), coords=coords, name=name, attrs={"units": units})

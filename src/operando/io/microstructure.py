"""Segmented volumes as microstructures: TIFF, OME-Zarr or HDF5 with a table of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from operando.cell.microstructure.segmented import microstructure_from_labels
from operando.cell.microstructure.structure import Microstructure
from operando.errors import FileError, InputError
from operando.frames import Grid, grid_of
from operando.io.volume import Voxel, read_volume

AXES = ("z", "y", "x")
"""Axes of a file that is stored as this package stores volumes."""


def read_microstructure(
    path: Path,
    *,
    phases: Mapping[int, str],
    axes: Sequence[str] = AXES,
    voxel: Voxel | None = None,
    particles: Path | None = None,
    grains: Path | None = None,
) -> Microstructure:
    """Read a segmented volume.

    Parameters
    ----------
    phases:
        What each label means; see `microstructure_from_labels`.
    axes:
        Which axis of the section each axis of the file is, in the file's order, with a minus where it runs backwards:
        ``("-z", "y", "x")`` for slices stored from the imaged surface down. z points out of the imaged surface, x from
        the negative to the positive electrode.
    voxel:
        Voxel size along the *file's* axes [m], for a file that does not state it.
    particles, grains:
        Volumes that number particles and grains, stored alike.

    Raises
    ------
    FileError
        If a file is missing, damaged, states no voxel size, or holds labels that the table does not explain.
    InputError
        If the axes are not z, y and x in some order, or the table names no known phase.
    """
    if sorted(axis.removeprefix("-") for axis in axes) != sorted(AXES):
        raise InputError("axes", must='z, y and x in the file\'s order, such as ("-z", "y", "x")', received=tuple(axes))
    labels = _oriented(read_volume(path, voxel=voxel), axes)
    size = labels.attrs["voxel"]
    others = [
        None if other is None else _oriented(read_volume(other, voxel=size), axes) for other in (particles, grains)
    ]
    try:
        return microstructure_from_labels(labels, phases=phases, particles=others[0], grains=others[1])
    except InputError as error:
        raise FileError(path, problem=str(error).rstrip("."), remedy="Check the labels against the file.") from error


def _oriented(volume: xr.DataArray, axes: Sequence[str]) -> xr.DataArray:
    """Turn the file's axes into those of the section; the voxel size along the file's axes is kept as ``voxel``."""
    spacing = grid_of(volume).spacing
    order = [next(i for i, axis in enumerate(axes) if axis.endswith(name)) for name in AXES]
    values = np.transpose(volume.values, order)
    values = np.flip(values, axis=tuple(i for i, old in enumerate(order) if axes[old].startswith("-")))
    z, y, x = (spacing[old] for old in order)
    grid = Grid(shape=values.shape, spacing=(z, y, x), origin=(0.0, 0.0, 0.0))
    return grid.array(values, name=str(volume.name), units="").assign_attrs(voxel=spacing)

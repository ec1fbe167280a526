"""Labels as a micrograph gives them: on voxels of their own, and wrong by a bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import gaussian_filter, map_coordinates

from operando.errors import InputError
from operando.frames import Grid, grid_of

Array = npt.NDArray[Any]

_PER_LENGTH = np.sqrt(2 * np.pi)
"""Side of the square over which outlines err alike, over the length of a Gaussian correlation with as quiet a mean."""

_BLUR = 1.5
"""Of the solid, before the direction across its outline is taken [voxels]."""


def micrograph_of(
    labels: xr.DataArray, *, voxel: float, outline: float, outline_length: float, threshold: float, seed: int
) -> xr.DataArray:
    """Label a structure anew on voxels of another size that do not coincide with its own.

    Each point reads the label at a place displaced at random, by `outline` along each axis and alike over
    `outline_length`, and across the nearest outline by one displacement common to all, drawn from `threshold`. The
    imaged surface, the last face along z, is kept.

    Parameters
    ----------
    labels:
        ``(z, y, x)``, whole numbers.
    voxel:
        Edge of the new voxels [m].
    outline, outline_length, threshold:
        Standard deviations and length [m], as in `operando.magnetism.particles.Exposure`.

    Raises
    ------
    InputError
        If the structure is smaller than two of the new voxels.
    """
    old = grid_of(labels)
    drawn = np.random.default_rng([seed, 71])
    new = _grid(old, voxel, drawn)
    values = labels.transpose("z", "y", "x").values
    places = np.stack(np.meshgrid(*(new.coordinate(axis) for axis in "zyx"), indexing="ij"))
    if outline > 0:
        blur = [outline_length / _PER_LENGTH / np.sqrt(2) / voxel] * 3
        for axis in range(3):
            wander = gaussian_filter(drawn.standard_normal(new.shape), blur, mode="wrap")
            places[axis] += outline * wander / wander.std()
    solid = gaussian_filter((values > 0).astype(float), _BLUR, mode="nearest")
    index = _index(places, old)
    inward = np.stack([map_coordinates(slope, index, order=1, mode="nearest") for slope in np.gradient(solid)])
    steepness = np.sqrt((inward**2).sum(axis=0))
    displaced = threshold * drawn.standard_normal()
    places += displaced * np.divide(inward, steepness, out=np.zeros_like(inward), where=steepness > 0)
    nearest = [np.clip(np.rint(i), 0, n - 1).astype(int) for i, n in zip(_index(places, old), old.shape, strict=True)]
    return new.array(values[tuple(nearest)], name="labels", units="").assign_attrs(threshold=displaced)


def _grid(old: Grid, voxel: float, drawn: np.random.Generator) -> Grid:
    """Voxels that fill the old grid from its surface down, displaced sideways by part of a voxel."""
    sides = [n * step for n, step in zip(old.shape, old.spacing, strict=True)]
    shape = tuple(int(np.floor(side / voxel + 1e-9)) for side in sides)
    if min(shape) < 2:
        raise InputError("voxel", must="at most half of the structure's smallest side", received=f"{voxel:g} m")
    top = old.origin[0] + (old.shape[0] - 0.5) * old.spacing[0]
    first = [old.origin[i] - old.spacing[i] / 2 + voxel * drawn.uniform(0.25, 0.75) for i in (1, 2)]
    return Grid(
        shape=(shape[0], shape[1], shape[2]),
        spacing=(voxel,) * 3,
        origin=(top - (shape[0] - 0.5) * voxel, first[0], first[1]),
    )


def _index(places: Array, grid: Grid) -> Array:
    return np.stack([(p - o) / s for p, o, s in zip(places, grid.origin, grid.spacing, strict=True)])

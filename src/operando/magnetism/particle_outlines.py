"""Outlines of labelled bodies: what moves between body and surroundings when a label's threshold is off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]

_BLUR = 0.7
"""Of bodies, before their slope is taken [voxels]."""

_LEAST = 0.02
"""Part of the steepest slope below which a voxel is not counted among the outline's."""


@dataclass(frozen=True)
class Outlines:
    """Shells about bodies, cut into patches that are displaced as a whole.

    Attributes
    ----------
    patches:
        ``(z, y, x)``: 0 off the shells, else the patch's number from 1.
    area:
        ``(z, y, x)``: outline per volume [1/m]; an outward displacement d adds d times this to a voxel's filling.
    owner:
        Body, from 0, of each patch.
    quiet:
        Part of the displacement's standard deviation that is left in each patch: patches larger than the distance
        over which an outline errs alike average some of it out.
    """

    patches: Array
    area: Array
    owner: Array
    quiet: Array


def outlines_from_labels(labels: Array, *, grid: Grid, length: float) -> Outlines:
    """Cut the outlines towards unlabelled surroundings into patches.

    Faces of the volume are no outlines: a body that is cut by the surface ends there by polishing and not by a
    threshold. Below a depth of `length` patches grow with depth, as the field does not tell smaller ones apart.

    Parameters
    ----------
    labels:
        ``(z, y, x)``, 0 for the surroundings and 1 to n; the surface is the last face along z.
    length:
        Distance over which an outline errs alike [m].

    Raises
    ------
    InputError
        If the length is less than a voxel.
    """
    if not length >= 0.999 * max(grid.spacing):
        raise InputError("outline length", must=f"a voxel ({max(grid.spacing):.3g} m) or more", received=length)
    inside = labels > 0
    patches = np.zeros(labels.shape, dtype=np.int64)
    # the slope of a blurred body integrates to its area whichever way the outline runs across the voxels
    slopes = (
        gaussian_filter(inside.astype(float), _BLUR, order=np.eye(3, dtype=int)[axis], mode="nearest") / step
        for axis, step in enumerate(grid.spacing)
    )
    area = np.sqrt(sum(slope**2 for slope in slopes))
    area[area < _LEAST * area.max()] = 0.0
    if not area.any():
        return Outlines(patches=patches, area=area, owner=np.zeros(0, int), quiet=np.zeros(0))
    nearest = distance_transform_edt(~inside, sampling=grid.spacing, return_distances=False, return_indices=True)
    z, y, x = np.nonzero(area)
    bodies = labels[tuple(nearest)][z, y, x]
    depth = (grid.shape[0] - 0.5 - z) * grid.spacing[0]
    size = length * 2.0 ** np.floor(np.log2(np.maximum(depth / length, 1.0)))
    cells = [np.floor(i * step / size) for i, step in zip((z, y, x), grid.spacing, strict=True)]
    keys = np.stack([bodies, np.round(size / length), *cells])
    unique, numbers = np.unique(keys.astype(np.int64), axis=1, return_inverse=True)
    patches[z, y, x] = numbers.ravel() + 1
    return Outlines(patches=patches, area=area, owner=unique[0] - 1, quiet=1.0 / unique[1])

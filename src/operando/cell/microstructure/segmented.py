"""Microstructures from labels that someone else's segmentation gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import label

from operando.cell.microstructure.structure import STRUCTURE_LABEL, STRUCTURE_PHASES, Microstructure, section_grid
from operando.errors import InputError
from operando.frames import grid_of

Array = npt.NDArray[Any]


def microstructure_from_labels(
    labels: xr.DataArray,
    *,
    phases: Mapping[int, str],
    particles: xr.DataArray | None = None,
    grains: xr.DataArray | None = None,
) -> Microstructure:
    """Read a microstructure from a segmented volume.

    Parameters
    ----------
    labels:
        ``(z, y, x)`` with coordinates in metres; z grows towards the imaged surface, x from the negative electrode.
    phases:
        What each label means, one of `STRUCTURE_PHASES`.
    particles, grains:
        Numbers of particles and grains where they were told apart. Otherwise what hangs together over voxel faces
        is a particle, and the electrolyte is one grain.

    Raises
    ------
    InputError
        If a label has no phase, a phase is unknown, or volumes do not have the same shape.
    """
    grid = grid_of(labels)
    values = _whole_numbers(labels, "labels")
    unknown = sorted(set(np.unique(values).tolist()) - set(phases))
    if unknown:
        remedy = f"Say which of {', '.join(STRUCTURE_PHASES)} it is."
        raise InputError(
            "label table", must="a phase for every label", received=f"none for {unknown[:8]}", remedy=remedy
        )
    for number, name in phases.items():
        if name not in STRUCTURE_LABEL:
            raise InputError(f"phase of label {number}", must=f"one of {', '.join(STRUCTURE_PHASES)}", received=name)
    phase = np.zeros(grid.shape, dtype=np.uint8)
    for number, name in phases.items():
        phase[values == number] = STRUCTURE_LABEL[name]
    active, electrolyte = (phase == STRUCTURE_LABEL[name] for name in ("active", "electrolyte"))
    return Microstructure(
        grid=section_grid(shape=grid.shape, spacing=grid.spacing),
        phase=phase,
        particle=label(active)[0] if particles is None else _numbers(particles, active, "particles"),
        grain=electrolyte.astype(np.int32) if grains is None else _numbers(grains, electrolyte, "grains"),
    )


def _numbers(given: xr.DataArray, where: Array, name: str) -> Array:
    """Number from 1 what a volume tells apart within a phase; its zeros there are one more of them."""
    values = _whole_numbers(given, name)
    if values.shape != where.shape:
        raise InputError(name, must=f"of the labels' shape {where.shape}", received=values.shape)
    numbers = np.zeros(where.shape, dtype=np.int32)
    numbers[where] = np.unique(values[where], return_inverse=True)[1] + 1
    return numbers


def _whole_numbers(given: xr.DataArray, name: str) -> Array:
    values = np.asarray(given.transpose("z", "y", "x").values)
    if values.dtype.kind == "f" and (values == np.round(values)).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "iu":
        remedy = "Export the segmentation, not the grey values."
        raise InputError(name, must="whole numbers", received=f"values of type {values.dtype}", remedy=remedy)
    return values

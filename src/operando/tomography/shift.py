"""Volumes moved by fractions of a voxel without blur."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import xarray as xr

from operando.errors import InputError
from operando.frames import grid_of

Array = npt.NDArray[Any]


def shifted(volume: xr.DataArray, *, shift: tuple[float, float, float]) -> xr.DataArray:
    """Move what a volume shows by `shift` along ``(x, y, z)`` [m]; the grid stays.

    By the shift theorem along each axis, so that neither resolution nor noise changes; the volume is mirrored at its
    ends, where values enter that were never seen.

    Raises
    ------
    InputError
        If the shift is not finite or larger than the volume.
    """
    grid = grid_of(volume)
    values = np.asarray(volume.values, dtype=np.float32)
    for axis, (length, spacing) in enumerate(zip(shift[::-1], grid.spacing, strict=True)):
        steps = length / spacing
        if not abs(steps) < grid.shape[axis]:
            raise InputError("shift", must="finite and smaller than the volume", received=f"{length:g} m")
        if steps:
            values = _shifted_along(values, steps, axis)
    return volume.copy(data=values)


def _shifted_along(values: Array, steps: float, axis: int) -> Array:
    size = values.shape[axis]
    mirrored = np.concatenate([values, np.flip(values, axis)], axis)
    spectrum = scipy.fft.rfft(mirrored, axis=axis)
    phase = np.exp(-2j * np.pi * np.arange(size + 1) * steps / (2 * size)).astype(np.complex64)
    phase[-1] = phase[-1].real
    shape = [1] * values.ndim
    shape[axis] = -1
    moved = scipy.fft.irfft(spectrum * phase.reshape(shape), 2 * size, axis=axis)
    return np.asarray(np.take(moved, np.arange(size), axis))

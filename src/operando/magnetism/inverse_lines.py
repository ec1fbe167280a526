"""Noise with a memory along the lines of a scan, as a lock-in amplifier or drift leaves it, made white.

Each line is filtered by ``d_i - sum_j a_j d_(i-j)``; the field passes through the same filter, which is one more
factor in Fourier space.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_toeplitz

from operando.errors import InputError
from operando.magnetism.sheet import HalfSpectrum
from operando.magnetism.sheet_maps import FieldMaps

Array = npt.NDArray[Any]


def line_memory(values: Array, *, order: int = 2) -> Array:
    """Coefficients a of the noise's memory along x, by the Yule-Walker equations.

    The signal is removed by fourth differences across the lines: it must be oversampled in y, as by a sensor or a
    stand-off several pixels large.

    Parameters
    ----------
    values:
        One map ``(y, x)`` without missing pixels; lines run along x.
    order:
        Number of coefficients.

    Raises
    ------
    InputError
        If pixels are missing or the map is too small.
    """
    if values.ndim != 2 or min(values.shape) < 8 + order or not np.isfinite(values).all():
        raise InputError("map", must="whole, with several more pixels than coefficients", received=values.shape)
    rough = np.diff(values, n=4, axis=0)
    rough = rough - rough.mean()
    columns = rough.shape[1]
    lags = [float((rough[:, lag:] * rough[:, : columns - lag]).mean()) for lag in range(order + 1)]
    return np.asarray(solve_toeplitz(lags[:-1], lags[1:]))


def without_memory(maps: FieldMaps, *, memory: Array) -> FieldMaps:
    """Filter each line; the first pixels of a line, which lack their past, become missing."""
    values = maps.values.copy()
    for lag, a in enumerate(memory, start=1):
        values[..., lag:] -= a * maps.values[..., :-lag]
    values[..., : len(memory)] = np.nan
    return replace(maps, values=values)


def memory_factor(*, modes: HalfSpectrum, memory: Array) -> Array:
    """What the filter does to each mode, ``1 - sum_j a_j exp(-i kx j dx)``."""
    kx = 2 * np.pi * np.fft.rfftfreq(modes.shape[1], modes.pixel[1])
    lags = modes.pixel[1] * np.arange(1, len(memory) + 1)
    return np.asarray(1 - np.exp(-1j * np.outer(kx, lags)) @ memory)

"""Noise of a counting camera by photon transfer: counts = gain x detected quanta + dark offset + read noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError

Array = npt.NDArray[Any]

_SIGMA_PER_MAD = 1.482602218505602


def gain_from_frames(*, open_beam: xr.DataArray, dark: xr.DataArray) -> float:
    """Counts per detected quantum, from how much repeated open-beam frames differ from each other.

    ``gain = (variance_open - variance_dark) / mean``, with variances from the median absolute deviation, so that
    gamma spots and dead pixels have no say. The beam's fluctuation from frame to frame is divided out. A camera that
    blurs shares a quantum between neighbours, which lowers the variance of one pixel: the gain is then the one
    that predicts this variance, not the one that counts quanta.

    Parameters
    ----------
    open_beam, dark:
        Repeated frames ``(frame, row, column)`` [count].

    Returns
    -------
    Gain [count].

    Raises
    ------
    InputError
        If fewer than two frames of either kind are given, or the open beam is of another shape or varies
        no more than the dark frames.

    Notes
    -----
    Janesick, Photon Transfer (SPIE, 2007), https://doi.org/10.1117/3.725073.
    """
    frames = _repeated(open_beam, "open-beam frames")
    offset = np.median(_repeated(dark, "dark frames"), axis=0)
    if frames.shape[1:] != offset.shape:
        raise InputError("open-beam frames", must=f"of {offset.shape} pixels as the dark frames", received=frames.shape)
    signal = frames - offset
    dose = np.median(signal, axis=(1, 2))
    if dose.min() <= 0:
        raise InputError("open-beam frames", must="brighter than the dark frames", received=dose.tolist())
    signal *= (dose.mean() / dose)[:, None, None]
    mean = np.median(signal, axis=0)
    lit = mean > 0.2 * dose.mean()
    spread = _robust_variance((signal - signal.mean(axis=0))[:, lit] / np.sqrt(mean[lit]), frames.shape[0])
    gain = spread - dark_variance_from_frames(dark) * float(np.mean(1 / mean[lit]))
    if gain <= 0:
        raise InputError(
            "open-beam frames",
            must="noisier than the dark frames",
            received=f"gain {gain:.3g}",
            remedy="Averaged frames have lost their noise: give the gain [counts per quantum] by hand.",
        )
    return gain


def dark_variance_from_frames(dark: xr.DataArray) -> float:
    """Variance of one dark frame in one pixel [count^2], robust against spots."""
    frames = _repeated(dark, "dark frames")
    return _robust_variance(frames - frames.mean(axis=0), frames.shape[0])


def _repeated(frames: xr.DataArray, name: str) -> Array:
    if frames.ndim != 3 or frames.shape[0] < 2:
        raise InputError(
            name,
            must="two or more repeated frames (frame, row, column)",
            received=f"shape {frames.shape}",
            remedy="Give the gain [counts per quantum] and the dark variance [count^2] by hand.",
        )
    return np.asarray(frames.values, dtype=np.float64)


def _robust_variance(deviations: Array, frames: int) -> float:
    """Variance from deviations about the mean of `frames` frames."""
    sigma = _SIGMA_PER_MAD * float(np.median(np.abs(deviations)))
    return sigma**2 * frames / (frames - 1)

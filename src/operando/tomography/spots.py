"""Gamma spots: pixels that a stray gamma quantum made far brighter than their neighbours."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from operando.errors import InputError

Array = npt.NDArray[Any]


def without_spots(
    *, frames: Array, threshold: float, sigmas: float, gain: float, dark_variance: float
) -> tuple[Array, float]:
    """Replace bright outliers by the median of their eight neighbours.

    A pixel is a spot where it exceeds this median m by more than ``threshold * m`` and by more than
    ``sigmas * sqrt(gain * m + dark_variance)``: the relative rule alone would call noise a spot where few quanta
    arrive. Needs one row of halo.

    Parameters
    ----------
    frames:
        Counts above dark, float32 ``(frame, row, column)``.
    threshold, sigmas:
        The two rules (dimensionless).
    gain, dark_variance:
        Noise of the camera [count, count^2].

    Returns
    -------
    The frames without spots, and the fraction of pixels replaced.

    Raises
    ------
    InputError
        If a threshold is not positive or the frames are smaller than 3 x 3.
    """
    if not (threshold > 0 and sigmas > 0):
        raise InputError("spot threshold", must="positive, in both rules", received=(threshold, sigmas))
    if frames.ndim != 3 or frames.shape[2] < 2:
        raise InputError("frames", must="(frame, row, column) with two columns or more", received=frames.shape)
    frames = np.ascontiguousarray(frames, dtype=np.float32)
    cleaned = frames.copy()
    replaced = _replace_spots(
        frames,
        cleaned,
        np.float32(1 + threshold),
        np.float32(sigmas**2),
        np.float32(gain),
        np.float32(dark_variance),
    )
    return cleaned, replaced / frames.size


@numba.njit(cache=True, nogil=True)
def _replace_spots(frames: Any, cleaned: Any, ratio: Any, sigmas_squared: Any, gain: Any, dark_variance: Any) -> Any:
    count, rows, columns = frames.shape
    around = np.empty(8, np.float32)
    replaced = 0
    for k in range(count):
        for i in range(rows):
            for j in range(columns):
                value = frames[k, i, j]
                n = 0
                below = 0
                for di in range(-1, 2):
                    for dj in range(-1, 2):
                        if di != 0 or dj != 0:
                            neighbour = frames[k, _mirror(i + di, rows), _mirror(j + dj, columns)]
                            around[n] = neighbour
                            n += 1
                            if value > ratio * neighbour:
                                below += 1
                if below < 4:  # the median of eight cannot be that low: most pixels end here
                    continue
                ordered = np.sort(around)
                median = np.float32(0.5) * (ordered[3] + ordered[4])
                excess = value - median
                noise = gain * max(median, np.float32(0)) + dark_variance
                if value > ratio * median and excess > 0 and excess * excess > sigmas_squared * noise:
                    cleaned[k, i, j] = median
                    replaced += 1
    return replaced


@numba.njit(cache=True, nogil=True)
def _mirror(i: Any, n: Any) -> Any:
    if n == 1:
        return 0
    return abs(n - 1 - abs(n - 1 - i))

"""Whether a feature of a map stands out of noise: contrast, resolution, and telling neighbours apart.

What counts is how far a feature departs from the rest of the map. The mean of a map is unknown: of a magnetisation it
is not determined, and of a field it is lost in the bias.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from operando.errors import InputError
from operando.magnetism.sensitivity import time_from_signal

Array = npt.NDArray[Any]

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))

_ROUNDS, _HOPELESS = 40, 1e6
"""Rounds of a fixed point that rises to its solution, and the factor from which a source counts as untold."""


def contrast_from_map(*, field: Array) -> Array:
    """Largest departure from a map's mean, ``max |B - <B>|``, over the last two axes.

    The mean of many pixels has no error to speak of beside that of the pixel that departs.

    Parameters
    ----------
    field:
        ``(..., y, x)`` [T].

    Raises
    ------
    InputError
        If a value is not finite.
    """
    values = np.asarray(field, dtype=float)
    if not np.isfinite(values).all():
        raise InputError("field map", must="finite everywhere", received="NaN or infinity")
    return np.asarray(np.abs(values - values.mean(axis=(-2, -1), keepdims=True)).max(axis=(-2, -1)))


def blurred_map(*, field: Array, width: float, pixel: tuple[float, float]) -> Array:
    """Map as a sensor of finite size sees it: a mean over a Gaussian, beyond the map the nearest pixel.

    Parameters
    ----------
    field:
        ``(..., y, x)``.
    width:
        Full width at half height [m].
    pixel:
        Along ``(y, x)`` [m].
    """
    if width < 0:
        raise InputError("width", must="zero or positive", received=width)
    sigma = width / _FWHM_PER_SIGMA
    lead = (0.0,) * (np.ndim(field) - 2)
    return np.asarray(gaussian_filter(field, sigma=(*lead, sigma / pixel[0], sigma / pixel[1]), mode="nearest"))


def resolution_from_distance(*, sensor: Any, distance: Any) -> Any:
    """Finest detail that a map shows [m]: the sensor's own resolution or the distance to the source, the larger.

    A detail of period p fades as ``exp(-2 pi d / p)``: at a distance of one period it has lost 99.8 %.
    """
    return np.maximum(sensor, distance)


def confusion_from_responses(*, responses: Array) -> Array:
    """Factor by which the time grows that a source's strength takes, since its neighbours' strengths are unknown too.

    ``v_p = F_pp (F^-1)_pp`` with ``F = R R^T`` after every response has lost its mean: the Cramer-Rao bound of all
    strengths and a common offset over that of one strength alone. 1 where responses do not overlap; infinite where
    one is the sum of others.

    Parameters
    ----------
    responses:
        Maps of the single sources ``(source, y, x)``.

    Raises
    ------
    InputError
        If they are of another shape or a source is seen nowhere.
    """
    maps = np.asarray(responses, dtype=float)
    if maps.ndim != 3:
        raise InputError("responses", must="of shape (source, y, x)", received=maps.shape)
    rows = maps.reshape(maps.shape[0], -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(rows, axis=1)
    if not (sizes > 0).all():
        raise InputError("responses", must="seen somewhere, each", received=f"{int((sizes == 0).sum())} that are not")
    correlation = (rows / sizes[:, None]) @ (rows / sizes[:, None]).T
    values, vectors = np.linalg.eigh(correlation)
    # a combination of sources that rounding alone tells from nothing cannot be told at all
    known = values > len(sizes) * np.finfo(float).eps
    factor = (vectors[:, known] ** 2 / values[known]).sum(axis=1)
    return np.where((vectors[:, ~known] ** 2).sum(axis=1) > 1e-6, np.inf, np.maximum(factor, 1.0))


def confusion_with_prior(*, responses: Array, spread: float, significance: float) -> Array:
    """Factor of time as of `confusion_from_responses`, where the other strengths are not wholly unknown.

    Solves ``n^2 [(n^2 v F / F_pp + 1 / s^2)^-1]_pp = 1`` for v: after v times as long as one source alone would take,
    with the others known to s beforehand and better by the map itself, the error is 1/n of what is asked. At most
    what `confusion_from_responses` gives.

    Parameters
    ----------
    responses:
        Maps of the single sources, each of the strength that is asked for ``(source, y, x)``.
    spread:
        Standard deviation s of the other strengths as known beforehand, over the strength that is asked for; may be
        infinite.
    significance:
        n, in standard errors.
    """
    unknown = confusion_from_responses(responses=responses)
    if np.isinf(spread):
        return unknown
    rows = np.asarray(responses, dtype=float).reshape(len(responses), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    overlaps = rows @ rows.T
    relative = overlaps / np.diag(overlaps)[:, None, None]
    # of the source that is asked for nothing is known beforehand
    prior = (1 - np.eye(len(rows)))[:, :, None] * np.eye(len(rows)) / spread**2
    factor, each = np.ones(len(rows)), np.arange(len(rows))
    for _ in range(_ROUNDS):
        variance = np.linalg.inv(significance**2 * factor[:, None, None] * relative + prior)[each, each, each]
        longer = np.minimum(factor * significance**2 * variance, unknown)
        if (longer <= 1.01 * factor).all():
            break
        factor = longer
    return np.where(factor > _HOPELESS, np.inf, factor)


def time_from_contrast(*, contrast: Any, sensitivity: Any, significance: float, confusion: Any = 1.0) -> Any:
    """Time of a pixel [s] until its departure stands out, ``(n eta / B)^2 v``; infinite without contrast.

    Parameters
    ----------
    contrast:
        B, see `contrast_from_map` [T].
    sensitivity:
        eta [T/sqrt(Hz)].
    significance:
        n, in standard errors.
    confusion:
        v, see `confusion_from_responses`.
    """
    seen = np.abs(np.asarray(contrast, dtype=float))
    somewhat = np.where(seen > 0, seen, 1.0)
    alone = time_from_signal(signal=somewhat, sensitivity=sensitivity, significance=significance)
    return np.where(seen > 0, alone * confusion, np.inf)


def coinciding_centres(*, lines: Array, width: float) -> list[tuple[int, int]]:
    """Pairs of centres of which a line lies within a line's width of one of the other's: they cannot be told apart.

    So it is where the field lies in a mirror plane between two axes.

    Parameters
    ----------
    lines:
        ``(centre, 2)`` [Hz], see `operando.magnetism.lines.lines_from_field`.
    width:
        Full width of a line at half depth [Hz].
    """
    at = np.asarray(lines, dtype=float)
    return [
        (i, j)
        for i in range(len(at))
        for j in range(i + 1, len(at))
        if (np.abs(at[i][:, None] - at[j][None, :]) < width).any()
    ]

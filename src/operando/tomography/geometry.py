"""The rotation axis, found from projections that look at the sample from opposite sides."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.fft
import xarray as xr
from scipy import optimize

from operando.errors import InputError
from operando.tomography.axis import RotationAxis
from operando.tomography.filters import angle_weights

Array = npt.NDArray[Any]

Opposites = list[list[tuple[int, float]]]

_GROUPS = 10
"""Groups of rows whose disagreement gives the uncertainties."""
_BLUR = 1.5
"""Gaussian smoothing of the profiles [pixels]: edges are kept, single-pixel noise is not."""


def rotation_axis_from_projections(
    corrected: xr.Dataset,
    *,
    beam: Literal["parallel", "cone"] = "parallel",
    centre: float | None = None,
    tilt: float | None = None,
) -> RotationAxis:
    """Find where the rotation axis falls on the detector, with its uncertainty.

    In a parallel beam a projection seen from behind is its own mirror image: ``p(angle + pi, s) = p(angle, -s)``. The
    line ``column = centre + tan(tilt) * (row - middle)`` is the one about which the derivatives of all such pairs
    overlap best, over all rows at once and to a fraction of a pixel (correlation by Fourier transform). Where the
    opposite angle was not recorded it is interpolated between its neighbours, or extrapolated by one step, so that
    180 deg will do.

    In a cone beam that holds for the mean over a full turn only: it shows the sample smeared around the axis, which is
    its own mirror image in every row.

    Parameters
    ----------
    corrected:
        Line integrals ``(projection, row, column)``; a few dozen rows spread over the detector are enough.
    beam:
        ``"parallel"`` or ``"cone"``.
    centre, tilt:
        Known values [pixels, rad], which are kept.

    Returns
    -------
    The axis, `centre` meant at the middle row; standard deviations from leaving out groups of rows (jackknife).

    Raises
    ------
    InputError
        If no projections look from opposite sides or the sample shows no contrast.

    Notes
    -----
    Jackknife: Efron & Stein, Ann. Statist. 9 (1981) 586, https://doi.org/10.1214/aos/1176345462.
    """
    values = corrected.line_integral.values
    if not np.isfinite(values.sum()):
        raise InputError("line_integral", must="finite everywhere", received="NaN or infinity")
    column = corrected.column.values
    pixel = (column[-1] - column[0]) / (column.size - 1)
    row = corrected.row.values / pixel
    middle = float((row[0] + row[-1]) / 2)
    angle = np.asarray(corrected.angle.values, dtype=float)
    if beam == "cone":
        share = (angle_weights(angle, period=2 * np.pi) / (2 * np.pi)).astype(np.float32)
        values, angle = np.tensordot(share, values, axes=1)[None].repeat(2, axis=0), np.array([0.0, np.pi])
    overlap = _overlaps(values, _opposites(angle))
    first = float(column[0] / pixel)
    known = (None if centre is None else centre - first, tilt)
    start = _coarse_centre(overlap, column.size) if known[0] is None else known[0]
    best = _fitted(overlap, row - middle, start, known)
    sigma = _jackknife(overlap, row - middle, best, known)
    return RotationAxis(
        centre=best[0] + first,
        centre_sigma=sigma[0] if centre is None else 0.0,
        tilt=float(np.arctan(best[1])),
        tilt_sigma=sigma[1] if tilt is None else 0.0,
        row=middle,
    )


def _overlaps(values: Array, opposites: Opposites) -> Array:
    """Sum over opposite pairs of the product of both spectra, (row, frequency).

    Its inverse transform at 2c is the overlap of each projection with its opposite, mirrored about c.
    """
    rows, columns = values.shape[1:]
    padded = 2 * scipy.fft.next_fast_len(columns, real=True)
    turn = 2 * np.pi * np.fft.rfftfreq(padded)
    # the derivative ignores a constant background; centred, so that it moves no edge
    weight = (1j * np.sin(turn) * np.exp(-0.5 * (_BLUR * turn) ** 2)).astype(np.complex64)

    def spectrum(frame: Array) -> Array:
        edges = np.array(frame, dtype=np.float32)
        edges -= edges[:, :1]
        edges -= np.linspace(0, 1, columns, dtype=np.float32) * edges[:, -1:]
        return np.asarray(scipy.fft.rfft(edges, padded, axis=1) * weight)

    total = np.zeros((rows, turn.size), dtype=np.complex128)
    for k, others in enumerate(opposites):
        if others:
            opposite = sum((share * values[other] for other, share in others), np.zeros((rows, columns), np.float32))
            total -= spectrum(values[k]) * spectrum(opposite)  # minus: mirrored, a derivative changes sign
    if not np.any(total):
        raise InputError(
            "projections",
            must="taken from opposite sides, over 180 deg or more, and not empty",
            received="no such pair",
            remedy="Give the rotation centre.",
        )
    return total


def _opposites(angle: Array) -> Opposites:
    """For each projection, which others make up its opposite view, and with which share."""
    order = np.argsort(angle, kind="stable")
    ordered = angle[order]
    step = float(np.median(np.diff(ordered))) if angle.size > 1 else 0.0
    opposites: Opposites = []
    for start in angle:
        ahead, behind = start + np.pi, start - np.pi
        # a pair within the scan counts once, from its first projection; beyond its ends both sides are extrapolated
        target = ahead if ahead <= ordered[-1] + 1.01 * step else behind
        seen = ordered[0] - 1.01 * step <= target < ordered[0] or target == ahead
        if angle.size < 2 or not seen:
            opposites.append([])
            continue
        upper = int(np.clip(np.searchsorted(ordered, target), 1, angle.size - 1))
        gap = ordered[upper] - ordered[upper - 1]
        share = float((target - ordered[upper - 1]) / gap) if gap > 0 else 0.0
        close = gap <= 3 * step
        opposites.append([(int(order[upper - 1]), 1 - share), (int(order[upper]), share)] if close else [])
    return opposites


def _coarse_centre(overlap: Array, columns: int) -> float:
    """Centre to half a pixel: the highest overlap of all rows together, within the middle half of the detector."""
    along = np.fft.irfft(overlap.sum(axis=0))
    twice = np.arange(along.size)
    inside = (twice > 0.5 * columns) & (twice < 1.5 * columns)
    return float(twice[inside][np.argmax(along[inside])]) / 2


def _fitted(
    overlap: Array, height: Array, start: float, known: tuple[float | None, float | None]
) -> tuple[float, float]:
    """Centre and slope of the highest overlap; steep lines are sought on a few slopes first."""
    turn = 2 * np.pi * np.fft.rfftfreq(2 * (overlap.shape[1] - 1))
    scale = float(np.abs(overlap).sum()) or 1.0
    reach = max(float(np.abs(height).max()), 1.0)

    def lack(line: Array) -> float:
        shift = 2 * (line[0] + line[1] * height / reach)
        return -float(np.einsum("rf,rf->", overlap, np.exp(1j * turn * shift[:, None])).real) / scale

    fixed = [known[0], None if known[1] is None else np.tan(known[1]) * reach]
    if height.size < 3 and fixed[1] is None:
        fixed[1] = 0.0
    free = [i for i in (0, 1) if fixed[i] is None]
    line = np.array([start if fixed[0] is None else fixed[0], 0.0 if fixed[1] is None else fixed[1]])
    if 1 in free:
        slopes = np.arange(-4.0, 4.01, 0.5)
        line[1] = min(slopes, key=lambda slope: lack(np.array([line[0], slope])))

    def of_free(values: Array) -> float:
        trial = line.copy()
        trial[free] = values
        return lack(trial)

    if free:
        options = {"xatol": 1e-4, "fatol": 1e-12, "initial_simplex": _simplex(line[free])}
        line[free] = optimize.minimize(of_free, line[free], method="Nelder-Mead", options=options).x
    return float(line[0]), float(line[1] / reach)


def _simplex(start: Array) -> Array:
    return np.vstack([start, start + 0.25 * np.eye(start.size)])


def _jackknife(
    overlap: Array, height: Array, best: tuple[float, float], known: tuple[float | None, float | None]
) -> tuple[float, float]:
    groups = min(_GROUPS, height.size)
    if groups < 2:
        return float("nan"), float("nan")
    member = np.arange(height.size) * groups // height.size
    without = np.array([_fitted(overlap[member != g], height[member != g], best[0], known) for g in range(groups)])
    sigma = np.sqrt((groups - 1) / groups * np.sum((without - without.mean(axis=0)) ** 2, axis=0))
    return float(sigma[0]), float(sigma[1])

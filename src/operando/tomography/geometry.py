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
Line = tuple[float, float]
Known = tuple[float | None, float | None]

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
    known = (None if centre is None else centre - first, None if tilt is None else float(np.tan(tilt)))
    best = _fitted(overlap, row - middle, _coarse_line(overlap, row - middle, column.size, known), known)
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


def _coarse_line(overlap: Array, height: Array, columns: int, known: Known) -> Line:
    """Centre within the middle half of the detector, and slope, both to half a pixel at the outermost row."""
    turn = 2 * np.pi * np.fft.rfftfreq(2 * (overlap.shape[1] - 1))
    reach = max(float(np.abs(height).max()), 1.0)
    tilted = height.size > 2 and known[1] is None
    slopes = np.arange(-4.0, 4.01, 0.5) / reach if tilted else np.array([known[1] or 0.0])
    twice = np.arange(2 * turn.size - 2)
    inside = (twice > 0.5 * columns) & (twice < 1.5 * columns)
    best, line = -np.inf, (0.0, 0.0)
    for slope in slopes:
        along = np.fft.irfft((overlap * np.exp(2j * turn * (slope * height)[:, None])).sum(axis=0))
        place = int(twice[inside][np.argmax(along[inside])]) if known[0] is None else int(np.rint(2 * known[0]))
        if along[place] > best:
            best, line = along[place], (place / 2 if known[0] is None else known[0], float(slope))
    return line


def _fitted(overlap: Array, height: Array, start: Line, known: Known) -> Line:
    """Centre and slope of the highest overlap."""
    turn = 2 * np.pi * np.fft.rfftfreq(2 * (overlap.shape[1] - 1))
    strong = np.abs(overlap).max(axis=0) > 1e-6 * np.abs(overlap).max()
    overlap, turn = overlap[:, strong], turn[strong]
    scale = float(np.abs(overlap).sum())
    reach = max(float(np.abs(height).max()), 1.0)  # a slope is varied by what it does at the outermost row

    def lack(values: Array) -> float:
        line = start_line.copy()
        line[free] = values
        shift = 2 * (line[0] + line[1] * height / reach)
        return -float(np.vdot(np.exp(-1j * turn * shift[:, None]), overlap).real) / scale

    start_line = np.array([start[0], start[1] * reach])
    free = [i for i in (0, 1) if known[i] is None]
    if height.size < 3 and 1 in free:
        free.remove(1)
    if free:
        simplex = np.vstack([start_line[free], start_line[free] + 0.25 * np.eye(len(free))])
        options = {"xatol": 1e-4, "fatol": 1e-12, "initial_simplex": simplex}
        start_line[free] = optimize.minimize(lack, start_line[free], method="Nelder-Mead", options=options).x
    return float(start_line[0]), float(start_line[1] / reach)


def _jackknife(overlap: Array, height: Array, best: Line, known: Known) -> Line:
    groups = min(_GROUPS, height.size)
    if groups < 2:
        return float("nan"), float("nan")
    member = np.arange(height.size) // 2 % groups  # pairs of rows, dealt out: each group sees every kind of layer
    without = np.array([_fitted(overlap[member != g], height[member != g], best, known) for g in range(groups)])
    sigma = np.sqrt((groups - 1) / groups * np.sum((without - without.mean(axis=0)) ** 2, axis=0))
    return float(sigma[0]), float(sigma[1])

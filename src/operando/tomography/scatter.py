"""Background by scattering, measured with absorbing dots (black bodies) in the beam.

Behind an opaque dot no direct beam arrives: what the camera counts there was scattered by the sample, the
camera and their surroundings. Between the dots this additive level is smooth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operando.errors import InputError

Array = npt.NDArray[Any]

_SMALLEST_DOT = 25
"""Pixels of a dot's inner part; fewer are noise or a scratch."""


@dataclass(frozen=True)
class ScatterLevel:
    """A smooth additive level over the detector [count].

    Attributes
    ----------
    coefficients:
        Of 1, row, column, row^2, row column, column^2, each coordinate measured from `centre` in units of `scale`.
    centre, scale:
        Row and column [m]; length [m].
    sigma:
        Standard deviation of the level, from how far the dots lie from it [count].
    dots:
        How many dots it was read from.
    """

    coefficients: tuple[float, ...]
    centre: tuple[float, float]
    scale: float
    sigma: float
    dots: int

    def at(self, *, row: Array, column: Array) -> Array:
        """Level on the pixels (row, column), from their coordinates [m]."""
        y = ((row - self.centre[0]) / self.scale)[:, None]
        x = ((column - self.centre[1]) / self.scale)[None, :]
        terms = _terms(y, x)
        return sum((c * t for c, t in zip(self.coefficients, terms, strict=False)), np.zeros((row.size, column.size)))

    def scaled(self, factor: float) -> ScatterLevel:
        """Return the level at another dose."""
        coefficients = tuple(float(factor * c) for c in self.coefficients)
        return replace(self, coefficients=coefficients, sigma=float(factor * self.sigma))


def scatter_levels_from_frames(
    *, empty: Array, filled: Array, open_beam: Array, air: Array | None, row: Array, column: Array
) -> tuple[ScatterLevel, ScatterLevel]:
    """Read the scattered background without and with the sample, both at the open beam's dose.

    The dose of the black-body frames is read between the dots; with the sample, in the air beside it. The dots take
    away part of the beam and with it part of the scattering: the levels are low by about the dots' share of the area.

    Parameters
    ----------
    empty, filled:
        Mean black-body frames without and with the sample, ``(row, column)`` above dark [count].
    open_beam:
        Mean open beam above dark [count].
    air:
        True for the columns beside the sample; None takes the dose of all frames as 1.
    row, column:
        Coordinates of the pixels [m].
    """
    dots = dots_from_frames(black_body=empty, open_beam=open_beam)
    without = scatter_level_from_dots(frame=empty, dots=dots, row=row, column=column)
    within = scatter_level_from_dots(frame=filled, dots=dots, row=row, column=column)
    if air is None:
        return without, within
    passed = ndimage.uniform_filter(empty / np.maximum(open_beam, 1e-6), size=5)
    clear = (passed > 0.97 * np.median(passed)) & air
    if not clear.any():
        raise InputError("black-body frames", must="clear of dots beside the sample", received="no such pixel")
    without = without.scaled(open_beam[clear].sum() / empty[clear].sum())
    direct = open_beam - without.at(row=row, column=column)
    dose = (filled - within.at(row=row, column=column))[clear].sum() / direct[clear].sum()
    return without, within.scaled(1 / dose)


def dots_from_frames(*, black_body: Array, open_beam: Array) -> Array:
    """Label the inner parts of the absorbing dots, 0 outside, 1, 2, ... inside.

    A dot is where the beam falls below half; its inner part is further from its rim than half its radius, so that
    penumbra and camera blur do not reach it. Dots cut by the detector's rim count too.

    Parameters
    ----------
    black_body, open_beam:
        Mean frames ``(row, column)`` above dark [count].

    Raises
    ------
    InputError
        If the frames differ in shape or show no dot.
    """
    if black_body.shape != open_beam.shape:
        raise InputError("black-body frames", must=f"of shape {open_beam.shape}", received=black_body.shape)
    passed = ndimage.median_filter(black_body / np.maximum(open_beam, 1e-6), size=3)
    shadow = passed < 0.5 * np.median(passed[passed > 0.5]) if np.any(passed > 0.5) else np.zeros_like(passed, bool)
    depth = ndimage.distance_transform_edt(shadow)
    labels, found = ndimage.label(shadow)
    deepest = np.concatenate([[np.inf], np.atleast_1d(ndimage.maximum(depth, labels, np.arange(1, found + 1)))])
    inner = np.where(depth > 0.5 * deepest[labels], labels, 0)
    sizes = np.bincount(inner.ravel(), minlength=found + 1)
    kept = [label for label in range(1, found + 1) if sizes[label] >= _SMALLEST_DOT]
    if not kept:
        raise InputError(
            "black-body frames",
            must="frames in which absorbing dots darken the beam to less than half",
            received=f"{found} dark spots, none of {_SMALLEST_DOT} inner pixels",
            remedy="Switch the scatter correction off if the scan has no such frames.",
        )
    renumbered = np.zeros(found + 1, dtype=int)
    renumbered[kept] = np.arange(1, len(kept) + 1)
    return renumbered[inner]


def scatter_level_from_dots(*, frame: Array, dots: Array, row: Array, column: Array) -> ScatterLevel:
    """Fit a smooth level through what is counted behind the dots.

    Up to three dots give a constant, up to eight a plane, more a quadratic surface: never more freedom than the
    dots can contradict.

    Parameters
    ----------
    frame:
        Mean black-body frame ``(row, column)`` above dark [count].
    dots:
        Labels from `dots_from_frames`.
    row, column:
        Coordinates of the pixels [m].
    """
    labels = np.arange(1, dots.max() + 1)
    level = np.asarray(ndimage.median(frame, dots, labels))
    places = np.array(ndimage.center_of_mass(dots > 0, dots, labels))
    step = (float(column[-1] - column[0]) / (column.size - 1), float(row[-1] - row[0]) / max(row.size - 1, 1))
    y, x = row[0] + places[:, 0] * step[1], column[0] + places[:, 1] * step[0]
    centre = (float(y.mean()), float(x.mean()))
    scale = float(max(np.ptp(y), np.ptp(x))) / 2 or 1.0
    size = 1 if labels.size <= 3 else 3 if labels.size <= 8 else 6
    matrix = np.stack(_terms((y - centre[0]) / scale, (x - centre[1]) / scale)[:size], axis=1)
    coefficients = np.linalg.lstsq(matrix, level, rcond=1e-3)[0]
    freedom = max(labels.size - size, 1)
    sigma = float(np.sqrt(np.sum((level - matrix @ coefficients) ** 2) / freedom))
    return ScatterLevel(tuple(map(float, coefficients)), centre, scale, sigma, int(labels.size))


def _terms(y: Array, x: Array) -> list[Array]:
    one = np.ones(np.broadcast_shapes(y.shape, x.shape))
    return [one, y * one, x * one, y * y * one, y * x, x * x * one]

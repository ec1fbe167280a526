"""Grey levels of one or two volumes, and how often they occur together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from operando.errors import InputError
from operando.frames import Array

BINS = 256


@dataclass(frozen=True)
class Levels:
    """Evenly spaced grey levels; values outside fall into the first and the last.

    Attributes
    ----------
    low, high:
        Outer edges of the first and the last level, in the volume's unit.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InputError("levels", must="an increasing finite pair", received=(self.low, self.high))

    @property
    def centres(self) -> Array:
        """Grey value at the middle of each level."""
        return self.low + (np.arange(BINS) + 0.5) * (self.high - self.low) / BINS

    @property
    def width(self) -> float:
        """Grey values in one level."""
        return (self.high - self.low) / BINS

    def of(self, values: Array) -> Array:
        """Level of each value, uint8."""
        scaled = np.multiply(values, np.float32(1 / self.width), dtype=np.float32)
        scaled += np.float32(-self.low / self.width)
        return np.clip(scaled, 0, BINS - 1, out=scaled).astype(np.uint8)


def levels_from_values(values: Array) -> Levels:
    """Choose levels that hold all but the outermost 1e-4 of the values on each side, with a margin.

    Raises
    ------
    InputError
        If a value is not finite, or all are equal.
    """
    sample = np.asarray(values).ravel()
    sample = sample[:: max(1, sample.size // 2_000_000)]
    if not np.isfinite(sample).all():
        raise InputError("volume", must="finite everywhere", received="NaN or infinity")
    low, high = (float(q) for q in np.quantile(sample, [1e-4, 1 - 1e-4]))
    if not low < high:
        raise InputError("volume", must="of at least two grey values", received=low)
    margin = 0.02 * (high - low)
    return Levels(low - margin, high + margin)


def joint_histogram(first: Array, second: Array, *, first_levels: Levels, second_levels: Levels) -> Array:
    """Count the voxels of each pair of grey levels.

    Returns
    -------
    Counts of shape ``(256, 256)``, rows the first volume's levels; they sum to the number of voxels.

    Raises
    ------
    InputError
        If the volumes differ in shape.
    """
    if first.shape != second.shape:
        raise InputError("second volume", must=f"of the first one's shape {first.shape}", received=second.shape)
    counts = np.zeros(BINS * BINS, dtype=np.int64)
    for a, b in zip(first, second, strict=True):
        # a slice at a time stays in the processor's cache
        index = first_levels.of(a).astype(np.uint16) << 8
        index |= second_levels.of(b)
        counts += np.bincount(index.ravel(), minlength=BINS * BINS)
    return counts.reshape(BINS, BINS)

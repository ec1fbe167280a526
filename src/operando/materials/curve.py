"""Curves through measured points: as smooth and as monotone as the points, and usable by any solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from operando.errors import InputError
from operando.frames import Array


def namespace_of(values: Any) -> Any:
    """Module of array functions that fits `values`: `jax.numpy` for JAX arrays, also while traced, else numpy."""
    found = getattr(values, "__array_namespace__", None)
    return found() if found else np


@dataclass(frozen=True, eq=False)
class Curve:
    """A shape-preserving cubic through evenly spaced points (Fritsch and Carlson), straight beyond its ends.

    Continuous with its first derivative everywhere, monotone wherever the points are, finite for every finite
    argument. Takes numpy and JAX arrays and returns the same kind.

    Attributes
    ----------
    start, step:
        First point, and the distance between points.
    coefficients:
        Of the powers 0 to 3 of the distance from the left point, ``(intervals, 4)``.
    """

    start: float
    step: float
    coefficients: Array

    @property
    def end(self) -> float:
        """Last point."""
        return self.start + self.step * len(self.coefficients)

    def __call__(self, x: Any) -> Any:
        """Value at `x`."""
        c, t, beyond = self._at(x)
        slope = c[..., 1] + t * (2 * c[..., 2] + 3 * t * c[..., 3])
        return c[..., 0] + t * (c[..., 1] + t * (c[..., 2] + t * c[..., 3])) + slope * beyond

    def slope(self, x: Any) -> Any:
        """First derivative at `x`."""
        c, t, _ = self._at(x)
        return c[..., 1] + t * (2 * c[..., 2] + 3 * t * c[..., 3])

    def _at(self, x: Any) -> tuple[Any, Any, Any]:
        xp = namespace_of(x)
        x = xp.asarray(x) + 0.0
        last = len(self.coefficients) - 1
        place = xp.clip(xp.floor((x - self.start) / self.step), 0, last)
        inside = xp.clip(x, self.start, self.end)
        t = inside - (self.start + self.step * place)
        return xp.asarray(self.coefficients)[place.astype(int)], t, x - inside


def curve_from_points(*, x: Any, y: Any) -> Curve:
    """Draw a curve through two or more evenly spaced points.

    Raises
    ------
    InputError
        If there are fewer than two, or they are not finite, rising in `x` and evenly spaced.
    """
    from scipy.interpolate import PchipInterpolator

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or x.size < 2 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("points", must="two or more finite pairs", received=(x.shape, y.shape))
    step = (x[-1] - x[0]) / (x.size - 1)
    if not (step > 0 and np.allclose(np.diff(x), step, rtol=1e-6, atol=0)):
        raise InputError("points", must="evenly spaced and rising", received=x[:4])
    powers = PchipInterpolator(x, y).c[::-1].T if x.size > 2 else np.array([[y[0], (y[1] - y[0]) / step, 0.0, 0.0]])
    return Curve(float(x[0]), float(step), np.ascontiguousarray(powers))

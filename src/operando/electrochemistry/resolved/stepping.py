"""Second-order backward differences with steps of any length, and the error they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Past:
    """Lithiation and charge passed [C] at up to three past times, the latest first.

    Times count from the start of the protocol's step [s]: late in a protocol the whole time has lost the digits that
    short steps differ by.
    """

    times: tuple[float, ...]
    lithiations: tuple[Any, ...]
    charges: tuple[float, ...]

    def after(self, time: float, lithiation: Any, charge: float) -> Past:
        """With one more."""
        return Past((time, *self.times)[:3], (lithiation, *self.lithiations)[:3], (charge, *self.charges)[:3])

    def restarted(self) -> Past:
        """The latest alone: what the past tells nothing of comes next."""
        return Past((0.0,), self.lithiations[:1], self.charges[:1])


def backward_difference(past: Past, step: float) -> tuple[float, tuple[float, ...]]:
    """Weights [1/s] of the new value, and of past ones, in ``dx/dt = a x - sum b_i x_i``.

    The first step after a start is of first order (Euler), the others of second. Whatever a current carries in
    a step is what the cell gains: a linear invariant such as all lithium is kept to rounding.
    """
    if len(past.times) == 1:
        return 1 / step, (1 / step,)
    ratio = step / (past.times[0] - past.times[1])
    return (1 + 2 * ratio) / (1 + ratio) / step, ((1 + ratio) / step, -(ratio**2) / (1 + ratio) / step)


def error_of_step(past: Past, step: float, lithiation: Any, rate: Any) -> float:
    """Largest error of x in a step, from divided differences; of the first, ``h/2 |dx/dt - rate|``.

    Parameters
    ----------
    rate:
        dx/dt as the protocol's step began [1/s].
    """
    now = past.times[0] + step
    times, values = (now, *past.times), (lithiation, *past.lithiations)
    if len(times) == 2:
        return float(np.abs(lithiation - past.lithiations[0] - step * rate).max()) / 2
    if len(times) == 3:
        return float(np.abs(_divided(times, values)).max()) * step**2
    leading, _ = backward_difference(past, step)
    return float(np.abs(_divided(times, values)).max()) * step * (now - past.times[1]) / leading


def order_of_error(past: Past) -> int:
    """Power of its length with which the error of the next step grows."""
    return 2 if len(past.times) == 1 else 3


def _divided(times: tuple[float, ...], values: tuple[Any, ...]) -> Any:
    if len(times) == 1:
        return values[0]
    return (_divided(times[:-1], values[:-1]) - _divided(times[1:], values[1:])) / (times[0] - times[-1])

"""How deep delithiation has gone into a cathode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from operando.errors import InputError

if TYPE_CHECKING:
    from operando.frames import Array


def front_depth_from_profile(*, depth: Array, delithiation: Array) -> float:
    """Depth of the delithiation front [m]: where the profile has fallen to half of its maximum.

    Of the laterally averaged profile, the first such place behind the maximum, by linear interpolation; the last
    depth where the profile never falls that low, and nan where nothing is delithiated.

    Parameters
    ----------
    depth:
        Distance from the plane between separator and cathode, growing [m].
    delithiation:
        One minus the lithiation at each depth.
    """
    depth, delithiation = np.asarray(depth, dtype=float), np.asarray(delithiation, dtype=float)
    if depth.ndim != 1 or depth.shape != delithiation.shape or depth.size < 2 or np.any(np.diff(depth) <= 0):
        raise InputError(
            "profile",
            must="two or more depths that grow, with a delithiation each",
            received=(depth.shape, delithiation.shape),
        )
    peak = int(np.argmax(delithiation))
    half = delithiation[peak] / 2
    if not half > 0:
        return float("nan")
    below = np.flatnonzero(delithiation[peak:] <= half)
    if below.size == 0:
        return float(depth[-1])
    after = peak + int(below[0])
    return float(np.interp(half, delithiation[[after, after - 1]], depth[[after, after - 1]]))

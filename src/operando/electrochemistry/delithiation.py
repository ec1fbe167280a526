"""A prescribed delithiation front: from the separator inwards, first at the centre.

With s the depth below the separator relative to the cathode's thickness, the active material has lost
``limit / (1 + exp((s - s_front - lead) / width))``; s_front follows from the mean. Lithium comes back the same way,
first at the bottom, as the front retreats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from operando.frames import Array

WIDTH = 0.15
"""Width of the front over the cathode's thickness."""

CENTRE_LEAD = 0.3
"""How much deeper the front is on the axis than at the casing, over the cathode's thickness."""


def front_position_from_mean(*, mean: float, lead: Array) -> float:
    """Depth of the front where its lead is zero, relative to the thickness.

    Solves ``mean = < width [L((s + lead)/width) - L((s + lead - 1)/width)] >`` with L(x) = ln(1 + e^x), the front
    integrated over the depth and averaged over the area.

    Parameters
    ----------
    mean:
        Mean delithiation over its limit, above 0 and below 1.
    lead:
        Lead of the front at places of equal area, relative to the thickness.
    """
    from scipy.optimize import brentq

    def excess(front: float) -> float:
        reach = (front + lead) / WIDTH
        inside = np.logaddexp(0.0, reach) - np.logaddexp(0.0, reach - 1 / WIDTH)
        return float(np.mean(inside)) * WIDTH - mean

    return float(brentq(excess, -6.0, 7.0, xtol=1e-12))


def delithiation_from_front(*, front: float, lead: Array, depth: Array) -> Array:
    """Delithiation over its limit at relative `depth` below the separator."""
    from scipy.special import expit

    lost: Array = expit((front + lead - depth) / WIDTH)
    return lost

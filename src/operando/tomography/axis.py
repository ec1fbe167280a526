"""Where the rotation axis falls on the detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class RotationAxis:
    """The rotation axis, as a line on the detector: ``column = centre + tan(tilt) * (row index - row)``.

    Attributes
    ----------
    centre, centre_sigma:
        Column index of the whole detector, 0 at the first pixel's centre [pixels].
    tilt, tilt_sigma:
        Angle from the columns [rad].
    row:
        Row index of the whole detector at which `centre` is meant [pixels].
    """

    centre: float
    centre_sigma: float = 0.0
    tilt: float = 0.0
    tilt_sigma: float = 0.0
    row: float = 0.0

    def column_at(self, row: Array) -> Array:
        """Column index of the axis on these row indices [pixels]."""
        return np.asarray(self.centre + np.tan(self.tilt) * (row - self.row))

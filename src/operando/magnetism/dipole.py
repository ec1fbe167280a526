"""The field of a point dipole, the limit of every small or distant source."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.constants import mu_0

from operando.errors import InputError

Array = npt.NDArray[Any]


def field_from_dipole(*, moment: Array, displacement: Array) -> Array:
    """Field of a point dipole, ``B = mu0 / (4 pi r^3) (3 (m.u) u - m)`` with ``u = r / |r|``.

    Parameters
    ----------
    moment:
        ``(..., 3)`` in the order x, y, z [A m^2].
    displacement:
        From the dipole to the observer ``(..., 3)`` [m].

    Returns
    -------
    ``(..., 3)`` [T].

    Raises
    ------
    InputError
        At the dipole itself.
    """
    m, r = np.asarray(moment, float), np.asarray(displacement, float)
    distance = np.linalg.norm(r, axis=-1, keepdims=True)
    if (distance == 0).any():
        raise InputError("displacement", must="away from the dipole", received="0 m")
    unit = r / distance
    along = (m * unit).sum(axis=-1, keepdims=True)
    return np.asarray(mu_0 / (4 * np.pi * distance**3) * (3 * along * unit - m))

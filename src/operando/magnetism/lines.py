"""Resonance lines of nitrogen-vacancy centres in closed form, forwards and back.

The levels x of the traceless Hamiltonian obey ``x^3 - p x - q = 0`` with ``p = D^2/3 + b^2 + E^2``, ``b = gamma |B|``.
With ``cos(pi - e) = (q/2) (3/p)^(3/2)`` the lines are ``2 sqrt(p) sin((pi -+ e)/3)``: p moves both, e splits them.
The discriminant behind e is expanded by hand, so that D^6 cancels on paper and not in floating point: lines of a
weak field keep their last digit.

Lines are counted from the lowest level. Beyond 102.4 mT along the axis the level m = 0 is no longer the lowest.
"""

from __future__ import annotations

from math import atan2, pi, sin, sqrt
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.nv import NV, NVCentre

Array = npt.NDArray[Any]


def lines_from_field(
    *, field: Array, frames: Array, splitting: Any = NV.splitting, transverse: Any = 0.0, centre: NVCentre = NV
) -> Array:
    """Two resonance lines of each centre in magnetic fields, exactly.

    Parameters
    ----------
    field:
        ``(..., 3)`` in the laboratory [T].
    frames:
        ``(centre, 3, 3)``, see `operando.magnetism.nv.nv_frames_from_cut`.
    splitting:
        D, broadcast to ``(..., centre)`` [Hz].
    transverse:
        Ex + i Ey, broadcast to ``(..., centre)`` [Hz].

    Returns
    -------
    ``(..., centre, 2)`` [Hz], lower and upper line; NaN where the field is.

    Raises
    ------
    InputError
        If fields or frames are of another shape, or a splitting is not positive.
    """
    fields, axes = np.asarray(field, dtype=float), np.asarray(frames, dtype=float)
    if fields.shape[-1:] != (3,):
        raise InputError("magnetic field", must="of shape (..., 3)", received=fields.shape)
    if axes.ndim != 3 or axes.shape[1:] != (3, 3):
        raise InputError("frames", must="of shape (centre, 3, 3)", received=axes.shape)
    shape = (*fields.shape[:-1], axes.shape[0])
    zero_field = np.broadcast_to(np.asarray(splitting, dtype=float), shape)
    if (zero_field <= 0).any():
        raise InputError("zero-field splitting", must="positive", received=float(zero_field.min()))
    strain = np.broadcast_to(np.asarray(transverse, dtype=complex), shape)
    flat = (-1, axes.shape[0])
    lines = _lines_of_fields(
        centre.gyromagnetic_ratio * fields.reshape(-1, 3), axes, zero_field.reshape(flat), strain.reshape(flat)
    )
    return np.asarray(lines.reshape(*shape, 2))


def field_squared_from_lines(
    *, lower: Any, upper: Any, splitting: Any = NV.splitting, transverse: Any = 0.0, centre: NVCentre = NV
) -> Any:
    """Square of the field [T^2] from the two lines of one centre [Hz], whatever the field's direction.

    ``B^2 = (fu^2 + fl^2 - fu fl - D^2 - 3 |E|^2) / (3 gamma^2)``; noise can make it negative, and it is not cut off.
    Balasubramanian et al. 2008, doi:10.1038/nature07278.
    """
    summed = upper**2 + lower**2 - upper * lower - np.asarray(splitting) ** 2 - 3 * np.abs(transverse) ** 2
    return summed / (3 * centre.gyromagnetic_ratio**2)


def axial_squared_from_lines(*, lower: Any, upper: Any, splitting: Any = NV.splitting, centre: NVCentre = NV) -> Any:
    """Square of the field along the axis [T^2] from the two lines of one centre without strain [Hz].

    ``(gamma Bz)^2 = (q + 2 D^3/27 + D b^2/3) / D`` with q the product of the levels and b from
    `field_squared_from_lines`; the angle to the axis follows from ``cos^2 = Bz^2 / B^2``.
    """
    levels = (-(upper + lower), 2 * upper - lower, 2 * lower - upper)
    d = np.asarray(splitting)
    b2 = centre.gyromagnetic_ratio**2 * field_squared_from_lines(lower=lower, upper=upper, splitting=d, centre=centre)
    product = levels[0] * levels[1] * levels[2] / 27
    return (product + 2 * d**3 / 27 + d * b2 / 3) / (d * centre.gyromagnetic_ratio**2)


def projection_from_lines(*, lower: Any, upper: Any, centre: NVCentre = NV) -> Any:
    """Magnitude of the field along the axis [T] of a weak field that is not nearly across it, ``(fu - fl)/(2 gamma)``.

    Relative error ``(gamma Bt / D)^2 [(Bt / Bz)^2 - 4] / 8``, as long as ``gamma Bt^2 << 2 D Bz`` and
    ``gamma B << D``: of second order in the field Bt across the axis, which pushes the states +-1 together by
    ``(gamma Bt)^2 / (2 D^2)`` of their distance, and mixes them by ``(gamma Bt)^2 / (2 D)``.
    """
    return (np.asarray(upper) - np.asarray(lower)) / (2 * centre.gyromagnetic_ratio)


@nb.njit(cache=True, nogil=True, inline="always")
def cubic(d: float, axial2: float, across2: float, strain2: float, mixed: float) -> tuple[float, float]:
    """Return ``p`` and the angle ``e`` for squares of the field's parts and of the strain, all in Hz^2.

    `mixed` is ``(bx^2 - by^2) Ex + 2 bx by Ey`` [Hz^3].
    """
    s = axial2 + across2 + strain2
    p = d * d / 3 + s
    t = d * (2 * (axial2 + strain2) - across2) / 3 + mixed
    # 4 p^3 - 27 q^2, with q = t - 2 d^3 / 27 and every power of d that cancels left out
    discriminant = 4 * d**3 * (d * (axial2 + strain2) + mixed) + 4 * s * s * (d * d + s) - 27 * t * t
    return p, atan2(sqrt(max(discriminant, 0.0) / 27), 2 * d**3 / 27 - t)


@nb.njit(cache=True, nogil=True)
def _lines_of_fields(fields: Any, frames: Any, splitting: Any, strain: Any) -> Any:
    count, centres = splitting.shape
    lines = np.empty((count, centres, 2))
    for i in range(count):
        bx, by, bz = fields[i]
        for c in range(centres):
            x = frames[c, 0, 0] * bx + frames[c, 0, 1] * by + frames[c, 0, 2] * bz
            y = frames[c, 1, 0] * bx + frames[c, 1, 1] * by + frames[c, 1, 2] * bz
            z = frames[c, 2, 0] * bx + frames[c, 2, 1] * by + frames[c, 2, 2] * bz
            e = strain[i, c]
            mixed = (x * x - y * y) * e.real + 2 * x * y * e.imag
            p, angle = cubic(splitting[i, c], z * z, x * x + y * y, e.real**2 + e.imag**2, mixed)
            for k in range(2):
                lines[i, c, k] = 2 * sqrt(p) * sin((pi - angle) / 3 if k == 0 else (pi + angle) / 3)
    return lines

"""Reconstruction filters and the weights of projection angles."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from operando.errors import InputError

Array = npt.NDArray[Any]
Filter = Literal["ram-lak", "hann"]


def ramp_from_length(*, length: int, filter: Filter = "ram-lak") -> Array:
    """Transfer function of the reconstruction filter for samples one pixel apart.

    The Fourier transform of the band-limited ramp *sampled in space* (1/4 at 0, -1/(pi n)^2 at odd n), whose zero
    frequency keeps the mean right, as |frequency| itself does not; times cos^2(pi f) for ``"hann"``.

    Parameters
    ----------
    length:
        Padded length [pixels].
    filter:
        ``"ram-lak"``, or ``"hann"`` for a third of the noise at about half the resolution.

    Returns
    -------
    Values at ``numpy.fft.rfftfreq(length)`` [1/pixel].

    Raises
    ------
    InputError
        If the filter is unknown.

    Notes
    -----
    Kak & Slaney, Principles of Computerized Tomographic Imaging (1988), Eq. 3.61,
    https://doi.org/10.1137/1.9780898719277.
    """
    if filter not in get_args(Filter):
        raise InputError("filter", must=f"one of {', '.join(get_args(Filter))}", received=filter)
    n = np.fft.fftfreq(length, 1 / length)
    odd = np.rint(n).astype(int) % 2 != 0
    kernel = np.zeros(length)
    kernel[0] = 0.25
    kernel[odd] = -1 / (np.pi * n[odd]) ** 2
    ramp = np.fft.rfft(kernel).real
    return ramp * np.cos(np.pi * np.fft.rfftfreq(length)) ** 2 if filter == "hann" else ramp


def squared_from_ramp(ramp: Array, length: int) -> Array:
    """Transfer function of the squared kernel, which takes a variance through the filter [1/pixel^2]."""
    return np.asarray(np.fft.rfft(np.fft.irfft(ramp, length) ** 2).real)


def angle_weights(angle: Array, *, period: float) -> Array:
    """Share of the circle that each angle stands for [rad], summing to `period`: half the gaps to its two neighbours.

    Angles that coincide modulo `period` share their weight, so a scan may include both 0 and 180 degrees.

    Raises
    ------
    InputError
        If there are fewer than two angles or a gap is larger than a tenth of the period.
    """
    turned = np.mod(angle, period)
    order = np.argsort(turned, kind="stable")
    gaps = np.diff(turned[order], append=turned[order[0]] + period) if angle.size > 1 else np.array([period])
    if angle.size < 2 or gaps.max() > 0.1 * period:
        raise InputError(
            "angles",
            must=f"spread over {np.degrees(period):.0f} deg without a gap of more than a tenth of it",
            received=f"{angle.size} angles with a gap of {np.degrees(gaps.max()):.1f} deg",
        )
    weights = np.empty(angle.size)
    weights[order] = (gaps + np.roll(gaps, 1)) / 2
    return weights

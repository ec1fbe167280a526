"""Li-6 that leaves a cathode which gives its lithium without a front: by drift, exchange and diffusion.

A cathode's image weighs Li-6. Where its electrolyte is poor in Li-6, isotopes that diffuse across the plane to the
separator take Li-6 from the part beside it, and the image shows a front where lithium leaves everywhere. What such a
cathode cannot do is keep the Li-6 of the part at the collector.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.lithium.checked import fraction, not_negative, positive

Array = npt.NDArray[np.float64]

CELLS = 24
"""Slices of the cathode."""

STEPS = 32
"""Of time."""

EXCHANGE = (0.0, *np.geomspace(0.1, 30.0, 6).tolist())
"""Isotopes exchanged per site that are tried: none to thorough."""

SPREADING = np.concatenate([[0.0], np.geomspace(1e-3, 3.0, 12)])
"""Diffusion that is tried, of lithium per site over the thickness: none to thorough."""


def lithium6_loss_from_spreading(
    *,
    delithiation: float,
    fall: float,
    electrolyte: float,
    active_fraction: float,
    electrolyte_fraction: float,
    exchange: float,
    spreading: float,
) -> Array:
    """Li-6 that each slice has lost per site, from the collector to the separator ``(slice,)``.

    With h the height over the thickness, t the share of the charge that has passed, ``w = 1 + s (2 h - 1)`` and
    ``J = d (h + s (h^2 - h))`` the lithium that drifts,

    - electrolyte: ``r df/dt = -J df/dh + D d2f/dh2 + (d w + k) (g - f)``, no flux at h = 0, f as assembled at h = 1;
    - active material: ``(1 - d w t) dg/dt = -k (g - f)``.

    Implicit and upwind, so that f and g stay between their first values.

    Parameters
    ----------
    delithiation, fall:
        d, mean lithium lost per site, and s: a straight fall from ``d (1 + s)`` at the separator to ``d (1 - s)``.
    electrolyte:
        r, lithium of the electrolyte per site.
    active_fraction, electrolyte_fraction:
        Li-6 fractions as assembled: g and f at the start.
    exchange, spreading:
        k, lithium exchanged per site, and D, ``c_e D_e t / (c_sites L^2)``, both in the whole time.
    """
    mean = float(not_negative(delithiation, unit="", name="delithiation"))
    ratio = float(positive(electrolyte, unit="", name="electrolyte"))
    if not 0 <= fall <= 1 or mean * (1 + fall) >= 1:
        raise InputError("fall", must="from 0 to 1, and no slice emptied", received=(fall, mean))
    k, d = (float(not_negative(v, unit="", name=n)) for v, n in ((exchange, "exchange"), (spreading, "spreading")))
    first, poorer = (
        float(fraction(v, name=n))
        for v, n in ((active_fraction, "active_fraction"), (electrolyte_fraction, "electrolyte_fraction"))
    )
    from scipy.linalg import solve_banded

    edges = np.linspace(0, 1, CELLS + 1)
    height, step = (edges[1:] + edges[:-1]) / 2, 1 / STEPS
    released = mean * (1 + fall * (2 * height - 1))
    drift = mean * (edges + fall * (edges**2 - edges)) * CELLS
    diffusion = np.full(CELLS + 1, d * CELLS**2)
    diffusion[0], diffusion[-1] = 0.0, 2 * d * CELLS**2
    f, g = np.full(CELLS, poorer), np.full(CELLS, first)
    for n in range(STEPS):
        held = 1 - released * (n + 1) * step
        share = held / (held + step * k)
        bands = np.zeros((3, CELLS))
        bands[0, 1:] = -step * diffusion[1:-1]
        bands[1] = ratio + step * (drift[:-1] + diffusion[:-1] + diffusion[1:] + (released + k) * share)
        bands[2, :-1] = -step * (diffusion[1:-1] + drift[1:-1])
        known = ratio * f + step * (released + k) * share * g
        known[-1] += step * diffusion[-1] * poorer
        f = solve_banded((1, 1), bands, known)
        g = share * g + (1 - share) * f
    left = 1 - released
    return np.asarray(first + ratio * poorer - left * g - ratio * f)


def least_loss_from_mean(
    *,
    place: float,
    mean_loss: float,
    delithiation: float,
    fall: float,
    electrolyte: float,
    active_fraction: float,
    electrolyte_fraction: float,
) -> float:
    """Least Li-6 that a slice loses per site in a cathode without a front that has lost so much Li-6 on average.

    Over all rates of exchange, each with the diffusion that gives the mean; infinite where no rate gives it.

    Parameters
    ----------
    place:
        Height of the slice over the thickness, from the collector.
    mean_loss:
        Li-6 lost per site, mean of the cathode.

    Other arguments as in `lithium6_loss_from_spreading`.
    """
    heights = (np.arange(CELLS) + 0.5) / CELLS
    least = np.inf
    for exchange in EXCHANGE:
        losses = np.array(
            [
                lithium6_loss_from_spreading(
                    delithiation=delithiation,
                    fall=fall,
                    electrolyte=electrolyte,
                    active_fraction=active_fraction,
                    electrolyte_fraction=electrolyte_fraction,
                    exchange=exchange,
                    spreading=float(spreading),
                )
                for spreading in SPREADING
            ]
        )
        means, there = losses.mean(axis=1), np.array([np.interp(place, heights, loss) for loss in losses])
        order = np.argsort(means)
        if means.min() <= mean_loss <= means.max():
            least = min(least, float(np.interp(mean_loss, means[order], there[order])))
    return least

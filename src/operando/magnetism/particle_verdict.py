"""What a map tells of each particle: its value, too little of it, or only its sum with a neighbour."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

Array = npt.NDArray[Any]

TOLD = 0.5
"""Part of the prior standard deviation that may be left where a particle counts as determined: one bit."""


class ParticleVerdict(IntEnum):
    """What a map tells of a particle."""

    DETERMINED = 0
    TOO_DEEP = 1
    MERGED = 2
    TOO_FAINT = 3

    @property
    def message(self) -> str:
        """What it means, in words for people."""
        return _MESSAGES[self]


_MESSAGES = {
    ParticleVerdict.DETERMINED: "determined",
    ParticleVerdict.TOO_DEEP: "too deep to tell",
    ParticleVerdict.MERGED: "merged with a neighbour",
    ParticleVerdict.TOO_FAINT: "too small, or too far from the map, to tell",
}


def verdicts_from_information(*, information: Array, expected_sd: Array, within_reach: Array) -> dict[str, Array]:
    """Judge particles by what is left of their prior.

    With independent priors of standard deviation s and the map's information A, what is left is
    ``sqrt((A + 1/s^2)^-1_pp) / s``; were all other particles known, ``1 / sqrt(1 + A_pp s^2)``. A particle of which
    too much is left either way is too deep, or too faint where depth is no reason; one that only its neighbours hide is
    merged with them.

    Parameters
    ----------
    information:
        ``(particle, particle)``, see `operando.magnetism.particle_solver.Solution`.
    expected_sd:
        s, ``(particle,)``.
    within_reach:
        Which particles rise to within the sensor's own distance below the surface, bool ``(particle,)``.

    Returns
    -------
    ``verdict``, ``left`` and ``left_alone`` (parts of s), ``partner`` (index of the particle with the most correlated
    error; the particle itself where it is the only one) and ``correlation``, each ``(particle,)``.
    """
    posterior = np.linalg.inv(information + np.diag(1 / expected_sd**2))
    sd = np.sqrt(np.diag(posterior))
    left = sd / expected_sd
    alone = 1 / np.sqrt(1 + np.diag(information) * expected_sd**2)
    correlation = posterior / np.outer(sd, sd) - np.eye(len(sd))
    partner = np.argmax(np.abs(correlation), axis=1)
    hidden = np.where(within_reach, ParticleVerdict.TOO_FAINT, ParticleVerdict.TOO_DEEP)
    verdict = np.where(alone > TOLD, hidden, ParticleVerdict.MERGED)
    verdict[left <= TOLD] = ParticleVerdict.DETERMINED
    return {
        "verdict": verdict.astype(np.uint8),
        "left": left,
        "left_alone": alone,
        "partner": partner,
        "correlation": correlation[np.arange(len(sd)), partner],
    }


def reason_for(result: xr.Dataset, particle: int) -> str:
    """Say in one sentence what the map tells of a particle, and why no more."""
    one = result.sel(particle=particle)
    left, alone = float(one["left"]), float(one["left_alone"])
    verdict = ParticleVerdict(int(one["verdict"]))
    if verdict is ParticleVerdict.DETERMINED:
        return f"Determined: the map leaves {left:.0%} of what was unknown ({np.log2(1 / left):.1f} bits)."
    if verdict is ParticleVerdict.TOO_DEEP:
        depth = float(one["depth"]) * 1e6
        return (
            f"Too deep to tell: {depth:.1f} um below the surface, the map leaves {left:.0%} of what was unknown, "
            f"and {alone:.0%} even if all other particles were known."
        )
    if verdict is ParticleVerdict.TOO_FAINT:
        return f"Too faint to tell: too small or too far from the map, which leaves {left:.0%} of what was unknown."
    return (
        f"Merged with particle {int(one['partner'])} (correlation {float(one['correlation']):+.2f}): {left:.0%} of "
        f"what was unknown is left, but {alone:.0%} if the others were known."
    )

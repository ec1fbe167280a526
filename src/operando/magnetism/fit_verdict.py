"""What became of a pixel's fit, and why it is not to be trusted where it is not."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.stats import chi2

Array = npt.NDArray[Any]

MISFIT_PROBABILITY = 1e-6
"""A chi squared that noise exceeds less often than this is a misfit."""


class Verdict(IntEnum):
    """Outcome of one pixel's fit; anything but GOOD is masked."""

    GOOD = 0
    MISSING = 1
    NOT_CONVERGED = 2
    AT_BOUND = 3
    TOO_NARROW = 4
    NO_LINE = 5
    MERGED = 6
    MISFIT = 7

    @property
    def message(self) -> str:
        """What happened, in words for people."""
        return _MESSAGES[self]


_MESSAGES = {
    Verdict.GOOD: "the fit is good",
    Verdict.MISSING: "the spectrum has values that are no numbers",
    Verdict.NOT_CONVERGED: "the fit did not settle",
    Verdict.AT_BOUND: "a line ran to the edge of the frequencies, or is as wide as all of them",
    Verdict.TOO_NARROW: "a line is no wider than one sample: noise, a glitch, or too coarse a sweep",
    Verdict.NO_LINE: "a dip does not stand out of the noise",
    Verdict.MERGED: "two lines cannot be told apart",
    Verdict.MISFIT: "the spectrum differs from the fit by more than its noise",
}


def verdict_map(values: Any, template: xr.DataArray) -> xr.DataArray:
    """Label verdicts ``(y, x)`` like `template`, with the meanings of the flags in its attributes (CF conventions)."""
    meanings = {"flag_values": [int(v) for v in Verdict], "flag_meanings": " ".join(v.name.lower() for v in Verdict)}
    flags = np.asarray(values, dtype=np.uint8)
    return template.copy(data=flags).rename("verdict").assign_attrs(units="", **meanings)


def misfits(chi_squared: Any, *, freedom: int) -> Array:
    """Tell which values of chi squared noise alone does not explain; none where there is no degree of freedom."""
    if freedom < 1:
        return np.zeros(np.shape(chi_squared), dtype=bool)
    return np.asarray(chi_squared > chi2.isf(MISFIT_PROBABILITY, freedom))


def masked_map(
    values: Array, *, verdict: Array, template: xr.DataArray, units: str, dims: tuple[str, ...] = ()
) -> xr.DataArray:
    """Label values ``(pixel, ...)`` as ``(..., y, x)`` like `template`, NaN where the verdict is not good."""
    good = (verdict == Verdict.GOOD).reshape(-1, *[1] * (values.ndim - 1))
    shaped = np.where(good, values, np.nan).reshape(*template.shape, *values.shape[1:])
    coords = template.coords
    return xr.DataArray(
        np.moveaxis(shaped, (0, 1), (-2, -1)), dims=(*dims, "y", "x"), coords=coords, attrs={"units": units}
    )


def verdict_counts(verdict: xr.DataArray) -> dict[str, int]:
    """Number of pixels of each outcome that occurs, by its message."""
    return {v.message: n for v in Verdict if (n := int((verdict.values == v).sum()))}

"""What became of a pixel's fit, and why it is not to be trusted where it is not."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import xarray as xr


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


def verdict_counts(verdict: xr.DataArray) -> dict[str, int]:
    """Number of pixels of each outcome that occurs, by its message."""
    return {v.message: n for v in Verdict if (n := int((verdict.values == v).sum()))}

"""Averages over a phase, with the error that the choice of its threshold makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from operando.cell.phases import LABEL, PHASES
from operando.errors import InputError

OUTSIDE = ("air", "casing", "cathode_collector", "anode_collector")
"""Phases that do not count as the cell's own volume."""


@dataclass(frozen=True)
class Average:
    """A mean over a phase.

    Attributes
    ----------
    statistical:
        Standard deviation from the voxels' noise.
    threshold:
        Largest change when the thresholds are scaled, a systematic error.
    """

    value: float
    statistical: float
    threshold: float


def average_with_threshold_error(
    volume: xr.DataArray,
    variance: xr.DataArray,
    *,
    variants: Mapping[float, xr.DataArray],
    phases: tuple[str, ...],
    over: Literal["phase", "cell"] = "phase",
    voxels_sharing_noise: float = 1.0,
) -> Average:
    """Average a volume over some phases, for each choice of the thresholds.

    Parameters
    ----------
    volume, variance:
        Values and their variance ``(z, y, x)``.
    variants:
        Phases for each factor on the thresholds, 1.0 among them, from `threshold_variants`.
    over:
        ``"phase"``: mean of the phases' voxels. ``"cell"``: their sum over the number of voxels between the
        collectors, which does not change as an electrode swells.
    voxels_sharing_noise:
        How many voxels' noise moves together, as reconstruction correlates neighbours.

    Raises
    ------
    InputError
        If the unscaled variant is missing, a phase is unknown, or a variant holds none of the phases.
    """
    if 1.0 not in variants:
        raise InputError("variants", must="given with the factor 1.0 among them", received=sorted(variants))
    unknown = set(phases) - set(PHASES)
    if unknown or not phases:
        raise InputError("phases", must=f"some of {', '.join(PHASES)}", received=phases)
    wanted = [LABEL[name] for name in phases]
    cell = int((~np.isin(variants[1.0].values, [LABEL[name] for name in OUTSIDE])).sum())
    values: dict[float, float] = {}
    for scale, labels in variants.items():
        mask = np.isin(labels.values, wanted)
        if not mask.any():
            raise InputError("phases", must="present in every variant", received=f"none at thresholds times {scale:g}")
        count = int(mask.sum()) if over == "phase" else cell
        values[scale] = float(volume.values[mask].sum(dtype=np.float64)) / count
        if scale == 1.0:
            noise = float(variance.values[mask].sum(dtype=np.float64)) * voxels_sharing_noise
            statistical = float(np.sqrt(noise)) / count
    return Average(values[1.0], statistical, max(abs(v - values[1.0]) for v in values.values()))

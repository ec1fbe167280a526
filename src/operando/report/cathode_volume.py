"""Lithiation of the cathode in three dimensions at several times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from operando.report.labelled import deviation_in, required, values_in
from operando.report.montage import montage, space_of, spread_times
from operando.report.style import LITHIUM, amounts, axis_label, styled

CAPTION = (
    "Lithium in the cathode relative to the first scan at several times: seen from the separator with a quarter cut "
    "away (a), in thirds of its thickness from the separator to the current collector (b to d), and along the axis "
    "through the middle (e). Heights in (a) and (e) are stretched as stated. Outside the cathode nothing is drawn."
)


@styled
def cathode_volume_figure(
    lithiation: xr.Dataset, *, steps: Sequence[int] | None = None, stretch: float = 4.0
) -> Figure:
    """Draw ``lithiation`` (time, z, y, x), dimensionless, NaN outside the cathode, with ``lithiation_var``.

    Parameters
    ----------
    steps:
        Indices of the times shown; five even ones without it.
    stretch:
        How much larger heights are drawn than widths.
    """
    required(lithiation, "lithiation", dims=("time", "z", "y", "x"))
    chosen = list(steps) if steps is not None else spread_times(lithiation.time.values)
    shown = lithiation.isel(time=chosen)
    values, hours = values_in(shown.lithiation, unit="%"), values_in(shown.time, unit="h")
    deviation = deviation_in(shown, "lithiation", unit="%")
    third = max(values.shape[1] // 3, 1)
    return montage(
        values,
        space_of(lithiation),
        titles=[f"{hour:.1f} h" for hour in hours],
        slices={
            "third at the separator": slice(-third, None),
            "middle third": slice(third, -third) if values.shape[1] > 2 * third else slice(None),
            "third at the collector": slice(None, third),
        },
        norm=amounts(values),
        cmap=LITHIUM,
        label=axis_label("Lithium relative to the first scan", "%"),
        deviation=None if deviation is None else float(np.nanmedian(deviation)),
        stretch=stretch,
    )

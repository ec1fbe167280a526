"""Radial profile about the cell's axis, over time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from operando.report.labelled import deviation_in, edges, required, time_cells, values_in
from operando.report.montage import spread_times
from operando.report.style import LITHIUM, TIME, amounts, axis_label, colour_bar, new_figure, panel_title, styled

CAPTION = (
    "Lithium in the cathode relative to the first scan, against the distance from the cell's axis: at some times with "
    "error bars of one standard deviation (a), and over time (b). Times without a scan are left white."
)


@styled
def radial_figure(profiles: xr.Dataset) -> Figure:
    """Draw ``lithiation`` (time, radius), dimensionless, with ``lithiation_var``; ``time`` [s], ``radius`` [m]."""
    required(profiles, "lithiation", dims=("time", "radius"))
    time, radius = values_in(profiles.time, unit="h"), values_in(profiles.radius, unit="mm")
    values, deviation = values_in(profiles.lithiation, unit="%"), deviation_in(profiles, "lithiation", unit="%")
    figure = new_figure(height=68)
    left, right = figure.subplots(1, 2)
    colours = ScalarMappable(Normalize(time[0], time[-1] if time.size > 1 else time[0] + 1), TIME)
    for i in spread_times(time, 6):
        spread = None if deviation is None else deviation[i]
        left.errorbar(radius, values[i], yerr=spread, color=colours.to_rgba(time[i]), fmt="o-", linewidth=0.8)
    colour_bar(figure, colours, ax=left, pad=0.02, label=axis_label("Time", "h"))
    left.set_xlabel(axis_label("Distance from the axis", "mm"))
    left.set_ylabel(axis_label("Lithium relative to the first scan", "%"))
    panel_title(left, "a", "Some times")
    cells, filled = time_cells(time, values)
    picture = right.pcolormesh(cells, edges(radius), filled.T, norm=amounts(values), cmap=LITHIUM)
    colour_bar(
        figure,
        picture,
        ax=right,
        pad=0.02,
        label=axis_label("Relative lithium", "%"),
        deviation=None if deviation is None else float(np.nanmedian(deviation)),
    )
    right.set_xlabel(axis_label("Time", "h"))
    right.set_ylabel(axis_label("Distance from the axis", "mm"))
    panel_title(right, "b", "All times")
    return figure

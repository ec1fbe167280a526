"""Lithium in the cathode against depth and time, and the front that runs through it."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from operando.report.labelled import broken, deviation_in, edges, required, time_cells, values_in
from operando.report.montage import spread_times
from operando.report.style import (
    BLACK,
    LITHIUM,
    TIME,
    amounts,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    styled,
)

CAPTION = (
    "Lithium in the cathode relative to the first scan, against the distance from the current collector (a; one line "
    "per scan, error bars of one standard deviation on some), against distance and time (b), and the distance of the "
    "front from the collector (c). Times without a scan are left white."
)


@styled
def lithiation_depth_figure(profiles: xr.Dataset) -> Figure:
    """Draw ``lithiation`` (time, z), dimensionless, relative to the first time, with ``lithiation_var`` where known.

    Parameters
    ----------
    profiles:
        Dataset with coordinates ``time`` [s] and ``z`` [m]; ``front`` (time) [m] and ``front_var`` are drawn if
        present, NaN where there is no front.
    """
    required(profiles, "lithiation", dims=("time", "z"))
    time, depth = values_in(profiles.time, unit="h"), values_in(profiles.z, unit="um")
    values = values_in(profiles.lithiation, unit="%")
    figure = new_figure(height=88)
    panels = figure.subplot_mosaic(
        [["lines", "map"], ["lines", "front"]] if "front" in profiles else [["lines", "map"]]
    )
    _draw_lines(figure, panels["lines"], profiles)
    cells, filled = time_cells(time, values)
    picture = panels["map"].pcolormesh(cells, edges(depth), filled.T, norm=amounts(values), cmap=LITHIUM)
    deviation = deviation_in(profiles, "lithiation", unit="%")
    colour_bar(
        figure,
        picture,
        ax=panels["map"],
        pad=0.02,
        label=axis_label("Relative lithium", "%"),
        deviation=None if deviation is None else float(np.nanmedian(deviation)),
    )
    panels["map"].set_ylabel(axis_label("From collector", "um"))
    panel_title(panels["map"], "b", "Depth and time")
    lowest = panels["map"]
    if "front" in profiles:
        lowest = panels["front"]
        lowest.sharex(panels["map"])
        panels["map"].tick_params(labelbottom=False)
        front = values_in(profiles.front, unit="um")
        lowest.plot(*broken(time, front), color=BLACK, linewidth=0.8)
        lowest.errorbar(time, front, yerr=deviation_in(profiles, "front", unit="um"), color=BLACK, fmt="o")
        lowest.set_ylim(*panels["map"].get_ylim())
        lowest.set_ylabel(axis_label("From collector", "um"))
        panel_title(lowest, "c", "Front")
    lowest.set_xlabel(axis_label("Time", "h"))
    return figure


def _draw_lines(figure: Figure, axes: Axes, profiles: xr.Dataset) -> None:
    time, depth = values_in(profiles.time, unit="h"), values_in(profiles.z, unit="um")
    values, deviation = values_in(profiles.lithiation, unit="%"), deviation_in(profiles, "lithiation", unit="%")
    colours = ScalarMappable(Normalize(time[0], time[-1] if time.size > 1 else time[0] + 1), TIME)
    for line, hour in zip(values, time, strict=True):
        axes.plot(depth, line, color=colours.to_rgba(hour), linewidth=0.8)
    for i in spread_times(time):
        spread = None if deviation is None else deviation[i]
        axes.errorbar(depth, values[i], yerr=spread, color=colours.to_rgba(time[i]), fmt="o", elinewidth=1.0)
    colour_bar(figure, colours, ax=axes, pad=0.02, aspect=35, label=axis_label("Time", "h"))
    axes.set_xlabel(axis_label("Distance from collector", "um"))
    axes.set_ylabel(axis_label("Lithium relative to the first scan", "%"))
    panel_title(axes, "a", "Each scan")

"""One picture of a study: the cell, where its lithium is, how that changed, and what crossed the separator."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operando.report.cut_away import draw_cut_away
from operando.report.labelled import deviation_in, required, values_in
from operando.report.lithiation_time import draw_scenarios
from operando.report.montage import space_of
from operando.report.phases import legend_handles, phase_colours, phase_names
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    CHANGE,
    LITHIUM,
    amounts,
    axis_label,
    changes,
    colour_bar,
    new_figure,
    panel_title,
    styled,
)

CAPTION = (
    "The cell at one glance: its phases along the axis (a), the mean lithiation of the cathode with statistical error "
    "bars and systematic bands beside what the current allows (b), lithium in the cathode relative to the first scan "
    "(c), and the change of Li-6 in the separator (d), both at the time stated."
)

STRETCH = 4.0
"""How much larger the heights of the cathode are drawn than its widths."""


@styled
def overview_figure(
    *,
    phase: xr.DataArray,
    lithiation: xr.Dataset,
    expected: xr.DataArray | None,
    cathode: xr.Dataset,
    separator: xr.Dataset,
    step: int = -1,
) -> Figure:
    """Draw a study on one page.

    Parameters
    ----------
    phase:
        Labels (z, y, x) with ``attrs["phases"]``.
    lithiation, expected:
        As for `operando.report.lithiation_time.lithiation_time_figure`.
    cathode:
        ``lithiation`` (time, z, y, x), NaN outside the cathode.
    separator:
        ``lithium6`` (time, z, y, x), a fraction, with ``lithium6_var`` where known, NaN outside the separator.
    step:
        Index of the time at which the volumes are shown.
    """
    required(cathode, "lithiation", dims=("time", "z", "y", "x"))
    required(separator, "lithium6", dims=("time", "z", "y", "x"))
    figure = new_figure(height=118)
    panels = figure.subplot_mosaic([["phases", "time"], ["cathode", "separator"]], height_ratios=(1, 1))
    _draw_cell(panels["phases"], phase)
    panel_title(panels["phases"], "a", "Phases")
    draw_scenarios(panels["time"], lithiation, expected)
    panels["time"].set_xlabel(axis_label("Time", "h"))
    panels["time"].set_ylabel(axis_label("Lithiation of the cathode", "%"))
    panels["time"].legend(loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=2)
    panel_title(panels["time"], "b", "Mean lithiation")
    hours = [values_in(part.time, unit="h")[step] for part in (cathode, separator)]
    _draw_cathode(figure, panels["cathode"], cathode, step)
    panel_title(panels["cathode"], "c", f"Lithium in the cathode at {hours[0]:.1f} h, heights × {STRETCH:g}")
    _draw_separator(figure, panels["separator"], separator, step)
    panel_title(panels["separator"], "d", f"Change of ⁶Li in the separator at {hours[1]:.1f} h")
    return figure


def _draw_cell(axes: Axes, phase: xr.DataArray) -> None:
    names, space = phase_names(phase), space_of(phase)
    colours, norm = phase_colours(names)
    shown = phase.values[:, space.y.size // 2]
    draw_section(axes, space.x, space.z, shown, norm=norm, cmap=colours)
    scale_bar(axes)
    present = [names[label] for label in np.unique(shown)[::-1] if names[label] != "air"]
    axes.legend(
        handles=legend_handles(present), loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, handlelength=1.0
    )


def _draw_cathode(figure: Figure, axes: Axes, cathode: xr.Dataset, step: int) -> None:
    space = space_of(cathode)
    values = values_in(cathode.lithiation.isel(time=step), unit="%")
    deviation = deviation_in(cathode.isel(time=[step]), "lithiation", unit="%")
    picture = draw_cut_away(
        axes, space.x, space.y, space.z, values, norm=amounts(values), cmap=LITHIUM, stretch=STRETCH
    )
    colour_bar(
        figure,
        picture,
        ax=axes,
        location="bottom",
        shrink=0.8,
        aspect=35,
        label=axis_label("Lithium relative to the first scan", "%"),
        deviation=None if deviation is None else float(np.nanmedian(deviation)),
        of=" of a voxel",
    )


def _draw_separator(figure: Figure, axes: Axes, separator: xr.Dataset, step: int) -> None:
    space = space_of(separator)
    values = values_in(separator.lithium6.isel(time=step), unit="%")
    change = values - values_in(separator.lithium6.isel(time=0), unit="%")
    deviation = deviation_in(separator.isel(time=[0, step]), "lithium6", unit="%")
    picture = draw_cut_away(axes, space.x, space.y, space.z, change, norm=changes(change), cmap=CHANGE)
    colour_bar(
        figure,
        picture,
        ax=axes,
        location="bottom",
        shrink=0.8,
        aspect=35,
        label=axis_label("Change of ⁶Li of all lithium", "%"),
        deviation=None if deviation is None else float(np.nanmedian(np.hypot(*deviation))),
        of=" of a voxel",
    )

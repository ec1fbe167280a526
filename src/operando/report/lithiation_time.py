"""Mean lithiation of the cathode over time, by what is assumed about its isotopes."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operando.report.labelled import Array, broken, deviation_in, required, systematic_in, values_in
from operando.report.style import BLACK, GREY, LINES, axis_label, new_figure, panel_title, styled

CAPTION = (
    "Mean lithiation of the cathode (a) in the scenarios of isotope exchange, and its difference from what the current "
    "allows (b). Each point is one scan; error bars are one statistical, light bands one systematic standard "
    "deviation. The black line follows from the charge passed alone. Where no scan was taken the lines are broken."
)

MARKERS = "osD^vP"


@styled
def lithiation_time_figure(lithiation: xr.Dataset, *, expected: xr.DataArray | None = None) -> Figure:
    """Draw ``lithiation`` (scenario, time), dimensionless, with ``lithiation_var`` and ``lithiation_systematic``.

    Parameters
    ----------
    lithiation:
        Dataset with coordinates ``scenario`` (names) and ``time`` [s].
    expected:
        Lithiation that follows from the current (time), at times of its own that enclose those of the scans.
    """
    if expected is None:
        figure = new_figure(width=120, height=75)
        panels = [figure.subplots()]
    else:
        figure = new_figure(width=120, height=105)
        panels = list(figure.subplots(2, 1, sharex=True, height_ratios=(5, 3)))
        draw_scenarios(panels[1], lithiation, expected, difference=True)
        panels[1].set_ylabel("Difference (percentage points)")
        panel_title(panels[0], "a", "Mean lithiation of the cathode")
        panel_title(panels[1], "b", "Difference from the expectation")
    draw_scenarios(panels[0], lithiation, expected)
    panels[0].set_ylabel(axis_label("Lithiation", "%"))
    panels[-1].set_xlabel(axis_label("Time", "h"))
    panels[0].legend(loc="best")
    return figure


def draw_scenarios(
    axes: Axes, lithiation: xr.Dataset, expected: xr.DataArray | None, *, difference: bool = False
) -> None:
    """Draw each scenario with its errors, and the expectation, or every scenario's difference from it."""
    required(lithiation, "lithiation", dims=("scenario", "time"))
    time, values = values_in(lithiation.time, unit="h"), values_in(lithiation.lithiation, unit="%")
    statistical = deviation_in(lithiation, "lithiation", unit="%")
    systematic = systematic_in(lithiation, "lithiation", unit="%")
    if expected is not None:
        clock, line = values_in(expected.time, unit="h"), values_in(expected, unit="%")
        if difference:
            values = values - np.interp(time, clock, line)
            line = np.zeros(clock.size)
        axes.plot(clock, line, color=BLACK, linewidth=1.4, label="expected from the current")
    for i, name in enumerate(lithiation.scenario.values):
        _draw(axes, i, str(name), time, values[i], _row(statistical, i), _row(systematic, i))
    axes.grid(axis="y", color=GREY, alpha=0.2, linewidth=0.5)


def _draw(
    axes: Axes, i: int, name: str, time: Array, values: Array, statistical: Array | None, systematic: Array | None
) -> None:
    colour = LINES[i % len(LINES)]
    if systematic is not None:
        clock, low, high = broken(time, values - systematic, values + systematic)
        axes.fill_between(clock, low, high, color=colour, alpha=0.13, linewidth=0)
    axes.plot(*broken(time, values), color=colour, linewidth=0.8)
    axes.errorbar(
        time,
        values,
        yerr=statistical,
        color=colour,
        fmt=MARKERS[i % len(MARKERS)],
        markersize=2.6,
        elinewidth=1.0,
        label=name,
    )


def _row(values: Array | None, i: int) -> Array | None:
    return None if values is None else values[i]

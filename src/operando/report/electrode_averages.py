"""Mean attenuation of both electrodes over time, beside what the cycler recorded."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operando.report.labelled import broken, deviation_in, required, systematic_in, values_in
from operando.report.style import BLUE, GREY, VERMILION, axis_label, new_figure, panel_title, styled

CAPTION = (
    "Mean neutron attenuation coefficient of each electrode, over the volume of the whole cell, and current and "
    "voltage from the cycler. Pale error bars: change of the mean when the segmentation's threshold moves by one per "
    "cent either way; dark ones: one statistical standard deviation. Scans are numbered; the line breaks where one is "
    "missing."
)

COLOURS = (BLUE, VERMILION)


@styled
def electrode_averages_figure(averages: xr.Dataset, *, cycler: xr.Dataset | None = None) -> Figure:
    """Draw ``attenuation`` (electrode, time) [1/m] with ``attenuation_threshold`` and ``attenuation_var`` where known.

    Parameters
    ----------
    averages:
        Dataset with coordinates ``electrode`` (two names, the cathode first) and ``time`` [s].
    cycler:
        Dataset with ``current`` [A] and ``voltage`` [V] over a ``time`` [s] of its own.
    """
    required(averages, "attenuation", dims=("electrode", "time"))
    names = [str(name) for name in averages.electrode.values]
    rows = len(names) + (0 if cycler is None else 1)
    figure = new_figure(width=120, height=22 + 28 * rows)
    panels: list[Axes] = list(figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0])
    for i, name in enumerate(names):
        _draw_electrode(panels[i], averages.isel(electrode=i), COLOURS[i % 2])
        panel_title(panels[i], "abc"[i], name)
    if cycler is not None:
        _draw_cycler(panels[-1], cycler)
        panel_title(panels[-1], "abc"[rows - 1], "cycler")
    panels[-1].set_xlabel(axis_label("Time", "h"))
    figure.align_ylabels(panels)
    return figure


def _draw_electrode(axes: Axes, average: xr.Dataset, colour: str) -> None:
    time, values = values_in(average.time, unit="h"), values_in(average.attenuation, unit="1/cm")
    threshold = systematic_in(average, "attenuation", unit="1/cm", term="threshold")
    statistical = deviation_in(average, "attenuation", unit="1/cm")
    axes.plot(*broken(time, values), color=colour, linewidth=0.8)
    axes.errorbar(time, values, yerr=threshold, color=colour, fmt="o", elinewidth=0.7, alpha=0.55)
    axes.errorbar(time, values, yerr=statistical, color=colour, fmt="o", elinewidth=1.6, capsize=0)
    for i in _numbered(time.size):
        axes.annotate(
            str(i + 1),
            (time[i], values[i] + (0.0 if threshold is None else threshold[i])),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=5.5,
            color=GREY,
        )
    axes.margins(y=0.2)
    axes.set_ylabel(axis_label("Attenuation", "1/cm").replace(" (", "\n("))


def _numbered(count: int) -> list[int]:
    """Every scan where there are few, otherwise the first and every fifth."""
    return list(range(count)) if count <= 10 else [0, *range(4, count, 5)]


def _draw_cycler(axes: Axes, cycler: xr.Dataset) -> None:
    time = values_in(cycler.time, unit="h")
    current = values_in(cycler.current, unit="A")
    unit = "uA" if np.abs(current).max(initial=0.0) < 1e-3 else "mA"
    axes.plot(time, values_in(cycler.current, unit=unit), color=GREY, drawstyle="steps-post")
    axes.set_ylabel(axis_label("Current", unit).replace(" (", "\n("), color=GREY)
    axes.margins(y=0.15)
    right = axes.twinx()
    right.spines["right"].set_visible(True)
    right.plot(time, values_in(cycler.voltage, unit="V"), color="black", linewidth=0.9)
    right.set_ylabel(axis_label("Voltage", "V").replace(" (", "\n("))
    right.margins(y=0.15)

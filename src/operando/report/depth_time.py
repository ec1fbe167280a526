"""Attenuation along the cell's axis over time, and its change since the first scan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operando.report.labelled import Array, deviation_in, edges, required, time_cells, values_in
from operando.report.style import (
    BLACK,
    CHANGE,
    SEQUENTIAL,
    amounts,
    axis_label,
    changes,
    colour_bar,
    new_figure,
    panel_title,
    styled,
)

CAPTION = (
    "Neutron attenuation coefficient averaged across the cell (a) and its change since the first scan (b), against "
    "the distance from the cathode current collector and time. Dashed lines bound the layers; times without a scan are "
    "left white. Lines on the colour bar of (b) mark one statistical standard deviation (median) of the change."
)


@styled
def depth_time_figure(profiles: xr.Dataset, *, layers: Mapping[str, tuple[float, float]] | None = None) -> Figure:
    """Draw ``attenuation`` (time, z) [1/m], with ``attenuation_var`` where known, and its change since the first time.

    Parameters
    ----------
    profiles:
        Dataset with coordinates ``time`` [s] and ``z`` [m].
    layers:
        Name of each layer and where it begins and ends [m].
    """
    required(profiles, "attenuation", dims=("time", "z"))
    time, depth = values_in(profiles.time, unit="h"), values_in(profiles.z, unit="um")
    attenuation = values_in(profiles.attenuation, unit="1/cm")
    deviation = deviation_in(profiles, "attenuation", unit="1/cm")
    figure = new_figure(height=112)
    top, bottom = figure.subplots(2, 1, sharex=True, sharey=True)
    for axes, values, norm, colours in (
        (top, attenuation, amounts(attenuation), SEQUENTIAL),
        (bottom, attenuation - attenuation[0], changes(attenuation[1:] - attenuation[0]), CHANGE),
    ):
        cells, filled = time_cells(time, values)
        picture = axes.pcolormesh(cells, edges(depth), filled.T, norm=norm, cmap=colours)
        is_change = axes is bottom
        colour_bar(
            figure,
            picture,
            ax=axes,
            pad=0.02,
            label=axis_label("Change" if is_change else "Attenuation", "1/cm"),
            deviation=_median_deviation(deviation, is_change),
        )
        axes.set_ylabel(axis_label("Distance from collector", "um"))
        _name_layers(axes, layers or {})
    panel_title(top, "a", "Attenuation")
    panel_title(bottom, "b", "Change since the first scan")
    bottom.set_xlabel(axis_label("Time", "h"))
    return figure


def _median_deviation(deviation: Array | None, is_change: bool) -> float | None:
    if deviation is None or (is_change and len(deviation) < 2):
        return None
    return float(np.nanmedian(np.hypot(deviation[1:], deviation[0]) if is_change else deviation))


def _name_layers(axes: Axes, layers: Mapping[str, tuple[float, float]]) -> None:
    bounds = sorted({round(bound * 1e6, 3) for layer in layers.values() for bound in layer})
    low, high = axes.get_ylim()
    for bound in bounds:
        if low < bound < high:
            axes.axhline(bound, color="white", linewidth=1.2, alpha=0.6)
            axes.axhline(bound, color=BLACK, linestyle=(0, (4, 3)), linewidth=0.7)
    for name, (start, stop) in layers.items():
        centre = (max(start * 1e6, low) + min(stop * 1e6, high)) / 2
        if low < centre < high:
            axes.annotate(
                name,
                (1.0, centre),
                xycoords=("axes fraction", "data"),
                xytext=(-4, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8},
            )

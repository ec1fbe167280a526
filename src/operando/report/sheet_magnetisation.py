"""A magnetisation that an inversion found, and how well it is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from operando.report.labelled import deviation_in, required, values_in
from operando.report.magnetic_field import centred
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    CHANGE,
    PAGE,
    SEQUENTIAL,
    VERMILION,
    amounts,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    place,
    styled,
)

CAPTION = (
    "Magnetisation found from the field (a), and its standard deviation without systematic terms (b); seen from the "
    "sensor, x to the right and y up. Frames are the regions whose means the table gives. A uniform sheet makes no "
    "field, so that a field does not tell the level: zero is the mean of the regions that are stated to be empty."
)

Regions = Mapping[str, tuple[tuple[float, float], tuple[float, float]]]
"""Opposite corners ``(x, y)`` [m] of each region."""

GAP, BAR, TITLE, FOOT, TALLEST = 4.0, 24.0, 6.0, 6.0, 90.0


@styled
def sheet_magnetisation_figure(sheet: xr.Dataset, *, regions: Regions | None = None) -> Figure:
    """Draw ``magnetisation`` (y, x) with ``magnetisation_var``, in A (moment per area) or A/m (per volume)."""
    required(sheet, "magnetisation", "magnetisation_var", dims=("y", "x"))
    unit = {"A": "uA", "A/m": "A/m"}[str(sheet.magnetisation.attrs["units"])]
    across, up = values_in(sheet.x, unit="mm"), values_in(sheet.y, unit="mm")
    values, deviation = values_in(sheet.magnetisation, unit=unit), deviation_in(sheet, "magnetisation", unit=unit)
    shown = [values, deviation if deviation is not None else np.full_like(values, np.nan)]
    wide = PAGE / 2 - BAR - GAP
    tall = min(wide * up.size / across.size, TALLEST)
    figure = new_figure(height=tall + TITLE + FOOT, arranged=False)
    norms, maps = (centred(values), amounts(shown[1])), (CHANGE, SEQUENTIAL)
    for k, title in enumerate(("magnetisation", "standard deviation")):
        start = GAP + k * PAGE / 2
        axes = place(figure, start, TITLE, wide, tall)
        picture = draw_section(axes, across, up, shown[k], norm=norms[k], cmap=maps[k])
        panel_title(axes, "ab"[k], title)
        colour_bar(
            figure,
            picture,
            cax=place(figure, start + wide + 2, TITLE + 0.1 * tall, 2.5, 0.8 * tall),
            label=axis_label("Moment per area" if unit == "uA" else "Magnetisation", unit),
        )
        if k == 0:
            for name, ((x0, y0), (x1, y1)) in (regions or {}).items():
                low, side = (1e3 * min(x0, x1), 1e3 * min(y0, y1)), (1e3 * abs(x1 - x0), 1e3 * abs(y1 - y0))
                axes.add_patch(Rectangle(low, *side, fill=False, edgecolor=VERMILION, linewidth=0.8))
                axes.annotate(name, low, xytext=(1, 1), textcoords="offset points", color=VERMILION)
            scale_bar(axes)
    return figure

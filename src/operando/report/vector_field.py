"""The vector field that a map of one component tells: its three components on one scale."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from operando.report.labelled import required, values_in
from operando.report.magnetic_field import axis_name, centred
from operando.report.sections import draw_section, scale_bar
from operando.report.style import CHANGE, PAGE, axis_label, colour_bar, new_figure, panel_title, place, styled

CAPTION = (
    "Components of the field above its sources, from the measured component less its background, by Fourier transform. "
    "Their uniform part is not told. Seen from the sensor, x to the right and y up."
)

GAP, BAR, TITLE, FOOT = 4.0, 20.0, 6.0, 6.0
"""Room between pictures, for the colour bar, a title, and a scale bar [mm]."""

TALLEST = 75.0
"""Of one picture [mm]."""


@styled
def vector_field_figure(vector: xr.Dataset) -> Figure:
    """Draw ``field`` (axis, y, x) [T] along x, y and z."""
    required(vector, "field", dims=("axis", "y", "x"))
    across, up = values_in(vector.x, unit="mm"), values_in(vector.y, unit="mm")
    values = values_in(vector.field, unit="uT")
    wide = (PAGE - BAR) / 3 - GAP
    tall = min(wide * up.size / across.size, TALLEST)
    figure = new_figure(height=tall + TITLE + FOOT, arranged=False)
    norm = centred(np.asarray(values))
    for i in range(vector.sizes["axis"]):
        axes = place(figure, GAP + i * (wide + GAP), TITLE, wide, tall)
        picture = draw_section(axes, across, up, values[i], norm=norm, cmap=CHANGE)
        panel_title(axes, "abc"[i], axis_name(vector.direction.values[i]))
        if i == 0:
            scale_bar(axes)
    bar = place(figure, GAP + 3 * (wide + GAP), TITLE + 0.1 * tall, 2.5, 0.8 * tall)
    colour_bar(figure, picture, cax=bar, label=axis_label("Field", "uT"))
    return figure

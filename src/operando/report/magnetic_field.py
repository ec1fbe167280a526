"""A measured magnetic field: each map as it was measured, less its background, and the noise of a pixel."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from operando.report.labelled import Array, deviation_in, required, values_in
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    CHANGE,
    PAGE,
    SEQUENTIAL,
    Scale,
    amounts,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    place,
    styled,
)

CAPTION = (
    "Field at the sensor as it was measured (left), and less its background (right), along each axis; seen from the "
    "sensor, x to the right and y up. White pixels are masked. The lines on the right colour bars mark one standard "
    "deviation of a pixel."
)

NAMES = {(1.0, 0.0, 0.0): "x", (0.0, 1.0, 0.0): "y", (0.0, 0.0, 1.0): "z"}
GAP, BAR, TITLE, FOOT = 4.0, 24.0, 6.0, 6.0
"""Room between pictures, for a colour bar, a title, and a scale bar [mm]."""

TALLEST = 75.0
"""Of one picture [mm]."""


@styled
def magnetic_field_figure(field: xr.Dataset, left: xr.Dataset) -> Figure:
    """Draw ``field`` (axis, y, x) [T] with ``direction``, and `left`, the same less its background.

    ``field_var`` gives the noise where it is known.
    """
    required(field, "field", dims=("axis", "y", "x"))
    required(left, "field", dims=("axis", "y", "x"))
    across, up = values_in(field.x, unit="mm"), values_in(field.y, unit="mm")
    wide = PAGE / 2 - BAR - GAP
    ratio = up.size / across.size
    tall = min(wide * ratio, TALLEST)
    rows = field.sizes["axis"]
    figure = new_figure(height=rows * (tall + TITLE) + FOOT, arranged=False)
    deviation = deviation_in(left, "field", unit="uT")
    for i in range(rows):
        name = axis_name(field.direction.values[i])
        top = TITLE + i * (tall + TITLE)
        for k, (data, title) in enumerate(((field, "as measured"), (left, "less background"))):
            values = values_in(data.field.isel(axis=i), unit="uT")
            start = GAP + k * PAGE / 2
            axes = place(figure, start, top, wide, tall)
            norm = centred(values) if k else amounts(values)
            picture = draw_section(axes, across, up, values, norm=norm, cmap=CHANGE if k else SEQUENTIAL)
            panel_title(axes, "abcdefgh"[2 * i + k], f"{name} {title}")
            colour_bar(
                figure,
                picture,
                cax=place(figure, start + wide + 2, top + 0.1 * tall, 2.5, 0.8 * tall),
                label=axis_label("Field", "uT"),
                deviation=float(np.nanmedian(deviation[i])) if k and deviation is not None else None,
                of=" of a pixel",
            )
            if i == rows - 1 and k == 0:
                scale_bar(axes)
    return figure


def centred(values: Array) -> Scale:
    """Scale centred at zero that holds all but single pixels."""
    finite = values[np.isfinite(values)]
    limit = float(np.percentile(np.abs(finite), 99.8)) or 1.0
    return Scale(-limit, limit, finite)


def axis_name(direction: Array) -> str:
    """``Bx``, ``By``, ``Bz``, or ``B`` with the direction."""
    parts = tuple(float(round(part, 6)) + 0.0 for part in direction)
    if parts in NAMES:
        return f"B{NAMES[parts]}"
    return f"B along ({', '.join(f'{part:.2f}'.replace('-', '−') for part in parts)}),"

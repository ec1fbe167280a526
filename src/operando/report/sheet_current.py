"""A sheet current that an inversion found: its size and direction, and its components."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operando.report.labelled import Array, deviation_in, required, values_in
from operando.report.magnetic_field import centred
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    BLACK,
    CHANGE,
    PAGE,
    SEQUENTIAL,
    VERMILION,
    Scale,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    place,
    styled,
)

CAPTION = (
    "Sheet current found from the field: its size, with arrows along it (a), and its components along x and y (b, c); "
    "seen from the sensor, x to the right and y up. Red lines are the cuts whose currents the table gives; a current "
    "that crosses to the right of who walks towards the dot is positive. The lines on the colour bars of (b) and (c) "
    "mark one standard deviation of a pixel, without systematic terms."
)

Cuts = Mapping[str, tuple[tuple[float, float], tuple[float, float]]]
"""Start and end ``(x, y)`` [m] of each cut."""

GAP, BAR, TITLE, FOOT = 3.0, 20.0, 6.0, 6.0
ARROWS = 14
"""Along the longer side."""

FAINT = 0.15
"""Of the largest current, below which no arrow is drawn."""


@styled
def sheet_current_figure(sheet: xr.Dataset, *, cuts: Cuts | None = None) -> Figure:
    """Draw ``current_x`` and ``current_y`` (y, x) [A/m], with ``_var`` where known."""
    required(sheet, "current_x", "current_y", dims=("y", "x"))
    across, up = values_in(sheet.x, unit="mm"), values_in(sheet.y, unit="mm")
    parts = [values_in(sheet[name], unit="A/m") for name in ("current_x", "current_y")]
    size = np.hypot(*parts)
    wide = (PAGE - 3 * BAR) / 3 - GAP
    tall = wide * up.size / across.size
    figure = new_figure(height=tall + TITLE + FOOT, arranged=False)
    panels = [place(figure, GAP + k * (wide + GAP + BAR), TITLE, wide, tall) for k in range(3)]
    top = float(np.percentile(size, 99.5)) or 1.0
    pictures = [draw_section(panels[0], across, up, size, norm=Scale(0.0, top, size), cmap=SEQUENTIAL)]
    pictures += [
        draw_section(axes, across, up, part, norm=centred(part), cmap=CHANGE)
        for axes, part in zip(panels[1:], parts, strict=True)
    ]
    _arrows(panels[0], across, up, parts, size)
    _draw_cuts(panels[0], cuts or {})
    for k, (axes, picture, title) in enumerate(zip(panels, pictures, ("size", "along x", "along y"), strict=True)):
        panel_title(axes, "abc"[k], title)
        name = ("current_x", "current_x", "current_y")[k]
        deviation = deviation_in(sheet, name, unit="A/m") if k else None
        colour_bar(
            figure,
            picture,
            cax=place(figure, GAP + k * (wide + GAP + BAR) + wide + 2, TITLE + 0.1 * tall, 2.5, 0.8 * tall),
            label=axis_label("Sheet current", "A/m"),
            deviation=None if deviation is None else float(np.median(deviation)),
            of=" of a pixel",
        )
    scale_bar(panels[0])
    return figure


def _arrows(axes: Axes, across: Array, up: Array, parts: list[Array], size: Array) -> None:
    step = max(1, round(max(size.shape) / ARROWS))
    at = (slice(step // 2, None, step), slice(step // 2, None, step))
    x, y = np.meshgrid(across[at[1]], up[at[0]])
    strong = size[at] > FAINT * np.percentile(size, 99.5)
    spacing = step * abs(across[1] - across[0])
    scale = 0.8 * spacing / (float(np.percentile(size, 99.5)) or 1.0)
    axes.quiver(
        x[strong],
        y[strong],
        scale * parts[0][at][strong],
        scale * parts[1][at][strong],
        angles="xy",
        scale_units="xy",
        scale=1,
        pivot="mid",
        color="white",
        edgecolor=BLACK,
        linewidth=0.3,
        width=0.009,
        headwidth=3.6,
        headlength=4.0,
        headaxislength=3.6,
    )


def _draw_cuts(axes: Axes, cuts: Cuts) -> None:
    for name, ((x0, y0), (x1, y1)) in cuts.items():
        axes.plot([1e3 * x0, 1e3 * x1], [1e3 * y0, 1e3 * y1], color=VERMILION, linewidth=1.0)
        axes.plot([1e3 * x1], [1e3 * y1], "o", color=VERMILION, markersize=2.5)
        axes.annotate(
            name,
            (1e3 * x1, 1e3 * y1),
            xytext=(-3, 3),
            textcoords="offset points",
            color="white",
            ha="right",
            va="bottom",
        )

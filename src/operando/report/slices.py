"""Slices across the cell in the first and the last scan, and the change between them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from operando.report.labelled import deviation_in, required, values_in
from operando.report.montage import space_of
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    CHANGE,
    PAGE,
    SEQUENTIAL,
    amounts,
    axis_label,
    changes,
    colour_bar,
    new_figure,
    panel_title,
    place,
    styled,
)

CAPTION = (
    "Neutron attenuation coefficient across the cell in the first and the last scan, and the change between them, at "
    "the heights named. The lines on the colour bar of the change mark one standard deviation of a voxel."
)

GAP, BAR, NAME = 3.0, 21.0, 6.0
"""Room between pictures, for a colour bar, and for a title or scale bar [mm]."""


@styled
def slices_figure(volumes: xr.Dataset, *, heights: Mapping[str, float] | None = None) -> Figure:
    """Draw slices of ``attenuation`` (time, z, y, x) [1/m], with ``attenuation_var`` where known.

    Parameters
    ----------
    heights:
        Name of each slice and its height z [m]; the middle of the volume without it.
    """
    required(volumes, "attenuation", dims=("time", "z", "y", "x"))
    middle = float(volumes.z.mean())
    rows = heights or {f"z = {middle * 1e6:.0f} µm": middle}
    ends = volumes.isel(time=[0, -1])
    hours, space = values_in(ends.time, unit="h"), space_of(volumes)
    cell = (PAGE - 2 * BAR) / 3 - GAP
    tall = cell * np.ptp(space.y) / np.ptp(space.x)
    figure = new_figure(height=len(rows) * (tall + NAME) + NAME, arranged=False)
    lefts = (GAP, 2 * GAP + cell, 3 * GAP + 2 * cell + BAR)
    for i, (name, height) in enumerate(rows.items()):
        here = ends.sel(z=height, method="nearest")
        values, deviation = values_in(here.attenuation, unit="1/cm"), deviation_in(here, "attenuation", unit="1/cm")
        top = NAME + i * (tall + NAME)
        panels = [place(figure, left, top, cell, tall) for left in lefts]
        shown = (*values, values[1] - values[0])
        norms = (amounts(values), amounts(values), changes(shown[2]))
        titles = (f"{name}, {hours[0]:.1f} h", f"{hours[1]:.1f} h", "change")
        for k, axes in enumerate(panels):
            colours = CHANGE if k == 2 else SEQUENTIAL
            picture = draw_section(axes, space.x, space.y, shown[k], norm=norms[k], cmap=colours)
            panel_title(axes, "abcdefghijklmnopqrstuvwxyz"[3 * i + k], titles[k])
            if k > 0:
                spread = None if deviation is None else np.hypot(*deviation) if k == 2 else deviation
                colour_bar(
                    figure,
                    picture,
                    cax=place(figure, lefts[k] + cell + 2, top + 0.1 * tall, 2.5, 0.8 * tall),
                    label=axis_label("Change" if k == 2 else "Attenuation", "1/cm"),
                    deviation=None if spread is None else float(np.nanmedian(spread)),
                    of=" of a voxel",
                )
    scale_bar(panels[0])
    return figure

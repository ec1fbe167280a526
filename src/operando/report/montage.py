"""A volume at several times: cut away, in slices, and in a section along the axis, all in one scale of colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from operando.report.cut_away import draw_cut_away, radius_of, vertical_extent
from operando.report.labelled import Array, edges, values_in
from operando.report.sections import draw_section, finite_mean, scale_bar
from operando.report.style import PAGE, colour_bar, millimetres, new_figure, panel_title, place

COLUMNS = 5
"""Times shown where none are asked for."""

GAP, HEAD, NAME, BAR = 3.0, 5.0, 5.0, 21.0
"""Room between columns, for the times on top, for the name over each row, and for the colour bar [mm]."""


@dataclass(frozen=True)
class Space:
    """Coordinates of a volume's voxels [mm]."""

    x: Array
    y: Array
    z: Array


def space_of(volume: xr.Dataset | xr.DataArray) -> Space:
    """Read the coordinates ``x``, ``y``, ``z`` [m]."""
    return Space(*(values_in(volume[axis], unit="mm") for axis in "xyz"))


def spread_times(time: Array, count: int = COLUMNS) -> list[int]:
    """Indices of the times nearest to `count` even spaces from the first to the last, each once."""
    wanted = np.linspace(time[0], time[-1], min(count, time.size))
    return sorted({int(np.abs(time - moment).argmin()) for moment in wanted})


def montage(
    volumes: Array,
    space: Space,
    *,
    titles: list[str],
    slices: Mapping[str, slice],
    norm: Normalize,
    cmap: str,
    label: str,
    deviation: float | None = None,
    stretch: float = 1.0,
) -> Figure:
    """Draw volumes ``(time, z, y, x)``, a column each.

    Parameters
    ----------
    slices:
        Name of each row of slices, and the voxels along z whose mean it shows.
    deviation:
        One standard deviation of a voxel, said at the colour bar.
    stretch:
        How much larger heights are drawn than widths, in the cut-away and in the section along the axis.
    """
    radius = radius_of(space.x, space.y, volumes)
    cell = (PAGE - BAR) / max(len(volumes), 3) - GAP
    up = edges(space.z) * stretch
    low, high = vertical_extent(radius, up)
    seen, disc, strip = (cell * extent / (2.02 * radius) for extent in (high - low, 2.02 * radius, np.ptp(up)))
    heights = [seen, *[disc] * len(slices), strip]
    figure = new_figure(height=HEAD + sum(heights) + NAME * (len(heights) + 1), arranged=False)
    middle, note = len(space.y) // 2, f", heights × {stretch:g}" if stretch != 1 else ""
    names = [f"a quarter cut away{note}", *slices, f"along the axis, through the middle{note}"]
    paper = millimetres(figure)
    for column, (values, title) in enumerate(zip(volumes, titles, strict=True)):
        top = HEAD
        cells = []
        for height in heights:
            cells.append(place(figure, GAP + column * (cell + GAP), top + NAME, cell, height))
            top += height + NAME
        centre = GAP + column * (cell + GAP) + cell / 2
        figure.text(centre, HEAD / 2, title, transform=paper, ha="center", va="center", fontweight="bold")
        draw_cut_away(cells[0], space.x, space.y, space.z, values, norm=norm, cmap=cmap, stretch=stretch)
        for axes, part in zip(cells[1:-1], slices.values(), strict=True):
            draw_section(axes, space.x, space.y, finite_mean(values[part], axis=0), norm=norm, cmap=cmap)
            axes.set_ylim(-1.01 * radius, 1.01 * radius)
        draw_section(cells[-1], space.x, space.z, values[:, middle], norm=norm, cmap=cmap, stretch=stretch)
        for axes in cells[1:]:
            axes.set_xlim(-1.01 * radius, 1.01 * radius)
        if column == 0:
            scale_bar(cells[-1])
            for letter, axes, name in zip("abcdef", cells, names, strict=False):
                panel_title(axes, letter, name)
    bar = place(figure, PAGE - BAR + 2, HEAD + NAME, 2.5, sum(heights[:-1]) + NAME * (len(heights) - 2))
    colour_bar(figure, ScalarMappable(norm, cmap), cax=bar, label=label, deviation=deviation, of=" of a voxel")
    return figure

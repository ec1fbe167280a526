"""The phases of a segmented cell beside the two pictures they come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from operando.errors import InputError
from operando.report.labelled import readable, required
from operando.report.montage import Space, space_of
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    GREY,
    PAGE,
    PHASE_COLOUR,
    amounts,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    place,
    styled,
)

CAPTION = (
    "Neutron and X-ray volumes of the same cell, registered, and the phases found in them: sections along the axis and "
    "across it."
)

GAP, BAR, NAME = 3.0, 18.0, 6.0
"""Room between pictures, for a colour bar, and for a title or scale bar [mm]."""


@styled
def phases_figure(volumes: xr.Dataset, *, height: float | None = None) -> Figure:
    """Draw ``neutron``, ``xray`` and ``phase`` (z, y, x); ``phase`` holds labels and ``attrs["phases"]`` their names.

    Parameters
    ----------
    height:
        Height z of the section across the axis [m]; the middle of the volume without it.
    """
    required(volumes, "neutron", "xray", "phase", dims=("z", "y", "x"))
    names, space = phase_names(volumes.phase), space_of(volumes)
    level = space.z.size // 2 if height is None else int(np.abs(space.z - height * 1e3).argmin())
    row = space.y.size // 2
    cell = (PAGE - 2 * BAR) / 3 - GAP
    wide = float(np.ptp(space.x))
    tall, long = cell * float(np.ptp(space.y)) / wide, cell * float(np.ptp(space.z)) / wide
    figure = new_figure(height=long + tall + 4 * NAME, arranged=False)
    labels = np.union1d(volumes.phase.values[level], volumes.phase.values[:, row])
    present = [names[int(label)] for label in labels if names[int(label)] != "air"]
    lefts = (GAP, 2 * GAP + cell + BAR, 3 * GAP + 2 * cell + 2 * BAR)
    for i, name in enumerate(("neutron", "xray", "phase")):
        panels = place(figure, lefts[i], NAME, cell, long), place(figure, lefts[i], 2 * NAME + long, cell, tall)
        if name == "phase":
            _draw_phases(panels, volumes.phase, names, space, row, level)
        else:
            values, unit = readable(volumes[name])
            shown = values[:, row], values[level]
            norm = amounts(*shown)
            for axes, up, part in zip(panels, (space.z, space.y), shown, strict=True):
                picture = draw_section(axes, space.x, up, part, norm=norm, cmap="gray")
            bar = place(figure, lefts[i] + cell + 2, NAME + 0.1 * (long + tall), 2.5, 0.8 * (long + tall))
            colour_bar(figure, picture, cax=bar, label=axis_label("Attenuation" if unit else "Grey value", unit))
        title = {"neutron": "Neutrons", "xray": "X-rays", "phase": "Phases"}[name]
        panel_title(panels[0], "abc"[i], title)
        if i == 0:
            scale_bar(panels[1])
    handles = legend_handles(present)
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), handlelength=1.0, columnspacing=1.2)
    return figure


def phase_names(phase: xr.DataArray) -> tuple[str, ...]:
    """Names of the labels, from ``attrs["phases"]``.

    Raises
    ------
    InputError
        If there are fewer names than labels.
    """
    names = tuple(str(name) for name in phase.attrs.get("phases", ()))
    if int(phase.max()) >= len(names):
        raise InputError("phases", must=f"names of all labels up to {int(phase.max())}", received=names)
    return names


def words(name: str) -> str:
    """Name of a phase as it is read, ``lithium_indium`` as ``lithium indium``."""
    return name.replace("_", " ")


def phase_colours(names: tuple[str, ...]) -> tuple[ListedColormap, BoundaryNorm]:
    """Colours and their scale for labels that index `names`."""
    colours = ListedColormap([PHASE_COLOUR.get(name, GREY) for name in names])
    return colours, BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))


def legend_handles(names: Sequence[str]) -> list[Patch]:
    """Patches of colour with the names of phases."""
    return [
        Patch(facecolor=PHASE_COLOUR.get(name, GREY), edgecolor=GREY, linewidth=0.4, label=words(name))
        for name in names
    ]


def _draw_phases(
    panels: tuple[Axes, Axes], phase: xr.DataArray, names: tuple[str, ...], space: Space, row: int, level: int
) -> None:
    colours, norm = phase_colours(names)
    draw_section(panels[0], space.x, space.z, phase.values[:, row], norm=norm, cmap=colours)
    draw_section(panels[1], space.x, space.y, phase.values[level], norm=norm, cmap=colours)

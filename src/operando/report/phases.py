"""The phases of a segmented cell beside the two pictures they come from, and their joint histogram."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Patch

from operando.errors import InputError
from operando.report.labelled import Array, readable, required
from operando.report.montage import Space, space_of
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    BLACK,
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
HISTOGRAM_CAPTION = (
    "Joint histogram of the neutron and X-ray volumes. Each ellipse holds two standard deviations about the mean of a "
    "phase, of all voxels that carry its label."
)

MOST_VOXELS = 2_000_000
"""Voxels drawn into a histogram; of larger volumes every n-th is taken."""

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
    figure = new_figure(height=long + tall + 3 * NAME, arranged=False)
    present = [int(label) for label in np.unique(volumes.phase.values[[level]]) if names[int(label)] != "air"]
    present = sorted({*present, *(int(i) for i in np.unique(volumes.phase.values[:, row]) if names[int(i)] != "air")})
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
    handles = [
        Patch(facecolor=PHASE_COLOUR.get(names[i], GREY), edgecolor=GREY, linewidth=0.4, label=words(names[i]))
        for i in present
    ]
    figure.legend(handles=handles, loc="lower right", ncols=len(handles), handlelength=1.0, columnspacing=1.2)
    return figure


@styled
def joint_histogram_figure(volumes: xr.Dataset, *, bins: int = 200) -> Figure:
    """Draw how often each pair of ``neutron`` and ``xray`` values occurs, with an ellipse for each phase present.

    Parameters
    ----------
    volumes:
        ``neutron``, ``xray`` and ``phase`` (z, y, x), as for `phases_figure`.
    """
    required(volumes, "neutron", "xray", "phase", dims=("z", "y", "x"))
    names = phase_names(volumes.phase)
    every = max(1, -(-volumes.phase.size // MOST_VOXELS))
    neutron, neutron_unit = readable(volumes.neutron)
    xray, xray_unit = readable(volumes.xray)
    first, second, labels = (part.ravel()[::every] for part in (neutron, xray, volumes.phase.values))
    known = np.isfinite(first) & np.isfinite(second)
    first, second, labels = first[known], second[known], labels[known]
    figure = new_figure(width=110, height=82)
    axes = figure.subplots()
    ranges = [_range(first), _range(second)]
    counts, x, y = np.histogram2d(first, second, bins=bins, range=ranges)
    norm = LogNorm(1, max(counts.max(), 2))
    picture = axes.pcolormesh(x, y, np.ma.masked_equal(counts.T, 0), norm=norm, cmap="Greys")
    for label in np.unique(labels):
        members = labels == label
        if members.sum() > 2:
            colour = GREY if names[int(label)] == "air" else PHASE_COLOUR.get(names[int(label)], GREY)
            _draw_phase(axes, first[members], second[members], words(names[int(label)]), colour)
    axes.set_xlabel(axis_label("Neutron attenuation" if neutron_unit else "Neutron grey value", neutron_unit))
    axes.set_ylabel(axis_label("X-ray attenuation" if xray_unit else "X-ray grey value", xray_unit))
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.0), handlelength=1.2, frameon=True, edgecolor="none")
    colour_bar(
        figure, picture, ax=axes, pad=0.02, label="Voxels per bin" if every == 1 else f"Voxels per bin, 1 of {every}"
    )
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


def _draw_phases(
    panels: tuple[Axes, Axes], phase: xr.DataArray, names: tuple[str, ...], space: Space, row: int, level: int
) -> None:
    colours, norm = phase_colours(names)
    draw_section(panels[0], space.x, space.z, phase.values[:, row], norm=norm, cmap=colours)
    draw_section(panels[1], space.x, space.y, phase.values[level], norm=norm, cmap=colours)


def _range(values: Array) -> tuple[float, float]:
    low, high = np.percentile(values, [0.05, 99.95])
    margin = 0.05 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _draw_phase(axes: Axes, first: Array, second: Array, name: str, colour: str) -> None:
    """Ellipse of two standard deviations about the mean of a phase."""
    sizes, directions = np.linalg.eigh(np.cov(first, second))
    width, height = 4 * np.sqrt(np.maximum(sizes, 0.0))
    turn = float(np.degrees(np.arctan2(directions[1, 0], directions[0, 0])))
    centre = (float(first.mean()), float(second.mean()))
    for edge, line in ((BLACK, 2.2), (colour, 1.3)):
        axes.add_patch(Ellipse(centre, width, height, angle=turn, fill=False, edgecolor=edge, linewidth=line))
    axes.plot(
        *centre, marker="o", color=colour, markeredgecolor=BLACK, markeredgewidth=0.5, linestyle="none", label=name
    )

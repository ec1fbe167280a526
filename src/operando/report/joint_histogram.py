"""Joint histogram of the neutron and the X-ray volume, and where each phase lies in it."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from operando.report.labelled import Array, readable, required
from operando.report.phases import phase_names, words
from operando.report.style import BLACK, GREY, PHASE_COLOUR, axis_label, colour_bar, new_figure, styled

CAPTION = (
    "Joint histogram of the neutron and X-ray volumes. Each ellipse holds two standard deviations about the mean of a "
    "phase, of all voxels that carry its label; its dot is the mean."
)

MOST_VOXELS = 2_000_000
"""Voxels drawn into a histogram; of larger volumes every n-th is taken."""


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
    axes.legend(loc="lower right", handlelength=1.2, frameon=True, edgecolor="none")
    colour_bar(
        figure, picture, ax=axes, pad=0.02, label="Voxels per bin" if every == 1 else f"Voxels per bin, 1 of {every}"
    )
    return figure


def _range(values: Array) -> tuple[float, float]:
    low, high = np.percentile(values, [0.05, 99.95])
    margin = 0.1 * (high - low) or 1.0
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

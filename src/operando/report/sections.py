"""Sections through a volume at their true proportions, with a scale bar instead of axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.transforms import ScaledTranslation

from operando.report.labelled import Array, edges
from operando.report.style import BLACK


def bare(axes: Axes) -> None:
    """Take frame and ticks away and keep lengths equal in both directions."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_aspect("equal")


def draw_section(
    axes: Axes, across: Array, up: Array, values: Array, *, norm: Normalize, cmap: Any, stretch: float = 1.0
) -> QuadMesh:
    """Draw values ``(up, across)`` [mm]; what is not finite stays white, heights are drawn `stretch` times as large."""
    picture = axes.pcolormesh(edges(across), edges(up) * stretch, np.ma.masked_invalid(values), norm=norm, cmap=cmap)
    bare(axes)
    return picture


def scale_bar(axes: Axes) -> None:
    """Draw a bar of a round length, about a third of the picture's width, 2 mm under its left corner."""
    start, stop = axes.get_xlim()
    length = round_length((stop - start) / 3)
    text = f"{length:g} mm" if length >= 0.1 else f"{length * 1e3:g} µm"
    inches = axes.get_figure(root=True).dpi_scale_trans  # type: ignore[union-attr]
    under = axes.get_xaxis_transform() + ScaledTranslation(0, -2 / 25.4, inches)
    axes.plot([start, start + length], [0, 0], transform=under, color=BLACK, linewidth=1.6, clip_on=False)
    axes.annotate(text, (start + length, 0), xycoords=under, xytext=(3, 0), textcoords="offset points", va="center")


def round_length(length: float) -> float:
    """Largest of 1, 2 or 5 times a power of ten that is not above `length`."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(power * max(step for step in (1, 2, 5) if step * power <= length * (1 + 1e-9)))


def finite_mean(values: Array, axis: int) -> Array:
    """Mean of what is finite; NaN where nothing is."""
    finite = np.isfinite(values)
    count = finite.sum(axis=axis)
    total = np.where(finite, values, 0.0).sum(axis=axis)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean

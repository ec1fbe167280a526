"""Maps over the imaged surface of a section, with the outlines of what lies in and below the surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MultipleLocator

from operando.cell.microstructure.structure import Microstructure
from operando.frames import Grid
from operando.report.style import CHANGE, GREY, colour_bar

Array = npt.NDArray[Any]

MICROMETRE = 1e-6


def extent_of(grid: Grid) -> tuple[float, float, float, float]:
    """Outer edges of a map along x and y [um], as matplotlib takes them."""
    (_, y, x), (_, dy, dx), (_, ny, nx) = grid.origin, grid.spacing, grid.shape
    ends = (x - dx / 2, x - dx / 2 + nx * dx, y - dy / 2, y - dy / 2 + ny * dy)
    left, right, low, high = (end / MICROMETRE for end in ends)
    return left, right, low, high


def draw_map(
    figure: Figure,
    axes: Axes,
    values: Array,
    grid: Grid,
    *,
    label: str,
    limits: tuple[float, float] | None = None,
    colours: Any = CHANGE,
    logarithmic: bool = False,
) -> AxesImage:
    """Draw a map ``(y, x)`` with its colour bar; without limits the scale is centred at zero and holds 99.8 % of it.

    The colour bar's ends say whether values go beyond.
    """
    finite = values[np.isfinite(values)]
    if limits is None:
        largest = float(np.percentile(np.abs(finite), 99.8)) or 1.0
        limits = (-largest, largest)
    picture = axes.imshow(
        values,
        origin="lower",
        extent=extent_of(grid),
        cmap=colours,
        norm=LogNorm(*limits) if logarithmic else Normalize(*limits),
        interpolation="none",
        aspect="equal",
    )
    below, above = bool((finite < limits[0]).any()), bool((finite > limits[1]).any())
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
    colour_bar(figure, picture, label=label, ax=axes, shrink=0.9, pad=0.02, aspect=18, extend=extend)
    axes.set(xlabel="x (µm)", ylabel="y (µm)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(5))
    return picture


def draw_outlines(axes: Axes, structure: Microstructure, *, lithium: bool = True) -> None:
    """Draw the outlines of the particles that the surface cuts, and of the lithium in and below it."""
    grid, top = structure.grid, structure.particle[-1]
    edge = np.zeros(top.shape, dtype=bool)
    edge[:, 1:] |= top[:, 1:] != top[:, :-1]
    edge[1:] |= top[1:] != top[:-1]
    shade = np.zeros((*edge.shape, 4))
    shade[edge, 3] = 0.45
    axes.imshow(shade, origin="lower", extent=extent_of(grid), interpolation="none", aspect="equal")
    if lithium:
        x, y = (grid.coordinate(axis) / MICROMETRE for axis in "xy")
        axes.contour(x, y, structure.mask("lithium").any(axis=0), levels=[0.5], colors=[GREY], linewidths=0.6)

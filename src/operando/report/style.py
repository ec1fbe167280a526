"""One look for every figure: type, sizes, colours, panel letters and colour bars.

Figures are built with matplotlib's object interface; no global state of pyplot is touched.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Transform

from operando.cell.phases import PHASES
from operando.report.numbers import unit_text

Array = npt.NDArray[Any]
Parameters = ParamSpec("Parameters")

COLUMN, PAGE = 89.0, 183.0
"""Widths of a journal's column and page [mm]."""

RESOLUTION = 250
"""Dots per inch of a written figure."""

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
"""Colours that colour-blind readers tell apart (Okabe and Ito, 2008)."""

LINES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
"""Colours of lines, in order."""

GREY, PALE = "#6B6B6B", "#D9D9D9"
"""Colours of what explains: guides, names, the outside of the cell."""

SEQUENTIAL, LITHIUM, CHANGE = "cividis", "viridis", "RdBu_r"
"""Colour maps of amounts, of lithium, and of changes (centred at zero)."""

TIME = ListedColormap(colormaps["plasma"](np.linspace(0.0, 0.85, 256)), name="time")
"""Colours of lines in the order of time, dark to bright; none too pale for white paper."""

PHASE_COLOUR = dict(
    zip(
        PHASES,
        ("#FFFFFF", PALE, "#9A9A9A", BLUE, YELLOW, SKY, PURPLE, VERMILION, GREY, BLACK),
        strict=True,
    )
)
"""Colour of each phase."""

LOOK: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 7.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.0,
    "errorbar.capsize": 1.5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.unicode_minus": True,
}


def styled(draw: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Decorate a function that draws a figure, so that it draws in this look whatever the user's settings are."""

    @functools.wraps(draw)
    def drawn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with _look():
            return draw(*args, **kwargs)

    return drawn


@contextlib.contextmanager
def _look() -> Iterator[None]:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(LOOK)
        yield


def new_figure(*, width: float = PAGE, height: float, arranged: bool = True) -> Figure:
    """Make an empty figure of a size in millimetres; its panels arrange themselves unless they are placed by hand."""
    return Figure(figsize=(width / 25.4, height / 25.4), layout="constrained" if arranged else None)


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add a panel at a place in millimetres from the figure's upper left corner."""
    wide, high = figure.get_size_inches() * 25.4
    return figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))


def millimetres(figure: Figure) -> Transform:
    """Transform of millimetres across and down from the figure's upper left corner, for texts between panels."""
    high = figure.get_size_inches()[1] * 25.4
    return Affine2D().translate(0, -high).scale(1 / 25.4, -1 / 25.4) + figure.dpi_scale_trans


def png_bytes(figure: Figure, *, resolution: float = RESOLUTION) -> bytes:
    """Write a figure as PNG; the same figure gives the same bytes."""
    stream = io.BytesIO()
    with _look():
        figure.savefig(stream, format="png", dpi=resolution, metadata={"Software": None})
    return stream.getvalue()


def axis_label(name: str, unit: str) -> str:
    """Text of an axis, ``Time (h)``."""
    return f"{name} ({unit_text(unit)})" if unit else name


def panel_title(axes: Axes, letter: str, title: str = "") -> None:
    """Letter and title over the left edge of a panel."""
    axes.set_title(rf"$\mathbf{{{letter}}}$  {title}".rstrip())


class Scale(Normalize):
    """Colours from `low` to `high`, which says at the colour bar's ends whether `values` go beyond."""

    def __init__(self, low: float, high: float, values: Array) -> None:
        super().__init__(low, high)
        below, above = bool((values < low).any()), bool((values > high).any())
        self.extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[
            below, above
        ]


def amounts(*arrays: Array) -> Scale:
    """Scale from the half to the 99.5th percentile of all that is shown; single voxels do not set it."""
    values = _finite(*arrays)
    low, high = np.percentile(values, [0.5, 99.5]) if values.size else (0.0, 1.0)
    return Scale(float(low), float(high) if high > low else float(low) + 1.0, values)


def changes(*arrays: Array) -> Scale:
    """Scale centred at zero that holds 99 % of all that is shown."""
    values = _finite(*arrays)
    limit = float(np.percentile(np.abs(values), 99)) if values.size else 1.0
    return Scale(-(limit or 1.0), limit or 1.0, values)


def colour_bar(
    figure: Figure, picture: ScalarMappable, *, label: str, deviation: float | None = None, of: str = "", **place: Any
) -> Colorbar:
    """Colour bar with a label, under which one standard deviation is stated.

    On a scale centred at zero it is also marked on both sides of zero: there it tells a change from noise.

    Parameters
    ----------
    of:
        Of what the deviation is, where it is not of each colour shown: ``" of a voxel"``.
    place:
        Where the bar goes, as `matplotlib.figure.Figure.colorbar` takes it.
    """
    bar = figure.colorbar(picture, **place)
    bar.outline.set_linewidth(0.5)
    if deviation is not None and np.isfinite(deviation):
        label = f"{label}\n1σ{of} ≈ {deviation:.2g}"
        draw = bar.ax.axhline if bar.orientation == "vertical" else bar.ax.axvline
        low, high = picture.get_clim()
        if low is not None and high is not None and low == -high and deviation < high:
            for mark in (-deviation, deviation):
                draw(mark, color=BLACK, linewidth=0.8)
    bar.set_label(label)
    return bar


def _finite(*arrays: Array) -> Array:
    values: Array = np.concatenate([np.ravel(array) for array in arrays])
    finite: Array = values[np.isfinite(values)]
    return finite

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
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

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


def new_figure(*, width: float = PAGE, height: float) -> Figure:
    """Make an empty figure of a size in millimetres that arranges its panels by itself."""
    return Figure(figsize=(width / 25.4, height / 25.4), layout="constrained")


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


def colour_bar(
    figure: Figure, picture: ScalarMappable, axes: Any, *, label: str, deviation: float | None = None, **place: Any
) -> Colorbar:
    """Colour bar with a label; one standard deviation is said in the label and bracketed about zero.

    The bracket is drawn only on a scale that runs through zero: there it tells a change from noise.
    """
    low, high = picture.get_clim()
    values: Array = np.ma.masked_invalid(np.ma.asarray(picture.get_array(), dtype=float)).compressed()
    below, above = bool((values < low).any()), bool((values > high).any())
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
    bar = figure.colorbar(picture, ax=axes, extend=extend, pad=0.02, **place)
    bar.outline.set_linewidth(0.5)
    if deviation is not None and np.isfinite(deviation):
        label = f"{label}\n1σ = {deviation:.2g}"
        if low is not None and high is not None and low < 0 < high:
            draw = bar.ax.axhline if bar.orientation == "vertical" else bar.ax.axvline
            for mark in (-deviation, deviation):
                if low < mark < high:
                    draw(mark, color=BLACK, linewidth=0.8)
    bar.set_label(label)
    return bar


def amounts(*arrays: Array) -> Normalize:
    """Scale of colours from the half to the 99.5th percentile of all that is shown; noise does not set it."""
    values = _finite(*arrays)
    low, high = np.percentile(values, [0.5, 99.5]) if values.size else (0.0, 1.0)
    return Normalize(float(low), float(high) if high > low else float(low) + 1.0)


def changes(*arrays: Array) -> Normalize:
    """Scale of colours centred at zero that holds 99 % of all that is shown."""
    values = np.abs(_finite(*arrays))
    limit = float(np.percentile(values, 99)) if values.size else 1.0
    return Normalize(-(limit or 1.0), limit or 1.0)


def _finite(*arrays: Array) -> Array:
    values: Array = np.concatenate([np.ravel(array) for array in arrays])
    finite: Array = values[np.isfinite(values)]
    return finite

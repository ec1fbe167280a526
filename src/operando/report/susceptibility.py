"""Magnetic susceptibility of LixCoO2 against lithium, and of the elements and materials of cells."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operando.materials.magnetic_lithiation import (
    FLAT,
    lithium_cobalt_oxide_nodes,
    lithium_in_cobalt_oxide,
    unambiguous_lithium,
    volume_from_lithium,
)
from operando.materials.magnetic_table import MagneticMaterial, magnetic_compounds, magnetic_elements
from operando.report.style import BLUE, GREY, PALE, VERMILION, new_figure, panel_title, styled

CAPTION = (
    "Volume susceptibility at 300 K of LixCoO2 against lithium, after Fig. 3b of Pollok et al. 2025 with its exponents "
    "read anew; grey where the curve does not tell x, light grey where two x share a value (a). Elements and materials "
    "of cells by size; filled: paramagnetic, open: diamagnetic; crosses: inferred, or not compared with a copy of the "
    "source (b)."
)

LINEAR = 1e-6
"""Susceptibility below which the axis across zero is linear; none listed is smaller."""


@styled
def susceptibility_figure(*, shown: MagneticMaterial | None = None) -> Figure:
    """Draw what a magnetic image of a cell tells about its materials; see `CAPTION`.

    Parameters
    ----------
    shown:
        A material that is marked: by a line at its value and, of LixCoO2, on the curve.
    """
    figure = new_figure(height=150)
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.3))
    _lithiation(left)
    _materials(right)
    if shown is not None and shown.volume is not None:
        _mark(left, right, shown, shown.volume)
    return figure


def _mark(left: Axes, right: Axes, shown: MagneticMaterial, value: float) -> None:
    """Point out one material in both panels."""
    right.axvline(value, color=GREY, linewidth=0.8, linestyle=":")
    # where no other material lies: below the paramagnets, above the diamagnets
    row = 6.0 if value > 0 else len(right.get_yticks()) / 2
    right.text(value, row, shown.name, color=GREY, rotation=90, ha="right", va="bottom")
    x = lithium_in_cobalt_oxide(shown.formula)
    if x is not None and x >= left.get_xlim()[1]:
        left.plot([x], [1e4 * value], "s", color=VERMILION, clip_on=False)
        left.annotate(shown.name, (x, 1e4 * value), xytext=(6, -10), textcoords="offset points", color=VERMILION)


def _lithiation(axes: Axes) -> None:
    x = np.linspace(0.3, 1.0, 701)
    axes.axvspan(0.3, FLAT[1], color=PALE, linewidth=0)
    axes.axvspan(FLAT[1], unambiguous_lithium()[0], color=PALE, alpha=0.4, linewidth=0)
    axes.plot(x, 1e4 * volume_from_lithium(lithium=x), color=BLUE)
    nodes = np.array([node for node in lithium_cobalt_oxide_nodes()[0] if node >= 0.3])
    axes.plot(nodes, 1e4 * volume_from_lithium(lithium=nodes), "o", color=BLUE)
    axes.set_xlim(1.0, 0.3)
    axes.set_ylim(0, None)
    axes.set_xlabel("Lithium x of LixCoO₂ (falls on charging)")
    axes.set_ylabel("Volume susceptibility (10⁻⁴)")
    axes.text(0.4, 0.3, "x not told", color=GREY, ha="center")
    panel_title(axes, "a", "LixCoO₂")


def _materials(axes: Axes) -> None:
    shown = sorted((m for m in (*magnetic_elements(), *magnetic_compounds()) if m.volume is not None), key=_volume)
    for row, material in enumerate(shown):
        compound = material in magnetic_compounds()
        colour = VERMILION if compound else BLUE
        value = _volume(material)
        axes.plot([0, value], [row, row], color=PALE, linewidth=0.8, zorder=1)
        axes.plot(
            value,
            row,
            "x" if material.inferred else "o",
            color=colour,
            markerfacecolor=colour if value > 0 else "white",
            zorder=2,
        )
    axes.set_yticks(range(len(shown)), [m.name for m in shown], fontsize=5)
    axes.set_ylim(-1, len(shown))
    axes.set_xscale("symlog", linthresh=LINEAR)
    axes.set_xlim(-1e-3, 1e-2)
    axes.set_xticks([-1e-3, -1e-5, 0, 1e-5, 1e-3])
    axes.axvline(0, color=GREY, linewidth=0.6)
    axes.set_xlabel("Volume susceptibility")
    for name, colour, row in (("elements", BLUE, 4), ("battery materials", VERMILION, 2)):
        axes.text(0.97, row / len(shown), name, color=colour, ha="right", transform=axes.transAxes)
    panel_title(axes, "b", "Elements and battery materials")


def _volume(material: MagneticMaterial) -> float:
    return material.volume or 0.0

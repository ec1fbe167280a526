"""How far the results of a study lie from what was expected, in units of their own error bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from operando.errors import InputError
from operando.report.numbers import deviation
from operando.report.style import BLACK, BLUE, PALE, VERMILION, new_figure, styled

CAPTION = (
    "Each result less what was expected, in units of its total standard deviation. Thick bars are the statistical "
    "part, thin ones the total. About two of three should reach zero with the thin bar."
)


@styled
def quantities_figure(quantities: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw how far each quantity of a summary lies from what was expected; those without one are left out."""
    shown = [(quantity, off) for quantity in quantities if (off := deviation(quantity)) is not None]
    if not shown:
        raise InputError("quantities", must="some with a value, an error and an expectation", received="none")
    figure = new_figure(width=130, height=18 + 5.5 * len(shown))
    axes = figure.subplots()
    for width, shade in ((2, 0.35), (1, 0.7)):
        axes.axvspan(-width, width, color=PALE, alpha=shade, linewidth=0)
    axes.axvline(0, color=BLACK, linewidth=0.8)
    for i, (quantity, off) in enumerate(shown):
        statistical, systematic = (quantity.get(part) or 0.0 for part in ("statistical", "systematic"))
        share = statistical / np.hypot(statistical, systematic)
        colour = VERMILION if abs(off) > 3 else BLUE
        axes.plot([off - 1, off + 1], [i, i], color=colour, linewidth=0.8)
        axes.plot([off - share, off + share], [i, i], color=colour, linewidth=2.4, solid_capstyle="butt")
        axes.plot(off, i, "o", color=colour, markersize=4)
    axes.set_yticks(range(len(shown)), [str(quantity["name"]) for quantity, _ in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    reach = max(3.5, *(abs(off) + 1.3 for _, off in shown))
    axes.set_xlim(-reach, reach)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Value less expectation (σ, statistical and systematic)")
    return figure

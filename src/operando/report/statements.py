"""What a paper states of a figure beside what was found, below the panels, so that the picture says it by itself."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure

from operando.report.style import GREY

_SIZE = 5.0
"""Of the letters [points]."""

_LETTERS_PER_INCH = 2.05 * 72 / _SIZE
"""Letters of that size in an inch, on average and with some room."""

_LINE = 1.35 * _SIZE / 72
"""From one line to the next [inch]."""


def add_statements(figure: Figure, rows: Sequence[tuple[str, str]], *, source: str = "Pollok et al. 2025") -> Figure:
    """Write each statement and what was found beside it below the panels of a figure, which grows by their height.

    Parameters
    ----------
    rows:
        What the source states, an empty text where it says nothing, and what was found.
    """
    width, height = figure.get_size_inches()
    lines = [f"Stated by {source}, and found here:"]
    for stated, found in rows:
        lines += textwrap.wrap(f"{stated}: {found}" if stated else found, int(width * _LETTERS_PER_INCH))
    figure.set_size_inches(width, height + (len(lines) + 1) * _LINE)
    # a label of the whole figure has its place kept free by the layout
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=_SIZE, color=GREY, linespacing=1.35)
    return figure

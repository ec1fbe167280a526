"""How well lines were fitted: a spectrum with its fit, the lines' width and contrast, and what was masked."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from operando.report.labelled import Array, required, values_in
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    BLACK,
    BLUE,
    GREY,
    LINES,
    SEQUENTIAL,
    amounts,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    styled,
)

CAPTION = (
    "Spectrum of the pixel of median noise with the lines that were fitted, and what is left in units of the noise "
    "(a); contrast of the lines, averaged (b); pixels that were masked, and why (c)."
)

OUTCOMES = 8
"""Verdicts of a fit, the good one included."""


@styled
def magnetic_spectra_figure(spectra: xr.DataArray, model: xr.DataArray, lines: xr.Dataset) -> Figure:
    """Draw one spectrum, its fit, and maps of the fits.

    Parameters
    ----------
    spectra, model:
        The pixel's spectrum and what was fitted to it, over ``frequency``, relative to the background.
    lines:
        ``contrast`` and ``centre`` (line, y, x), ``verdict`` (y, x) with the flags' meanings.
    """
    required(lines, "contrast", dims=("line", "y", "x"))
    figure = new_figure(height=115)
    panels = figure.subplot_mosaic([["spectrum"] * 2, ["rest"] * 2, ["left", "right"]], height_ratios=(3, 1, 4))
    spectrum, rest, left, right = (panels[name] for name in ("spectrum", "rest", "left", "right"))
    spectrum.sharex(rest)
    spectrum.tick_params(labelbottom=False)
    _draw_spectrum(spectrum, rest, spectra, model)
    panel_title(spectrum, "a", "Spectrum of one pixel")
    across, up = values_in(lines.x, unit="mm"), values_in(lines.y, unit="mm")
    good = np.isfinite(lines.contrast.values).all(axis=0)
    contrast = np.where(good, 100 * np.where(good, lines.contrast.values, 0.0).mean(axis=0), np.nan)
    picture = draw_section(left, across, up, contrast, norm=amounts(contrast), cmap=SEQUENTIAL)
    colour_bar(figure, picture, ax=left, label=axis_label("Contrast", "%"), fraction=0.05)
    panel_title(left, "b", "Contrast")
    scale_bar(left)
    _draw_verdict(right, across, up, lines.verdict)
    panel_title(right, "c", "Outcome")
    return figure


def _draw_spectrum(spectrum: Axes, rest: Axes, values: xr.DataArray, model: xr.DataArray) -> None:
    frequency = values_in(values.frequency, unit="GHz")
    left = values.values - model.values
    noise = float(left.std()) or 1.0
    spectrum.plot(frequency, values.values, ".", color=GREY, markersize=2)
    spectrum.plot(frequency, model.values, color=BLUE)
    spectrum.set_ylabel("Fluorescence")
    rest.plot(frequency, left / noise, ".", color=GREY, markersize=2)
    rest.axhline(0, color=BLACK, linewidth=0.6)
    rest.set_ylim(-5, 5)
    rest.set_ylabel("Left (σ)")
    rest.set_xlabel(axis_label("Frequency", "GHz"))


def _draw_verdict(axes: Axes, across: Array, up: Array, verdict: xr.DataArray) -> None:
    names = [name.replace("_", " ") for name in str(verdict.attrs["flag_meanings"]).split()]
    colours = ListedColormap(["#F4F4F4", BLACK, *LINES])
    norm = BoundaryNorm(np.arange(OUTCOMES + 1) - 0.5, OUTCOMES)
    draw_section(axes, across, up, verdict.values.astype(float), norm=norm, cmap=colours)
    for i, name in enumerate(names):
        count = int((verdict.values == i).sum())
        if count:
            axes.plot([], [], "s", color=colours(i), markeredgecolor=GREY, label=f"{name}: {count}")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))

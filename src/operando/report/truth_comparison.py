"""An estimate held against the truth, in units of its own error bars."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from scipy.stats import norm

from operando.errors import InputError
from operando.report.labelled import Array, deviation_in, readable, required, systematic_in
from operando.report.style import (
    BLACK,
    BLUE,
    GREY,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    styled,
)

CAPTION = (
    "Estimate against truth (a), and their difference over the error bar (b) beside the normal distribution it should "
    "follow. Error bars that are honest give a standard deviation of one, with 68 % within one and 95 % within two. "
    "Of many estimates the outermost thousandth is left out of (a)."
)
FEW = 400
"""Up to so many estimates are drawn one by one with their error bars."""


@styled
def truth_comparison_figure(comparison: xr.Dataset) -> Figure:
    """Draw ``estimate`` with ``estimate_var`` and ``estimate_systematic`` (both if known) against ``truth``.

    All are of one shape and ``estimate`` and ``truth`` of one unit; what is NaN is left out.
    """
    required(comparison, "estimate", "truth", dims=tuple(map(str, comparison.estimate.dims)))
    estimate, unit = readable(comparison.estimate)
    truth, _ = readable(comparison.truth)
    parts = [deviation_in(comparison, "estimate", unit=unit), systematic_in(comparison, "estimate", unit=unit)]
    known = [part for part in parts if part is not None]
    if not known:
        raise InputError("estimate_var", must="given, or estimate_systematic", received="neither")
    error = np.sqrt(sum(part**2 for part in known))
    good = np.isfinite(estimate) & np.isfinite(truth) & (error > 0)
    if not good.any():
        raise InputError("estimate", must="finite somewhere, with an error above zero", received="nothing that is")
    figure = new_figure(width=150, height=70)
    left, right = figure.subplots(1, 2)
    name = str(comparison.estimate.attrs.get("long_name", ""))
    _draw_against(figure, left, truth[good], estimate[good], error[good])
    left.set_xlabel(axis_label(f"Truth: {name}" if name else "Truth", unit))
    left.set_ylabel(axis_label(f"Estimate: {name}" if name else "Estimate", unit))
    panel_title(left, "a", "Estimate and truth")
    _draw_pulls(right, (estimate[good] - truth[good]) / error[good])
    panel_title(right, "b", "Difference over error bar")
    return figure


def _draw_against(figure: Figure, axes: Axes, truth: Array, estimate: Array, error: Array) -> None:
    ends = np.percentile(np.concatenate([truth, estimate]), [0.1, 99.9])
    margin = 0.05 * float(np.ptp(ends)) or 1.0
    low, high = float(ends[0]) - margin, float(ends[1]) + margin
    if truth.size <= FEW:
        axes.errorbar(truth, estimate, yerr=error, color=BLUE, fmt="o", elinewidth=0.7, alpha=0.8)
    else:
        counts, x, y = np.histogram2d(truth, estimate, bins=80, range=[(low, high), (low, high)])
        scale = LogNorm(1, max(counts.max(), 2))
        picture = axes.pcolormesh(x, y, np.ma.masked_equal(counts.T, 0), norm=scale, cmap="cividis")
        colour_bar(figure, picture, ax=axes, pad=0.02, label="Number per bin")
    axes.plot([low, high], [low, high], color=BLACK, linewidth=0.8)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")


def _draw_pulls(axes: Axes, pulls: Array) -> None:
    steps = np.linspace(-5, 5, 41)
    counts, _ = np.histogram(np.clip(pulls, -5, 5), steps)
    density = counts / (pulls.size * np.diff(steps))
    axes.stairs(density, steps, color=BLUE, fill=True, alpha=0.35)
    bin_error = np.sqrt(counts) / (pulls.size * np.diff(steps))
    centres = (steps[1:] + steps[:-1]) / 2
    axes.errorbar(
        centres[counts > 0], density[counts > 0], yerr=bin_error[counts > 0], color=BLUE, fmt="none", elinewidth=0.7
    )
    fine = np.linspace(-5, 5, 300)
    axes.plot(fine, norm.pdf(fine), color=BLACK, linewidth=1.0)
    within = [float((np.abs(pulls) <= bound).mean()) for bound in (1, 2)]
    text = (
        f"mean {pulls.mean():.2f}\nstd {pulls.std():.2f}\n"
        f"within 1σ {within[0] * 100:.0f} %\nwithin 2σ {within[1] * 100:.0f} %\nn = {pulls.size}"
    ).replace("-", "−")
    axes.text(0.98, 0.98, text, transform=axes.transAxes, ha="right", va="top", color=GREY)
    axes.set_ylim(0, None)
    axes.set_xlabel("(Estimate − truth) / standard deviation")
    axes.set_ylabel("Density")

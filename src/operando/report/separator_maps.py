"""Li-6 in the separator in three dimensions, and its change since the first scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from operando.report.labelled import Array, deviation_in, required, values_in
from operando.report.montage import montage, space_of, spread_times
from operando.report.style import CHANGE, SEQUENTIAL, amounts, axis_label, changes, styled

CAPTION = (
    "Li-6 in the separator at several times: seen from the anode with a quarter cut away (a), averaged "
    "through its depth (b), and along the axis through the middle (c). Outside the separator nothing is drawn."
)
CHANGE_CAPTION = (
    "Change of Li-6 in the separator since the first scan, shown as its amount is. The lines on the colour bar mark "
    "one standard deviation of a voxel: single voxels within them tell nothing."
)

QUANTITY = {"%": "⁶Li of all lithium", "mol/L": "⁶Li"}


def separator_caption(lithium6: xr.Dataset) -> str:
    """Caption that states the standard deviation of one voxel."""
    unit = _unit(lithium6)
    deviation = _voxel_deviation(lithium6, unit)
    return CAPTION if deviation is None else f"{CAPTION} One standard deviation of a voxel is {deviation:.2g} {unit}."


@styled
def separator_maps_figure(lithium6: xr.Dataset, *, steps: Sequence[int] | None = None) -> Figure:
    """Draw ``lithium6`` (time, z, y, x), a fraction or mol/m^3, NaN outside the separator, with ``lithium6_var``.

    Parameters
    ----------
    steps:
        Indices of the times shown; five even ones without it.
    """
    unit, values, chosen = _read(lithium6, steps)
    return _montage(lithium6, values[chosen], chosen, unit=unit, change=False)


@styled
def separator_change_figure(lithium6: xr.Dataset, *, steps: Sequence[int] | None = None) -> Figure:
    """Draw the change of ``lithium6`` since the first time; see `separator_maps_figure`."""
    unit, values, chosen = _read(lithium6, steps)
    later = [step for step in chosen if step > 0] or [0]
    return _montage(lithium6, values[later] - values[0], later, unit=unit, change=True)


def _read(lithium6: xr.Dataset, steps: Sequence[int] | None) -> tuple[str, Array, list[int]]:
    required(lithium6, "lithium6", dims=("time", "z", "y", "x"))
    unit = _unit(lithium6)
    chosen = list(steps) if steps is not None else spread_times(lithium6.time.values)
    return unit, values_in(lithium6.lithium6, unit=unit), chosen


def _montage(lithium6: xr.Dataset, volumes: Array, steps: Sequence[int], *, unit: str, change: bool) -> Figure:
    hours = values_in(lithium6.time, unit="h")
    deviation = _voxel_deviation(lithium6, unit)
    return montage(
        volumes,
        space_of(lithium6),
        titles=[f"{hours[step]:.1f} h" for step in steps],
        slices={"mean over depth": slice(None)},
        norm=changes(volumes) if change else amounts(volumes),
        cmap=CHANGE if change else SEQUENTIAL,
        label=axis_label(f"Change of {QUANTITY[unit]}" if change else QUANTITY[unit], unit),
        deviation=deviation * np.sqrt(2) if change and deviation is not None else deviation,
    )


def _unit(lithium6: xr.Dataset) -> str:
    return "%" if lithium6.lithium6.attrs.get("units") in ("", "%", "dimensionless") else "mol/L"


def _voxel_deviation(lithium6: xr.Dataset, unit: str) -> float | None:
    deviation = deviation_in(lithium6, "lithium6", unit=unit)
    return None if deviation is None else float(np.nanmedian(deviation))

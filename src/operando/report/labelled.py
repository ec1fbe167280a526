"""Labelled arrays as figures need them: in the units people read, with edges, with gaps where nothing was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.units import in_units

Array = npt.NDArray[Any]

GAP = 1.5
"""A step longer than this many median steps is a gap."""

LONE_TIME = 600.0
"""How long a single time is drawn [s]."""


def values_in(array: xr.DataArray, *, unit: str) -> Array:
    """Values of a labelled array in `unit`; refused where its own units measure something else."""
    return np.asarray(in_units(array, unit=unit, name=str(array.name)).values, dtype=float)


def deviation_in(data: xr.Dataset, name: str, *, unit: str) -> Array | None:
    """Statistical standard deviation of ``data[name]`` in `unit`, from ``<name>_var``; None where there is none."""
    if f"{name}_var" not in data:
        return None
    variance = data[f"{name}_var"]
    deviation = variance.copy(data=np.sqrt(variance.values))
    deviation.attrs = {"units": data[name].attrs.get("units")}
    return values_in(deviation, unit=unit)


def systematic_in(data: xr.Dataset, name: str, *, unit: str, term: str = "systematic") -> Array | None:
    """Systematic standard deviation of ``data[name]`` in `unit`, from ``<name>_<term>``; None where there is none."""
    return values_in(data[f"{name}_{term}"], unit=unit) if f"{name}_{term}" in data else None


def required(data: xr.Dataset, *names: str, dims: tuple[str, ...]) -> None:
    """Refuse a dataset that lacks one of `names`, or holds it on other dimensions.

    Raises
    ------
    InputError
        Naming the variable.
    """
    for name in names:
        if name not in data:
            raise InputError(name, must="in the dataset", received=f"variables {', '.join(map(str, data.data_vars))}")
        if tuple(data[name].dims) != dims:
            raise InputError(name, must=f"on dimensions {dims}", received=tuple(data[name].dims))


def edges(centres: Array) -> Array:
    """Edges of the cells whose centres are given; one cell more than a pair needs is extrapolated at each end."""
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    first, last = centres[0] - (middle[0] - centres[0]), centres[-1] + (centres[-1] - middle[-1])
    return np.concatenate([[first], middle, [last]])


def gaps(time: Array) -> Array:
    """Indices of the times after which at least one is missing.

    Raises
    ------
    InputError
        If the times do not increase.
    """
    steps = np.diff(time)
    if np.any(steps <= 0):
        raise InputError("time", must="increasing", received=time.tolist())
    return np.flatnonzero(steps > GAP * np.median(steps)) if steps.size else np.empty(0, dtype=int)


def time_cells(time: Array, values: Array) -> tuple[Array, Array]:
    """Edges in time and values for a map over time, first axis time; missing times are cells of NaN.

    Each time is drawn for one median step around it; nothing is drawn where nothing was measured.
    """
    after = gaps(time)
    half = (np.median(np.diff(time)) if time.size > 1 else LONE_TIME) / 2
    middle = (time[1:] + time[:-1]) / 2
    left, right = np.concatenate([[time[0] - half], middle]), np.concatenate([middle, [time[-1] + half]])
    right[after] = time[after] + half
    left[after + 1] = time[after + 1] - half
    return np.unique(np.concatenate([left, right])), np.insert(np.asarray(values, float), after + 1, np.nan, axis=0)


def broken(time: Array, *values: Array) -> tuple[Array, ...]:
    """Times and values, last axis time, with NaN put in wherever a time is missing, so that a line breaks there."""
    after = gaps(time)
    middle = (time[after] + time[np.minimum(after + 1, time.size - 1)]) / 2
    return np.insert(time, after + 1, middle), *(np.insert(v.astype(float), after + 1, np.nan, axis=-1) for v in values)


READABLE = {"1/m": "1/cm", "m": "mm", "s": "h", "A": "mA", "mol/m^3": "mol/L", "A/m^2": "mA/cm^2", "rad": "deg"}
"""Unit that people read in place of each SI unit."""


def readable(array: xr.DataArray) -> tuple[Array, str]:
    """Values in the unit that people read, and that unit; a unit not in `READABLE` stays as it is."""
    given = str(array.attrs.get("units", ""))
    unit = READABLE.get(given, given)
    return (values_in(array, unit=unit), unit) if "units" in array.attrs else (np.asarray(array.values, float), "")

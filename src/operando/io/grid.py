"""Grids of a magnetic field as instruments hand them over: which unit, which pixel size, which row comes first.

A field map has dims y, x (after component, where there are three), both ascending in metres, and x, y, z are
right-handed with z from the sample to the sensor: seen from the sensor, x points right and y points up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import FileError, InputError
from operando.units import quantity

Array = npt.NDArray[Any]
FirstRow = Literal["bottom", "top"]

GAUSS = {"gauss": 1e-4, "G": 1e-4, "mG": 1e-7}
"""Units of older instruments, in tesla."""

MICROWAVES = (1e6, 1e11)
"""Frequencies that resonances are looked for at [Hz]: any field up to 3 T, and no other unit by mistake."""

MOST_UNEVEN = 1e-3
"""Largest deviation of a coordinate from an even grid, in pixels."""


@dataclass(frozen=True)
class Stated:
    """What is stated of a file by who reads it; what is stated wins over what the file says.

    Attributes
    ----------
    pixel:
        Side of a pixel [m]; None where the file says it.
    unit:
        Of the field; None where the file says it.
    variable:
        Which of the file's arrays to read; None for the one that its format names first, or the only one.
    first_row:
        Where the first row of a plain array lies in the picture seen from the sensor: at its ``bottom`` (smallest y)
        or at its ``top``. Of no effect where the file holds coordinates.
    """

    pixel: float | None = None
    unit: str | None = None
    variable: str | None = None
    first_row: FirstRow = "bottom"

    def __post_init__(self) -> None:
        if self.pixel is not None and not (np.isfinite(self.pixel) and self.pixel > 0):
            raise InputError("pixel", must="a positive length", received=self.pixel)
        if self.first_row not in get_args(FirstRow):
            raise InputError("first_row", must="bottom or top", received=self.first_row)


def upright(values: Array, stated: Stated) -> Array:
    """Turn a plain array ``(..., y, x)`` so that its rows ascend along y."""
    return values[..., ::-1, :] if stated.first_row == "top" else values


def pixel_of(path: Path, stated: Stated, in_file: float | None = None) -> float:
    """Side of a pixel [m].

    Raises
    ------
    InputError
        If neither the user nor the file states it.
    """
    pixel = in_file if stated.pixel is None else stated.pixel
    if pixel is None:
        raise InputError(
            f"pixel of {path.name}", must="given: the file does not state it", received=None, remedy='Such as "1.2 um".'
        )
    return pixel


def even(path: Path, values: Array, name: str) -> Array:
    """Check a coordinate: ascending, in even steps."""
    steps = np.diff(values)
    if values.size < 2 or not np.isfinite(values).all() or not (steps > 0).all():
        raise FileError(path, problem=f"{name} does not ascend", remedy="One value belongs to each column or row.")
    if np.abs(steps - steps.mean()).max() > MOST_UNEVEN * steps.mean():
        raise FileError(path, problem=f"{name} is uneven", remedy="Resample to pixels of one size.")
    return values


def field_dataset(
    path: Path,
    values: Array,
    *,
    stated: Stated,
    unit: str | None,
    y: Array,
    x: Array,
    variance: Array | None = None,
    notes: Sequence[str] = (),
) -> xr.Dataset:
    """Label a field ``(y, x)`` or ``(component, y, x)``, in tesla.

    Parameters
    ----------
    values, variance:
        In `unit` and its square, upright.
    unit:
        That the file states; None where it does not.
    y, x:
        Coordinates of the pixels' centres [m].
    notes:
        What was resolved in reading, one sentence each.

    Raises
    ------
    InputError
        If no unit is stated, or it is no unit of a magnetic field.
    FileError
        If the array is no map.
    """
    array = np.asarray(values, dtype=float)
    if array.shape[-2:] != (y.size, x.size) or array.ndim not in (2, 3) or (array.ndim == 3 and len(array) != 3):
        problem = f"holds an array of shape {array.shape} for {y.size} x {x.size} pixels"
        raise FileError(path, problem=problem, remedy="A map is (y, x), or (component, y, x) with x, y and z.")
    given = stated.unit or unit
    if given is None:
        received, remedy = None, 'Such as "uT".'
        raise InputError(
            f"unit of {path.name}", must="given: the file does not state it", received=received, remedy=remedy
        )
    tesla = GAUSS.get(given) or quantity(f"1 {given}", unit="T", name=f"unit of {path.name}")
    dims = ("component", "y", "x")[3 - array.ndim :]
    coords: dict[str, Any] = {"y": xr.Variable("y", y, {"units": "m"}), "x": xr.Variable("x", x, {"units": "m"})}
    if array.ndim == 3:
        coords["component"] = ["x", "y", "z"]
    with np.errstate(invalid="ignore"):  # damaged files hold signalling NaN
        maps = xr.Dataset({"field": xr.Variable(dims, tesla * array, {"units": "T"})}, coords)
    if variance is not None:
        maps["field_var"] = xr.Variable(dims, tesla**2 * np.asarray(variance, dtype=float), {"units": "T^2"})
    return maps.assign_attrs(notes=list(notes))


def check_field(path: Path, maps: xr.Dataset) -> None:
    """Refuse a field [T] that holds infinities or no number at all, or has a variance that noise cannot have.

    NaN marks a missing pixel; whether an infinity means that too, only who wrote it knows.
    """
    field = maps["field"].values
    infinite = int(np.isinf(field).sum())
    if infinite:
        where = ", ".join(map(str, np.argwhere(np.isinf(field))[0][-2:]))
        problem = f"{infinite} infinite pixels, the first in row and column {where} (from 0)"
        raise FileError(path, problem=problem, remedy="Write NaN where a pixel is missing.")
    if not np.isfinite(field).any():
        raise FileError(path, problem="holds no finite number", remedy="Copy it again from the instrument.")
    if "field_var" in maps:
        seen = maps["field_var"].broadcast_like(maps["field"]).transpose(*maps["field"].dims).values[np.isfinite(field)]
        wrong = int(np.sum(~(np.isfinite(seen) & (seen > 0))))
        if wrong:
            problem = f"the variance of {wrong} pixels is not positive and finite"
            raise FileError(path, problem=problem, remedy="Write NaN into the field where its error is not known.")


def check_sweep(path: Path, frequency: Array) -> None:
    """Refuse frequencies that are no microwaves in hertz."""
    low, high = float(np.min(frequency)), float(np.max(frequency))
    if not (MICROWAVES[0] <= low and high <= MICROWAVES[1]):
        problem = f"frequencies run from {low:.6g} to {high:.6g} Hz, outside {MICROWAVES[0]:g} to {MICROWAVES[1]:g} Hz"
        raise FileError(path, problem=problem, remedy="Write them in hertz, or state their unit where the format can.")


def field_from_array(
    path: Path,
    values: Array,
    *,
    stated: Stated,
    unit: str | None = None,
    pixel: float | None = None,
    notes: Sequence[str] = (),
) -> xr.Dataset:
    """Label a plain array ``(..., row, column)`` whose pixels are square; see `field_dataset`."""
    side, array = pixel_of(path, stated, pixel), upright(np.asarray(values), stated)
    y, x = (side * np.arange(n) for n in (array.shape[-2:] if array.ndim >= 2 else (0, 0)))
    return field_dataset(path, array, stated=stated, unit=unit, y=y, x=x, notes=notes)


def cube_from_array(path: Path, values: Array, *, frequency: Array, units: str, stated: Stated) -> xr.DataArray:
    """Label spectra ``(frequency, row, column)``; frequencies [Hz] in any order.

    Raises
    ------
    FileError
        If frequencies and array do not match, or a frequency occurs twice.
    """
    swept, order = np.unique(np.asarray(frequency, dtype=float), return_index=True)
    array = np.asarray(values)
    if array.ndim != 3 or array.shape[0] != np.size(frequency) or min(array.shape) < 2:
        problem = f"holds spectra of shape {array.shape} for {np.size(frequency)} frequencies"
        raise FileError(path, problem=problem, remedy="Spectra are (frequency, y, x).")
    if swept.size != np.size(frequency) or not np.isfinite(swept).all():
        raise FileError(path, problem="a frequency occurs twice or is no number", remedy="Compare with the sweep.")
    side = pixel_of(path, stated)
    y, x = (side * np.arange(n) for n in array.shape[1:])
    coords = {
        "frequency": xr.Variable("frequency", swept, {"units": "Hz"}),
        "y": xr.Variable("y", y, {"units": "m"}),
        "x": xr.Variable("x", x, {"units": "m"}),
    }
    return xr.DataArray(
        upright(array[order], stated),
        dims=("frequency", "y", "x"),
        coords=coords,
        name="fluorescence",
        attrs={"units": units, "notes": []},
    )

"""Inputs of the lithium laws: numbers in SI, or labelled arrays whose units are checked."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.units import in_units

Values: TypeAlias = "float | npt.NDArray[Any] | xr.DataArray"
"""A number or plain array in SI, or a labelled array with ``units``."""


def checked(values: Values, *, unit: str, name: str) -> Any:
    """Return `values` in `unit`; a plain number or array is taken as already in it.

    Raises
    ------
    UnitError
        If a labelled array has no units, or those of something else.
    InputError
        If a value is not finite.
    """
    if isinstance(values, xr.DataArray):
        numbers: Any = in_units(values, unit=unit, name=name)
    else:
        numbers = np.asarray(values, dtype=float)[()]
    finite = np.isfinite(np.asarray(numbers))
    if not finite.all():
        raise InputError(
            name,
            must="finite everywhere",
            received=f"{int(finite.size - finite.sum())} of {finite.size} values that are not",
            remedy="Compute on the whole volume and mask the result, or select the voxels first.",
        )
    return numbers


def not_negative(values: Values, *, unit: str, name: str) -> Any:
    """Return `values` in `unit`, refused where one is below zero; see `checked`."""
    numbers = checked(values, unit=unit, name=name)
    return _bounded(numbers, np.asarray(numbers) >= 0, name, f"zero or more [{unit}]")


def positive(values: Values, *, unit: str, name: str) -> Any:
    """Return `values` in `unit`, refused where one is not above zero; see `checked`."""
    numbers = checked(values, unit=unit, name=name)
    return _bounded(numbers, np.asarray(numbers) > 0, name, f"above zero [{unit}]")


def fraction(values: Values, *, name: str) -> Any:
    """Return `values`, refused where one lies outside 0 to 1; see `checked`."""
    numbers = checked(values, unit="", name=name)
    array = np.asarray(numbers)
    return _bounded(numbers, (array >= 0) & (array <= 1), name, "between 0 and 1")


def contrast_from_cross_sections(*, sigma6: float, sigma7: float) -> float:
    """Cross section that one Li-6 has over one Li-7 [m^2], ``sigma6 - sigma7``.

    Raises
    ------
    InputError
        If either is negative or not finite, or Li-6 does not stand out: no image could tell the isotopes apart.
    """
    if not (np.isfinite([sigma6, sigma7]).all() and 0 <= sigma7 < sigma6):
        raise InputError(
            "sigma6, sigma7", must="cross sections [m^2] with 0 <= sigma7 < sigma6", received=(sigma6, sigma7)
        )
    return sigma6 - sigma7


def labelled(values: Any, *, name: str, units: str) -> Any:
    """Name a labelled result and state its units; plain numbers pass through."""
    if isinstance(values, xr.DataArray):
        values = values.rename(name)
        values.attrs = {"units": units}
    return values


def _bounded(numbers: Any, within: npt.NDArray[np.bool_], name: str, must: str) -> Any:
    if not within.all():
        raise InputError(name, must=must, received=float(np.asarray(numbers)[~within].flat[0]))
    return numbers

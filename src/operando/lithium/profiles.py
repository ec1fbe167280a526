"""Profiles along and across the cell, averages over phases, and their change over time.

Each takes an array and its variance and returns a dataset ``<name>``, ``<name>_var``, with the name and units of the
array. Noise is independent from slice to slice; within a slice `correlation` is the variance of a mean over that of
as many independent voxels, see `noise.mean_variance_ratio`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.lithium.budget import Figure
from operando.lithium.checked import positive


def disc_mask(*, volume: xr.DataArray, radius: float, centre: tuple[float, float] = (0.0, 0.0)) -> xr.DataArray:
    """Voxels within `radius` [m] of the axis through `centre` ``(x, y)`` [m], dims ``(y, x)``."""
    positive(radius, unit="m", name="radius")
    x, y = (volume[axis] - offset for axis, offset in zip("xy", centre, strict=True))
    return (y**2 + x**2 <= radius**2).rename("mask")


def axial_profile(
    *, values: xr.DataArray, variance: xr.DataArray, mask: xr.DataArray, correlation: float = 1.0
) -> xr.Dataset:
    """Mean across the cell at each z; NaN where the mask is empty.

    Parameters
    ----------
    values, variance:
        Dims ``(z, y, x)``, and ``time`` if there is one.
    mask:
        Voxels that count, dims ``(y, x)`` or ``(z, y, x)``.
    """
    _same_shape(values, variance)
    number = (mask & xr.ones_like(values.z, dtype=bool)).sum(("y", "x"))
    kept = number.where(number > 0)
    mean = (values * mask).sum(("y", "x")) / kept
    spread = correlation * (variance * mask).sum(("y", "x")) / kept**2
    return _dataset(values, mean, spread)


def radial_profile(
    *,
    values: xr.DataArray,
    variance: xr.DataArray,
    mask: xr.DataArray,
    edges: list[float],
    centre: tuple[float, float] = (0.0, 0.0),
    correlation: float = 1.0,
) -> xr.Dataset:
    """Mean over rings between `edges` [m] around the axis and over z, dims ``(..., radius)``; NaN for an empty ring.

    Other arguments as in `axial_profile`; ``radius`` is the middle of each ring.
    """
    _same_shape(values, variance)
    if len(edges) < 2 or np.any(np.diff(edges) <= 0) or edges[0] < 0:
        raise InputError("edges", must="at least two radii [m], zero or more and rising", received=edges)
    x, y = (values[axis] - offset for axis, offset in zip("xy", centre, strict=True))
    distance = np.hypot(y, x)
    middles = (np.asarray(edges[1:]) + np.asarray(edges[:-1])) / 2
    radius = xr.Variable("radius", middles, {"units": "m"})
    rings = []
    for inner, outer in pairwise(edges):
        ring = mask & (distance >= inner) & (distance < outer) & xr.ones_like(values.z, dtype=bool)
        number = ring.sum()
        kept = number.where(number > 0)
        mean = (values * ring).sum(("z", "y", "x")) / kept
        spread = correlation * (variance * ring).sum(("z", "y", "x")) / kept**2
        rings.append(_dataset(values, mean, spread))
    return _restored(xr.concat(rings, dim="radius").assign_coords(radius=radius), rings[0])


def over_time(profiles: Mapping[float, xr.Dataset]) -> xr.Dataset:
    """Join datasets of single scans along ``time``, at the times given [s], in their order.

    A scan that is missing stays missing: nothing is put in its place.
    """
    if not profiles:
        raise InputError("profiles", must="of at least one time", received="none")
    times = sorted(profiles)
    if not np.isfinite(times).all():
        raise InputError("times", must="finite [s]", received=times)
    joined = xr.concat([profiles[time] for time in times], dim="time", join="exact")
    joined = joined.assign_coords(time=xr.Variable("time", np.asarray(times, dtype=float), {"units": "s"}))
    return _restored(joined, profiles[times[0]])


def change_since_first(*, profiles: xr.Dataset, name: str) -> xr.Dataset:
    """Change of ``name`` since its first time, ``<name>_change`` with its variance, the first's counted in."""
    _has_time(profiles, name)
    values, variance = profiles[name], profiles[f"{name}_var"]
    later = profiles.time > profiles.time[0]
    change = values - values.isel(time=0, drop=True)
    spread = (variance + variance.isel(time=0, drop=True)) * later
    return _dataset(values.rename(f"{name}_change"), change, spread)


def normalised_to_first(*, profiles: xr.Dataset, name: str) -> xr.Dataset:
    """``name`` over its first time, ``<name>_normalised``: the initial variation along the depth goes out (Fig. 9).

    The variance is ``(var + r^2 var_0) / x_0^2``, and zero at the first time. NaN where the first is not above zero.
    """
    _has_time(profiles, name)
    values, variance = profiles[name], profiles[f"{name}_var"]
    first, first_var = values.isel(time=0, drop=True), variance.isel(time=0, drop=True)
    first = first.where(first > 0)
    ratio = values / first
    spread = (variance + ratio**2 * first_var) / first**2 * (profiles.time > profiles.time[0])
    return _dataset(values.rename(f"{name}_normalised"), ratio, spread, units="")


def phase_average(
    *,
    values: xr.DataArray,
    variance: xr.DataArray,
    masks: Mapping[str, xr.DataArray],
    within: xr.DataArray | None = None,
    name: str,
    correlation: float = 1.0,
) -> Figure:
    """Mean over a phase, its error by the segmentation's threshold apart.

    Parameters
    ----------
    values, variance:
        Dims ``(z, y, x)``.
    masks:
        Voxels of the phase: ``nominal``, and with the threshold moved 1 % down and up, ``lower`` and ``upper``.
    within:
        Voxels over which the sum is divided; the phase itself without it. With the whole cell, as in the paper's
        Fig. 4, a phase that only swells does not change its average.
    """
    _same_shape(values, variance)
    if not {"nominal", "lower", "upper"} <= set(masks):
        raise InputError("masks", must="nominal, lower and upper", received=sorted(masks))
    means = {}
    for which, mask in masks.items():
        number = int((mask if within is None else within).sum())
        if number == 0:
            raise InputError(f"mask {which} of {name}", must="of at least one voxel", received="none")
        means[which] = float((values * mask).sum()) / number
    number = int((masks["nominal"] if within is None else within).sum())
    spread = correlation * float((variance * masks["nominal"]).sum()) / number**2
    return Figure(
        name=name,
        value=means["nominal"],
        unit=str(values.attrs.get("units", "")),
        statistical=float(np.sqrt(spread)),
        terms={"threshold": (means["upper"] - means["lower"]) / 2},
    )


def _has_time(profiles: xr.Dataset, name: str) -> None:
    if name not in profiles or f"{name}_var" not in profiles or "time" not in profiles[name].dims:
        raise InputError(name, must=f"in the profiles over time, with {name}_var", received=list(profiles.data_vars))
    if np.any(np.diff(profiles.time.values) <= 0):
        raise InputError("time", must="rising", received=profiles.time.values)


def _same_shape(values: xr.DataArray, variance: xr.DataArray) -> None:
    if values.name is None or "units" not in values.attrs:
        raise InputError("values", must="labelled with a name and units", received=f"{values.name} {values.attrs}")
    if values.dims != variance.dims or values.shape != variance.shape:
        raise InputError(
            "variance", must=f"of the shape of {values.name}, {values.sizes}", received=dict(variance.sizes)
        )


def _dataset(like: xr.DataArray, mean: xr.DataArray, spread: xr.DataArray, units: str | None = None) -> xr.Dataset:
    unit = str(like.attrs.get("units", "")) if units is None else units
    name = str(like.name)
    mean.attrs, spread.attrs = {"units": unit}, {"units": f"{unit}^2" if unit else ""}
    if unit == "1/m":
        spread.attrs["units"] = "1/m^2"
    return xr.Dataset({name: mean, f"{name}_var": spread})


def _restored(joined: xr.Dataset, like: xr.Dataset) -> xr.Dataset:
    for name in joined.data_vars:
        joined[name].attrs = dict(like[name].attrs)
    return joined

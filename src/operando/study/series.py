"""Profiles of all scans against the pristine state: one level, one noise, changes in true attenuation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.frames import Array
from operando.lithium.profiles import disc_mask
from operando.study.structure import MARGIN, Structure, slice_means

if TYPE_CHECKING:
    from collections.abc import Sequence

INNER = 4.0
"""Voxels by which the disc of the inner profiles stays within the bore."""


def profiles_of(volume: xr.Dataset, *, structure: Structure) -> xr.Dataset:
    """Slice means of one volume: ``whole`` over the bore and its blurred rim, ``inner`` well within it."""
    discs = {
        "whole": structure.radius + MARGIN * structure.voxel,
        "inner": structure.radius - INNER * structure.voxel,
    }
    means = {name: slice_means(volume, radius=radius) for name, radius in discs.items()}
    plain = {name: (mean.attenuation, mean.attenuation_var) for name, mean in means.items()}
    return xr.Dataset(
        {name: value for name, (value, _) in plain.items()} | {f"{name}_var": v for name, (_, v) in plain.items()}
    )


@dataclass(frozen=True)
class Series:
    """Profiles over time after all scans were brought to one level.

    Attributes
    ----------
    profiles:
        ``whole`` and ``inner`` with their variances, dims ``(time, z)``, as reconstructed [1/m].
    pristine:
        Which scans changes are counted from: those that ended before any charge passed, or the first, dims ``time``.
    area:
        Of the disc of ``whole`` [m^2].
    level:
        Factor by which each scan was multiplied, dims ``time``.
    level_sigma:
        How far two scans of the same thing still differ in level (relative).
    noise_factor:
        Variance seen in the pins, which do not change, over that by counting; the variances hold it.
    """

    profiles: xr.Dataset
    pristine: xr.DataArray
    area: float
    level: xr.DataArray
    level_sigma: float
    noise_factor: float

    def change(self, name: str) -> tuple[xr.DataArray, xr.DataArray]:
        """Change since the mean of the pristine scans, and its variance, dims ``(time, z)``."""
        values, variance = self.profiles[name], self.profiles[f"{name}_var"]
        number = int(self.pristine.sum())
        base = values.where(self.pristine).mean("time")
        base_var = variance.where(self.pristine).mean("time") / number
        own = 1.0 - 2.0 * self.pristine
        return values - base, variance + own * base_var


def series_from_profiles(
    *, profiles: Sequence[xr.Dataset], times: Array, pristine: Array, structure: Structure, half_width: float
) -> Series:
    """Join the profiles of all scans.

    The pins do not change: their mean brings every scan to the level of the pristine ones, and the scatter of their
    slices, beyond what counting explains, is taken for all slices.

    Raises
    ------
    InputError
        If no scan shows the cell before charge has passed, or too little of the pins is seen.
    """
    if not pristine.any():
        raise InputError(
            "scans",
            must="begun before the first charge passes",
            received=f"a first scan at {times[0] / 3600:.2f} h",
            remedy="Check [data] clock_offset.",
        )
    joined = xr.concat(list(profiles), dim="time", join="override")
    joined = joined.assign_coords(time=("time", times, {"units": "s"}))
    pins = structure.in_pins(joined.z)
    if int(pins.sum()) < 4:
        raise InputError(
            "image", must="high enough to show the pins above and below the stack", received=int(pins.sum())
        )
    first = xr.DataArray(pristine, dims="time")
    seen = joined.whole.where(pins, drop=True)
    level = seen.where(first).mean() / seen.mean("z")
    levelled = joined.copy()
    for name in ("whole", "inner"):
        levelled[name] = (joined[name] * level).assign_attrs(units="1/m")
    seen = levelled.whole.where(pins, drop=True)
    scatter = seen - seen.mean("time")
    counted = float(joined.whole_var.where(pins).mean())
    factor = float((scatter**2).sum() / (scatter.size - seen.sizes["z"] - seen.sizes["time"] + 1) / counted)
    factor = max(factor, 1.0) if len(times) > 2 else 1.0
    halves = seen.where(seen.z < structure.collector.position).mean("z"), seen.where(seen.z > structure.top).mean("z")
    ratio = (halves[0] / halves[1]).dropna("time")
    for name in ("whole_var", "inner_var"):
        levelled[name] = (joined[name] * factor).assign_attrs(units="1/m^2")
    return Series(
        profiles=levelled,
        pristine=first,
        area=_disc_area(structure, half_width),
        level=level,
        level_sigma=float(ratio.std() / 2) if ratio.size > 2 else 1e-3,
        noise_factor=factor,
    )


def _disc_area(structure: Structure, half_width: float) -> float:
    """Area of the voxels that `slice_means` takes into the whole disc [m^2]."""
    step = structure.voxel
    width = 2 * int(np.floor(half_width / step + 1e-6))
    along = (np.arange(width) - (width - 1) / 2) * step
    plane = xr.DataArray(np.zeros((width, width)), dims=("y", "x"), coords={"y": along, "x": along})
    return float(disc_mask(volume=plane, radius=structure.radius + MARGIN * step).sum()) * step**2

"""From profiles over time to lithium: the pristine cell, the balance of every scan, and their figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.optics import lithium_isotopes
from operando.lithium.exchange import (
    Balance,
    BalanceData,
    balance_from_data,
    mixture_fraction_from_amounts,
)
from operando.lithium.inference import Posterior
from operando.lithium.pristine import Contents, contents_from_masses, pristine_from_layer_sums
from operando.lithium.smooth_layers import smooth_layer_integral_from_profile, thin_layer_integral_from_profile
from operando.units import Measured

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.study.series import Series
    from operando.study.structure import Structure

HARDENING = 0.03
"""What is left of hardening in a change of attenuation after linearisation for one absorption share (relative)."""

CLEAR = 2.0
"""Voxels next to the anode that are left out of the separator's sum: indium outshines them."""

FACE = 0.07
"""Systematic error of a face's position, in voxels: attenuation averages as transmission within a pixel."""


@dataclass(frozen=True)
class Pristine:
    """The cell as assembled, from the first scans and its description.

    Attributes
    ----------
    posterior:
        Of scale, enrichment and masses; see `operando.lithium.pristine`.
    contents:
        Formula units of the layers [mol].
    """

    posterior: Posterior
    contents: Contents
    site_concentration: float
    lithium_concentration: float
    sites: float

    @property
    def scale(self) -> float:
        """Attenuation as reconstructed over the tables'."""
        return self.posterior.values["scale"]

    @property
    def enrichment(self) -> float:
        """Li-6 fraction of the electrolyte as made."""
        return self.posterior.values["enrichment"]


def pristine_from_series(
    *,
    series: Series,
    structure: Structure,
    cell: Cell,
    references: tuple[str, ...],
    initial_lithiation: Measured,
    area: float,
) -> Pristine:
    """Read scale, enrichment and masses from the layers' sums before any charge has passed."""
    inner = series.profiles.inner.where(series.pristine).mean("time")
    sums = {}
    for layer, thickness, margin, faces in (
        ("cathode", structure.cathode_thickness, 1.5, (structure.collector, structure.separator)),
        ("separator", structure.separator_thickness, 3.0, (structure.separator, structure.anode)),
    ):
        if layer not in references:
            continue
        values = inner.where(structure.within(layer, inner.z, margin=margin), drop=True)
        own = float(values.std()) / math.sqrt(max(values.size - 1, 1)) / float(values.mean())
        place = math.hypot(*(face.position_sigma for face in faces), FACE * structure.voxel * math.sqrt(2)) / thickness
        total = float(values.mean()) * thickness
        sums[layer] = Measured(total, total * math.hypot(own, place))
    posterior = pristine_from_layer_sums(cell=cell, sums=sums, initial_lithiation=initial_lithiation)
    values = posterior.values
    contents = contents_from_masses(
        cell=cell,
        cathode_mass=values["cathode_mass"],
        active_weight=values["active_weight"],
        separator_mass=values["separator_mass"],
        lithium6_fraction=min(max(values["enrichment"], 0.0), 1.0),
    )
    lithium = cell.electrolyte.composition.lithium
    return Pristine(
        posterior=posterior,
        contents=contents,
        site_concentration=contents.active / (area * structure.cathode_thickness),
        lithium_concentration=lithium * contents.separator / (area * structure.separator_thickness),
        sites=contents.active,
    )


@dataclass(frozen=True)
class Sums:
    """Attenuation lost by the cathode and gained by the separator in one scan [m^2], and what may be wrong with them.

    Attributes
    ----------
    statistical:
        Standard deviations by counting.
    shifts:
        One-sigma shifts of ``(cathode loss, separator gain)`` by named causes.
    """

    cathode_loss: float
    separator_gain: float
    statistical: tuple[float, float]
    shifts: dict[str, tuple[float, float]]


def sums_from_series(
    *, series: Series, structure: Structure, scale: float, blur: float, motion_sigma: xr.DataArray
) -> list[Sums]:
    """Sum the change of attenuation over cathode and separator, for every scan."""
    change, variance = series.change("whole")
    values = series.profiles.whole
    factor = series.area / scale
    return [
        _sums(
            change.isel(time=i, drop=True) * factor,
            variance.isel(time=i, drop=True) * factor**2,
            values.isel(time=i, drop=True) * factor,
            structure,
            blur=blur,
            level_sigma=series.level_sigma,
            motion_sigma=float(motion_sigma[i]),
        )
        for i in range(change.sizes["time"])
    ]


def _sums(
    change: xr.DataArray,
    variance: xr.DataArray,
    values: xr.DataArray,
    structure: Structure,
    *,
    blur: float,
    level_sigma: float,
    motion_sigma: float,
) -> Sums:
    stop = structure.anode.position - CLEAR * structure.voxel
    place = math.hypot(structure.separator.position_sigma, FACE * structure.voxel)
    variance = variance.assign_attrs(units="m^2")

    def pair(profile: xr.DataArray) -> tuple[float, float, float, float, float, float]:
        profile = profile.assign_attrs(units="m")
        cathode = thin_layer_integral_from_profile(
            profile=profile,
            profile_var=variance,
            blur=blur,
            lower=structure.collector.position,
            upper=structure.separator.position,
            smooth_until=stop,
            position_sigma=place,
        )
        separator = smooth_layer_integral_from_profile(
            profile=profile,
            profile_var=variance,
            blur=blur,
            lower=structure.separator.position,
            upper=stop,
            position_sigma=place,
        )
        rim = profile.where((profile.z < stop - structure.voxel) & (profile.z > stop - 5 * structure.voxel))
        rest = float(rim.mean()) * (structure.anode.position - stop)
        return (
            -cathode.value,
            separator.value + rest,
            math.sqrt(cathode.variance),
            math.sqrt(separator.variance),
            -cathode.terms["interface"],
            separator.terms["interface"],
        )

    loss, gain, loss_sigma, gain_sigma, loss_place, gain_place = pair(change)
    # Up to the next voxel, so that a face's slope ends with the voxels that the face reaches
    slope = values.copy(data=np.diff(values.values, append=values.values[-1]) / structure.voxel)
    moved, level = pair(change + motion_sigma * slope), pair(change + level_sigma * values)
    return Sums(
        cathode_loss=loss,
        separator_gain=gain,
        statistical=(loss_sigma, gain_sigma),
        shifts={
            "interface": (loss_place, gain_place),
            "motion along the axis": (moved[0] - loss, moved[1] - gain),
            "level of the scan": (level[0] - loss, level[1] - gain),
        },
    )


def balances_from_sums(
    *, sums: list[Sums], charge: xr.DataArray, pristine: Pristine, efficiency: Measured
) -> list[Balance | None]:
    """Close lithium and Li-6 of every scan; None where no charge has passed yet."""
    sigma6, sigma7 = lithium_isotopes()
    scale = pristine.posterior.sigma("scale") / pristine.scale
    return [
        balance_from_data(
            data=BalanceData(
                cathode_loss=s.cathode_loss,
                charge=float(q) * efficiency.value,
                separator_gain=s.separator_gain,
                statistical=(s.statistical[0], 1e-4 * abs(float(q)), s.statistical[1]),
                relative={
                    "attenuation scale": (scale, 0.0, scale),
                    "hardening": (HARDENING, 0.0, HARDENING),
                    "current efficiency": (0.0, efficiency.sigma, 0.0),
                },
                absolute={name: (shift[0], 0.0, shift[1]) for name, shift in s.shifts.items()},
            ),
            anode_fraction=pristine.enrichment,
            anode_fraction_sigma=pristine.posterior.sigma("enrichment"),
            sigma6=sigma6,
            sigma7=sigma7,
        )
        if q > 0
        else None
        for s, q in zip(sums, charge.values, strict=True)
    ]


def mixture_of(pristine: Pristine, *, cell: Cell) -> Measured:
    """Li-6 fraction of all the cathode's lithium as assembled, and its error."""
    active, electrolyte = cell.cathode.active.composition, cell.electrolyte.composition
    amounts = pristine.contents

    def fraction(enrichment: float, **_: float) -> float:
        return mixture_fraction_from_amounts(
            active_lithium=amounts.active * active.lithium,
            electrolyte_lithium=amounts.cathode_electrolyte * electrolyte.lithium,
            active_fraction=active.lithium6_fraction,
            electrolyte_fraction=min(max(enrichment, 0.0), 1.0),
        )

    shifts = pristine.posterior.shifts_of(fraction)
    return Measured(fraction(pristine.enrichment), math.hypot(*shifts.values()))

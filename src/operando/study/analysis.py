"""From aligned volumes to lithium: every number and every map of a study."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.amounts import amounts_from_cell, area_from_cell
from operando.cell.optics import host_cross_section_of, lithium_isotopes
from operando.cell.protocol import expected_lithiation_from_cell
from operando.frames import Array
from operando.lithium.exchange import lithiation_figure
from operando.lithium.lithiation import lithiation_scenarios_from_attenuation
from operando.lithium.profiles import over_time, radial_profile
from operando.materials.formula import AVOGADRO
from operando.study.averages import electrode_averages
from operando.study.findings import (
    anode_figure,
    cathode_figures,
    lithiation_profiles,
    pristine_figures,
    separator_figures,
)
from operando.study.front import front_figure
from operando.study.inputs import charge_of
from operando.study.maps import lithiation_map, lithium6_map
from operando.study.quantities import Pristine, Sums, balances_from_sums, pristine_from_series, sums_from_series
from operando.units import FARADAY, Measured

if TYPE_CHECKING:
    from operando.lithium.budget import Figure
    from operando.lithium.exchange import Balance
    from operando.study.inputs import Inputs, Tell
    from operando.study.series import Series
    from operando.study.store import Store
    from operando.study.structure import Structure
    from operando.tomography.expected import ExpectedPhases

SHOWN = 5
"""Times whose volumes are drawn."""

RINGS = 8
"""Rings of the radial profile."""


@dataclass(frozen=True)
class Course:
    """What happened to the lithium, scan by scan.

    Attributes
    ----------
    charge:
        Net charge at the middle of each scan since the first ones, from which changes are counted, dims ``time`` [C].
    initial:
        Lithiation at these first scans.
    motion_sigma:
        How well the sample's height is known in each scan relative to the first ones together, dims ``time`` [m].
    balances:
        None where no charge has passed.
    leaving:
        Li-6 fraction of the lithium that has left the cathode by each scan.
    turn:
        Scan at the end of the first charge.
    """

    series: Series
    structure: Structure
    pristine: Pristine
    charge: xr.DataArray
    initial: Measured
    motion_sigma: xr.DataArray
    sums: list[Sums]
    balances: list[Balance | None]
    leaving: list[float]
    turn: int


def course_of(inputs: Inputs, *, series: Series, structure: Structure, motion_sigma: xr.DataArray) -> Course:
    """Close lithium and Li-6 in every scan."""
    study, cell = inputs.study, inputs.cell
    motion_sigma = _since_first(motion_sigma, series.pristine.values)
    times = series.profiles.time
    passed = charge_of(inputs)
    charge = xr.zeros_like(times, dtype=float) if passed is None else passed.interp(time=times).drop_vars("time")
    charge = charge.assign_coords(time=times).assign_attrs(units="C")
    early = float(charge.where(series.pristine.values).mean())
    stated = study.quantification.initial_lithiation
    initial = Measured(stated.value - early / (FARADAY * amounts_from_cell(cell=cell).active), stated.sigma)
    charge = (charge - early).assign_attrs(units="C")
    pristine = pristine_from_series(
        series=series,
        structure=structure,
        cell=cell,
        references=study.calibration.references,
        initial_lithiation=initial,
        area=area_from_cell(cell=cell),
    )
    sums = sums_from_series(
        series=series, structure=structure, scale=pristine.scale, blur=structure.blur, motion_sigma=motion_sigma
    )
    balances = balances_from_sums(
        sums=sums, charge=charge, pristine=pristine, efficiency=study.quantification.current_efficiency
    )
    falls = np.flatnonzero(np.diff(charge.values) < 0)
    turn = int(falls[0]) if falls.size else charge.size - 1
    final = balances[turn]
    natural = cell.cathode.active.composition.lithium6_fraction
    leaving = final.lost_lithium6 / final.lost_lithium if final is not None else natural
    return Course(
        series, structure, pristine, charge, initial, motion_sigma, sums, balances, [leaving] * charge.size, turn
    )


def _since_first(sigma: xr.DataArray, first: Array) -> xr.DataArray:
    """Error of each scan's motion relative to the mean of the first ones, whose motions err as well."""
    base = float(np.sqrt(np.sum(sigma.values[first] ** 2))) / int(first.sum())
    return xr.DataArray(np.hypot(sigma.values, base), dims="time")


def figures_of(course: Course, inputs: Inputs) -> list[Figure]:
    """Every number of the first charge."""
    times = course.series.profiles.time.values
    turn, when = course.turn, f"at {times[course.turn] / 3600:.2f} h"
    initial = course.initial
    half = int(np.argmin(np.abs(course.charge.values[: turn + 1] - course.charge.values[turn] / 2)))
    figures = [
        *pristine_figures(pristine=course.pristine, cell=inputs.cell),
        *separator_figures(pristine=course.pristine, sums=course.sums[turn], cell=inputs.cell, when=when),
        *cathode_figures(
            balance=course.balances[turn],
            pristine=course.pristine,
            cell=inputs.cell,
            initial=initial,
            time=float(times[turn]),
            when=when,
        ),
    ]
    figures.append(anode_figure(course=course, step=turn, when=when))
    for step in dict.fromkeys((half, turn)):
        figures.append(
            front_figure(
                course=course,
                cell=inputs.cell,
                step=step,
                name=f"cathode, front's distance from the separator at {times[step] / 3600:.2f} h",
            )
        )
    return figures


def lithiation_of(course: Course, inputs: Inputs) -> xr.Dataset:
    """Mean lithiation over time in the paper's three scenarios and in the fourth, dims ``(scenario, time)``."""
    cell, pristine, structure = inputs.cell, course.pristine, course.structure
    volume = area_from_cell(cell=cell) * structure.cathode_thickness
    times = course.series.profiles.time
    electrolyte, active = cell.electrolyte.composition, cell.cathode.active.composition
    sigma6, sigma7 = lithium_isotopes()
    f6 = pristine.enrichment
    per_electrolyte = host_cross_section_of(electrolyte) + electrolyte.lithium * (f6 * sigma6 + (1 - f6) * sigma7)
    host = (
        AVOGADRO
        / volume
        * (
            pristine.contents.active * host_cross_section_of(active)
            + pristine.contents.cathode_electrolyte * per_electrolyte
        )
    )
    natural = active.lithium6_fraction
    full = AVOGADRO * pristine.site_concentration * (natural * sigma6 + (1 - natural) * sigma7)
    initial = course.initial.value
    loss = np.array([sums.cathode_loss for sums in course.sums]) / volume
    spread = np.array([sums.statistical[0] for sums in course.sums]) / volume

    def over_scans(values: Array, units: str = "") -> xr.DataArray:
        return xr.DataArray(values, dims="time", coords={"time": times}, attrs={"units": units})

    passed = course.charge.values
    begun = np.flatnonzero(passed > 0)
    start = times.values[max(int(begun[0]) - 1, 0)] if begun.size else times.values[0]
    end = times.values[course.turn] if times.values[course.turn] > start else times.values[-1] + 1.0
    three = lithiation_scenarios_from_attenuation(
        attenuation=over_scans(host + initial * full - loss, "1/m"),
        attenuation_var=over_scans(spread**2, "1/m^2"),
        host_attenuation=host,
        site_concentration=pristine.site_concentration,
        electrolyte_concentration=electrolyte.lithium * pristine.contents.cathode_electrolyte / volume,
        sigma6=sigma6,
        sigma7=sigma7,
        charge_start=float(start),
        charge_end=float(end),
        natural_fraction=natural,
    )
    masses = pristine.posterior.shifts_of(lambda cathode_mass, active_weight, **_: cathode_mass * active_weight)
    mass = pristine.posterior.values["cathode_mass"] * pristine.posterior.values["active_weight"]
    relative = math.hypot(*masses.values()) / mass
    scale = pristine.posterior.sigma("scale") / pristine.scale
    fourth = [
        lithiation_figure(
            balance=b,
            active_lithium=pristine.sites,
            active_lithium_sigma=pristine.sites * relative,
            initial_lithiation=initial,
        )
        if b is not None
        else None
        for b in course.balances
    ]
    values = np.array([initial if f is None or f.value is None else f.value for f in fourth])
    errors = np.array([(0.0, 0.0) if f is None else (f.statistical, f.systematic) for f in fourth])
    name = "isotope exchange, closed by charge"
    own = [over_scans(part).expand_dims(scenario=[name]) for part in (values, errors[:, 0] ** 2)]
    joined: xr.DataArray = xr.concat([three.lithiation, own[0]], dim="scenario")
    variances: xr.DataArray = xr.concat([three.lithiation_var, own[1]], dim="scenario")
    systematic = joined * 0.0
    systematic[:3] = np.abs(initial - three.lithiation.values) * math.hypot(scale, relative)
    systematic[3] = errors[:, 1]
    for array in (joined, variances, systematic):
        array.attrs = {"units": ""}
    made = {"lithiation": joined, "lithiation_var": variances, "lithiation_systematic": systematic}
    return xr.Dataset(made).assign_coords(time=("time", times.values, {"units": "s"}))


def expected_over_time(inputs: Inputs) -> xr.Dataset:
    """Lithiation that the protocol's current implies, on a fine clock."""
    end = float(inputs.times[-1]) + inputs.neutron[-1].shape.duration
    time = np.linspace(-inputs.neutron[0].shape.duration, end, 400)
    values = [expected_lithiation_from_cell(cell=inputs.cell, time=float(t)) for t in time]
    return xr.Dataset(
        {"lithiation": ("time", np.array(values), {"units": ""})}, coords={"time": ("time", time, {"units": "s"})}
    )


def maps_of(
    course: Course, inputs: Inputs, *, store: Store, expected: ExpectedPhases, tell: Tell, fingerprint: str
) -> dict[str, xr.Dataset]:
    """Lithium in every voxel of every scan, kept in the store; what is drawn is returned.

    One volume is in memory at a time, besides those that are drawn.
    """
    count = course.charge.size
    base = _mean_volume(store, np.flatnonzero(course.series.pristine.values))
    drawn = sorted({*np.linspace(0, count - 1, min(SHOWN, count)).round().astype(int).tolist(), course.turn})
    kept: dict[str, dict[float, xr.Dataset]] = {
        "lithium6": {},
        "cathode": {},
        "radial": {},
        "averages": {},
        "slices": {},
    }
    initial = course.initial.value
    origin = course.structure.collector.position
    for i in range(count):
        time, level = float(course.series.profiles.time[i]), float(course.series.level[i])
        volume = store.read(f"scans/{i:03d}")
        separator = lithium6_map(
            volume, structure=course.structure, pristine=course.pristine, cell=inputs.cell, level=level
        )
        cathode = lithiation_map(
            volume,
            base=base,
            structure=course.structure,
            pristine=course.pristine,
            level=level,
            leaving_fraction=course.leaving[i],
            initial_lithiation=initial,
        )
        store.write(f"lithium6/{i:03d}", _from_collector(separator, origin), fingerprint=fingerprint)
        store.write(f"lithiation/{i:03d}", _from_collector(cathode, origin), fingerprint=fingerprint)
        kept["radial"][time] = _radial(cathode, course.structure)
        kept["averages"][time] = electrode_averages(
            volume,
            expected=expected,
            structure=course.structure,
            threshold=inputs.study.segmentation.threshold,
            factor=level / course.pristine.scale,
        )
        if i in drawn:
            kept["lithium6"][time] = _from_collector(separator, origin)
            kept["cathode"][time] = _from_collector(cathode, origin)
        if i in (0, count - 1):
            cut = volume[["attenuation", "attenuation_var"]] * (level / course.pristine.scale)
            for name, array in cut.items():
                array.attrs["units"] = "1/m" if name == "attenuation" else "1/m^2"
            kept["slices"][time] = _from_collector(cut, origin)
        tell("maps", i + 1, count)
    made = {name: over_time(parts) for name, parts in kept.items() if len(parts) > 1 or name != "slices"}
    for name in ("lithium6", "cathode", "slices"):
        if name in made:
            for axis in "zyx":
                made[name][axis].attrs["units"] = "m"
    made["averages"] = made["averages"].transpose("electrode", "time")
    if "slices" in made:
        inside = course.structure.anode.position - origin + 2 * course.structure.voxel
        made["slices"].attrs["heights"] = {
            "in the anode": inside + course.structure.voxel,
            "anode at the separator": inside - course.structure.voxel,
        }
    return made


def profiles_of_course(course: Course) -> tuple[xr.Dataset, xr.Dataset]:
    """Attenuation along the axis, and lithium in the cathode relative to the first scan with its front, over time."""
    series, structure = course.series, course.structure
    scale, origin = course.pristine.scale, structure.collector.position
    inner = xr.Dataset(
        {
            "attenuation": (series.profiles.inner / scale).assign_attrs(units="1/m"),
            "attenuation_var": (series.profiles.inner_var / scale**2).assign_attrs(units="1/m^2"),
        }
    )
    profiles = _from_collector(inner, origin)
    profiles.attrs["layers"] = {
        "cathode": (0.0, structure.separator.position - origin),
        "separator": (structure.separator.position - origin, structure.anode.position - origin),
    }
    depth = lithiation_profiles(series=series, structure=structure, pristine=course.pristine, leaving=course.leaving)
    return profiles, _from_collector(depth, origin)


def _radial(cathode: xr.Dataset, structure: Structure) -> xr.Dataset:
    known = cathode.lithiation.notnull()
    values = cathode.lithiation.fillna(0.0).rename("lithiation").assign_attrs(units="")
    edges = np.linspace(0, structure.radius - 1.5 * structure.voxel, RINGS + 1).tolist()
    made = radial_profile(values=values, variance=cathode.lithiation_var.fillna(0.0), mask=known, edges=edges)
    made["radius"].attrs["units"] = "m"
    return made


def _mean_volume(store: Store, which: Array) -> xr.Dataset:
    """Mean of some scans, added up one at a time."""
    names = ["attenuation", "attenuation_var"]
    total = store.read(f"scans/{int(which[0]):03d}")[names]
    for i in which[1:]:
        total = total + store.read(f"scans/{int(i):03d}")[names]
    count = len(which)
    return total.assign(
        attenuation=(total.attenuation / count).assign_attrs(units="1/m"),
        attenuation_var=(total.attenuation_var / count**2).assign_attrs(units="1/m^2"),
    )


def _from_collector(data: xr.Dataset, origin: float) -> xr.Dataset:
    """Count z from the cathode's collector: the world frame."""
    moved = data.assign_coords(z=("z", data.z.values - origin, {"units": "m"}))
    for axis in ("y", "x", "time"):
        if axis in moved.coords:
            moved[axis].attrs.setdefault("units", "s" if axis == "time" else "m")
    return moved
